package import NIOCore

/// AAC's out-of-band decoder configuration (`ISO 14496-3 §1.6.2.1`).
///
/// Two are equal when their bytes are: a sequence header repeated as it was changes nothing.
package struct AudioSpecificConfig: Sendable {
    /// A longer record is refused; those of encoders are 2 to 5 bytes, with a program config element under 300.
    package static let maximumBytes = 4_096

    /// The record as it came.
    package let bytes: ByteBuffer
    /// What a player must be able to decode: 2 is AAC-LC, 5 HE-AAC, 29 HE-AAC v2.
    package let objectType: Int
    /// Samples a second of the decoded sound, with SBR when that is signalled; 1 to 16,777,215.
    package let sampleRate: Int
    /// Channels of the decoded sound, 1 to 24; nil where only a program config element tells.
    package let channelCount: Int?
    /// Samples of each channel in an access unit, at `sampleRate`: 480 to 2,048.
    package let samplesPerAccessUnit: Int

    /// Reads a record; bytes it does not understand behind the core's configuration are kept and not read.
    package init(_ record: ByteBuffer) throws(MediaError) {
        guard record.readableBytes <= Self.maximumBytes else { throw .tooLarge(limitBytes: Self.maximumBytes) }
        var reader = BitReader(Array(record.readableBytesView))
        var coreType = try reader.readObjectType()
        let coreRate = try reader.readSamplingFrequency()
        var outputRate = coreRate
        let channelConfiguration = try reader.read(4)
        var extensionType: Int?
        if coreType == Self.sbr || coreType == Self.parametricStereo {
            extensionType = coreType
            outputRate = try reader.readSamplingFrequency()
            coreType = try reader.readObjectType()
            if coreType == 22 { try reader.skip(4) }  // extensionChannelConfiguration, of ER BSAC
        }
        var coreSamples = 1_024
        if Self.generalAudio.contains(coreType) {
            if try reader.readFlag() { coreSamples = 960 }
            if coreType == 23 { coreSamples /= 2 }  // ER AAC LD
            if extensionType == nil, channelConfiguration != 0 {
                // What follows is optional: an old encoder's record may end anywhere here.
                if let found = try? reader.readBackwardCompatibleExtension(coreType: coreType) {
                    extensionType = found.type
                    outputRate = found.rate
                }
            }
        }
        self.bytes = ByteBuffer(bytes: record.readableBytesView)  // its own storage: it outlives the message
        self.objectType = extensionType ?? coreType
        self.sampleRate = outputRate
        self.samplesPerAccessUnit = outputRate == coreRate ? coreSamples : coreSamples * 2
        let channels = Self.channelCounts[Int(channelConfiguration)]
        self.channelCount = extensionType == Self.parametricStereo && channels == 1 ? 2 : channels
    }

    /// The element of a CODECS attribute, such as `mp4a.40.2` (`RFC 6381 §3.3`).
    package var codecs: String { "mp4a.40.\(objectType)" }

    fileprivate static let sbr = 5
    fileprivate static let parametricStereo = 29
    /// Object types whose configuration is a `GASpecificConfig` (`§1.6.2.1`, `§4.4.1`).
    private static let generalAudio: Set<Int> = [1, 2, 3, 4, 6, 7, 17, 19, 20, 21, 22, 23]
    /// By channelConfiguration, 0 to 15 (`§1.6.3.5`).
    private static let channelCounts: [Int?] = [nil, 1, 2, 3, 4, 5, 6, 8, nil, nil, nil, 7, 8, 24, 8, nil]
}

extension AudioSpecificConfig: Hashable {
    package static func == (left: Self, right: Self) -> Bool { left.bytes == right.bytes }

    package func hash(into hasher: inout Hasher) { hasher.combine(bytes) }
}

extension BitReader {
    /// `GetAudioObjectType()`, 1 to 95 (`ISO 14496-3 §1.6.2.1`).
    fileprivate mutating func readObjectType() throws(MediaError) -> Int {
        let type = Int(try read(5))
        guard type != 0 else { throw .invalid(.audioObjectType) }
        return type == 31 ? 32 + Int(try read(6)) : type
    }

    /// samplingFrequencyIndex and, for index 15, the frequency said outright (`ISO 14496-3 §1.6.3.4`).
    fileprivate mutating func readSamplingFrequency() throws(MediaError) -> Int {
        let rates = [
            96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350,
        ]
        let index = Int(try read(4))
        let rate = index == 15 ? Int(try read(24)) : index < rates.count ? rates[index] : 0
        guard rate > 0 else { throw .invalid(.samplingFrequency) }
        return rate
    }

    /// The rest of a `GASpecificConfig` behind its frame length flag, then SBR and PS as explicit, backward compatible
    /// signalling puts them: at the end, behind the sync words 0x2B7 and 0x548 (`ISO 14496-3 §1.6.6.1`).
    fileprivate mutating func readBackwardCompatibleExtension(
        coreType: Int
    ) throws(MediaError) -> (type: Int, rate: Int)? {
        if try readFlag() { try skip(14) }  // dependsOnCoreCoder: coreCoderDelay
        let hasExtension = try readFlag()
        if coreType == 6 || coreType == 20 { try skip(3) }  // layerNr
        if hasExtension {
            if coreType == 22 { try skip(16) }  // numOfSubFrame, layer_length
            if [17, 19, 20, 23].contains(coreType) { try skip(3) }  // resilience flags
            try skip(1)  // extensionFlag3
        }
        if coreType >= 17 { try skip(2) }  // epConfig
        guard remainingBits >= 16, try read(11) == 0x2B7 else { return nil }
        guard try readObjectType() == AudioSpecificConfig.sbr, try readFlag() else { return nil }
        let rate = try readSamplingFrequency()
        guard remainingBits >= 12, try read(11) == 0x548, try readFlag() else {
            return (AudioSpecificConfig.sbr, rate)
        }
        return (AudioSpecificConfig.parametricStereo, rate)
    }
}

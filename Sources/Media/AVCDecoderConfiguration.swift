package import NIOCore

/// H.264's out-of-band decoder configuration, the `avcC` record (`ISO 14496-15 §5.3.3.1`).
///
/// Two are equal when their bytes are: a sequence header repeated as it was changes nothing.
package struct AVCDecoderConfiguration: Sendable {
    /// A longer record is refused; those of encoders are well under a kilobyte.
    package static let maximumBytes = 4_096

    /// The record as it came.
    package let bytes: ByteBuffer
    package let profile: UInt8
    package let profileCompatibility: UInt8
    package let level: UInt8
    /// The size of the length before each NAL unit in bytes: 1, 2 or 4.
    package let nalUnitLengthSize: Int
    /// At least one.
    package let sequenceParameterSets: [ByteBuffer]
    /// May be empty, where an encoder sends them in band alone.
    package let pictureParameterSets: [ByteBuffer]
    /// The picture's size in pixels after cropping, 1 to 16,880 each; the sample aspect ratio is not applied.
    package let width: Int
    package let height: Int
    /// What the first sequence parameter set says, 0.1 to 1,000; nil when it says nothing of use.
    package let framesPerSecond: Double?

    /// Reads a whole record; bytes behind the parameter sets (`§5.3.3.1.2`'s extension) are kept and not read.
    package init(_ record: ByteBuffer) throws(MediaError) {
        guard record.readableBytes <= Self.maximumBytes else { throw .tooLarge(limitBytes: Self.maximumBytes) }
        var reader = record
        guard let version: UInt8 = reader.readInteger() else { throw .truncated }
        guard version == 1 else { throw .invalid(.configurationVersion) }
        guard
            let (profile, compatibility, level, lengthSize) = reader.readMultipleIntegers(
                as: (UInt8, UInt8, UInt8, UInt8).self)
        else { throw .truncated }
        // The reserved bits around the two-bit size and the five-bit count are not looked at: some encoders clear them.
        guard lengthSize & 3 != 2 else { throw .invalid(.lengthSizeMinusOne) }
        let sequenceParameterSets = try Self.readParameterSets(&reader, countMask: 0x1F)
        let pictureParameterSets = try Self.readParameterSets(&reader, countMask: 0xFF)
        guard let first = sequenceParameterSets.first else { throw .missingSequenceParameterSet }
        let parsed = try SequenceParameterSet(nalUnit: first.readableBytesView)
        self.bytes = ByteBuffer(bytes: record.readableBytesView)  // its own storage: it outlives the message
        self.profile = profile
        self.profileCompatibility = compatibility
        self.level = level
        self.nalUnitLengthSize = Int(lengthSize & 3) + 1
        self.sequenceParameterSets = sequenceParameterSets.map { ByteBuffer(bytes: $0.readableBytesView) }
        self.pictureParameterSets = pictureParameterSets.map { ByteBuffer(bytes: $0.readableBytesView) }
        self.width = parsed.width
        self.height = parsed.height
        self.framesPerSecond = parsed.framesPerSecond
    }

    private static func readParameterSets(
        _ reader: inout ByteBuffer, countMask: UInt8
    ) throws(MediaError) -> [ByteBuffer] {
        guard let count: UInt8 = reader.readInteger() else { throw .truncated }
        var sets: [ByteBuffer] = []
        for _ in 0..<(count & countMask) {
            guard let set = reader.readLengthPrefixedSlice(as: UInt16.self) else { throw .truncated }
            sets.append(set)
        }
        return sets
    }

    /// `avc1.PPCCLL` (`RFC 6381 §3.3`).
    package var codecs: String {
        let digits = [profile, profileCompatibility, level].map { byte in
            (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }
        return "avc1." + digits.joined()
    }
}

extension AVCDecoderConfiguration: Hashable {
    package static func == (left: Self, right: Self) -> Bool { left.bytes == right.bytes }

    package func hash(into hasher: inout Hasher) { hasher.combine(bytes) }
}

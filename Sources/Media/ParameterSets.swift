package import NIOCore

/// The H.264 parameter sets a stream carries in band, and the decoder configuration they make together.
///
/// A set stays until another of its number comes (`H.264 §7.4.1.2.1`). A sequence parameter set that differs from the
/// one of its number begins anew: the sets around the old one are of no use any more.
package struct ParameterSets: Sendable {
    /// Nil until there is a sequence parameter set; the sets of a configuration that cannot be built are left out.
    package private(set) var configuration: AVCDecoderConfiguration?

    private var sequenceSets: [UInt32: ByteBuffer] = [:]
    private var pictureSets: [UInt32: ByteBuffer] = [:]

    package init() {}

    /// Takes the sets among an access unit's NAL units; true when the configuration is another one than before.
    package mutating func take(_ units: [ByteBuffer]) -> Bool {
        var hasChanged = false
        for unit in units {
            switch AnnexB.type(of: unit) {
            case 7: hasChanged = takeSequenceSet(unit) || hasChanged
            case 8: hasChanged = takePictureSet(unit) || hasChanged
            default: continue
            }
        }
        guard hasChanged else { return false }
        let built = try? AVCDecoderConfiguration(
            sequenceParameterSets: Self.inOrder(sequenceSets), pictureParameterSets: Self.inOrder(pictureSets))
        guard let built else {
            self = ParameterSets()
            return false
        }
        defer { configuration = built }
        return built != configuration
    }

    private mutating func takeSequenceSet(_ unit: ByteBuffer) -> Bool {
        guard let number = Self.number(of: unit, behind: 4), number < 32, sequenceSets[number] != unit
        else { return false }
        if sequenceSets[number] != nil {
            sequenceSets = [:]
            pictureSets = [:]
        }
        sequenceSets[number] = ByteBuffer(bytes: unit.readableBytesView)  // its own storage: it outlives the packet
        return true
    }

    private mutating func takePictureSet(_ unit: ByteBuffer) -> Bool {
        guard let number = Self.number(of: unit, behind: 1), number < 256, pictureSets[number] != unit
        else { return false }
        pictureSets[number] = ByteBuffer(bytes: unit.readableBytesView)
        return true
    }

    /// The number a set is known by, an Exp-Golomb code behind some bytes (`H.264 §7.3.2.1.1, §7.3.2.2`); nil for sets
    /// longer than any record may be.
    private static func number(of unit: ByteBuffer, behind bytes: Int) -> UInt32? {
        guard unit.readableBytes <= AVCDecoderConfiguration.maximumBytes else { return nil }
        // The code has at most 17 bits here; emulation prevention may add a byte.
        var reader = BitReader(nalUnitPayload: unit.readableBytesView.prefix(bytes + 8))
        guard (try? reader.skip(bytes * 8)) != nil else { return nil }
        return try? reader.readUnsigned()
    }

    private static func inOrder(_ sets: [UInt32: ByteBuffer]) -> [ByteBuffer] {
        sets.sorted { $0.key < $1.key }.map(\.value)
    }
}

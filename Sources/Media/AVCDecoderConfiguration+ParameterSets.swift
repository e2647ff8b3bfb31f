package import NIOCore

extension AVCDecoderConfiguration {
    /// Builds the record for access units with lengths of 4 bytes, and reads it as if it had come.
    ///
    /// The sets are NAL units with their header byte, at most 31 and 255 of them, of together under ``maximumBytes``.
    package init(
        sequenceParameterSets: [ByteBuffer], pictureParameterSets: [ByteBuffer]
    ) throws(MediaError) {
        guard let first = sequenceParameterSets.first else { throw .missingSequenceParameterSet }
        guard
            let (_, profile, compatibility, level) = first.getMultipleIntegers(
                at: first.readerIndex, as: (UInt8, UInt8, UInt8, UInt8).self)
        else { throw .truncated }
        let sets = sequenceParameterSets + pictureParameterSets
        let bytes = sets.reduce(0) { $0 + min($1.readableBytes, Self.maximumBytes) }
        guard sequenceParameterSets.count <= 31, pictureParameterSets.count <= 255, bytes < Self.maximumBytes
        else { throw .tooLarge(limitBytes: Self.maximumBytes) }

        var record = ByteBuffer()
        record.writeMultipleIntegers(1 as UInt8, profile, compatibility, level, 0xFC | 3 as UInt8)
        Self.write(sequenceParameterSets, reservedBits: 0xE0, into: &record)
        Self.write(pictureParameterSets, reservedBits: 0, into: &record)
        if !Self.profilesWithoutExtension.contains(profile) {
            let set = try SequenceParameterSet(nalUnit: first.readableBytesView)
            record.writeMultipleIntegers(
                0xFC | UInt8(set.chromaFormat), 0xF8 | UInt8(set.lumaBitDepth - 8),
                0xF8 | UInt8(set.chromaBitDepth - 8), 0 as UInt8)  // no sequence parameter set extensions
        }
        try self.init(record)
    }

    /// Baseline, Main and Extended, whose records end behind the parameter sets (`ISO 14496-15 §5.3.3.1.2`).
    private static let profilesWithoutExtension: Set<UInt8> = [66, 77, 88]

    private static func write(_ sets: [ByteBuffer], reservedBits: UInt8, into record: inout ByteBuffer) {
        record.writeInteger(reservedBits | UInt8(truncatingIfNeeded: sets.count))
        for set in sets {
            record.writeInteger(UInt16(truncatingIfNeeded: set.readableBytes))
            record.writeImmutableBuffer(set)
        }
    }
}

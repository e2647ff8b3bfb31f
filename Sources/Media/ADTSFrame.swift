package import NIOCore

/// AAC that carries its configuration with each access unit, as MPEG-TS has it (`ISO 14496-3 §1.A.2.2`).
package struct ADTSFrame: Hashable, Sendable {
    /// What the header says of the access unit: AAC Main, LC, SSR or LTP; SBR is not signalled here and stays implicit.
    package var configuration: AudioSpecificConfig
    /// The raw access unit, 0 to 8,184 bytes.
    package var accessUnit: ByteBuffer

    /// Takes one frame off the front of `bytes`, which stay as they are when it throws.
    ///
    /// Frames of several access units and channels told by a program config element alone are refused: neither can be
    /// taken apart without decoding.
    package init(_ bytes: inout ByteBuffer) throws(MediaError) {
        var reader = bytes
        guard let first: UInt32 = reader.readInteger(), let second: UInt16 = reader.readInteger(),
            let third: UInt8 = reader.readInteger()
        else { throw .truncated }
        guard first >> 20 == 0xFFF else { throw .invalid(.syncword) }
        guard (first >> 17) & 3 == 0 else { throw .invalid(.layer) }
        let isWithoutCheck = (first >> 16) & 1 == 1
        let objectType = (first >> 14) & 3 + 1
        let frequencyIndex = (first >> 10) & 0xF
        let channels = (first >> 6) & 7
        guard frequencyIndex < 13 else { throw .invalid(.samplingFrequency) }
        guard channels != 0 else { throw .invalid(.channelConfiguration) }
        guard third & 3 == 0 else { throw .invalid(.rawDataBlocks) }
        let frameLength = Int(first & 3) << 11 | Int(second >> 5)
        let headerLength = isWithoutCheck ? 7 : 9
        guard frameLength >= headerLength else { throw .invalid(.frameLength) }
        guard bytes.readableBytes >= frameLength,
            let accessUnit = bytes.getSlice(
                at: bytes.readerIndex + headerLength, length: frameLength - headerLength)
        else { throw .truncated }
        let record = UInt16(truncatingIfNeeded: objectType << 11 | frequencyIndex << 7 | channels << 3)
        configuration = try AudioSpecificConfig(ByteBuffer(integer: record))
        self.accessUnit = accessUnit
        bytes.moveReaderIndex(forwardBy: frameLength)
    }
}

import Media
import NIOCore

/// A record that is read must be read the same again from its own bytes.
package func fuzzAVCDecoderConfiguration(_ bytes: UnsafeRawBufferPointer) {
    guard let configuration = unsafe try? AVCDecoderConfiguration(ByteBuffer(bytes: bytes)) else { return }
    precondition((try? AVCDecoderConfiguration(configuration.bytes)) == configuration)
    precondition((1...16_880).contains(configuration.width) && (1...16_880).contains(configuration.height))
    precondition(configuration.codecs.utf8.count == 11)
}

/// A record that is read must be read the same again from its own bytes.
package func fuzzAudioSpecificConfig(_ bytes: UnsafeRawBufferPointer) {
    guard let configuration = unsafe try? AudioSpecificConfig(ByteBuffer(bytes: bytes)) else { return }
    precondition((try? AudioSpecificConfig(configuration.bytes)) == configuration)
    precondition(configuration.sampleRate > 0 && (1...24).contains(configuration.channelCount ?? 1))
    precondition((480...2_048).contains(configuration.samplesPerAccessUnit))
}

/// Units lie within the bytes, and come back from their length-prefixed form.
package func fuzzAnnexB(_ bytes: UnsafeRawBufferPointer) {
    let buffer = unsafe ByteBuffer(bytes: bytes)
    let units = AnnexB.nalUnits(buffer)
    precondition(units.reduce(0) { $0 + $1.readableBytes } <= buffer.readableBytes)
    var prefixed = AnnexB.lengthPrefixed(units)
    for unit in units where AnnexB.type(of: unit) != 9 {
        precondition(prefixed.readLengthPrefixedSlice(as: UInt32.self) == unit)
    }
    precondition(prefixed.readableBytes == 0)
}

/// Each frame takes its bytes off, and none without.
package func fuzzADTS(_ bytes: UnsafeRawBufferPointer) {
    var buffer = unsafe ByteBuffer(bytes: bytes)
    while true {
        let before = buffer.readableBytes
        guard let frame = try? ADTSFrame(&buffer) else {
            precondition(buffer.readableBytes == before)
            return
        }
        precondition(before - buffer.readableBytes >= frame.accessUnit.readableBytes + 7)
    }
}

/// Whatever timestamps come, each track goes forward and nothing is negative. Nine bytes are a packet.
package func fuzzTimeline(_ bytes: UnsafeRawBufferPointer) {
    var timeline = Timeline()
    var last: [TrackKind: Timestamp] = [:]
    var reader = unsafe ByteBuffer(bytes: bytes)
    while let (flags, raw, composition) = reader.readMultipleIntegers(as: (UInt8, UInt32, Int32).self) {
        if flags & 0x80 != 0 { timeline.restart() }
        let track: TrackKind = flags & 1 == 0 ? .video : .audio
        let times = timeline.place(track, rawTimestamp: raw, compositionTime: composition)
        if times.isEarly { continue }
        if let last = last[track] { precondition(times.decodeTime > last) }
        precondition(times.decodeTime.value >= 0 && times.presentationTime >= times.decodeTime)
        last[track] = times.decodeTime
    }
}

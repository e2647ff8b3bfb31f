/// Units of the elementary streams (`ISO 13818-1 §2.4.3.6`).
extension TransportStream {
    struct Unit {
        var isVideo: Bool
        /// In 90 kHz ticks.
        var presentationTime: Int64
        var isRandomAccess: Bool
    }

    /// Every PES packet's beginning, in the order of the file.
    var units: [Unit] {
        packets.compactMap { packet in
            guard packet.startsUnit, packet.hasPayload, packet.payload.count >= 14 else { return nil }
            let header = Array(packet.payload.prefix(14))
            let isVideo = 0xE0...0xEF ~= header[3]
            guard header[0...2] == [0, 0, 1], isVideo || 0xC0...0xDF ~= header[3], header[7] & 0x80 != 0 else {
                return nil
            }
            let fields = (header[9] >> 1 & 7, header[10], header[11] >> 1, header[12], header[13] >> 1)
            let high = Int64(fields.0) << 30 | Int64(fields.1) << 22
            let low = Int64(fields.2) << 15 | Int64(fields.3) << 7 | Int64(fields.4)
            return Unit(isVideo: isVideo, presentationTime: high | low, isRandomAccess: packet.isRandomAccess)
        }
    }

    /// Presentation times of all pictures, in order.
    var pictureTimes: [Int64] { units.filter(\.isVideo).map(\.presentationTime).sorted() }
}

extension TransportStream.Packet {
    /// Behind the header and the adaptation field.
    var payload: ArraySlice<UInt8> {
        let hasAdaptation = bytes[bytes.startIndex + 3] & 0x20 != 0
        return bytes.dropFirst(hasAdaptation ? 5 + Int(bytes[bytes.startIndex + 4]) : 4)
    }
}

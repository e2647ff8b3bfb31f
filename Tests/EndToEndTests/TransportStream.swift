/// What the tests look at in MPEG-TS packets (`ISO 13818-1 §2.4.3`).
struct TransportStream {
    struct Packet {
        let bytes: ArraySlice<UInt8>

        private func byte(_ offset: Int) -> UInt8 { bytes[bytes.startIndex + offset] }

        var isInSync: Bool { byte(0) == 0x47 }
        var identifier: Int { Int(byte(1) & 0x1F) << 8 | Int(byte(2)) }
        var startsUnit: Bool { byte(1) & 0x40 != 0 }
        var hasPayload: Bool { byte(3) & 0x10 != 0 }
        var continuityCounter: Int { Int(byte(3) & 0xF) }
        var isRandomAccess: Bool { byte(3) & 0x20 != 0 && byte(4) > 0 && byte(5) & 0x40 != 0 }

        /// The payload of a table section, behind its pointer.
        var section: ArraySlice<UInt8> { bytes.dropFirst(4).dropFirst(1 + Int(byte(4))) }
    }

    let packets: [Packet]

    init(_ bytes: [UInt8]) {
        packets = stride(from: 0, to: bytes.count - bytes.count % 188, by: 188).map {
            Packet(bytes: bytes[$0..<$0 + 188])
        }
    }

    /// Whether a PAT, the PMT it names, and then a packet to begin decoding at come first.
    var beginsWithTablesAndKeyframe: Bool {
        guard packets.count > 2, packets[0].identifier == 0, packets[0].startsUnit else { return false }
        let table = Array(packets[0].section)
        let program = Int(table[10] & 0x1F) << 8 | Int(table[11])
        return packets[1].identifier == program && packets[2].startsUnit && packets[2].isRandomAccess
    }

    /// Packets whose continuity counter does not follow the one before with the same identifier.
    var discontinuities: Int {
        var last: [Int: Int] = [:]
        var count = 0
        for packet in packets where packet.hasPayload {
            if let previous = last[packet.identifier], packet.continuityCounter != (previous + 1) % 16 { count += 1 }
            last[packet.identifier] = packet.continuityCounter
        }
        return count
    }
}

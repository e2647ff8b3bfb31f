import NIOCore

/// Writes what `BitReader` reads, as the specification draws it.
struct BitWriter {
    private(set) var text = ""

    mutating func bits(_ value: UInt32, _ count: Int) {
        let digits = String(value, radix: 2)
        text += String(repeating: "0", count: count - digits.count) + digits
    }

    /// `ue(v)`.
    mutating func unsigned(_ value: UInt32) {
        let digits = String(UInt64(value) + 1, radix: 2)
        text += String(repeating: "0", count: digits.count - 1) + digits
    }

    /// Filled up with zeros to whole bytes.
    var bytes: [UInt8] {
        var result: [UInt8] = []
        var rest = text[...]
        while !rest.isEmpty {
            let digits = rest.prefix(8)
            rest = rest.dropFirst(8)
            result.append((UInt8(digits, radix: 2) ?? 0) << UInt8(8 - digits.count))
        }
        return result
    }
}

extension [UInt8] {
    /// With a 3 wherever a start code could be seen (`H.264 §7.4.1.1`).
    var withEmulationPrevention: [UInt8] {
        var result: [UInt8] = []
        var zeros = 0
        for byte in self {
            if zeros >= 2, byte <= 3 {
                result.append(3)
                zeros = 0
            }
            result.append(byte)
            zeros = byte == 0 ? zeros + 1 : 0
        }
        return result
    }
}

extension ByteBuffer {
    init(hex: String) {
        self.init()
        var rest = hex[...]
        while !rest.isEmpty {
            writeInteger(UInt8(rest.prefix(2), radix: 16) ?? 0)
            rest = rest.dropFirst(2)
        }
    }
}

package import NIOCore

extension AVCDecoderConfiguration {
    /// Slices of a picture that decoding can begin with, in one access unit; each may bring the parameter sets with it.
    package static let maximumInstantRefreshSlices = 256

    /// Whether an access unit is length-prefixed NAL units (`ISO 14496-15 §5.3.4.2`) that end where it ends, with no more
    /// than ``maximumInstantRefreshSlices`` of type 5 among them.
    package func describes(_ accessUnit: ByteBuffer) -> Bool {
        var rest = accessUnit
        var slices = 0
        while rest.readableBytes > 0 {
            guard let length = readLength(&rest), length <= rest.readableBytes else { return false }
            if length > 0, rest.getInteger(at: rest.readerIndex, as: UInt8.self).map({ $0 & 0x1F }) == 5 {
                slices += 1
                guard slices <= Self.maximumInstantRefreshSlices else { return false }
            }
            rest.moveReaderIndex(forwardBy: length)
        }
        return true
    }

    private func readLength(_ bytes: inout ByteBuffer) -> Int? {
        switch nalUnitLengthSize {
        case 1: bytes.readInteger(as: UInt8.self).map(Int.init)
        case 2: bytes.readInteger(as: UInt16.self).map(Int.init)
        default: bytes.readInteger(as: UInt32.self).map(Int.init)
        }
    }
}

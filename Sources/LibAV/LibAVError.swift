import CLibAV

/// What a call into libav reported.
package enum LibAVError: Error, Equatable {
    /// Memory ran out.
    case outOfMemory
    /// The library lacks a part Headwater needs, such as the MPEG-TS muxer.
    case missing(String)
    /// The access unit is not what its format says.
    case malformedAccessUnit
    /// The decoder made nothing of what it was sent, with the library's code; the next packet may be fine.
    case invalidData(code: Int32)
    /// The frame is of another layout than the filter graph or the encoder was set up for.
    case layoutDiffers
    /// There is no H.264 encoder of this name that takes pictures from memory.
    case unknownEncoder(String)
    /// The encoder has no option of this name.
    case unknownOption(String, encoder: String)
    /// The encoder's option does not take this value.
    case invalidValue(String, option: String, encoder: String)
    /// A call refused what it was given, for this reason in the library's words.
    case refused(String, reason: String)
    /// A call failed: its name, and the library's own code, which is negative.
    case failed(String, code: Int32)

    /// Whether only the packet or frame in hand is lost, and the next may be sent.
    package var isRecoverable: Bool {
        switch self {
        case .malformedAccessUnit, .invalidData, .layoutDiffers: true
        case .outOfMemory, .missing, .unknownEncoder, .unknownOption, .invalidValue, .refused, .failed: false
        }
    }

    /// The reason in the library's words.
    package var reason: String {
        switch self {
        case .outOfMemory: "out of memory"
        case .missing(let part): "libav was built without \(part)"
        case .malformedAccessUnit: "its NAL units are not whole, or too many"
        case .invalidData(let code): Self.text(code)
        case .layoutDiffers: "the frame has another layout than what it was sent to"
        case .unknownEncoder(let name): "libavcodec has no usable H.264 encoder called \(name)"
        case .unknownOption(let option, let encoder): "\(encoder) has no option called \(option)"
        case .invalidValue(let value, let option, let encoder): "\(encoder) takes no \(value) for \(option)"
        case .refused(let call, let reason): "\(call): \(reason)"
        case .failed(let call, let code): "\(call): \(Self.text(code))"
        }
    }

    private static func text(_ code: Int32) -> String {
        var text = [CChar](repeating: 0, count: Int(AV_ERROR_MAX_STRING_SIZE))
        unsafe text.withUnsafeMutableBufferPointer { buffer in
            _ = unsafe av_strerror(code, buffer.baseAddress, buffer.count)
        }
        return String(libavText: text)
    }
}

/// Refuses a negative return code.
func checked(_ code: Int32, _ call: String) throws(LibAVError) {
    if code < 0 { throw .failed(call, code: code) }
}

extension String {
    /// What a call wrote into a buffer of characters, up to the zero it put behind.
    init(libavText characters: [CChar]) {
        self.init(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

import CLibAV

/// What a call into libav reported.
package enum LibAVError: Error, Equatable {
    /// Memory ran out.
    case outOfMemory
    /// The library lacks a part Headwater needs, such as the MPEG-TS muxer.
    case missing(String)
    /// The access unit is not what its format says.
    case malformedAccessUnit
    /// A call failed: its name, and the library's own code, which is negative.
    case failed(String, code: Int32)

    /// The reason in the library's words.
    package var reason: String {
        switch self {
        case .outOfMemory: return "out of memory"
        case .malformedAccessUnit: return "its NAL units are not whole, or too many"
        case .missing(let part): return "libav was built without \(part)"
        case .failed(let call, let code):
            var text = [CChar](repeating: 0, count: Int(AV_ERROR_MAX_STRING_SIZE))
            unsafe text.withUnsafeMutableBufferPointer { buffer in
                _ = unsafe av_strerror(code, buffer.baseAddress, buffer.count)
            }
            let bytes = text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
            return "\(call): \(String(decoding: bytes, as: UTF8.self))"
        }
    }
}

/// Refuses a negative return code.
func checked(_ code: Int32, _ call: String) throws(LibAVError) {
    if code < 0 { throw .failed(call, code: code) }
}

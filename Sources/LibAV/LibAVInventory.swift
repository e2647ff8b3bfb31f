import CLibAV

/// What the libav that Headwater runs with was built with.
package enum LibAVInventory {
    /// The names of its H.264 encoders that take pictures from memory, such as `libx264`.
    package static var h264Encoders: [String] {
        var names: [String] = []
        var position: UnsafeMutableRawPointer?
        while let codec = unsafe av_codec_iterate(&position) {
            guard unsafe codec.pointee.id == AV_CODEC_ID_H264, unsafe av_codec_is_encoder(codec) != 0,
                unsafe pixelFormat(of: codec) != nil, let name = unsafe codec.pointee.name
            else { continue }
            names.append(unsafe String(cString: name))
        }
        return names
    }

    /// Whether there is an H.264 encoder of this name that takes pictures from memory.
    package static func hasEncoder(_ name: String) -> Bool { pixelFormat(ofEncoder: name) != nil }

    /// The pixel format an H.264 encoder is to be sent, `yuv420p` or else `nv12`; nil where it takes neither or there is
    /// none of this name.
    package static func pixelFormat(ofEncoder name: String) -> String? {
        guard let codec = unsafe h264Encoder(name), let format = unsafe pixelFormat(of: codec) else { return nil }
        return format == AV_PIX_FMT_NV12 ? "nv12" : "yuv420p"
    }

    static func h264Encoder(_ name: String) -> UnsafePointer<AVCodec>? {
        guard let codec = unsafe avcodec_find_encoder_by_name(name), unsafe codec.pointee.id == AV_CODEC_ID_H264
        else { return nil }
        return unsafe codec
    }

    static func pixelFormat(of encoder: UnsafePointer<AVCodec>) -> AVPixelFormat? {
        guard var format = unsafe encoder.pointee.pix_fmts else { return nil }
        var found: AVPixelFormat?
        while unsafe format.pointee != AV_PIX_FMT_NONE {
            if unsafe format.pointee == AV_PIX_FMT_YUV420P { return AV_PIX_FMT_YUV420P }
            if unsafe format.pointee == AV_PIX_FMT_NV12 { found = AV_PIX_FMT_NV12 }
            unsafe format += 1
        }
        return found
    }
}

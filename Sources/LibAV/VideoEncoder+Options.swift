import CLibAV

extension CodecContext {
    /// Sets an H.264 encoder up for live pictures, then as the configuration's options have it.
    func apply(_ configuration: VideoEncoder.Configuration) throws(LibAVError) {
        guard configuration.framesPerSecond.isFinite, configuration.framesPerSecond > 0 else {
            throw .invalidValue(
                "\(configuration.framesPerSecond)", option: "framerate", encoder: configuration.encoder)
        }
        unsafe pointer.pointee.framerate = av_d2q(configuration.framesPerSecond, 100_000)
        unsafe pointer.pointee.bit_rate = Int64(configuration.bitsPerSecond)
        unsafe pointer.pointee.rc_max_rate = Int64(configuration.maximumBitsPerSecond)
        unsafe pointer.pointee.rc_buffer_size = Int32(clamping: configuration.bufferBits)
        unsafe pointer.pointee.thread_count = Int32(clamping: configuration.threads)
        unsafe pointer.pointee.max_b_frames = 0
        // No keyframe but those that are asked for; libx264 takes this number for "never".
        unsafe pointer.pointee.gop_size = 1 << 30
        unsafe pointer.pointee.flags |= Int32(bitPattern: AV_CODEC_FLAG_CLOSED_GOP)
        for (name, value) in [("forced-idr", "1"), ("sc_threshold", "0")] where hasOption(name) {
            try set(name, value, encoder: configuration.encoder)
        }
        if let profile = configuration.profile { try set("profile", profile, encoder: configuration.encoder) }
        for option in configuration.options {
            try set(option.name, option.value, encoder: configuration.encoder)
        }
    }

    /// Takes over what pictures say of their colours and the shape of their pixels.
    func apply(_ layout: FrameLayout) {
        unsafe pointer.pointee.color_range = AVColorRange(rawValue: layout.colourRange)
        unsafe pointer.pointee.color_primaries = AVColorPrimaries(rawValue: layout.colourPrimaries)
        unsafe pointer.pointee.color_trc = AVColorTransferCharacteristic(rawValue: layout.transferCharacteristics)
        unsafe pointer.pointee.colorspace = AVColorSpace(rawValue: layout.matrixCoefficients)
        unsafe pointer.pointee.chroma_sample_location = AVChromaLocation(rawValue: layout.chromaLocation)
        let ratio = layout.sampleAspectRatio
        unsafe pointer.pointee.sample_aspect_ratio = AVRational(num: ratio.numerator, den: ratio.denominator)
    }

    private func hasOption(_ name: String) -> Bool {
        unsafe av_opt_find(pointer, name, nil, 0, AV_OPT_SEARCH_CHILDREN) != nil
    }

    /// Possible codes: AVERROR_OPTION_NOT_FOUND, AVERROR(EINVAL), AVERROR(ERANGE), AVERROR(ENOMEM).
    private func set(_ name: String, _ value: String, encoder: String) throws(LibAVError) {
        switch unsafe av_opt_set(pointer, name, value, AV_OPT_SEARCH_CHILDREN) {
        case 0...: return
        case clibav_no_memory: throw .outOfMemory
        case clibav_no_option: throw .unknownOption(name, encoder: encoder)
        default: throw .invalidValue(value, option: name, encoder: encoder)
        }
    }
}

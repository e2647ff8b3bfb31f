import CLibAV

/// An `AVFormatContext` that reads, and the `AVIOContext` under it where that is ours.
@safe struct InputContext: ~Copyable {
    let pointer: UnsafeMutablePointer<AVFormatContext>
    /// Whether it is a file with an end, which a FIFO is not.
    let isPlainFile: Bool
    /// Whether it is a pipe, whose writer may take its time.
    let waitsForWriter: Bool
    private let io: IO
    private let interrupt: Interrupt

    /// Who opened what the demuxer reads from, and so closes it.
    @safe private enum IO {
        case libavformat
        case opened(UnsafeMutablePointer<AVIOContext>)
        case descriptor(UnsafeMutablePointer<AVIOContext>)

        var pointer: UnsafeMutablePointer<AVIOContext>? {
            switch self {
            case .libavformat: nil
            case .opened(let pointer), .descriptor(let pointer): unsafe pointer
            }
        }

        func close() {
            switch self {
            case .libavformat: break
            case .opened(let pointer): _ = unsafe avio_close(pointer)
            case .descriptor(let pointer): unsafe DescriptorReader.free(pointer)
            }
        }
    }

    /// The demuxers that read nothing but what they are given.
    private static let containers =
        "mpegts,flv,live_flv,matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,mpeg,nut,ogg,avi,asf,mxf,gxf,wtv,ivf,rm,wav,w64,aiff,au,"
        + "aac,ac3,eac3,mp3,flac,h264,hevc,mpegvideo,m4v,mjpeg,dv,rawvideo,yuv4mpegpipe,s16le,s24le,f32le"

    /// How long saying goodbye to a server may take.
    private static let closingLimit = Duration.seconds(1)

    /// Opens an input and reads its header.
    ///
    /// - Parameter limit: for connecting and for the header, each; who waits for a peer, or for what a pipe's writer
    ///   has to say, waits without limit.
    init(_ address: InputAddress, interrupt: Interrupt, limit: Duration) throws(LibAVError) {
        LogCollector.isInstalled
        let io = try Self.openIO(address, interrupt: interrupt, limit: limit)
        switch (address.kind, io) {
        case (.session, _), (_, .descriptor): interrupt.setDeadline(after: nil)
        default: interrupt.setDeadline(after: limit)
        }
        guard let context = unsafe avformat_alloc_context() else {
            io.close()
            throw .outOfMemory
        }
        unsafe context.pointee.interrupt_callback = interrupt.callback
        unsafe context.pointee.pb = unsafe io.pointer
        unsafe Self.apply(address, to: context)
        var options: OpaquePointer?
        // Datagrams are lost where there is a choice.
        unsafe av_dict_set(&options, "rtsp_flags", "prefer_tcp", 0)
        if address.kind == .session, address.scheme == "file" {
            unsafe av_dict_set(&options, "protocol_whitelist", "file,crypto,data,rtp,srtp,udp", 0)
        }
        if case .libavformat = io {
        } else {
            // Whoever sends it is a stranger, and playlists and session descriptions have this host open what they name.
            unsafe av_dict_set(&options, "format_whitelist", Self.containers, 0)
            unsafe av_dict_set(&options, "protocol_whitelist", "none", 0)
        }
        defer { unsafe av_dict_free(&options) }
        var opened: UnsafeMutablePointer<AVFormatContext>? = unsafe context
        let code = unsafe avformat_open_input(&opened, address.url, nil, &options)
        // A context that was not opened has been freed.
        guard code >= 0, let context = unsafe opened else {
            io.close()
            throw .failed("avformat_open_input", code: code)
        }
        unsafe pointer = unsafe context
        if case .descriptor = io { waitsForWriter = true } else { waitsForWriter = false }
        if case .libavformat = io { isPlainFile = address.kind == .file } else { isPlainFile = false }
        self.io = io
        self.interrupt = interrupt
    }

    deinit {
        interrupt.setDeadline(after: Self.closingLimit)
        var context: UnsafeMutablePointer<AVFormatContext>? = unsafe pointer
        unsafe avformat_close_input(&context)
        io.close()
    }

    /// Whether all its bytes have been read; what still comes was waiting in the demuxer.
    var isAtEnd: Bool {
        guard let io = unsafe pointer.pointee.pb else { return false }
        return unsafe io.pointee.eof_reached != 0
    }

    /// Nil for a negative index, as a search that found none gives, and one too large.
    func stream(_ index: Int32) -> UnsafeMutablePointer<AVStream>? {
        guard index >= 0, unsafe pointer.pointee.nb_streams > UInt32(index) else { return nil }
        return unsafe pointer.pointee.streams[Int(index)]
    }

    /// Live streams are to begin soon; a file has its time.
    private static func apply(_ address: InputAddress, to context: UnsafeMutablePointer<AVFormatContext>) {
        if address.kind == .file {
            // Reading on for presentation times that are not there is free where nothing is waited for.
            unsafe context.pointee.flags |= AVFMT_FLAG_GENPTS
            return
        }
        unsafe context.pointee.max_analyze_duration = Int64(AV_TIME_BASE)
        // Counting frames for their rate would take most of a second more.
        unsafe context.pointee.fps_probe_size = 0
    }

    private static func openIO(
        _ address: InputAddress, interrupt: Interrupt, limit: Duration
    ) throws(LibAVError) -> IO {
        switch address.kind {
        case .descriptor(let descriptor):
            let reader = DescriptorReader(descriptor, closes: false, interrupt: interrupt)
            return unsafe .descriptor(try reader.makeContext())
        case .file:
            guard let reader = DescriptorReader.fifo(address.path, interrupt: interrupt) else { return .libavformat }
            return unsafe .descriptor(try reader.makeContext())
        case .session, .pull:
            return .libavformat
        case .listener, .datagrams:
            return unsafe .opened(try open(address, interrupt: interrupt, limit: limit))
        }
    }

    /// Waits for a peer, or for the first of its bytes.
    private static func open(
        _ address: InputAddress, interrupt: Interrupt, limit: Duration
    ) throws(LibAVError) -> UnsafeMutablePointer<AVIOContext> {
        interrupt.setDeadline(after: nil)
        var callback = unsafe interrupt.callback
        var opened: UnsafeMutablePointer<AVIOContext>?
        try unsafe checked(avio_open2(&opened, address.url, AVIO_FLAG_READ, &callback, nil), "avio_open2")
        guard let io = unsafe opened else { throw .outOfMemory }
        if address.kind == .listener { interrupt.setDeadline(after: limit) }
        _ = unsafe avio_r8(io)
        let code = unsafe io.pointee.error
        guard code >= 0, unsafe avio_feof(io) == 0, unsafe avio_seek(io, -1, SEEK_CUR) >= 0 else {
            unsafe avio_close(io)
            throw .failed("avio_read", code: code < 0 ? code : clibav_end)
        }
        return unsafe io
    }
}

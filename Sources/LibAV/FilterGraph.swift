import CLibAV
package import Media

/// A chain of libavfilter's filters with at most one input and one output, run on the caller's thread.
@safe package struct FilterGraph: ~Copyable {
    private let graph: Graph
    /// The graph's ends, which it owns.
    private let source: UnsafeMutablePointer<AVFilterContext>?
    private let sink: UnsafeMutablePointer<AVFilterContext>
    private let input: FrameLayout?
    private let frame: FrameStorage

    /// An `AVFilterGraph`.
    @safe private struct Graph: ~Copyable {
        let pointer: UnsafeMutablePointer<AVFilterGraph>

        init() throws(LibAVError) {
            LogCollector.isInstalled
            guard let pointer = unsafe avfilter_graph_alloc() else { throw .outOfMemory }
            unsafe pointer.pointee.nb_threads = 1
            unsafe self.pointer = unsafe pointer
        }

        deinit {
            var pointer: UnsafeMutablePointer<AVFilterGraph>? = unsafe self.pointer
            unsafe avfilter_graph_free(&pointer)
        }
    }

    /// Sets up filters for frames of one layout, such as `scale=854:480:flags=bicubic,format=yuv420p`.
    ///
    /// Throws ``LibAVError/refused(_:reason:)`` for a description that libavfilter does not take.
    package init(_ description: String, input: FrameLayout) throws(LibAVError) {
        let graph = try Graph()
        let source = try unsafe Self.addSource(input, to: graph)
        let sink = try unsafe Self.complete(graph, description, source: source, kind: input.kind)
        let frame = try FrameStorage()
        unsafe self.source = unsafe source
        unsafe self.sink = unsafe sink
        self.graph = graph
        self.input = input
        self.frame = frame
    }

    /// Sets up filters that begin with a source of their own, such as `testsrc2=size=1280x720:rate=30`.
    package init(source description: String, kind: TrackKind) throws(LibAVError) {
        let graph = try Graph()
        let sink = try unsafe Self.complete(graph, description, source: nil, kind: kind)
        let frame = try FrameStorage()
        unsafe self.source = nil
        unsafe self.sink = unsafe sink
        self.graph = graph
        self.input = nil
        self.frame = frame
    }

    /// Sends a frame, of which the graph keeps a reference; throws ``LibAVError/layoutDiffers`` for one of another layout.
    package mutating func send(_ frame: Frame) throws(LibAVError) {
        guard let source = unsafe source, frame.layout == input else { throw .layoutDiffers }
        try unsafe checked(av_buffersrc_write_frame(source, frame.pointer), "av_buffersrc_write_frame")
    }

    /// No frame follows: ``receive()`` then gives what is left.
    package mutating func end() throws(LibAVError) {
        guard let source = unsafe source else { return }
        try unsafe checked(av_buffersrc_write_frame(source, nil), "av_buffersrc_write_frame")
    }

    /// The next frame; nil when another must be sent, or the end has come.
    package mutating func receive() throws(LibAVError) -> Frame? {
        let code = unsafe av_buffersink_get_frame(sink, frame.pointer)
        if code == clibav_again || code == clibav_end { return nil }
        try checked(code, "av_buffersink_get_frame")
        return try unsafe Frame(taking: frame, timeBase: av_buffersink_get_time_base(sink))
    }

    /// Has sound come in frames of that many samples, but for the last, 1 to 65,536.
    package mutating func setFrameSize(_ samples: Int) {
        unsafe av_buffersink_set_frame_size(sink, UInt32(min(max(samples, 1), 65_536)))
    }
}

// MARK: Setting up

extension FilterGraph {
    private static func add(
        _ filter: String, _ name: String, to graph: borrowing Graph
    ) throws(LibAVError) -> UnsafeMutablePointer<AVFilterContext> {
        guard let definition = unsafe avfilter_get_by_name(filter) else { throw .missing("the filter \(filter)") }
        guard let context = unsafe avfilter_graph_alloc_filter(graph.pointer, definition, name)
        else { throw .outOfMemory }
        return unsafe context
    }

    private static func addSource(
        _ layout: FrameLayout, to graph: borrowing Graph
    ) throws(LibAVError) -> UnsafeMutablePointer<AVFilterContext> {
        let source = try unsafe add(layout.kind == .video ? "buffer" : "abuffer", "in", to: graph)
        guard let parameters = unsafe av_buffersrc_parameters_alloc() else { throw .outOfMemory }
        defer {
            unsafe av_channel_layout_uninit(&parameters.pointee.ch_layout)
            unsafe av_free(parameters)
        }
        unsafe parameters.pointee.format = layout.format
        unsafe parameters.pointee.time_base = AVRational(num: 1, den: layout.timescale)
        unsafe parameters.pointee.width = Int32(clamping: layout.width)
        unsafe parameters.pointee.height = Int32(clamping: layout.height)
        let ratio = layout.sampleAspectRatio
        unsafe parameters.pointee.sample_aspect_ratio = AVRational(num: ratio.numerator, den: ratio.denominator)
        unsafe parameters.pointee.sample_rate = Int32(clamping: layout.sampleRate)
        if layout.kind == .audio {
            try unsafe checked(
                av_channel_layout_from_string(&parameters.pointee.ch_layout, layout.channelLayout),
                "av_channel_layout_from_string")
        }
        try unsafe checked(av_buffersrc_parameters_set(source, parameters), "av_buffersrc_parameters_set")
        try unsafe checked(avfilter_init_dict(source, nil), "avfilter_init_dict")
        return unsafe source
    }

    /// Adds the sink and, between it and the source, the filters described; gives the sink.
    private static func complete(
        _ graph: borrowing Graph, _ description: String, source: UnsafeMutablePointer<AVFilterContext>?,
        kind: TrackKind
    ) throws(LibAVError) -> UnsafeMutablePointer<AVFilterContext> {
        let sink = try unsafe add(kind == .video ? "buffersink" : "abuffersink", "out", to: graph)
        try unsafe checked(avfilter_init_dict(sink, nil), "avfilter_init_dict")
        var openInputs = try unsafe openEnd(sink, "out")
        var openOutputs: UnsafeMutablePointer<AVFilterInOut>?
        defer {
            unsafe avfilter_inout_free(&openInputs)
            unsafe avfilter_inout_free(&openOutputs)
        }
        if let source = unsafe source { unsafe openOutputs = try unsafe openEnd(source, "in") }
        let pointer = unsafe graph.pointer
        try LogCollector.checked("avfilter_graph_parse_ptr", level: AV_LOG_ERROR) {
            unsafe avfilter_graph_parse_ptr(pointer, description, &openInputs, &openOutputs, nil)
        }
        try LogCollector.checked("avfilter_graph_config", level: AV_LOG_ERROR) {
            unsafe avfilter_graph_config(pointer, nil)
        }
        return unsafe sink
    }

    private static func openEnd(
        _ filter: UnsafeMutablePointer<AVFilterContext>, _ name: String
    ) throws(LibAVError) -> UnsafeMutablePointer<AVFilterInOut>? {
        guard let end = unsafe avfilter_inout_alloc() else { throw .outOfMemory }
        unsafe end.pointee.name = unsafe av_strdup(name)
        unsafe end.pointee.filter_ctx = unsafe filter
        return unsafe end
    }
}

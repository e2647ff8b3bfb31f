import LibAV

/// Makes whole pictures of interlaced ones; progressive ones among them pass as they are.
///
/// Each picture waits for the next, whose fields it is compared with: one frame of delay, for interlaced sources alone.
struct Deinterlacer: ~Copyable {
    private var graph: FilterGraph?
    private var layout: FrameLayout?

    mutating func send(_ frame: Frame) throws(LibAVError) {
        if graph == nil || frame.layout != layout {
            graph = nil
            graph = try FilterGraph("bwdif=mode=send_frame:deint=interlaced", input: frame.layout)
            layout = frame.layout
        }
        try graph?.send(frame)
    }

    mutating func end() throws(LibAVError) { try graph?.end() }

    mutating func receive() throws(LibAVError) -> Frame? { try graph?.receive() }
}

import CLibAV
package import Media

/// A decoded picture or stretch of sound.
///
/// It is `Sendable` because nothing writes to it once it is made: the room reads it through a pointer to constant memory,
/// libav is given references of its own to the data, whose counts are atomic, and copies data it did not make to draw on it.
@safe package final class Frame: @unchecked Sendable {
    /// The times inside are in ticks of ``FrameLayout/timescale``.
    private let storage: FrameStorage
    package let layout: FrameLayout
    /// In ticks of 90 kHz.
    package let presentationTime: Timestamp

    package var kind: TrackKind { layout.kind }
    /// In pixels; 0 for sound.
    package var width: Int { layout.width }
    package var height: Int { layout.height }
    /// Samples of each channel; 0 for pictures.
    package var sampleCount: Int { unsafe Int(storage.pointer.pointee.nb_samples) }
    /// Whether it is two fields of different moments.
    package var isInterlaced: Bool { unsafe storage.pointer.pointee.interlaced_frame != 0 }

    /// What the library reads; it must not be written to.
    var pointer: UnsafePointer<AVFrame> { unsafe UnsafePointer(storage.pointer) }

    /// Takes over what a frame holds, which is left empty; its times are in `timeBase`.
    init(taking source: borrowing FrameStorage, timeBase: AVRational) throws(LibAVError) {
        let storage = try FrameStorage()
        unsafe av_frame_move_ref(storage.pointer, source.pointer)
        // PCM and some containers leave open which channel is which.
        if unsafe storage.pointer.pointee.width == 0,
            unsafe storage.pointer.pointee.ch_layout.order == AV_CHANNEL_ORDER_UNSPEC
        {
            let count = unsafe storage.pointer.pointee.ch_layout.nb_channels
            unsafe av_channel_layout_default(&storage.pointer.pointee.ch_layout, count)
        }
        let layout = unsafe FrameLayout(UnsafePointer(storage.pointer))
        let time = unsafe Timestamp(libavTime: storage.pointer.pointee.pts, timeBase: timeBase)
        unsafe storage.pointer.pointee.pts = time.rescaled(to: layout.timescale).value
        self.layout = layout
        presentationTime = time.rescaled(to: Timestamp.mpegTimescale)
        self.storage = storage
    }

    private init(_ storage: consuming FrameStorage, layout: FrameLayout, presentationTime: Timestamp) {
        self.storage = storage
        self.layout = layout
        self.presentationTime = presentationTime
    }

    /// The metadata entry a text is put under: `drawtext` finds it as `%{metadata\:headwater}`.
    package static let textKey = "headwater"

    /// The same picture or sound, its data shared, with what is given in place of its own.
    package func copy(
        presentationTime: Timestamp? = nil, text: String? = nil, captions: [UInt8]? = nil
    ) throws(LibAVError) -> Frame {
        let copy = try FrameStorage()
        try unsafe checked(av_frame_ref(copy.pointer, pointer), "av_frame_ref")
        if let presentationTime {
            unsafe copy.pointer.pointee.pts = presentationTime.rescaled(to: layout.timescale).value
        }
        if let text {
            try unsafe checked(av_dict_set(&copy.pointer.pointee.metadata, Self.textKey, text, 0), "av_dict_set")
        }
        if let captions { try Self.setCaptions(captions, of: copy) }
        return Frame(
            copy, layout: layout,
            presentationTime: presentationTime?.rescaled(to: Timestamp.mpegTimescale) ?? self.presentationTime)
    }
}

extension Frame {
    /// Closed captions as `cc_data` triplets (`ATSC A/53-4 §6.2.3`), empty where there are none.
    package var captions: [UInt8] {
        guard let data = unsafe av_frame_get_side_data(pointer, AV_FRAME_DATA_A53_CC) else { return [] }
        return unsafe [UInt8](UnsafeBufferPointer(start: data.pointee.data, count: data.pointee.size))
    }

    private static func setCaptions(_ captions: [UInt8], of frame: borrowing FrameStorage) throws(LibAVError) {
        unsafe av_frame_remove_side_data(frame.pointer, AV_FRAME_DATA_A53_CC)
        guard !captions.isEmpty else { return }
        guard let data = unsafe av_frame_new_side_data(frame.pointer, AV_FRAME_DATA_A53_CC, captions.count)
        else { throw .outOfMemory }
        unsafe UnsafeMutableRawBufferPointer(start: data.pointee.data, count: data.pointee.size).copyBytes(
            from: captions)
    }

    /// A pixel's brightness where a plane of bytes holds it, as in `yuv420p`; 0 outside the picture.
    package func luma(x: Int, y: Int) -> UInt8 {
        guard kind == .video, (0..<width).contains(x), (0..<height).contains(y),
            let plane = unsafe pointer.pointee.data.0
        else { return 0 }
        return unsafe plane[y * Int(pointer.pointee.linesize.0) + x]
    }

    /// A channel's samples, −1 to 1, of sound in planes of floating point (`fltp`); empty for all else.
    package func samples(channel: Int) -> [Float] {
        guard kind == .audio, layout.format == AV_SAMPLE_FMT_FLTP.rawValue, (0..<layout.channelCount).contains(channel),
            let plane = unsafe pointer.pointee.extended_data[channel]
        else { return [] }
        let bytes = unsafe UnsafeRawBufferPointer(start: plane, count: sampleCount * MemoryLayout<Float>.stride)
        return unsafe [Float](bytes.bindMemory(to: Float.self))
    }
}

extension Timestamp {
    /// A time of libav's in its time base; one that is not known becomes 0.
    init(libavTime time: Int64, timeBase: AVRational) {
        let (value, overflow) = time.multipliedReportingOverflow(by: Int64(max(1, timeBase.num)))
        self.init(value: time == clibav_no_time || overflow ? 0 : value, timescale: max(1, timeBase.den))
    }
}

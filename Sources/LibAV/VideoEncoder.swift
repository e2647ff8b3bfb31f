import CLibAV
package import Media
import NIOCore

/// Turns pictures into H.264, with keyframes where they are asked for and nowhere else.
@safe package struct VideoEncoder: ~Copyable {
    package struct Configuration: Hashable, Sendable {
        /// As libavcodec calls it; see ``LibAVInventory/h264Encoders``.
        package var encoder = "libx264"
        /// In pixels, even.
        package var width: Int
        package var height: Int
        /// What the rate control reckons with, above 0; pictures may come otherwise.
        package var framesPerSecond: Double
        package var bitsPerSecond: Int
        /// The rate at which the decoder's buffer is filled (VBV), and that buffer's size; 0 for no such limit.
        package var maximumBitsPerSecond: Int
        package var bufferBits: Int
        /// 0 has the library decide.
        package var threads = 0
        /// Such as `main`; nil has the encoder decide.
        package var profile: String?
        /// Set in this order, on top of all the defaults.
        package var options: [Option] = []

        package struct Option: Hashable, Sendable {
            package var name: String
            package var value: String

            package init(name: String, value: String) {
                self.name = name
                self.value = value
            }
        }

        package init(
            encoder: String = "libx264", width: Int, height: Int, framesPerSecond: Double, bitsPerSecond: Int,
            maximumBitsPerSecond: Int = 0, bufferBits: Int = 0, threads: Int = 0, profile: String? = nil,
            options: [Option] = []
        ) {
            self.encoder = encoder
            self.width = width
            self.height = height
            self.framesPerSecond = framesPerSecond
            self.bitsPerSecond = bitsPerSecond
            self.maximumBitsPerSecond = maximumBitsPerSecond
            self.bufferBits = bufferBits
            self.threads = threads
            self.profile = profile
            self.options = options
        }
    }

    /// The H.264 configuration that was made of the encoder's parameter sets.
    package let format: TrackFormat
    /// What pictures must be sent in: `yuv420p` or `nv12`.
    package let pixelFormat: String

    private let context: CodecContext
    private let packet: PacketStorage
    private let frame: FrameStorage

    /// Opens an encoder; `layout` is that of the pictures to come, for their colours and the shape of their pixels.
    ///
    /// Throws ``LibAVError/unknownEncoder(_:)``, ``LibAVError/unknownOption(_:encoder:)``,
    /// ``LibAVError/invalidValue(_:option:encoder:)`` or, for what it finds out only when it opens,
    /// ``LibAVError/refused(_:reason:)``.
    package init(_ configuration: Configuration, colour layout: FrameLayout? = nil) throws(LibAVError) {
        guard let codec = unsafe LibAVInventory.h264Encoder(configuration.encoder),
            let pixelFormat = unsafe LibAVInventory.pixelFormat(of: codec)
        else { throw .unknownEncoder(configuration.encoder) }
        let context = try unsafe CodecContext(codec)
        try context.apply(configuration)
        // From here on what must be so, whatever the options say.
        unsafe context.pointer.pointee.width = Int32(clamping: configuration.width)
        unsafe context.pointer.pointee.height = Int32(clamping: configuration.height)
        unsafe context.pointer.pointee.pix_fmt = pixelFormat
        unsafe context.pointer.pointee.time_base = Self.timeBase
        unsafe context.pointer.pointee.flags |= AV_CODEC_FLAG_GLOBAL_HEADER
        if let layout { context.apply(layout) }
        try context.open()
        let format = try Self.format(context.extradata)
        let packet = try PacketStorage()
        let frame = try FrameStorage()
        self.format = format
        self.pixelFormat = pixelFormat == AV_PIX_FMT_NV12 ? "nv12" : "yuv420p"
        self.context = context
        self.packet = packet
        self.frame = frame
    }

    private static var timeBase: AVRational { AVRational(num: 1, den: Timestamp.mpegTimescale) }

    private static func format(_ extradata: ByteBuffer) throws(LibAVError) -> TrackFormat {
        let units = AnnexB.nalUnits(extradata)
        let configuration = try? AVCDecoderConfiguration(
            sequenceParameterSets: units.filter { AnnexB.type(of: $0) == 7 },
            pictureParameterSets: units.filter { AnnexB.type(of: $0) == 8 })
        guard let configuration else { throw .missing("an encoder that tells its parameter sets ahead") }
        return .h264(configuration)
    }

    /// Sends a picture; throws ``LibAVError/layoutDiffers`` for one of another size or pixel format.
    package mutating func send(_ picture: Frame, forcesKeyframe: Bool) throws(LibAVError) {
        guard picture.kind == .video, unsafe picture.layout.format == context.pointer.pointee.pix_fmt.rawValue,
            unsafe picture.width == context.pointer.pointee.width,
            unsafe picture.height == context.pointer.pointee.height
        else { throw .layoutDiffers }
        try unsafe checked(av_frame_ref(frame.pointer, picture.pointer), "av_frame_ref")
        defer { unsafe av_frame_unref(frame.pointer) }
        // A decoded picture still says what type it was.
        unsafe frame.pointer.pointee.pict_type = forcesKeyframe ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE
        try unsafe checked(avcodec_send_frame(context.pointer, frame.pointer), "avcodec_send_frame")
    }

    /// No picture follows: ``receive()`` then gives what is left.
    package mutating func end() throws(LibAVError) {
        try context.endFrames()
    }

    /// The next access unit, in order of decoding; nil when another picture is needed, or the end has come.
    package mutating func receive() throws(LibAVError) -> MediaPacket? {
        guard try context.receive(packet) else { return nil }
        defer { unsafe av_packet_unref(packet.pointer) }
        return MediaPacket(
            track: .video, decodeTime: unsafe Timestamp(libavTime: packet.pointer.pointee.dts, timeBase: Self.timeBase),
            presentationTime: unsafe Timestamp(libavTime: packet.pointer.pointee.pts, timeBase: Self.timeBase),
            isKeyframe: unsafe packet.pointer.pointee.flags & AV_PKT_FLAG_KEY != 0,
            data: AnnexB.lengthPrefixed(packet.bytes))
    }
}

package import LibAV
package import Media

/// The test picture and its sound, from libavfilter to packets. Times count from a full second of the clock.
package struct TestPatternMedia: ~Copyable {
    package static let framesPerSecond: Int64 = 30
    static let bitsPerSecond = 3_096_000
    private static let width = 1_280
    private static let height = 720

    /// A bar across the top for the first 100 ms of each second, and the clock; the beep sounds as long.
    private static let drawing = [
        // A thousandth more, for times that floating point puts just before the second.
        "drawbox=w=iw:h=48:color=white:t=fill:enable='lt(mod(t+0.001,1),0.1)'",
        "drawtext=font='DejaVu Sans':text='%{metadata\\:\(Frame.textKey)}':fontsize=72:fontcolor=white:box=1"
            + ":boxcolor=black@0.6:boxborderw=16:x=(w-tw)/2:y=h-th-64",
        "format=yuv420p",
    ].joined(separator: ",")
    private static let beep =
        "aevalsrc=exprs='0.25*sin(2*PI*1000*t)*lt(mod(t,1),0.1)':s=48000,aformat=sample_fmts=fltp:channel_layouts=stereo"

    private var pictures: FilterGraph
    private var drawing: FilterGraph
    private var sounds: FilterGraph
    private var video: VideoEncoder
    private var audio: AudioEncoder
    /// The sound that is encoded next.
    private var sound: Frame?

    /// Throws what the library has to say where a filter, an encoder or a font is missing.
    package init() throws(LibAVError) {
        var pictures = try FilterGraph(
            source: "testsrc2=size=\(Self.width)x\(Self.height):rate=\(Self.framesPerSecond),format=yuv420p",
            kind: .video)
        guard let picture = try pictures.receive() else { throw .missing("the filter testsrc2") }
        let drawing = try FilterGraph(Self.drawing, input: picture.layout)
        let video = try VideoEncoder(Self.videoConfiguration)
        let audio = try AudioEncoder(AudioEncoder.Configuration(bitsPerSecond: 96_000))
        var sounds = try FilterGraph(source: Self.beep, kind: .audio)
        sounds.setFrameSize(audio.samplesPerFrame)
        sound = try sounds.receive()
        self.pictures = pictures
        self.drawing = drawing
        self.sounds = sounds
        self.video = video
        self.audio = audio
    }

    private static var videoConfiguration: VideoEncoder.Configuration {
        VideoEncoder.Configuration(
            width: width, height: height, framesPerSecond: Double(framesPerSecond), bitsPerSecond: 3_000_000,
            maximumBitsPerSecond: 3_000_000, bufferBits: 3_000_000, threads: 1,
            options: [
                VideoEncoder.Configuration.Option(name: "preset", value: "ultrafast"),
                VideoEncoder.Configuration.Option(name: "tune", value: "zerolatency"),
            ])
    }

    package var formats: [TrackFormat] { [video.format, audio.format] }

    /// When picture number `number` is shown.
    package static func time(ofFrame number: Int64) -> Timestamp {
        Timestamp(value: number * (90_000 / framesPerSecond), timescale: Timestamp.mpegTimescale)
    }

    /// Encodes a picture that shows `text`.
    package mutating func picture(
        at time: Timestamp, text: String, isKeyframe: Bool
    ) throws(LibAVError) -> [MediaPacket] {
        guard let picture = try pictures.receive() else { return [] }
        try drawing.send(try picture.copy(presentationTime: time, text: text))
        var packets: [MediaPacket] = []
        while let drawn = try drawing.receive() {
            try video.send(drawn, forcesKeyframe: isKeyframe)
            while let packet = try video.receive() { packets.append(packet) }
        }
        return packets
    }

    /// Encodes the sound that begins before a time.
    package mutating func sound(until time: Timestamp) throws(LibAVError) -> [MediaPacket] {
        var packets: [MediaPacket] = []
        while let next = sound, next.presentationTime < time {
            try audio.send(next)
            while let packet = try audio.receive() { packets.append(packet) }
            sound = try sounds.receive()
        }
        return packets
    }
}

/// The test picture cannot be made with this libav, or without a font.
package struct TestPatternError: Error, Equatable, CustomStringConvertible {
    package let cause: LibAVError

    package var description: String {
        "the test picture cannot be made: \(cause.reason) (it needs libavfilter's drawtext, libx264, and a font that "
            + "fontconfig finds, such as the package fonts-dejavu-core)"
    }
}

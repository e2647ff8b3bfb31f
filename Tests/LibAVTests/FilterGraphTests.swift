import LibAV
import Media
import NIOCore
import Testing

@Suite struct FilterGraphTests {
    @Test func `pictures are scaled and keep their times and, with pixels that are not square, their shape`() throws {
        let frames = try Pictures.frames("testsrc2=size=640x360:rate=30000/1001", count: 10)
        let scaled = try Pictures.filter(frames, "scale=300:130:flags=bicubic,format=yuv420p")
        #expect(scaled.map(\.presentationTime) == frames.map(\.presentationTime))
        #expect(scaled.map(\.presentationTime.value) == (0..<10).map { $0 * 3_003 })
        #expect(scaled.allSatisfy { $0.width == 300 && $0.height == 130 && $0.layout.formatName == "yuv420p" })
        let ratio = scaled[0].layout.sampleAspectRatio
        #expect(Int(ratio.numerator) * 300 * 360 == Int(ratio.denominator) * 130 * 640)
        #expect(Set(scaled.map(\.layout)).count == 1)
        let reference = try Pictures.frames("testsrc2=size=640x360:rate=30000/1001,scale=300:130", count: 1)
        #expect(Pictures.correlation(scaled[0], reference[0]) > 0.99)
    }

    @Test func `a frame that was sent is not changed by what is drawn on it`() throws {
        let frame = try #require(try Pictures.frames("color=black:size=160x90,format=yuv420p", count: 1).first)
        let drawn = try #require(try Pictures.filter([frame], "drawbox=color=white:t=fill").first)
        #expect(drawn.luma(x: 80, y: 45) > 200)
        #expect(frame.luma(x: 80, y: 45) < 32)
    }

    @Test func `a copy's text is what drawtext draws`() throws {
        let black = try #require(try Pictures.frames("color=black:size=320x180,format=yuv420p", count: 1).first)
        func drawn(_ frame: Frame) throws -> Int {
            let description = #"drawtext=text='%{metadata\:headwater}':font='DejaVu Sans':fontsize=40:fontcolor=white"#
            let frame = try #require(try Pictures.filter([frame], description).first)
            return (0..<320).reduce(0) { sum, x in sum + (0..<180).count { frame.luma(x: x, y: $0) > 128 } }
        }
        let one = try drawn(try black.copy(text: "1"))
        let many = try drawn(try black.copy(text: "12:34:56"))
        #expect(try drawn(black) == 0)
        #expect(one > 20 && many > one * 3)
    }

    @Test func `a copy has another time and the same picture`() throws {
        let frame = try #require(try Pictures.frames("testsrc2=size=160x90", count: 1).first)
        let copy = try frame.copy(presentationTime: Timestamp.milliseconds(20_000))
        #expect(copy.presentationTime == Timestamp(value: 1_800_000, timescale: 90_000))
        #expect(frame.presentationTime == Timestamp(value: 0, timescale: 90_000))
        #expect(copy.layout == frame.layout)
        #expect(copy.luma(x: 80, y: 45) == frame.luma(x: 80, y: 45))
        let filtered = try #require(try Pictures.filter([copy], "null").first)
        #expect(filtered.presentationTime == copy.presentationTime)
    }

    @Test func `frames of another layout are refused`() throws {
        let small = try #require(try Pictures.frames("testsrc2=size=160x90", count: 1).first)
        let large = try #require(try Pictures.frames("testsrc2=size=320x180", count: 1).first)
        var graph = try FilterGraph("null", input: small.layout)
        #expect(throws: LibAVError.layoutDiffers) { try graph.send(large) }
        try graph.send(small)
        let frame = try graph.receive()
        #expect(frame?.width == 160)
        let next = try graph.receive()
        #expect(next == nil)
    }

    @Test func `a description that does not work is refused with libavfilter's reason`() throws {
        func reason(_ description: String) -> String {
            do {
                var graph = try FilterGraph(source: description, kind: .video)
                _ = try graph.receive()
                return ""
            } catch {
                return error.reason
            }
        }
        #expect(reason("testsrc2=size=160x90") == "")
        #expect(reason("testsrc2=size=160x90,unheardof").contains("unheardof"))
        #expect(reason("testsrc2=size=160x90,scale=frobnicate=1").contains("frobnicate"))
        #expect(reason("testsrc2=size=160x90,drawtext=textfile=/no/such/text").contains("/no/such/text"))
        #expect(reason("testsrc2=size=160x90,split").isEmpty == false)
        #expect(reason("").isEmpty == false)
    }

    @Test func `fields are seen, and gone after deinterlacing`() throws {
        let frames = try Pictures.frames("testsrc2=size=160x90:rate=50,interlace", count: 5)
        #expect(frames.allSatisfy { $0.isInterlaced })
        let whole = try Pictures.filter(frames, "bwdif=mode=send_frame")
        #expect(whole.map(\.presentationTime) == frames.map(\.presentationTime))
        #expect(whole.allSatisfy { !$0.isInterlaced })
    }

    @Test func `full-range pictures are taken to the range their layout says`() throws {
        let white = try Pictures.frames(
            "color=white:size=160x90,scale=out_range=full,format=yuv420p,setrange=full", count: 1)
        var encoder = try VideoEncoder(Pictures.configuration(width: 160, height: 90), colour: white[0].layout)
        let packets = try Pictures.encode(white, with: &encoder).flatMap { $0 }
        let full = try Pictures.decode(packets, encoder.format)
        #expect(full[0].layout.isFullRange)
        #expect(full[0].luma(x: 0, y: 0) > 250)
        for description in [
            "scale=80:46,format=yuv420p", "format=yuv420p", "scale=80:46:out_range=limited,format=yuv420p",
        ] {
            let converted = try #require(try Pictures.filter(full, description).first)
            #expect(converted.layout.formatName == "yuv420p")
            #expect(converted.layout.isFullRange == (converted.luma(x: 0, y: 0) > 250), "\(description)")
        }
    }
}

import IngestServer
import LibAV
import Media
import NIOCore
import Testing

@Suite struct FormatsFirstTests {
    private func packet(_ track: TrackKind, _ milliseconds: Int64) -> Demuxer.Event {
        .packet(
            MediaPacket(
                track: track, decodeTime: .milliseconds(milliseconds), presentationTime: .milliseconds(milliseconds),
                isKeyframe: true, data: ByteBuffer()))
    }

    private func format(_ kind: TrackKind) -> Demuxer.Event {
        .format(.other(CodecParameters(kind: kind, name: "test", identifier: 0)))
    }

    /// `v` and `a` for formats, numbers for packets.
    private func text(_ events: [Demuxer.Event]) -> String {
        events.map { event in
            switch event {
            case .format(let format): format.kind == .video ? "v" : "a"
            case .packet(let packet): "\(packet.decodeTime.value)"
            }
        }.joined(separator: " ")
    }

    @Test func `packets wait for the format of the other track`() {
        var formats = FormatsFirst(of: [.video, .audio])
        #expect(text(formats.receive(format(.video))) == "v")
        #expect(text(formats.receive(packet(.video, 0))) == "")
        #expect(text(formats.receive(packet(.video, 33))) == "")
        #expect(text(formats.receive(format(.audio))) == "a 0 33")
        #expect(text(formats.receive(packet(.audio, 10))) == "10")
    }

    @Test func `a track that does not come is waited for a second, or 256 packets`() {
        var formats = FormatsFirst(of: [.video, .audio])
        _ = formats.receive(format(.video))
        #expect(text(formats.receive(packet(.video, 0))) == "")
        #expect(text(formats.receive(packet(.video, 1_000))) == "")
        #expect(text(formats.receive(packet(.video, 1_001))) == "0 1000 1001")
        #expect(text(formats.receive(packet(.video, 1_002))) == "1002")
        var crowded = FormatsFirst(of: [.video, .audio])
        for _ in 0..<255 { #expect(crowded.receive(packet(.video, 0)).isEmpty) }
        #expect(crowded.receive(packet(.video, 0)).count == 256)
    }

    @Test func `what is held at the end is not lost`() {
        var formats = FormatsFirst(of: [.video, .audio])
        _ = formats.receive(packet(.video, 0))
        #expect(text(formats.rest()) == "0")
        #expect(text(formats.rest()) == "")
    }
}

import HLS
import IngestServer
import Media
import NIOCore
import Testing

@Suite struct SegmentAssemblyTests {
    private func packet(_ track: TrackKind, _ milliseconds: Int64) -> MediaPacket {
        MediaPacket(
            track: track, decodeTime: .milliseconds(milliseconds), presentationTime: .milliseconds(milliseconds),
            isKeyframe: true, data: ByteBuffer())
    }

    private func begun(_ ordinal: Int, at milliseconds: Int64) -> SegmentBoundary.Begun {
        SegmentBoundary.Begun(
            ordinal: ordinal, earlierDiscontinuities: 0, isDiscontinuous: false,
            presentationTime: .milliseconds(milliseconds),
            programDateTime: ProgramDateTime(millisecondsSince1970: milliseconds), targetDuration: 1)
    }

    private let closed = Segmenter.Closed(duration: .milliseconds(1_000), targetDuration: 1)

    private func boundary(_ number: Int, closes: Bool, begins milliseconds: Int64?) -> SegmentBoundary {
        SegmentBoundary(
            number: number, closed: closes ? closed : nil, begun: milliseconds.map { begun(number - 1, at: $0) })
    }

    @Test func `a segment begins with its video, and the audio that waited follows`() {
        var assembly = SegmentAssembly(hasVideo: true)
        #expect(assembly.boundary(boundary(1, closes: false, begins: 10_000)) == [])
        #expect(assembly.audio(packet(.audio, 10_010), behind: 1) == [])
        #expect(
            assembly.video(packet(.video, 10_000)) == [
                .begin(begun(0, at: 10_000)), .append(packet(.video, 10_000)), .append(packet(.audio, 10_010)),
            ])
        #expect(assembly.audio(packet(.audio, 10_030), behind: 1) == [.append(packet(.audio, 10_030))])
    }

    @Test func `audio behind a boundary that the encoder has not reached waits for it`() {
        var assembly = SegmentAssembly(hasVideo: true)
        _ = assembly.boundary(boundary(1, closes: false, begins: 10_000))
        _ = assembly.video(packet(.video, 10_000))
        #expect(assembly.audio(packet(.audio, 11_000), behind: 2) == [])
        #expect(assembly.video(packet(.video, 10_960)) == [.append(packet(.video, 10_960))])
        #expect(assembly.boundary(boundary(2, closes: true, begins: 11_000)) == [.complete(closed)])
        #expect(
            assembly.video(packet(.video, 11_000)) == [
                .begin(begun(1, at: 11_000)), .append(packet(.video, 11_000)), .append(packet(.audio, 11_000)),
            ])
    }

    @Test func `a segment for which no video came exists all the same, so that numbers stay equal`() {
        var assembly = SegmentAssembly(hasVideo: true)
        _ = assembly.boundary(boundary(1, closes: false, begins: 10_000))
        _ = assembly.video(packet(.video, 10_000))
        _ = assembly.boundary(boundary(2, closes: true, begins: 11_000))
        #expect(
            assembly.boundary(boundary(3, closes: true, begins: 12_000)) == [
                .begin(begun(1, at: 11_000)), .complete(closed),
            ])
    }

    @Test func `audio begins a segment when video does not come for a second`() {
        var assembly = SegmentAssembly(hasVideo: true)
        _ = assembly.boundary(boundary(1, closes: false, begins: 10_000))
        #expect(assembly.audio(packet(.audio, 10_000), behind: 1) == [])
        #expect(assembly.audio(packet(.audio, 10_990), behind: 1) == [])
        #expect(
            assembly.audio(packet(.audio, 11_000), behind: 1).first == .begin(begun(0, at: 10_000)))
    }

    @Test func `without video, audio begins segments`() {
        var assembly = SegmentAssembly(hasVideo: false)
        #expect(assembly.boundary(boundary(1, closes: false, begins: 10_000)) == [])
        #expect(
            assembly.audio(packet(.audio, 10_000), behind: 1) == [
                .begin(begun(0, at: 10_000)), .append(packet(.audio, 10_000)),
            ])
    }

    @Test func `audio from shortly before the first keyframe belongs to its segment`() {
        var assembly = SegmentAssembly(hasVideo: true)
        #expect(assembly.audio(packet(.audio, 9_400), behind: 0) == [])
        #expect(assembly.audio(packet(.audio, 9_980), behind: 0) == [])
        _ = assembly.boundary(boundary(1, closes: false, begins: 10_000))
        #expect(assembly.video(packet(.video, 10_000)).last == .append(packet(.audio, 9_980)))
        #expect(assembly.audio(packet(.audio, 10_001), behind: 1) == [.append(packet(.audio, 10_001))])
    }

    @Test func `behind a boundary at which nothing begins there is no segment`() {
        var assembly = SegmentAssembly(hasVideo: true)
        _ = assembly.boundary(boundary(1, closes: false, begins: 10_000))
        _ = assembly.video(packet(.video, 10_000))
        #expect(assembly.boundary(boundary(2, closes: true, begins: nil)) == [.complete(closed), .pause])
        #expect(assembly.video(packet(.video, 10_500)) == [])
        #expect(assembly.audio(packet(.audio, 10_500), behind: 2) == [])
    }

    @Test func `what waits is bounded, and counted when it goes`() {
        var assembly = SegmentAssembly(hasVideo: true)
        for index in 0..<Int64(SegmentAssembly.audioLimit + 10) { _ = assembly.audio(packet(.audio, index), behind: 0) }
        #expect(assembly.droppedAudio == 10)
    }
}

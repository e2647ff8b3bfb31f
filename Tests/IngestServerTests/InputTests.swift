import IngestServer
import LibAV
import Media
import RTMP
import Testing

@Suite struct InputSourceTests {
    @Test(
        arguments: [
            ("srt://0.0.0.0:9000?mode=listener=live/cam", "srt://0.0.0.0:9000?mode=listener", "live/cam"),
            ("film.mp4=film", "film.mp4", "live/film"), ("pipe:0=studio/a/b", "pipe:0", "studio/a/b"),
            ("https://host/a?x=1&y=2=s", "https://host/a?x=1&y=2", "live/s"), ("a==s", "a=", "live/s"),
        ])
    func `the last equals sign divides the URL from the stream`(text: String, url: String, stream: String) throws {
        let source = try #require(InputSource(parsing: text))
        #expect(source.url == url)
        #expect(source.stream == stream)
    }

    @Test(arguments: [
        "", "=", "film.mp4", "film.mp4=", "=live/s", "film.mp4=a b", "film.mp4=/s", "film.mp4=live/", "x=../s",
    ])
    func `without URL or stream there is no input`(text: String) {
        #expect(InputSource(parsing: text) == nil)
    }
}

@Suite struct BackoffTests {
    @Test func `waits double up to ten seconds`() {
        var backoff = Backoff()
        let waits = (0..<7).map { _ in backoff.wait(afterRunning: .zero) }
        #expect(
            waits == [.seconds(0.5), .seconds(1), .seconds(2), .seconds(4), .seconds(8), .seconds(10), .seconds(10)])
    }

    @Test func `what ran for ten seconds begins anew`() {
        var backoff = Backoff()
        for _ in 0..<5 { _ = backoff.wait(afterRunning: .seconds(9)) }
        #expect(backoff.wait(afterRunning: .seconds(10)) == .seconds(0.5))
        #expect(backoff.wait(afterRunning: .zero) == .seconds(1))
    }
}

@Suite struct PacerTests {
    private let start = ContinuousClock.now

    @Test func `media keeps to the clock behind its head start`() {
        var pacer = Pacer()
        #expect(pacer.wait(for: .milliseconds(50_000), now: start) == .zero)
        #expect(pacer.wait(for: .milliseconds(50_100), now: start) == .zero)
        #expect(pacer.wait(for: .milliseconds(50_140), now: start) == .milliseconds(40))
        #expect(pacer.wait(for: .milliseconds(50_180), now: start + .milliseconds(40)) == .milliseconds(40))
        // The other track, a little behind.
        #expect(pacer.wait(for: .milliseconds(50_020), now: start + .milliseconds(80)) == .zero)
    }

    @Test(arguments: [-60_000, 60_000]) func `a jump of the times begins anew`(jump: Int64) {
        var pacer = Pacer()
        _ = pacer.wait(for: .milliseconds(100_000), now: start)
        #expect(pacer.wait(for: .milliseconds(100_000 + jump), now: start) == .zero)
        #expect(pacer.wait(for: .milliseconds(100_200 + jump), now: start) == .milliseconds(100))
    }

    @Test func `what comes a little late is hurried after, what comes very late is not`() {
        var pacer = Pacer()
        _ = pacer.wait(for: .milliseconds(0), now: start)
        #expect(pacer.wait(for: .milliseconds(1_000), now: start + .milliseconds(1_500)) == .zero)
        #expect(pacer.wait(for: .milliseconds(1_700), now: start + .milliseconds(1_500)) == .milliseconds(100))
        #expect(pacer.wait(for: .milliseconds(1_800), now: start + .seconds(60)) == .zero)
        #expect(pacer.wait(for: .milliseconds(2_000), now: start + .seconds(60)) == .milliseconds(100))
    }

    @Test func `a clock that runs faster is followed`() {
        var pacer = Pacer(speed: 2)
        _ = pacer.wait(for: .milliseconds(0), now: start)
        #expect(pacer.wait(for: .milliseconds(4_000), now: start) == .milliseconds(1_900))
    }
}

@Suite struct InputLifeTests {
    struct Case: Sendable {
        var kind: InputAddress.Kind
        var end: InputLife.End
        var published = Duration.seconds(3)
        var isPlainFile = false
        var next: InputLife.Next
    }

    static let table = [
        Case(kind: .pull, end: .cancelled, next: .over),
        Case(kind: .pull, end: .closed(.draining), next: .over),
        Case(kind: .pull, end: .closed(.takenOver), next: .reopen(after: .seconds(10))),
        Case(kind: .pull, end: .closed(.failed), next: .reopen(after: .seconds(0.5))),
        Case(kind: .pull, end: .ended, next: .reopen(after: .seconds(0.5))),
        Case(kind: .pull, end: .failed(.open), published: .zero, next: .reopen(after: .seconds(0.5))),
        Case(kind: .listener, end: .ended, next: .reopen(after: .zero)),
        Case(kind: .listener, end: .failed(.read), next: .reopen(after: .zero)),
        Case(kind: .listener, end: .failed(.open), published: .zero, next: .reopen(after: .seconds(0.5))),
        Case(kind: .listener, end: .failed(.refused), published: .zero, next: .reopen(after: .seconds(0.5))),
        Case(kind: .datagrams, end: .failed(.stalled), next: .reopen(after: .seconds(0.5))),
        Case(kind: .file, end: .ended, isPlainFile: true, next: .over),
        Case(kind: .file, end: .closed(.failed), isPlainFile: true, next: .over),
        Case(kind: .file, end: .closed(.takenOver), isPlainFile: true, next: .over),
        Case(kind: .file, end: .failed(.open), published: .zero, next: .reopen(after: .seconds(0.5))),
        Case(kind: .file, end: .ended, next: .reopen(after: .zero)),
        Case(kind: .descriptor(0), end: .ended, next: .over),
        Case(kind: .descriptor(0), end: .failed(.open), published: .zero, next: .over),
    ]

    @Test(arguments: table) func `an input that may come again is opened again`(_ life: Case) {
        var machine = InputLife(life.kind)
        let next = machine.next(after: life.end, published: life.published, isPlainFile: life.isPlainFile)
        #expect(next == life.next)
    }

    @Test func `an input that keeps failing is left alone for longer`() {
        var machine = InputLife(.pull)
        let waits = (0..<3).map { _ in
            machine.next(after: .failed(.open), published: .zero, isPlainFile: false)
        }
        #expect(waits == [0.5, 1, 2].map { .reopen(after: .seconds($0)) })
    }
}

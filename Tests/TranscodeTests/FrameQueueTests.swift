import TestSupport
import Testing
import Transcode

/// Pictures are lists of numbers: their own, behind those of dropped pictures whose captions they carry.
private typealias Queue = FrameQueue<[Int], String, String>

private enum Taken: Equatable {
    case picture([Int]?, [String], dropped: Int)
    case command(String)
}

extension FrameQueue where Frame == [Int], Boundary == String, Command == String {
    fileprivate init(count: Int = 48) {
        var limits = Limits()
        limits.count = count
        self.init(limits: limits) { dropped, next in next = dropped + next }
    }

    fileprivate mutating func taken(at milliseconds: Int64) -> Taken? {
        switch take(now: milliseconds * 1_000_000) {
        case .entry(let entry): .picture(entry.frame, entry.boundaries, dropped: entry.dropped)
        case .command(let command): .command(command)
        case nil: nil
        }
    }

    fileprivate mutating func picture(_ number: Int, _ boundaries: [String] = [], at milliseconds: Int64) {
        offer([number], boundaries: boundaries, now: milliseconds * 1_000_000)
    }

    fileprivate mutating func report(at milliseconds: Int64) -> DropEpisodes.Report {
        drops.report(now: milliseconds * 1_000_000)
    }
}

struct FrameQueueTests {
    @Test func `pictures and commands come out in order`() {
        var queue = Queue()
        queue.picture(1, ["a"], at: 0)
        queue.offer("drain", now: 0)
        queue.picture(2, at: 1)
        let taken = (0..<4).map { _ in queue.taken(at: 2) }
        #expect(taken == [.picture([1], ["a"], dropped: 0), .command("drain"), .picture([2], [], dropped: 0), nil])
        #expect(queue.isEmpty && queue.count == 0)
    }

    @Test func `what has waited longer than 250 ms goes when a newer one waits`() {
        var queue = Queue()
        for number in 0..<10 { queue.picture(number, at: Int64(number) * 40) }
        // When 9 is offered, at 360 ms, the first three have waited 360, 320 and 280 ms, the next 240 ms.
        #expect(queue.taken(at: 360) == .picture([0, 1, 2, 3], [], dropped: 3))
        #expect(queue.taken(at: 410) == .picture([4], [], dropped: 0))
        #expect(queue.taken(at: 451) == .picture([5, 6], [], dropped: 1))
        #expect(queue.report(at: 451) == .init(dropped: 4, event: .began))
    }

    @Test func `the only picture is never too old`() {
        var queue = Queue()
        queue.picture(1, at: 0)
        #expect(queue.taken(at: 60_000) == .picture([1], [], dropped: 0))
        #expect(queue.report(at: 60_000) == .init())
    }

    @Test func `a picture with a boundary waits up to a second, then the boundary moves on`() {
        var queue = Queue()
        queue.picture(1, ["a"], at: 0)
        queue.picture(2, at: 10)
        queue.picture(3, ["b"], at: 20)
        queue.picture(4, at: 990)
        var later = queue
        #expect(queue.taken(at: 1_000) == .picture([1], ["a"], dropped: 0))
        #expect(queue.taken(at: 1_000) == .picture([2, 3], ["b"], dropped: 1))
        #expect(later.taken(at: 1_200) == .picture([1, 2, 3, 4], ["a", "b"], dropped: 3))
    }

    @Test func `nothing passes beyond a command`() {
        var queue = Queue()
        queue.picture(1, ["a"], at: 0)
        queue.picture(2, at: 0)
        queue.offer("drain", now: 0)
        queue.picture(3, at: 5_000)
        let taken = (0..<3).map { _ in queue.taken(at: 5_000) }
        #expect(taken == [.picture([1, 2], ["a"], dropped: 1), .command("drain"), .picture([3], [], dropped: 0)])
    }

    @Test func `of too many the oldest without a boundary goes`() {
        var queue = Queue(count: 2)
        queue.picture(1, ["a"], at: 0)
        queue.picture(2, at: 0)
        queue.picture(3, ["b"], at: 0)
        #expect(queue.count == 2)
        queue.picture(4, ["c"], at: 0)
        #expect(queue.count == 2)
        #expect(queue.taken(at: 0) == .picture([1, 2, 3], ["a", "b"], dropped: 2))
        #expect(queue.taken(at: 0) == .picture([4], ["c"], dropped: 0))
    }

    @Test func `pictures stay within their limit between commands too, and boundaries stay`() {
        var queue = Queue(count: 2)
        for number in 0..<5 {
            queue.picture(number, number == 1 ? ["a"] : [], at: 0)
            queue.offer("\(number)", now: 0)
        }
        #expect(queue.count == 2)
        let taken = (0..<8).map { _ in queue.taken(at: 0) }
        #expect(
            taken == [
                .command("0"), .picture(nil, ["a"], dropped: 0), .command("1"), .command("2"),
                .picture([3], [], dropped: 0), .command("3"), .picture([4], [], dropped: 0), .command("4"),
            ])
    }

    // MARK: Episodes

    @Test func `an episode begins with the first drop and ends when none has come for five seconds`() {
        var queue = Queue(count: 1)
        queue.picture(1, at: 0)
        #expect(queue.report(at: 0) == .init())
        queue.picture(2, at: 0)
        #expect(queue.report(at: 0) == .init(dropped: 1, event: .began))
        queue.picture(3, at: 4_000)
        #expect(queue.report(at: 4_999) == .init(dropped: 1, event: nil))
        #expect(queue.report(at: 8_999) == .init())
        #expect(queue.report(at: 9_000) == .init(dropped: 0, event: .ended(dropped: 2)))
        #expect(queue.report(at: 60_000) == .init())
        queue.picture(4, at: 61_000)
        #expect(queue.report(at: 61_000).event == .began)
    }

    @Test func `an episode that is over before it is told is told both ways`() {
        var queue = Queue(count: 1)
        queue.picture(1, at: 0)
        queue.picture(2, at: 0)
        #expect(queue.report(at: 10_000).event == .began)
        #expect(queue.report(at: 10_000).event == .ended(dropped: 1))
    }

    // MARK: Whatever comes

    @Test(arguments: 0..<60 as Range<UInt64>)
    func `boundaries, commands and captions are neither lost nor reordered, and pictures are late or counted`(
        seed: UInt64
    ) {
        var random = RandomNumbers(seed: seed)
        let limit = Int.random(in: 1...48, using: &random)
        var queue = Queue(count: limit)
        var now: Int64 = 0
        var offered: [String] = []
        var given: [String] = []
        var captions: [Int] = []
        var pictures = (offered: 0, taken: 0, dropped: 0)
        let pace = Int64.random(in: 1...200, using: &random)
        func take() {
            switch queue.taken(at: now) {
            case .picture(let numbers, let boundaries, _):
                given += boundaries
                captions += numbers ?? []
                pictures.taken += numbers == nil ? 0 : 1
            case .command(let command): given.append(command)
            case nil: break
            }
        }
        for number in 0..<3_000 {
            now += Int64.random(in: 0...66, using: &random)
            if random.oneIn(200) {
                queue.offer("command \(number)", now: now * 1_000_000)
                offered.append("command \(number)")
            } else {
                let boundaries = random.oneIn(10) ? ["\(number) a", "\(number) b"] : []
                queue.picture(number, boundaries, at: now)
                offered += boundaries
                pictures.offered += 1
            }
            #expect(queue.count <= limit)
            if Int64.random(in: 0...pace, using: &random) < 33 { take() }
            pictures.dropped += queue.report(at: now).dropped
        }
        while !queue.isEmpty { take() }
        pictures.dropped += queue.report(at: now).dropped
        #expect(given == offered)
        #expect(pictures.taken + pictures.dropped == pictures.offered)
        #expect(captions == captions.sorted() && Set(captions).count == captions.count)
        #expect(queue.count == 0)
    }
}

import Media
import NIOCore
import Testing
import Transcode

@Suite struct PacketQueueTests {
    private func packet(_ track: TrackKind, _ number: Int64, isKeyframe: Bool = false, bytes: Int = 10) -> Ladder.Input
    {
        .packet(
            MediaPacket(
                track: track, decodeTime: .milliseconds(number), presentationTime: .milliseconds(number),
                isKeyframe: isKeyframe, data: ByteBuffer(repeating: 0, count: bytes)), isDiscontinuity: false)
    }

    /// The numbers of the packets that come out; -1 for all else.
    private func takeAll(_ queue: inout PacketQueue, now: Int64 = 0) -> [Int64] {
        var numbers: [Int64] = []
        while let input = queue.take(now: now) {
            if case .packet(let packet, _) = input {
                numbers.append(packet.decodeTime.value)
            } else {
                numbers.append(-1)
            }
        }
        return numbers
    }

    @Test func `what is taken in time comes out as it came`() {
        var queue = PacketQueue()
        #expect(queue.offer(packet(.video, 1, isKeyframe: true), now: 0) == true)
        #expect(queue.offer(packet(.audio, 2), now: 0) == false)
        #expect(queue.offer(.interrupted, now: 0) == false)
        #expect(takeAll(&queue) == [1, 2, -1])
        #expect(queue.offer(packet(.video, 3), now: PacketQueue.patience * 5) == true)
        #expect(queue.skippedPackets == 0)
    }

    @Test func `when its thread is late, video is skipped up to the next keyframe that comes in time`() {
        var queue = PacketQueue()
        _ = queue.offer(packet(.video, 1, isKeyframe: true), now: 0)
        let late = PacketQueue.patience + 1
        _ = queue.offer(packet(.video, 2), now: late)
        _ = queue.offer(packet(.video, 3, isKeyframe: true), now: late)
        _ = queue.offer(packet(.audio, 4), now: late)
        #expect(takeAll(&queue) == [1, 4])
        _ = queue.offer(packet(.video, 5), now: late)
        _ = queue.offer(packet(.video, 6, isKeyframe: true), now: late)
        _ = queue.offer(packet(.video, 7), now: late)
        #expect(takeAll(&queue) == [6, 7])
        #expect(queue.skippedPackets == 3)
    }

    @Test func `what has waited too long is skipped when it is taken, up to a keyframe that has not`() {
        var queue = PacketQueue()
        _ = queue.offer(packet(.video, 1, isKeyframe: true), now: 0)
        _ = queue.offer(packet(.audio, 2), now: 0)
        _ = queue.offer(packet(.video, 3), now: PacketQueue.patience / 2)
        _ = queue.offer(packet(.video, 4, isKeyframe: true), now: PacketQueue.patience / 2)
        _ = queue.offer(.interrupted, now: PacketQueue.patience / 2)
        #expect(takeAll(&queue, now: PacketQueue.patience + 1) == [2, 4, -1])
        #expect(queue.skippedPackets == 2)
    }

    @Test func `neither packets nor bytes pile up, and what is no packet is never lost`() {
        var queue = PacketQueue()
        for number in 0..<Int64(PacketQueue.limit * 2) {
            _ = queue.offer(packet(.audio, number), now: 0)
            if number % 1_000 == 0 { _ = queue.offer(.interrupted, now: 0) }
        }
        let taken = takeAll(&queue)
        #expect(taken.count { $0 >= 0 } <= PacketQueue.limit)
        #expect(taken.count { $0 == -1 } == 3)
        let bytes = PacketQueue.byteLimit / 4
        for number in 0..<Int64(10) { _ = queue.offer(packet(.video, number, isKeyframe: true, bytes: bytes), now: 0) }
        #expect(takeAll(&queue).count <= 6)
    }
}

import Media
import NIOCore

/// What a ladder is sent, in order, until its thread takes it.
///
/// When more than ``limit`` waits, or it has waited longer than ``patience``, video is skipped up to the next keyframe
/// that comes in time, and counted: decoding can begin nowhere else.
package struct PacketQueue {
    /// In packets; at 60 frames and 50 audio packets a second, some 9 s.
    package static let limit = 1_024
    /// In bytes.
    package static let byteLimit = 64 << 20
    /// In nanoseconds.
    package static let patience: Int64 = 1_000_000_000

    package private(set) var skippedPackets = 0
    private var inputs: [(input: Ladder.Input, since: Int64)] = []
    private var head = 0
    private var bytes = 0
    private var isSkipping = false
    /// The same of what has been waiting already.
    private var skipsTaken = false

    package init() {}

    /// - Parameter now: in nanoseconds of any clock.
    /// - Returns: whether nothing had waited before.
    package mutating func offer(_ input: Ladder.Input, now: Int64) -> Bool {
        if case .packet(let packet, _) = input {
            let isLate = head < inputs.count && now - inputs[head].since > Self.patience
            let isFull = inputs.count - head >= Self.limit || bytes > Self.byteLimit
            if packet.track == .video {
                if isLate || isFull { isSkipping = true } else if packet.isKeyframe { isSkipping = false }
            }
            guard !isFull, packet.track == .audio || !isSkipping else {
                skippedPackets += 1
                return false
            }
            bytes += packet.data.readableBytes
        }
        inputs.append((input, now))
        return inputs.count - head == 1
    }

    package mutating func take(now: Int64) -> Ladder.Input? {
        while let (input, since) = next() {
            guard case .packet(let packet, _) = input, packet.track == .video else { return input }
            let isLate = now - since > Self.patience
            if isLate { skipsTaken = true } else if packet.isKeyframe { skipsTaken = false }
            if !skipsTaken { return input }
            skippedPackets += 1
        }
        return nil
    }

    private mutating func next() -> (input: Ladder.Input, since: Int64)? {
        guard head < inputs.count else {
            inputs.removeAll(keepingCapacity: true)
            head = 0
            return nil
        }
        let entry = inputs[head]
        head += 1
        if case .packet(let packet, _) = entry.input { bytes -= packet.data.readableBytes }
        if head >= 64, head * 2 >= inputs.count {
            inputs.removeFirst(head)
            head = 0
        }
        return entry
    }
}

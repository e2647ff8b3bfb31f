/// What waits for one rendition's thread: pictures with the segment boundaries before them, and commands.
///
/// Real time comes first: a picture that has waited too long is dropped as soon as a newer one waits, so that what a
/// slow encoder is behind does not grow. What is dropped is the picture alone; its boundaries, and through `merge` what
/// else must not be lost, pass on to the next picture. Those with a boundary are given more time, since their
/// keyframe then stays where it is in the other renditions. Commands keep their place: nothing passes beyond one.
///
/// Times are nanoseconds of any clock that does not go back.
package struct FrameQueue<Frame, Boundary, Command> {
    package struct Entry {
        /// Nil where the picture had to go and none came behind it before a command.
        package var frame: Frame?
        /// Segment boundaries before the picture, the oldest first.
        package var boundaries: [Boundary] = []
        /// Pictures dropped directly before this one.
        package var dropped = 0
    }

    package enum Item {
        case entry(Entry)
        case command(Command)
    }

    package struct Limits: Hashable, Sendable {
        /// How long a picture may wait while a newer one waits, in nanoseconds.
        package var wait: Int64 = 250_000_000
        /// The same for a picture with a boundary.
        package var boundaryWait: Int64 = 1_000_000_000
        /// Pictures at once.
        package var count = 48

        package init() {}
    }

    private struct Slot {
        var item: Item
        var since: Int64
    }

    /// What has been dropped, in episodes.
    package var drops = DropEpisodes()
    /// Pictures that wait.
    package private(set) var count = 0
    package var limits: Limits
    private let merge: @Sendable (_ dropped: Frame, _ next: inout Frame) -> Void
    private var slots: [Slot] = []

    /// - Parameter merge: puts what the dropped picture carries besides its image into the next one.
    package init(
        limits: Limits = Limits(), merge: @escaping @Sendable (_ dropped: Frame, _ next: inout Frame) -> Void
    ) {
        self.limits = limits
        self.merge = merge
    }

    /// Whether nothing waits.
    package var isEmpty: Bool { slots.isEmpty }

    package mutating func offer(_ frame: Frame, boundaries: [Boundary] = [], now: Int64) {
        slots.append(Slot(item: .entry(Entry(frame: frame, boundaries: boundaries)), since: now))
        count += 1
        expire(now)
        while count > max(limits.count, 1) { dropForRoom(now) }
    }

    /// How many commands may wait is for their sender to see to.
    package mutating func offer(_ command: Command, now: Int64) {
        slots.append(Slot(item: .command(command), since: now))
    }

    /// What is to be done next; nil when nothing waits.
    package mutating func take(now: Int64) -> Item? {
        expire(now)
        guard !slots.isEmpty else { return nil }
        let item = slots.removeFirst().item
        if case .entry(let entry) = item, entry.frame != nil { count -= 1 }
        return item
    }

    // MARK: Dropping

    private mutating func expire(_ now: Int64) {
        var index = 0
        while index + 1 < slots.count, now - slots[index].since > limits.wait {
            if let entry = entry(at: index), entry.frame != nil, self.entry(at: index + 1) != nil,
                entry.boundaries.isEmpty || now - slots[index].since > limits.boundaryWait
            {
                drop(at: index, now)
            } else {
                index += 1
            }
        }
    }

    /// Drops the oldest picture that can hand on what it carries, one without boundaries first; else the oldest.
    private mutating func dropForRoom(_ now: Int64) {
        let pictures = slots.indices.filter { entry(at: $0)?.frame != nil }
        let passing = pictures.filter { $0 + 1 < slots.count && entry(at: $0 + 1) != nil }
        let plain = passing.first { entry(at: $0)?.boundaries.isEmpty == true }
        if let index = plain ?? passing.first {
            drop(at: index, now)
        } else if let index = pictures.first, var entry = entry(at: index) {
            entry.frame = nil
            slots[index].item = .entry(entry)
            if entry.boundaries.isEmpty { slots.remove(at: index) }
            noteDrop(now)
        }
    }

    /// Merges the entry into the next, which there must be.
    private mutating func drop(at index: Int, _ now: Int64) {
        guard let dropped = entry(at: index), var next = entry(at: index + 1) else { return }
        if let frame = dropped.frame, var nextFrame = next.frame {
            merge(frame, &nextFrame)
            next.frame = nextFrame
        }
        next.boundaries = dropped.boundaries + next.boundaries
        next.dropped += dropped.dropped + 1
        slots[index + 1].item = .entry(next)
        slots.remove(at: index)
        noteDrop(now)
    }

    private mutating func noteDrop(_ now: Int64) {
        count -= 1
        drops.note(at: now)
    }

    private func entry(at index: Int) -> Entry? {
        if case .entry(let entry) = slots[index].item { entry } else { nil }
    }
}

import HeapModule
import NIOCore

/// What is due when, the earliest first.
///
/// A deadline that no longer holds stays until it is due or too many have gathered: whoever takes one out asks whether
/// it is still the current one. So setting one costs the same, however many objects there are, and so does a look for
/// what is due where nothing is.
struct Deadlines {
    struct Deadline: Comparable {
        enum Kind {
            /// A complete object's life ends.
            case object
            /// A playlist has not been stored again.
            case playlist
            /// An upload that broke off can no longer be taken up.
            case resumption
        }

        let time: NIODeadline
        let kind: Kind
        let key: ObjectKey

        static func < (first: Deadline, second: Deadline) -> Bool { first.time < second.time }
        static func == (first: Deadline, second: Deadline) -> Bool { first.time == second.time }
    }

    private var heap = Heap<Deadline>()
    /// How many are held at most until those that no longer hold are taken out.
    private var limit = Self.leastLimit
    private static let leastLimit = 1_024

    var isFull: Bool { heap.count > limit }

    mutating func add(_ kind: Deadline.Kind, _ key: ObjectKey, at time: NIODeadline) {
        heap.insert(Deadline(time: time, kind: kind, key: key))
    }

    /// Takes out the earliest that is due by now, whether or not it still holds.
    mutating func next(now: NIODeadline) -> Deadline? {
        guard let earliest = heap.min, earliest.time <= now else { return nil }
        return heap.popMin()
    }

    /// Takes out those that no longer hold, and makes room for as many again as are left.
    mutating func compact(keeping isCurrent: (Deadline) -> Bool) {
        heap = Heap(heap.unordered.filter(isCurrent))
        limit = max(Self.leastLimit, 2 * heap.count)
    }
}

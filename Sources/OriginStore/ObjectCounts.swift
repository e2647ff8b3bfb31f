/// Where an object is in its life, as ``ObjectLife`` has it.
package enum ObjectPhase: String, CaseIterable, Sendable {
    case announced, growing, interrupted, complete, aborted
}

/// How many media objects of the index there are in each phase.
package struct ObjectCounts: Sendable, Equatable {
    private var counts: [ObjectPhase: Int] = [:]

    package init() {}

    package subscript(phase: ObjectPhase) -> Int {
        get { counts[phase] ?? 0 }
        set { counts[phase] = newValue == 0 ? nil : newValue }
    }
}

extension ObjectLife {
    package var phase: ObjectPhase {
        switch state {
        case .announced: .announced
        case .growing: .growing
        case .interrupted: .interrupted
        case .complete: .complete
        case .aborted: .aborted
        }
    }
}

extension ObjectStore.State {
    /// An upload of the object of this key has begun, or broken off: counts it as what it now is.
    ///
    /// Asked of the object under the index's lock, so that the last change is the one that counts.
    mutating func recount(_ key: ObjectKey) {
        guard let entry = objects[key] else { return }
        setPhase(entry.object.phase, key)
    }

    mutating func setPhase(_ phase: ObjectPhase, _ key: ObjectKey) {
        guard let old = objects[key]?.phase, old != phase else { return }
        counts[old] -= 1
        counts[phase] += 1
        objects[key]?.phase = phase
    }
}

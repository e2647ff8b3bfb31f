/// Objects from the oldest to the newest. Whatever is done costs the same, however many there are and wherever in the
/// list it happens.
package struct AgeList {
    private struct Node {
        let key: ObjectKey
        var older: Int
        var newer: Int
    }

    /// The nodes' storage; a nil one is free.
    private var nodes: [Node?] = []
    private var free: [Int] = []
    private var newest = Self.none
    /// The place of the oldest object; nil in an empty list.
    package var oldest: Int? { first == Self.none ? nil : first }
    private var first = Self.none
    private static let none = -1

    package init() {}

    package var count: Int { nodes.count - free.count }

    private var isEmpty: Bool { first == Self.none }

    /// Adds the newest object. Gives back its place, which stays the same until it is removed.
    package mutating func append(_ key: ObjectKey) -> Int {
        let node = Node(key: key, older: newest, newer: Self.none)
        let place: Int
        if let reused = free.popLast() {
            nodes[reused] = node
            place = reused
        } else {
            nodes.append(node)
            place = nodes.count - 1
        }
        if newest == Self.none { first = place } else { nodes[newest]?.newer = place }
        newest = place
        return place
    }

    package mutating func remove(_ place: Int) {
        guard let node = self[place] else { return }
        if node.older == Self.none { first = node.newer } else { nodes[node.older]?.newer = node.newer }
        if node.newer == Self.none { newest = node.older } else { nodes[node.newer]?.older = node.older }
        nodes[place] = nil
        free.append(place)
        if isEmpty { self = AgeList() }
    }

    /// The object at this place.
    package func key(at place: Int) -> ObjectKey? { self[place]?.key }

    /// The place of the next newer object; nil at the list's end.
    package func place(after place: Int) -> Int? {
        guard let node = self[place], node.newer != Self.none else { return nil }
        return node.newer
    }

    private subscript(place: Int) -> Node? { nodes.indices.contains(place) ? nodes[place] : nil }
}

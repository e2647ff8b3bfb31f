package import NIOCore

extension EventLoop {
    /// Goes through many things a few at a time, with a millisecond between, in which connections are served: what is
    /// submitted without a delay runs before any socket is looked at. Call it on the event loop.
    /// - Parameter count: how many make a turn.
    /// - Returns: when it has been through all.
    @discardableResult
    package func inTurns<Element>(
        of count: Int, _ all: ArraySlice<Element>, _ body: @escaping (Element) -> Void
    ) -> EventLoopFuture<Void> {
        let end = makePromise(of: Void.self)
        take(Turns(count: count, rest: all, body: body, end: end))
        return end.futureResult
    }

    private func take<Element>(_ turns: Turns<Element>) {
        var turns = turns
        for element in turns.rest.prefix(turns.count) { turns.body(element) }
        turns.rest = turns.rest.dropFirst(turns.count)
        guard !turns.rest.isEmpty else { return turns.end.succeed() }
        let bound = NIOLoopBound(turns, eventLoop: self)
        let next = scheduleTask(in: .milliseconds(1)) { self.take(bound.value) }
        // It fails where the loop ends first.
        next.futureResult.cascadeFailure(to: turns.end)
    }
}

/// A type of its own: a closure that is itself a generic parameter's value is wrapped anew each time it is passed on.
private struct Turns<Element> {
    let count: Int
    var rest: ArraySlice<Element>
    let body: (Element) -> Void
    let end: EventLoopPromise<Void>
}

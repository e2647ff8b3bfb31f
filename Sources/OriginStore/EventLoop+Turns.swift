package import NIOCore

extension EventLoop {
    /// Goes through many things a few at a time, with a millisecond between, in which connections are served: what is
    /// submitted without a delay runs before any socket is looked at. Call it on the event loop.
    /// - Parameter count: how many make a turn.
    package func inTurns<Element>(of count: Int, _ all: ArraySlice<Element>, _ body: @escaping (Element) -> Void) {
        for element in all.prefix(count) { body(element) }
        guard all.count > count else { return }
        let rest = NIOLoopBound((all: all.dropFirst(count), body: body), eventLoop: self)
        scheduleTask(in: .milliseconds(1)) { self.inTurns(of: count, rest.value.all, rest.value.body) }
    }
}

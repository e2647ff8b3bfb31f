import NIOCore

/// A broadcast from elsewhere: where it runs, and it itself once there.
struct BroadcastHandle: Sendable {
    let eventLoop: any EventLoop
    private let bound: NIOLoopBound<Broadcast>

    /// Makes the broadcast. Call it on the event loop it is to live on.
    /// - Parameter release: asked when the resume window is over; false keeps the broadcast.
    init(
        _ name: StreamName, on eventLoop: any EventLoop, ingest: IngestContext,
        release: @escaping () -> Bool
    ) {
        self.eventLoop = eventLoop
        bound = NIOLoopBound(
            Broadcast(name, on: eventLoop, ingest: ingest, release: release), eventLoop: eventLoop)
    }

    /// On its event loop alone.
    var value: Broadcast { bound.value }

    /// Hands over what a publisher sent, at once if this is the broadcast's event loop and it has heard of the publisher.
    /// - Parameter done: called when they are taken, on the broadcast's event loop.
    func receive(_ events: [PublisherEvent], epoch: UInt64, done: @escaping @Sendable () -> Void) {
        if eventLoop.inEventLoop, bound.value.isLive(epoch) {
            bound.value.receive(events, epoch: epoch)
            done()
        } else {
            eventLoop.execute {
                bound.value.receive(events, epoch: epoch)
                done()
            }
        }
    }
}

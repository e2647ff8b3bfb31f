import NIOCore
import Synchronization

/// Keeps one connection from costing more than it may: how many there are, how much each sends, how long each lasts.
final class ConnectionGuard: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    /// How many connections are open on a listener.
    final class Count: Sendable {
        private let open = Atomic<Int>(0)
        private let limit: Int

        init(limit: Int) { self.limit = limit }

        /// Whether there was room for one more.
        func enter() -> Bool {
            if open.wrappingAdd(1, ordering: .relaxed).newValue <= limit { return true }
            leave()
            return false
        }

        func leave() { open.wrappingSubtract(1, ordering: .relaxed) }
    }

    private let count: Count
    private let deadline: TimeAmount
    private var remainingBytes: Int
    private var isCounted = false
    private var timeout: Scheduled<Void>?

    init(count: Count, maximumBytes: Int, deadline: TimeAmount) {
        self.count = count
        self.deadline = deadline
        remainingBytes = maximumBytes
    }

    func channelActive(context: ChannelHandlerContext) {
        isCounted = count.enter()
        guard isCounted else { return context.close(promise: nil) }
        let channel = context.channel
        timeout = context.eventLoop.scheduleTask(in: deadline) { channel.close(promise: nil) }
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        timeout?.cancel()
        if isCounted { count.leave() }
        isCounted = false
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        remainingBytes -= unwrapInboundIn(data).readableBytes
        guard isCounted, remainingBytes >= 0 else { return context.close(promise: nil) }
        context.fireChannelRead(data)
    }
}

import NIOPosix

/// A thread for a publisher that waits in calls no event loop could afford.
enum PublisherThread {
    /// Runs `body` on a thread of its own; when the task is cancelled, `body` is told through its control and waited for.
    static func run(_ body: @escaping @Sendable (PublishControl) -> Void) async {
        let control = PublishControl()
        let thread = NIOThreadPool(numberOfThreads: 1)
        thread.start()
        await withTaskCancellationHandler {
            // It throws when the task was cancelled before it began, which is no news.
            try? await thread.runIfActive { body(control) }
        } onCancel: {
            control.cancel()
        }
        try? await thread.shutdownGracefully()
    }
}

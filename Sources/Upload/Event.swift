import CCurl
import Glibc

/// An eventfd: signalled by any thread, waited for by one.
@safe
final class Event: Sendable {
    let descriptor: Int32

    init() throws(UploadError) {
        descriptor = ccurl_event_create()
        guard descriptor >= 0 else { throw .unavailable(errno: errno) }
    }

    deinit { _ = close(descriptor) }

    func signal() {
        // Fails with EAGAIN when the counter is full, that is, signalled already.
        _ = ccurl_event_signal(descriptor)
    }

    /// Waits until it is signalled or the time is over; nil waits for ever.
    func wait(milliseconds: Int32?) {
        var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard unsafe Glibc.poll(&poll, 1, milliseconds ?? -1) > 0 else { return }
        ccurl_event_clear(descriptor)
    }
}

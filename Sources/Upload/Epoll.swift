import CCurl
import Glibc

/// An epoll set, used by one thread; the event is registered edge-triggered, so that it need not be read.
@safe
final class Epoll {
    struct Readiness: OptionSet {
        let rawValue: UInt32

        static let readable = Readiness(rawValue: ccurl_epoll_in)
        static let writable = Readiness(rawValue: ccurl_epoll_out)
        /// The peer will send no more; told where `readable` is waited for.
        static let closed = Readiness(rawValue: ccurl_epoll_closed)
        /// Reading or writing tells which error it is.
        static let broken = Readiness(rawValue: ccurl_epoll_broken)
    }

    private let descriptor: Int32
    private let event: Event
    private var space = unsafe [epoll_event](repeating: epoll_event(), count: 256)

    init(event: Event) throws(UploadError) {
        self.event = event
        descriptor = ccurl_epoll_create()
        guard descriptor >= 0 else { throw .unavailable(errno: errno) }
        control(EPOLL_CTL_ADD, event.descriptor, ccurl_epoll_in | ccurl_epoll_edge)
    }

    deinit { _ = close(descriptor) }

    /// A descriptor that the set does not hold yet is added, another one changed.
    func add(_ socket: Int32, _ readiness: Readiness) {
        if control(EPOLL_CTL_ADD, socket, readiness.rawValue) != 0 { change(socket, readiness) }
    }

    func change(_ socket: Int32, _ readiness: Readiness) {
        control(EPOLL_CTL_MOD, socket, readiness.rawValue)
    }

    func remove(_ socket: Int32) {
        control(EPOLL_CTL_DEL, socket, 0)
    }

    /// Waits and calls `body` for each socket that is ready; nil waits for ever.
    func wait(milliseconds: Int32?, _ body: (Int32, Readiness) -> Void) {
        let count = unsafe epoll_wait(descriptor, &space, Int32(space.count), milliseconds ?? -1)
        // Below 0 with EINTR alone: nothing is ready.
        guard count > 0 else { return }
        for index in 0..<Int(count) {
            let ready = unsafe space[index]
            let socket = unsafe ready.data.fd
            if socket != event.descriptor { body(socket, unsafe Readiness(rawValue: ready.events)) }
        }
    }

    @discardableResult
    private func control(_ operation: Int32, _ socket: Int32, _ events: UInt32) -> Int32 {
        let closed = events & ccurl_epoll_in == 0 ? 0 : ccurl_epoll_closed
        return ccurl_epoll_control(descriptor, operation, socket, events | closed)
    }
}

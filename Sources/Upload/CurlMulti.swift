import CCurl
import Glibc

/// libcurl's multi handle over one epoll set; belongs to the uploader's thread.
///
/// Proof for the pointer: libcurl holds the unretained address of this object from `init` until `deinit`, which ends
/// the multi handle, and calls back inside calls made here alone.
@safe
final class CurlMulti {
    /// A request that is over.
    struct Completion {
        let easy: CurlEasy
        let transfer: Transfer
        let code: CURLcode
    }

    private struct Interest {
        var wanted: Epoll.Readiness
        var registered: Epoll.Readiness
        var transfer: Transfer?
    }

    private let handle: UnsafeMutableRawPointer
    private let epoll: Epoll
    private let clock: TurnClock
    private var sockets: [Int32: Interest] = [:]
    /// Sockets whose registration may differ from what is wanted.
    private var changed: [Int32] = []
    /// When libcurl wants to be called for its own timers.
    private(set) var deadline: ContinuousClock.Instant?

    /// What a program calls once, before any thread uses libcurl.
    static let isReady = curl_global_init(ccurl_global_default()) == CURLE_OK

    init(epoll: Epoll, clock: TurnClock, connectionsLimit: Int) throws(UploadError) {
        guard Self.isReady, let handle = unsafe curl_multi_init() else { throw .unavailable(errno: ENOMEM) }
        unsafe self.handle = unsafe handle
        self.epoll = epoll
        self.clock = clock
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        let codes = unsafe [
            ccurl_multi_set_pointer(handle, CURLMOPT_SOCKETDATA, context),
            ccurl_multi_set_pointer(handle, CURLMOPT_TIMERDATA, context),
            ccurl_multi_set_long(handle, CURLMOPT_MAXCONNECTS, connectionsLimit),
            ccurl_multi_set_long(handle, CURLMOPT_PIPELINING, Int(CURLPIPE_NOTHING)),
            ccurl_multi_set_socket_function(handle) { easy, socket, what, context, _ in
                guard let context = unsafe context else { return 0 }
                let multi = unsafe Unmanaged<CurlMulti>.fromOpaque(context).takeUnretainedValue()
                unsafe multi.wants(socket, what, easy)
                return 0
            },
            ccurl_multi_set_timer_function(handle) { _, milliseconds, context in
                guard let context = unsafe context else { return 0 }
                unsafe Unmanaged<CurlMulti>.fromOpaque(context).takeUnretainedValue().wants(milliseconds)
                return 0
            },
        ]
        guard codes.allSatisfy({ $0 == CURLM_OK }) else { throw .unavailable(errno: ENOMEM) }
    }

    deinit {
        // Closing the kept connections calls back no more: there is nobody left to call.
        unsafe ccurl_multi_set_socket_function(handle, nil)
        unsafe ccurl_multi_set_timer_function(handle, nil)
        unsafe curl_multi_cleanup(handle)
    }

    /// Starts a prepared request; false when libcurl refuses.
    func add(_ easy: CurlEasy) -> Bool {
        unsafe curl_multi_add_handle(handle, easy.handle) == CURLM_OK
    }

    /// Takes a request out; one that is not over loses its connection.
    func remove(_ easy: CurlEasy) {
        unsafe curl_multi_remove_handle(handle, easy.handle)
        easy.forget()
    }

    /// Acts on what a socket is ready for; gives the transfer whose peer left before it had the whole body, if
    /// libcurl does not tell so itself (`nextCompletion`).
    ///
    /// libcurl 7.88 reads an answer, and a peer's leaving, while the upload is paused, but calls the request over only
    /// when it is no longer paused; after the peer's leaving it would even go on until a write fails.
    func handle(_ socket: Int32, _ readiness: Epoll.Readiness) -> Transfer? {
        let transfer = sockets[socket]?.transfer
        act(on: socket, readiness)
        guard let transfer else { return nil }
        resume(transfer)
        return readiness.contains(.closed) && transfer.bodyEnd == nil ? transfer : nil
    }

    private func act(on socket: Int32, _ readiness: Epoll.Readiness) {
        var events: Int32 = 0
        if readiness.contains(.readable) { events |= CURL_CSELECT_IN }
        if readiness.contains(.writable) { events |= CURL_CSELECT_OUT }
        // Not CURL_CSELECT_ERR, which hides the socket's own error behind a general one.
        if !readiness.isDisjoint(with: .broken) { events |= CURL_CSELECT_IN | CURL_CSELECT_OUT }
        var running: Int32 = 0
        unsafe curl_multi_socket_action(handle, socket, events, &running)
    }

    /// Calls libcurl for its timers that are due.
    func actIfDue() {
        guard let deadline, deadline <= clock.now else { return }
        self.deadline = nil
        var running: Int32 = 0
        unsafe curl_multi_socket_action(handle, CURL_SOCKET_BAD, 0, &running)
    }

    /// Sends what a paused transfer has got since, without asking the system first whether the socket has room:
    /// a socket without room says so, and is then waited for.
    ///
    /// libcurl wants to know of room from the unpausing until the next pause, both of which lie within this call most
    /// of the time; the registration is left as it is meanwhile (see `settle`).
    func resume(_ transfer: Transfer) {
        guard transfer.isPaused, let easy = transfer.easy else { return }
        transfer.resumes(now: clock.now)
        unsafe curl_easy_pause(easy.handle, CURLPAUSE_SEND_CONT | CURLPAUSE_RECV_CONT)
        // The first call sends, the second finds nothing more; the others are for a producer that is faster.
        for _ in 0..<16 {
            guard let socket = transfer.socket else { return }
            let readCalls = transfer.readCalls
            act(on: socket, .writable)
            if transfer.isPaused || transfer.readCalls == readCalls { return }
        }
    }

    /// The next request that is over, taken out of the handle by `remove`.
    func nextCompletion() -> Completion? {
        var left: Int32 = 0
        while let message = unsafe curl_multi_info_read(handle, &left) {
            guard unsafe message.pointee.msg == CURLMSG_DONE,
                let transfer = unsafe transfer(message.pointee.easy_handle),
                let easy = transfer.easy
            else { continue }
            return Completion(easy: easy, transfer: transfer, code: unsafe ccurl_message_result(message))
        }
        return nil
    }

    /// Brings the registrations up to date; called before waiting.
    func settle() {
        guard !changed.isEmpty else { return }
        for socket in changed {
            guard let interest = sockets[socket], interest.wanted != interest.registered else { continue }
            epoll.change(socket, interest.wanted)
            sockets[socket]?.registered = interest.wanted
        }
        changed.removeAll(keepingCapacity: true)
    }

    private func transfer(_ easy: UnsafeMutableRawPointer?) -> Transfer? {
        guard let easy = unsafe easy else { return nil }
        var context: UnsafeMutableRawPointer?
        guard unsafe ccurl_easy_get_private(easy, &context) == CURLE_OK else { return nil }
        return unsafe CurlEasy.transfer(context)
    }

    private func wants(_ socket: Int32, _ what: Int32, _ easy: UnsafeMutableRawPointer?) {
        // libcurl may close the socket next, and the system give its number to another one: not put off.
        if what == CURL_POLL_REMOVE {
            if sockets.removeValue(forKey: socket) != nil { epoll.remove(socket) }
            return
        }
        let wanted: Epoll.Readiness =
            switch what {
            case CURL_POLL_IN: .readable
            case CURL_POLL_OUT: .writable
            case CURL_POLL_INOUT: [.readable, .writable]
            default: []
            }
        let transfer = unsafe transfer(easy)
        transfer?.socket = socket
        if let interest = sockets[socket] {
            if interest.wanted == interest.registered { changed.append(socket) }
            sockets[socket] = Interest(wanted: wanted, registered: interest.registered, transfer: transfer)
        } else {
            sockets[socket] = Interest(wanted: wanted, registered: wanted, transfer: transfer)
            epoll.add(socket, wanted)
        }
    }

    private func wants(_ milliseconds: Int) {
        deadline = milliseconds < 0 ? nil : clock.now + .milliseconds(milliseconds)
    }
}

/// Why a request failed, and for TLS what to look at; it holds no part of the URL.
func curlReason(_ code: CURLcode) -> String {
    switch code {
    case CURLE_PEER_FAILED_VERIFICATION:
        return "the origin's certificate is of no known authority, not for this host, or not valid now; "
            + "origin-ca-file names its authority"
    case CURLE_SSL_CONNECT_ERROR:
        return "no TLS connection: the origin speaks none there, or wants an origin-client-certificate"
    case CURLE_SSL_CACERT_BADFILE: return "origin-ca-file cannot be used"
    case CURLE_SSL_CERTPROBLEM:
        return "origin-client-certificate and origin-client-key cannot be used: not PEM, not of one another, or the "
            + "key has a passphrase"
    default: return curlText(code)
    }
}

/// libcurl's short text for a result.
private func curlText(_ code: CURLcode) -> String {
    guard let text = unsafe curl_easy_strerror(code) else { return "curl error \(code.rawValue)" }
    return unsafe String(cString: text)
}

import CCurl
import Glibc

/// One libcurl request, used again and again for one destination; belongs to the uploader's thread.
///
/// Proof for the pointers: libcurl holds the address of `transfer`, and uses it inside calls on this handle or its
/// multi handle alone. `transfer` is kept alive from `prepare` until `forget`, which `CurlMulti` calls once the
/// handle has left it.
@safe
final class CurlEasy {
    let handle: UnsafeMutableRawPointer
    private var headers: UnsafeMutablePointer<curl_slist>?
    private(set) var transfer: Transfer?

    /// Sets what is the same for all requests.
    init(_ configuration: Uploader.Configuration, _ access: OriginAccess) throws(UploadError) {
        guard let handle = unsafe curl_easy_init() else { throw .unavailable(errno: ENOMEM) }
        unsafe self.handle = unsafe handle
        let milliseconds = configuration.connectTimeout.wholeMilliseconds
        var codes = [
            set(CURLOPT_UPLOAD, 1),
            // 7.84 to 8.0 have faults in paused HTTP/2 uploads (curl #10433).
            set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1)),
            set(CURLOPT_NOSIGNAL, 1),
            set(CURLOPT_TCP_NODELAY, 1),
            set(CURLOPT_TCP_KEEPALIVE, 1),
            set(CURLOPT_FOLLOWLOCATION, 0),
            set(CURLOPT_CONNECTTIMEOUT_MS, milliseconds),
            // A name that is still being looked up must not hold up the thread when its request ends.
            set(CURLOPT_QUICK_EXIT, 1),
            set(CURLOPT_PATH_AS_IS, 1),
            set(CURLOPT_PROTOCOLS_STR, "http,https"),
            set(CURLOPT_USERAGENT, "headwater-ingest"),
            // A proxy from the environment would collect what must go out at once.
            set(CURLOPT_PROXY, ""),
            set(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2)),
            // A key with a passphrase is refused; without this, OpenSSL would ask for it on the terminal and wait.
            set(CURLOPT_KEYPASSWD, ""),
            // In seconds, in place of a day: how soon an exchanged file of authorities counts.
            set(CURLOPT_CA_CACHE_TIMEOUT, 60),
        ]
        if let file = access.authorityFile {
            // The system's folder of authorities would be trusted beside the file.
            codes += [set(CURLOPT_CAINFO, file), unsafe ccurl_easy_set_string(handle, CURLOPT_CAPATH, nil)]
        }
        if let file = access.certificateFile {
            codes += [set(CURLOPT_SSLCERT, file), set(CURLOPT_SSLKEY, access.keyFile ?? file)]
        }
        codes.append(unsafe ccurl_easy_set_read_function(handle) { unsafe CurlEasy.read($0, $1, $2, $3) })
        codes.append(unsafe ccurl_easy_set_write_function(handle) { unsafe CurlEasy.discard($0, $1, $2, $3) })
        codes.append(unsafe ccurl_easy_set_seek_function(handle) { unsafe CurlEasy.rewind($0, $1, $2) })
        codes.append(
            unsafe ccurl_easy_set_socket_option_function(handle) { _, socket, _ in
                // A peer that acknowledges nothing is noticed while the request is paused, too.
                var milliseconds: Int32 = 10_000
                unsafe setsockopt(
                    socket, Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, &milliseconds,
                    socklen_t(MemoryLayout<Int32>.size))
                return CURL_SOCKOPT_OK
            })
        guard codes.allSatisfy({ $0 == CURLE_OK }) else { throw .unavailable(errno: ENOMEM) }
    }

    deinit {
        unsafe curl_easy_cleanup(handle)
        unsafe curl_slist_free_all(headers)
    }

    /// Sets what is this request's own; `length` is nil for chunked transfer coding. False when memory is short.
    func prepare(
        _ transfer: Transfer, url: String, headers lines: [String], length: Int?, isFreshConnection: Bool
    ) -> Bool {
        for line in lines {
            // On failure the list stays as it was and is freed with the handle.
            guard let longer = unsafe curl_slist_append(headers, line) else { return false }
            unsafe headers = longer
        }
        let context = unsafe Unmanaged.passUnretained(transfer).toOpaque()
        self.transfer = transfer
        return unsafe [
            set(CURLOPT_URL, url),
            set(CURLOPT_FRESH_CONNECT, isFreshConnection ? 1 : 0),
            set(CURLOPT_DNS_CACHE_TIMEOUT, isFreshConnection ? 0 : 60),
            ccurl_easy_set_offset(handle, CURLOPT_INFILESIZE_LARGE, curl_off_t(length ?? -1)),
            ccurl_easy_set_list(handle, CURLOPT_HTTPHEADER, headers),
            ccurl_easy_set_pointer(handle, CURLOPT_READDATA, context),
            ccurl_easy_set_pointer(handle, CURLOPT_WRITEDATA, context),
            ccurl_easy_set_pointer(handle, CURLOPT_SEEKDATA, context),
            ccurl_easy_set_pointer(handle, CURLOPT_PRIVATE, context),
        ].allSatisfy { $0 == CURLE_OK }
    }

    /// Lets go of the transfer; the handle is in no multi handle.
    func forget() {
        unsafe ccurl_easy_set_pointer(handle, CURLOPT_PRIVATE, nil)
        unsafe ccurl_easy_set_list(handle, CURLOPT_HTTPHEADER, nil)
        unsafe curl_slist_free_all(headers)
        unsafe headers = nil
        transfer = nil
    }

    /// The status of the last answer, 0 if there was none.
    var status: Int { info(CURLINFO_RESPONSE_CODE) }

    /// Connections opened for the last request.
    var connections: Int { info(CURLINFO_NUM_CONNECTS) }

    private func info(_ info: CURLINFO) -> Int {
        var value = 0
        return unsafe ccurl_easy_get_long(handle, info, &value) == CURLE_OK ? value : 0
    }

    private func set(_ option: CURLoption, _ value: Int) -> CURLcode {
        unsafe ccurl_easy_set_long(handle, option, value)
    }

    private func set(_ option: CURLoption, _ value: String) -> CURLcode {
        unsafe ccurl_easy_set_string(handle, option, value)
    }
}

extension CurlEasy {
    /// The transfer behind what libcurl was given as context; alive as the type's proof says.
    static func transfer(_ context: UnsafeMutableRawPointer?) -> Transfer? {
        guard let context = unsafe context else { return nil }
        return unsafe Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
    }

    private static func read(
        _ space: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
    ) -> Int {
        guard let transfer = unsafe transfer(context) else { return Int(CURL_READFUNC_ABORT) }
        let space = unsafe UnsafeMutableRawBufferPointer(start: space, count: size * count)
        switch unsafe transfer.read(into: space) {
        case .bytes(let count): return count
        case .end: return 0
        case .pause: return Int(CURL_READFUNC_PAUSE)
        case .abort: return Int(CURL_READFUNC_ABORT)
        }
    }

    private static func discard(
        _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
    ) -> Int {
        guard let transfer = unsafe transfer(context) else { return 0 }
        return transfer.takeAnswer(size * count) ? size * count : 0
    }

    private static func rewind(_ context: UnsafeMutableRawPointer?, _ offset: curl_off_t, _ origin: Int32) -> Int32 {
        guard offset == 0, origin == SEEK_SET, let transfer = unsafe transfer(context) else {
            return CURL_SEEKFUNC_CANTSEEK
        }
        transfer.rewind()
        return CURL_SEEKFUNC_OK
    }
}

extension Duration {
    /// Rounded up, clamped to 0 ... 2^31 - 1.
    var wholeMilliseconds: Int {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        guard seconds < 2_000_000 else { return Int(Int32.max) }
        return Int(seconds) * 1_000 + Int((attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }
}

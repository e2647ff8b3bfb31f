import CLibAV
import Glibc
import Synchronization

/// libav's log, kept off the standard error and read where a refusal is told in it alone.
enum LogCollector {
    private struct Collection {
        var level: Int32
        var text = ""
    }

    /// Longer text is cut; in characters.
    private static let maximumLength = 1_000
    /// What is being collected, by the thread that asked for it.
    private static let collections = Mutex<[pthread_t: Collection]>([:])

    /// Takes the log over, once for the process.
    static let isInstalled: Void = {
        unsafe av_log_set_callback { context, level, format, arguments in
            guard level <= AV_LOG_INFO, let arguments = unsafe arguments else { return }
            unsafe LogCollector.take(context, level, format, arguments)
        }
    }()

    /// Runs a call that is refused with a negative code, and throws what the library had to say of it.
    ///
    /// - Parameter level: up to which messages count, such as `AV_LOG_ERROR`.
    static func checked(_ call: String, level: Int32, _ body: () -> Int32) throws(LibAVError) {
        isInstalled
        let thread = pthread_self()
        collections.withLock { $0[thread] = Collection(level: level) }
        let code = body()
        let text = collections.withLock { $0.removeValue(forKey: thread)?.text } ?? ""
        guard code < 0 else { return }
        let reason = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        if reason.isEmpty { throw .failed(call, code: code) }
        throw .refused(call, reason: reason)
    }

    private static func take(
        _ context: UnsafeMutableRawPointer?, _ level: Int32, _ format: UnsafePointer<CChar>?,
        _ arguments: CVaListPointer
    ) {
        let thread = pthread_self()
        guard let wanted = collections.withLock({ $0[thread]?.level }), level <= wanted else { return }
        var line = [CChar](repeating: 0, count: 512)
        var printsPrefix: Int32 = 0
        unsafe av_log_format_line(context, level, format, arguments, &line, Int32(line.count), &printsPrefix)
        let text = String(libavText: line)
        collections.withLock { collections in
            let room = maximumLength - (collections[thread]?.text.count ?? 0)
            collections[thread]?.text += text.prefix(max(0, room))
        }
    }
}

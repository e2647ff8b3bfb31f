/// Why a folder cannot be the data directory; the description says what to do.
package enum DataDirectoryError: Error, Equatable, CustomStringConvertible {
    /// It is missing and cannot be made.
    case notMade(path: String, reason: String)
    /// It cannot be opened.
    case notOpened(path: String, reason: String)
    /// Something else lies in it, which must not be mixed with what is kept here.
    case foreign(path: String, found: String)
    /// Another origin has it; `process` is that one's number, where it is known.
    case inUse(path: String, process: Int?)
    /// No file can be made in it.
    case notWritable(path: String, reason: String)

    package var description: String {
        switch self {
        case .notMade(let path, let reason):
            "the data directory '\(path)' cannot be made (\(reason)); make it, writable for this user, or name another"
        case .notOpened(let path, let reason):
            "the data directory '\(path)' cannot be opened (\(reason)); name a folder this user may read and write"
        case .foreign(let path, let found):
            "the data directory '\(path)' has something else in it ('\(found)'); name an empty folder or a new one"
        case .inUse(let path, let process):
            "the data directory '\(path)' is in use by another origin\(process.map { " (process \($0))" } ?? ""); "
                + "stop that one, or give each its own folder"
        case .notWritable(let path, let reason):
            "the data directory '\(path)' cannot be written to (\(reason)); let this user write there, or name another"
        }
    }
}

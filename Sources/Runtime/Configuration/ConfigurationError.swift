/// What is wrong with a service's settings, told so that it can be put right without reading further.
package enum ConfigurationError: Error, Equatable {
    case unreadableFile(path: String, reason: String)
    /// `line` counts from 1.
    case invalidFile(path: String, line: Int?, reason: String)
    case unknownKey(String, nearest: String?, path: String, line: Int?)
    /// `value` is nil where it is a secret; `origin` is a flag, an environment variable, or a file and line.
    case invalidValue(key: String, value: String?, origin: String, accepted: String)
}

extension ConfigurationError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unreadableFile(let path, let reason):
            return "cannot read the configuration file \(path): \(reason)"
        case .invalidFile(let path, let line, let reason):
            return "\(Self.place(path, line)): \(reason)"
        case .unknownKey(let key, let nearest, let path, let line):
            let hint = nearest.map { "; did you mean “\($0)”?" } ?? ""
            return "\(Self.place(path, line)): there is no setting “\(key)”\(hint)"
        case .invalidValue(let key, let value, let origin, let accepted):
            let shown = value.map { "“\($0)”" } ?? "the value (not shown)"
            return "\(key): \(shown), given by \(origin), is not accepted; it takes \(accepted)"
        }
    }

    static func place(_ path: String, _ line: Int?) -> String {
        line.map { "\(path):\($0)" } ?? path
    }
}

import Configuration

/// Reads settings into types. Every method gives nil for a setting that no source sets, and throws
/// `ConfigurationError.invalidValue` for a value that is not of the type.
package struct ConfigurationReader: Sendable {
    private let keys: [String: ConfigurationKey]
    private let values: ConfigReader

    static let originComponent = "origin"

    init(keys: [ConfigurationKey], values: ConfigReader) {
        self.keys = Dictionary(keys.map { ($0.name, $0) }) { first, _ in first }
        self.values = values
    }

    package func text(_ key: String) -> String? { setting(key)?.values.last }

    package func texts(_ key: String) -> [String]? { setting(key)?.values }

    package func integer(_ key: String, in range: ClosedRange<Int>) throws(ConfigurationError) -> Int? {
        let bounds =
            range.upperBound == .max ? "from \(range.lowerBound)" : "\(range.lowerBound) to \(range.upperBound)"
        return try value(key, accepted: "a whole number, \(bounds)") { text in
            Int(text).flatMap { range.contains($0) ? $0 : nil }
        }
    }

    package func boolean(_ key: String) throws(ConfigurationError) -> Bool? {
        try value(key, accepted: "true or false") { text in
            switch text.lowercased() {
            case "true", "yes", "on", "1": true
            case "false", "no", "off", "0": false
            default: nil
            }
        }
    }

    package func duration(_ key: String, in range: ClosedRange<Duration>) throws(ConfigurationError) -> Duration? {
        let bounds = "from \(range.lowerBound.text) to \(range.upperBound.text)"
        return try value(key, accepted: "a time such as 500ms, 1.5s or 2m, \(bounds)") { text in
            Duration(text: text).flatMap { range.contains($0) ? $0 : nil }
        }
    }

    /// Gives the number of bytes.
    package func byteCount(_ key: String, in range: ClosedRange<Int>) throws(ConfigurationError) -> Int? {
        let least = "from \(ByteCount(range.lowerBound))"
        let bounds = range.upperBound == .max ? least : "\(least) to \(ByteCount(range.upperBound))"
        return try value(key, accepted: "a number of bytes such as 64MiB, 1GB or 1048576, \(bounds)") { text in
            ByteCount(text).flatMap { range.contains($0.bytes) ? $0.bytes : nil }
        }
    }

    package func hostAndPort(_ key: String) throws(ConfigurationError) -> HostAndPort? {
        try value(key, accepted: "HOST:PORT such as 0.0.0.0:1935 or [::]:1935") { HostAndPort($0) }
    }

    package func choice<Choice: CaseIterable & RawRepresentable<String>>(
        _ key: String, of type: Choice.Type = Choice.self
    ) throws(ConfigurationError) -> Choice? {
        let names = Choice.allCases.map(\.rawValue).joined(separator: ", ")
        return try value(key, accepted: "one of \(names)") { Choice(rawValue: $0) }
    }

    /// A setting of a type that the methods above do not know; `accepted` ends the sentence “it takes …”.
    package func value<Value>(
        _ key: String, accepted: @autoclosure () -> String, parse: (String) -> Value?
    ) throws(ConfigurationError) -> Value? {
        guard let setting = setting(key), let text = setting.values.last else { return nil }
        guard let value = parse(text) else { throw refused(text, of: setting, accepted()) }
        return value
    }

    /// Says that a value of the right type will not do, for instance beside another setting's.
    package func refusal(of key: String, accepted: String) -> ConfigurationError {
        guard let setting = setting(key) else {
            return .invalidValue(key: key, value: nil, origin: "default", accepted: accepted)
        }
        return refused(setting.values.joined(separator: ", "), of: setting, accepted)
    }

    private func refused(_ text: String, of setting: ConfigurationSetting, _ accepted: String) -> ConfigurationError {
        let isSecret = keys[setting.key]?.isSecret ?? true
        return .invalidValue(
            key: setting.key, value: isSecret ? nil : text, origin: setting.origin, accepted: accepted)
    }

    private func setting(_ key: String) -> ConfigurationSetting? {
        precondition(keys[key] != nil, "\(key) is not among the service's settings")
        let isSecret = keys[key]?.isSecret ?? true
        guard let texts = values.stringArray(forKey: ConfigKey([key]), isSecret: isSecret) else { return nil }
        let origin = values.string(forKey: ConfigKey([key, Self.originComponent]), default: "")
        return ConfigurationSetting(key: key, values: texts, origin: origin)
    }
}

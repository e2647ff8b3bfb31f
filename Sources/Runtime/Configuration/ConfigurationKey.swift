/// A setting's one name: the flag without its dashes, the key in the YAML file, and in capitals the environment variable.
package struct ConfigurationKey: Sendable, Hashable {
    /// Lower-case words joined by hyphens, such as `rtmp-listen`.
    package var name: String
    /// Whether the setting takes a list.
    package var isRepeatable: Bool
    /// What stands between a list's elements in an environment variable; another than the comma where elements hold commas.
    package var environmentSeparator: Character
    /// Whether the value may never be shown.
    package var isSecret: Bool

    package init(
        _ name: String, isRepeatable: Bool = false, environmentSeparator: Character = ",", isSecret: Bool = false
    ) {
        self.name = name
        self.isRepeatable = isRepeatable
        self.environmentSeparator = environmentSeparator
        self.isSecret = isSecret
    }

    /// `--rtmp-listen`
    package var flag: String { "--\(name)" }

    /// `HEADWATER_RTMP_LISTEN`
    package var environmentVariable: String { Self.environmentPrefix + Self.environmentName(name) }

    /// The key that names the YAML file itself: a flag or an environment variable, never a line of the file.
    package static let file = ConfigurationKey("config")

    static let environmentPrefix = "HEADWATER_"

    private static func environmentName(_ name: String) -> String {
        String(name.map { $0 == "-" ? "_" : $0 }).uppercased()
    }
}

extension ConfigurationKey: ExpressibleByStringLiteral {
    package init(stringLiteral name: String) { self.init(name) }
}

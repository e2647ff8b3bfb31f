import Configuration

/// Where a service's settings come from: its flags, then the environment, then one YAML file.
package struct ConfigurationSources: Sendable {
    /// Every setting the service has, apart from the one that names the file.
    package var keys: [ConfigurationKey]
    /// The flags that were given, by name without dashes.
    package var flags: [String: [String]]
    package var environment: [String: String]

    package init(keys: [ConfigurationKey], flags: [String: [String]], environment: [String: String]) {
        self.keys = keys
        self.flags = flags
        self.environment = environment
    }

    /// Reads the file, if there is one, and gives every setting's value by precedence.
    ///
    /// Throws `ConfigurationError` when the file cannot be read, is not YAML, or has a key that no setting has.
    package func reader() throws(ConfigurationError) -> ConfigurationReader {
        var providers = [
            InMemoryProvider(name: "flags", values: values(of: flagSettings)),
            InMemoryProvider(name: "environment", values: values(of: environmentSettings)),
        ]
        if let path = filePath {
            let file = try ConfigurationFile.read(path: path, keys: keys)
            providers.append(InMemoryProvider(name: path, values: values(of: file.settings)))
        }
        return ConfigurationReader(keys: keys, values: ConfigReader(providers: providers))
    }

    /// Environment variables that look like settings and are none, sorted: worth a warning, as they may be misspelt.
    package var unknownEnvironmentVariables: [String] {
        let known = Set((keys + [.file]).map(\.environmentVariable))
        return environment.keys
            .filter { $0.hasPrefix(ConfigurationKey.environmentPrefix) && !known.contains($0) }
            .sorted()
    }

    private var filePath: String? {
        if let path = flags[ConfigurationKey.file.name]?.last { return path }
        return environment[ConfigurationKey.file.environmentVariable].flatMap { $0.isEmpty ? nil : $0 }
    }

    private var flagSettings: [ConfigurationSetting] {
        keys.compactMap { key in
            flags[key.name].map { ConfigurationSetting(key: key.name, values: $0, origin: key.flag) }
        }
    }

    /// An empty variable counts as not set.
    private var environmentSettings: [ConfigurationSetting] {
        keys.compactMap { key in
            guard let text = environment[key.environmentVariable], !text.isEmpty else { return nil }
            let values = key.isRepeatable ? Self.split(text, at: key.environmentSeparator) : [text]
            return ConfigurationSetting(key: key.name, values: values, origin: key.environmentVariable)
        }
    }

    private static func split(_ text: String, at separator: Character) -> [String] {
        text.split(separator: separator).compactMap { element in
            let trimmed = element.trimmingWhitespace
            return trimmed.isEmpty ? nil : String(trimmed)
        }
    }

    /// A setting's origin lies beside its values, so that whichever source gives the one gives the other.
    private func values(of settings: [ConfigurationSetting]) -> [AbsoluteConfigKey: ConfigValue] {
        let secrets = Set(keys.filter(\.isSecret).map(\.name))
        var values: [AbsoluteConfigKey: ConfigValue] = [:]
        for setting in settings {
            let isSecret = secrets.contains(setting.key)
            values[AbsoluteConfigKey([setting.key])] = ConfigValue(.stringArray(setting.values), isSecret: isSecret)
            values[AbsoluteConfigKey([setting.key, ConfigurationReader.originComponent])] =
                ConfigValue(.string(setting.origin), isSecret: false)
        }
        return values
    }
}

/// One setting as one source gives it.
struct ConfigurationSetting: Equatable {
    var key: String
    var values: [String]
    /// As an operator would look for it: `--window`, `HEADWATER_WINDOW`, `/etc/headwater/ingest.yaml:12`.
    var origin: String
}

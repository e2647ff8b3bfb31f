import FoundationEssentials
import Yams

/// A YAML file whose top-level keys are the names of settings, each with a value or a list of values.
package struct ConfigurationFile {
    var settings: [ConfigurationSetting] = []

    static func read(path: String, keys: [ConfigurationKey]) throws(ConfigurationError) -> ConfigurationFile {
        let data: Data
        do {
            data = try Data(contentsOf: URL(filePath: path))
        } catch {
            throw .unreadableFile(path: path, reason: reason(for: error))
        }
        guard let text = String(validating: data, as: UTF8.self) else {
            throw .invalidFile(path: path, line: nil, reason: "it is not UTF-8 text")
        }
        return try ConfigurationFile(text: text, path: path, keys: keys)
    }

    /// Parses the file's text; `path` is for messages alone. An empty file, and a key without a value, set nothing.
    package init(text: String, path: String, keys: [ConfigurationKey]) throws(ConfigurationError) {
        let root: Node?
        do {
            root = try Yams.compose(yaml: text)
        } catch {
            throw Self.invalid(path, error)
        }
        guard let root, !Self.isNull(root) else { return }
        guard let mapping = root.mapping else {
            throw .invalidFile(path: path, line: root.mark?.line, reason: "it is not a list of “setting: value” lines")
        }
        let known = Dictionary(keys.map { ($0.name, $0) }) { first, _ in first }
        for (keyNode, valueNode) in mapping {
            let line = keyNode.mark?.line
            let name = keyNode.scalar?.string ?? ""
            guard let key = known[name] else {
                let nearest = NearestWord.find(name, among: keys.map(\.name))
                throw .unknownKey(name, nearest: nearest, path: path, line: line)
            }
            if Self.isNull(valueNode) { continue }
            guard let values = Self.values(of: valueNode, isRepeatable: key.isRepeatable) else {
                let expected = key.isRepeatable ? "a value or a list of values" : "one value"
                throw .invalidFile(path: path, line: line, reason: "“\(name)” takes \(expected)")
            }
            let origin = ConfigurationError.place(path, line)
            settings.append(ConfigurationSetting(key: name, values: values, origin: origin))
        }
    }

    /// Values are taken as they are written: `6`, `yes` and `1s` are texts until the setting's own type reads them.
    private static func values(of node: Node, isRepeatable: Bool) -> [String]? {
        if let scalar = node.scalar { return [scalar.string] }
        guard isRepeatable, let sequence = node.sequence else { return nil }
        var values: [String] = []
        for element in sequence {
            guard let scalar = element.scalar, !isNull(element) else { return nil }
            values.append(scalar.string)
        }
        return values
    }

    /// `YAML 1.2 §10.3.2`: an unquoted null, or nothing at all.
    private static func isNull(_ node: Node) -> Bool {
        guard let scalar = node.scalar, scalar.style == .plain || scalar.style == .any else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(scalar.string)
    }

    private static func invalid(_ path: String, _ error: any Error) -> ConfigurationError {
        switch error as? YamlError {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            .invalidFile(path: path, line: mark.line, reason: "not YAML: \(problem)")
        case .duplicatedKeysInMapping(let duplicates, let context):
            .invalidFile(
                path: path, line: context.mark.line, reason: "given twice: \(duplicates.joined(separator: ", "))")
        case .reader(let problem, _, _, _):
            .invalidFile(path: path, line: nil, reason: "not YAML: \(problem)")
        default:
            .invalidFile(path: path, line: nil, reason: "not YAML: \(error)")
        }
    }

    private static func reason(for error: any Error) -> String {
        switch (error as? CocoaError)?.code {
        case .fileNoSuchFile, .fileReadNoSuchFile: "there is no such file"
        case .fileReadNoPermission: "this user may not read it"
        default: "\(error)"
        }
    }
}

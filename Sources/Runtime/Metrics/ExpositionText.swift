/// The pieces of Prometheus' text format (`Prometheus exposition formats 0.0.4`).
package enum ExpositionText {
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// A metric's name: `[a-zA-Z_:][a-zA-Z0-9_:]*`; whatever else is in the label becomes an underscore.
    package static func metricName(_ label: String) -> String { name(label, alsoAllowed: ":") }

    /// A label's name: `[a-zA-Z_][a-zA-Z0-9_]*`.
    static func labelName(_ label: String) -> String { name(label, alsoAllowed: "_") }

    /// `{name="value",…}` in the order of the names, empty where there are none. Of two with one name the first counts.
    package static func labels(_ dimensions: [(String, String)]) -> String {
        let values = Dictionary(dimensions.map { (labelName($0.0), $0.1) }) { first, _ in first }
        if values.isEmpty { return "" }
        let pairs = values.sorted { $0.key < $1.key }.map { "\($0.key)=\"\(escapedValue($0.value))\"" }
        return "{\(pairs.joined(separator: ","))}"
    }

    /// The label that tells a histogram's upper bounds.
    static let boundLabel = "le"

    /// The labels of a histogram's line, from those of all its lines.
    static func labels(_ labels: String, bound: String) -> String {
        labels.isEmpty ? "{\(boundLabel)=\"\(bound)\"}" : "\(labels.dropLast()),\(boundLabel)=\"\(bound)\"}"
    }

    static func escapedValue(_ text: String) -> String {
        escaped(text) { $0 == "\"" ? #"\""# : nil }
    }

    static func escapedHelp(_ text: String) -> String { escaped(text) { _ in nil } }

    package static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        return Int64(exactly: value).map { "\($0)" } ?? "\(value)"
    }

    private static func name(_ label: String, alsoAllowed: Character) -> String {
        let name = String(
            label.map { character in
                let isPlain = character.isASCII && (character.isLetter || character.isNumber)
                return isPlain || character == alsoAllowed ? character : "_"
            })
        guard let first = name.first, !first.isNumber else { return "_" + name }
        return name
    }

    private static func escaped(_ text: String, _ special: (Unicode.Scalar) -> String?) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": result += #"\\"#
            case "\n": result += #"\n"#
            default:
                if let replacement = special(scalar) {
                    result += replacement
                } else {
                    result.unicodeScalars.append(scalar)
                }
            }
        }
        return result
    }
}

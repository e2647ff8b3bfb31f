/// Text that cannot break out of its line, nor steer a terminal.
enum LogText {
    /// The text as a JSON string (`RFC 8259 §7`).
    static func quoted(_ text: String) -> String { "\"\(escaped(text, quote: true))\"" }

    /// As it is where it can be told apart from what stands beside it, else as a JSON string.
    static func quotedIfNeeded(_ text: String) -> String {
        let isPlain = text.unicodeScalars.allSatisfy { scalar in
            !isSpecial(scalar) && scalar != " " && scalar != "\"" && scalar != "=" && scalar != "\\"
        }
        return isPlain && !text.isEmpty ? text : quoted(text)
    }

    /// Control, format and separator characters as JSON escapes; quotes and backslashes too where `quote` is set.
    static func escaped(_ text: String, quote: Bool = false) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n": result += #"\n"#
            case "\r": result += #"\r"#
            case "\t": result += #"\t"#
            case "\"" where quote: result += #"\""#
            case "\\" where quote: result += #"\\"#
            case _ where isSpecial(scalar): result += unicodeEscape(scalar)
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    private static func isSpecial(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return scalar.value < 0x20 || scalar.value == 0x7F }
        return switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned: true
        default: false
        }
    }

    private static func unicodeEscape(_ scalar: Unicode.Scalar) -> String {
        scalar.utf16.map { unit in
            let hexadecimal = String(unit, radix: 16)
            return #"\u"# + String(repeating: "0", count: 4 - hexadecimal.count) + hexadecimal
        }.joined()
    }
}

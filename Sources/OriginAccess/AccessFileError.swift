/// Why a file of tokens, keys or CORS rules is not taken, and where; fit to be shown, for it repeats no secret.
package struct AccessFileError: Error, Equatable, CustomStringConvertible {
    /// The line at fault, from 1; 0 where it is the file as a whole.
    package let line: Int
    package let reason: String

    package init(line: Int = 0, _ reason: String) {
        self.line = line
        self.reason = reason
    }

    package var description: String { line > 0 ? "line \(line): \(reason)" : reason }
}

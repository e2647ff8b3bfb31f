/// Guesses which word was meant.
package enum NearestWord {
    /// The word with the fewest insertions, deletions and replacements to the given one; nil when none is close:
    /// within two, or within a third of the given word's length.
    package static func find(_ given: String, among words: [String]) -> String? {
        let limit = max(2, given.count / 3)
        return words.map { (word: $0, distance: distance(Array(given), Array($0))) }
            .filter { $0.distance <= limit }
            .min { ($0.distance, $0.word) < ($1.distance, $1.word) }?
            .word
    }

    /// Levenshtein's distance, row by row.
    static func distance(_ left: [Character], _ right: [Character]) -> Int {
        var row = Array(0...right.count)
        for (i, character) in left.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, other) in right.enumerated() {
                let replaced = diagonal + (character == other ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(replaced, row[j] + 1, row[j + 1] + 1)
            }
        }
        return row[right.count]
    }
}

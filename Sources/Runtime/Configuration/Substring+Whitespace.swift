extension Substring {
    /// Without the white space before and behind it.
    var trimmingWhitespace: Substring {
        var trimmed = drop(while: \.isWhitespace)
        while let last = trimmed.last, last.isWhitespace { trimmed.removeLast() }
        return trimmed
    }
}

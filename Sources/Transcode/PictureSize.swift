/// A picture's width and height in pixels; both at least 1 wherever this room makes one.
package struct PictureSize: Hashable, Sendable {
    package var width: Int
    package var height: Int

    package init(width: Int, height: Int) {
        self.width = width
        self.height = height
    }

    package var area: Int { width * height }

    /// The same picture lying on its side.
    var turned: PictureSize { PictureSize(width: height, height: width) }
}

extension PictureSize: LosslessStringConvertible {
    /// Reads `1280x720`, each number of one to five digits; nil for all else.
    package init?(_ text: String) {
        let parts = text.lowercased().split(separator: "x", omittingEmptySubsequences: false)
        guard parts.count == 2, let width = Decimal.digits(parts[0], atMost: 5),
            let height = Decimal.digits(parts[1], atMost: 5)
        else { return nil }
        self.init(width: width, height: height)
    }

    package var description: String { "\(width)x\(height)" }
}

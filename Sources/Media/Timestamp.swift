/// A point or a span on a media timeline: `value` ticks, `timescale` of them a second.
///
/// The range of `value` is that of `Int64`; `timescale` is at least 1. Arithmetic between two timestamps
/// gives its result in the timescale of the left one.
package struct Timestamp: Hashable, Sendable {
    package var value: Int64
    package var timescale: Int32

    package init(value: Int64, timescale: Int32) {
        precondition(timescale > 0, "a timescale is at least 1")
        self.value = value
        self.timescale = timescale
    }

    /// The scale every timeline has behind the door: that of MPEG-TS (`ISO 13818-1 §2.4.3.6`).
    package static let mpegTimescale: Int32 = 90_000

    package static func milliseconds(_ value: Int64) -> Timestamp { Timestamp(value: value, timescale: 1_000) }

    package var seconds: Double { Double(value) / Double(timescale) }

    package var duration: Duration { .nanoseconds(rescaled(to: 1_000_000_000).value) }

    /// The same instant in ticks of another scale, rounded to the nearest tick, halves away from zero;
    /// what does not fit `Int64` is clamped to its ends. The only rescale of the project.
    package func rescaled(to timescale: Int32) -> Timestamp {
        precondition(timescale > 0, "a timescale is at least 1")
        if timescale == self.timescale { return self }
        let product = value.magnitude.multipliedFullWidth(by: UInt64(timescale))
        let divisor = UInt64(self.timescale)
        guard product.high < divisor else {
            return Timestamp(value: value < 0 ? .min : .max, timescale: timescale)
        }
        let (quotient, remainder) = divisor.dividingFullWidth(product)
        let magnitude = remainder >= divisor - remainder ? quotient &+ 1 : quotient
        if value < 0 {
            let negated = magnitude > UInt64(Int64.max) ? Int64.min : -Int64(magnitude)
            return Timestamp(value: negated, timescale: timescale)
        }
        return Timestamp(value: magnitude > UInt64(Int64.max) ? .max : Int64(magnitude), timescale: timescale)
    }

    package static func + (left: Timestamp, right: Timestamp) -> Timestamp {
        let (sum, overflow) = left.value.addingReportingOverflow(right.rescaled(to: left.timescale).value)
        return Timestamp(value: overflow ? (right.value < 0 ? .min : .max) : sum, timescale: left.timescale)
    }

    package static func - (left: Timestamp, right: Timestamp) -> Timestamp {
        let (difference, overflow) = left.value.subtractingReportingOverflow(
            right.rescaled(to: left.timescale).value)
        return Timestamp(value: overflow ? (right.value < 0 ? .max : .min) : difference, timescale: left.timescale)
    }
}

extension Timestamp: Comparable {
    package static func < (left: Timestamp, right: Timestamp) -> Bool {
        if left.timescale == right.timescale { return left.value < right.value }
        let leftProduct = left.value.multipliedFullWidth(by: Int64(right.timescale))
        let rightProduct = right.value.multipliedFullWidth(by: Int64(left.timescale))
        return (leftProduct.high, leftProduct.low) < (rightProduct.high, rightProduct.low)
    }
}

/// The instant of EXT-X-PROGRAM-DATE-TIME (`RFC 8216bis §4.4.4.6`): ISO 8601 with milliseconds, in UTC when written.
package struct ProgramDateTime: Hashable, Sendable {
    /// Since 1970-01-01T00:00:00Z, leap seconds not counted; the years 0 to 9999 can be written.
    package var millisecondsSince1970: Int64

    package init(millisecondsSince1970: Int64) { self.millisecondsSince1970 = millisecondsSince1970 }

    /// Such as `2026-11-22T14:54:23.031Z`; what lies outside the years 0 to 9999 is written as their first or last
    /// instant.
    package var text: String {
        let clamped = min(max(millisecondsSince1970, Self.range.lowerBound), Self.range.upperBound)
        let millisecondsOfDay = clamped - Self.floor(clamped, Self.day) * Self.day
        let date = Self.date(daysSince1970: Self.floor(clamped, Self.day))
        let (seconds, milliseconds) = millisecondsOfDay.quotientAndRemainder(dividingBy: 1_000)
        func padded(_ number: Int64, _ digits: Int) -> String {
            let text = String(number)
            return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
        }
        return padded(date.year, 4) + "-" + padded(date.month, 2) + "-" + padded(date.day, 2)
            + "T" + padded(seconds / 3_600, 2) + ":" + padded(seconds / 60 % 60, 2) + ":" + padded(seconds % 60, 2)
            + "." + padded(milliseconds, 3) + "Z"
    }

    /// Reads what senders write: with or without a fraction, the zone as `Z`, `±HH:MM`, `±HHMM`, `±HH`, or left out
    /// for UTC.
    package init?(parsing text: Substring) {
        var rest = text.utf8
        func number(_ digits: Int) -> Int64? {
            guard rest.count >= digits else { return nil }
            let part = PlaylistValue.integer(Substring(rest.prefix(digits)))
            rest = rest.dropFirst(digits)
            return part.map(Int64.init)
        }
        func take(_ character: Unicode.Scalar) -> Bool {
            guard rest.first == UInt8(ascii: character) else { return false }
            rest = rest.dropFirst()
            return true
        }
        guard let year = number(4), take("-"), let month = number(2), take("-"), let day = number(2),
            take("T") || take("t") || take(" "),
            let hour = number(2), take(":"), let minute = number(2), take(":"), let second = number(2),
            (1...12).contains(month), (1...Self.days(inMonth: month, of: year)).contains(day),
            hour < 24, minute < 60, second <= 60
        else { return nil }
        var milliseconds: Int64 = 0
        if take(".") {
            let digits = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            let padded = String(Substring(digits.prefix(3))) + String(repeating: "0", count: max(0, 3 - digits.count))
            guard !digits.isEmpty, let value = PlaylistValue.integer(padded[...]) else { return nil }
            milliseconds = Int64(value)
            rest = rest.dropFirst(digits.count)
        }
        var offsetMinutes: Int64 = 0
        if !take("Z"), !take("z"), !rest.isEmpty {
            let isEast = take("+")
            guard isEast || take("-"), let hours = number(2), hours < 24 else { return nil }
            _ = take(":")
            guard let minutes = rest.isEmpty ? 0 : number(2), minutes < 60 else { return nil }
            offsetMinutes = (hours * 60 + minutes) * (isEast ? 1 : -1)
        }
        guard rest.isEmpty else { return nil }
        let minutes = Self.daysSince1970(year: year, month: month, day: day) * 1_440 + hour * 60 + minute
        let result = ((minutes - offsetMinutes) * 60 + second) * 1_000 + milliseconds
        guard Self.range.contains(result) else { return nil }
        millisecondsSince1970 = result
    }
}

/// The proleptic Gregorian calendar, counted from 1 March so that the leap day is a year's last.
extension ProgramDateTime {
    private static let day: Int64 = 86_400_000
    private static let range =
        daysSince1970(year: 0, month: 1, day: 1) * day...daysSince1970(year: 10_000, month: 1, day: 1) * day - 1

    private static func floor(_ value: Int64, _ divisor: Int64) -> Int64 {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }

    private static func days(inMonth month: Int64, of year: Int64) -> Int64 {
        let next = month == 12 ? (year: year + 1, month: 1) : (year: year, month: month + 1)
        return daysSince1970(year: next.year, month: next.month, day: 1)
            - daysSince1970(year: year, month: month, day: 1)
    }

    /// Days of a 400-year cycle are 146,097; 719,468 lie between 0000-03-01 and 1970-01-01.
    private static func daysSince1970(year: Int64, month: Int64, day: Int64) -> Int64 {
        let marchYear = month > 2 ? year : year - 1
        let cycle = floor(marchYear, 400)
        let yearOfCycle = marchYear - cycle * 400
        let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
        return cycle * 146_097 + yearOfCycle * 365 + yearOfCycle / 4 - yearOfCycle / 100 + dayOfYear - 719_468
    }

    private static func date(daysSince1970 days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let cycle = floor(shifted, 146_097)
        let dayOfCycle = shifted - cycle * 146_097
        let yearOfCycle = (dayOfCycle - dayOfCycle / 1_460 + dayOfCycle / 36_524 - dayOfCycle / 146_096) / 365
        let dayOfYear = dayOfCycle - (365 * yearOfCycle + yearOfCycle / 4 - yearOfCycle / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let month = (monthFromMarch + 2) % 12 + 1
        return (cycle * 400 + yearOfCycle + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * monthFromMarch + 2) / 5 + 1)
    }
}

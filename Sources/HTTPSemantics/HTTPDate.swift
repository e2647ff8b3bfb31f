/// Dates of HTTP (`RFC 9110 §5.6.7`) as Unix times in seconds.
package enum HTTPDate {
    fileprivate static let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    fileprivate static let longDays = [
        "Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday",
    ]
    fileprivate static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// The IMF-fixdate of a moment from 1970 on.
    package static func text(unixTime: Int) -> String {
        let time = max(0, unixTime)
        let day = time / 86_400
        let second = time % 86_400
        let (year, month, dayOfMonth) = civil(day)
        return "\(days[day % 7]), \(two(dayOfMonth)) \(months[month - 1]) \(year) "
            + "\(two(second / 3_600)):\(two(second / 60 % 60)):\(two(second % 60)) GMT"
    }

    /// The moment of an IMF-fixdate, or a date of one of the two obsolete forms; negative before 1970, nil for what is
    /// no date. Whether the day of the week is the right one is not looked at.
    /// - Parameter now: the Unix time, by which a year of two digits is understood.
    package static func unixTime(_ text: String, now: Int) -> Int? {
        var reader = HTTPDateReader(text)
        return reader.date(thisYear: civil(max(0, min(now, latest)) / 86_400).year)?.unixTime
    }

    /// The last second of the year 9999.
    private static let latest = 253_402_300_799

    private static func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }

    /// The Gregorian date of a day counted from 1970-01-01, by years that begin in March and 400-year eras.
    private static func civil(_ day: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = day + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        let year = era * 400 + yearOfEra + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * marchMonth + 2) / 5 + 1)
    }
}

/// A date as it is written, each part within its own bounds.
private struct HTTPDateFields {
    var year = 0
    var month = 1
    var day = 1
    /// From midnight; a leap second is 60 seconds after a minute's begin.
    var second = 0

    /// Nil where the month has no such day.
    var unixTime: Int? {
        let isLeapYear = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let lengths = [31, isLeapYear ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        guard (1...lengths[month - 1]).contains(day) else { return nil }
        // Days before the year 0's March are those of the year 400's, an era earlier.
        let marchYear = year + 400 - (month <= 2 ? 1 : 0)
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let days = marchYear * 365 + marchYear / 4 - marchYear / 100 + marchYear / 400 + dayOfYear
        return (days - 719_468 - 146_097) * 86_400 + second
    }
}

/// Takes a date's parts off a text, which are of fixed widths in all three forms.
private struct HTTPDateReader {
    private var rest: Substring.UTF8View

    init(_ text: String) { rest = text[...].utf8 }

    mutating func date(thisYear: Int) -> HTTPDateFields? {
        var date = HTTPDateFields()
        if name(of: HTTPDate.longDays) != nil {
            guard skip(", "), let day = number(2), skip("-"), let month = month(), skip("-"), let year = number(2),
                skip(" "), let second = time(), skip(" GMT"), rest.isEmpty
            else { return nil }
            date = HTTPDateFields(year: thisYear / 100 * 100 + year, month: month, day: day, second: second)
            if date.year > thisYear + 50 { date.year -= 100 }
            return date
        }
        guard name(of: HTTPDate.days) != nil else { return nil }
        if skip(", ") {
            guard let day = number(2), skip(" "), let month = month(), skip(" "), let year = number(4), skip(" "),
                let second = time(), skip(" GMT"), rest.isEmpty
            else { return nil }
            return HTTPDateFields(year: year, month: month, day: day, second: second)
        }
        guard skip(" "), let month = month(), skip(" "), let day = skip(" ") ? number(1) : number(2), skip(" "),
            let second = time(), skip(" "), let year = number(4), rest.isEmpty
        else { return nil }
        return HTTPDateFields(year: year, month: month, day: day, second: second)
    }

    private mutating func time() -> Int? {
        guard let hour = number(2), hour < 24, skip(":"), let minute = number(2), minute < 60, skip(":"),
            let second = number(2), second <= 60
        else { return nil }
        return hour * 3_600 + minute * 60 + second
    }

    private mutating func month() -> Int? { name(of: HTTPDate.months).map { $0 + 1 } }

    private mutating func skip(_ text: String) -> Bool {
        guard rest.starts(with: text.utf8) else { return false }
        rest = rest.dropFirst(text.utf8.count)
        return true
    }

    private mutating func name(of names: [String]) -> Int? {
        guard let index = names.firstIndex(where: { rest.starts(with: $0.utf8) }) else { return nil }
        rest = rest.dropFirst(names[index].utf8.count)
        return index
    }

    private mutating func number(_ digits: Int) -> Int? {
        let text = rest.prefix(digits)
        guard text.count == digits, text.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
            return nil
        }
        rest = rest.dropFirst(digits)
        return text.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
    }
}

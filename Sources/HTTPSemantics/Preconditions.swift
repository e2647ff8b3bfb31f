package import NIOHTTP1

/// The conditions of a GET or HEAD (`RFC 9110 §13`).
package enum Preconditions {
    /// What the present version of an object is known by.
    package struct Validators: Equatable, Sendable {
        /// Strong, with its quotes.
        package var entityTag: String?
        /// Unix time in seconds.
        package var lastModified: Int?

        package init(entityTag: String?, lastModified: Int?) {
            self.entityTag = entityTag
            self.lastModified = lastModified
        }
    }

    package enum Outcome: Equatable, Sendable {
        case proceed
        /// 304.
        case notModified
        /// 412.
        case failed
    }

    /// Evaluates the conditions in their order (`RFC 9110 §13.2.2`), If-Range left out.
    /// - Parameter unixTime: now, by which dates with a year of two digits are understood.
    package static func evaluate(_ headers: HTTPHeaders, _ validators: Validators, unixTime: Int) -> Outcome {
        func isUnmodified(since field: String) -> Bool? {
            guard let modified = validators.lastModified, let date = date(headers[field], unixTime) else { return nil }
            return modified <= date
        }
        let ifMatch = headers["If-Match"]
        if !ifMatch.isEmpty {
            guard EntityTag.isNamed(validators.entityTag, in: ifMatch, .strong) else { return .failed }
        } else if isUnmodified(since: "If-Unmodified-Since") == false {
            return .failed
        }
        let ifNoneMatch = headers["If-None-Match"]
        if !ifNoneMatch.isEmpty {
            return EntityTag.isNamed(validators.entityTag, in: ifNoneMatch) ? .notModified : .proceed
        }
        return isUnmodified(since: "If-Modified-Since") == true ? .notModified : .proceed
    }

    /// Whether a Range header is to be followed as far as If-Range goes (`RFC 9110 §13.1.5`): there is none, or it is the
    /// present entity tag or the exact Last-Modified.
    /// - Parameter unixTime: now, by which dates with a year of two digits are understood.
    package static func rangeHolds(_ headers: HTTPHeaders, _ validators: Validators, unixTime: Int) -> Bool {
        let fields = headers["If-Range"]
        guard let field = fields.first else { return true }
        guard fields.count == 1 else { return false }
        if field.utf8.contains(UInt8(ascii: "\"")) {
            return validators.entityTag.map { field[...].utf8.withoutOuterSpace.elementsEqual($0.utf8) } ?? false
        }
        guard let modified = validators.lastModified else { return false }
        return date(fields, unixTime) == modified
    }

    /// The date of a field that stands once; nil where it is none, and the condition is to be ignored.
    private static func date(_ fields: [String], _ unixTime: Int) -> Int? {
        guard fields.count == 1 else { return nil }
        return HTTPDate.unixTime(String(Substring(fields[0][...].utf8.withoutOuterSpace)), now: unixTime)
    }
}

import HTTPSemantics
import NIOHTTP1
import Testing

@Suite struct PreconditionsTests {
    private static let now = 1_795_000_000
    private static let modified = 784_111_777
    private static let validators = Preconditions.Validators(entityTag: "\"a\"", lastModified: modified)
    private static let before = "Sun, 06 Nov 1994 08:49:36 GMT"
    private static let then = "Sun, 06 Nov 1994 08:49:37 GMT"
    private static let obsolete = "Sunday, 06-Nov-94 08:49:37 GMT"
    private static let after = "Sun, 06 Nov 1994 08:49:38 GMT"

    /// Every branch of RFC 9110 §13.2.2 that a GET or HEAD can take.
    @Test(
        arguments: [
            ([], .proceed),
            // Step 1: If-Match compares strongly.
            ([("If-Match", "\"a\"")], .proceed), ([("If-Match", "*")], .proceed),
            ([("If-Match", "\"b\", \"a\"")], .proceed),
            ([("If-Match", "\"b\"")], .failed), ([("If-Match", "W/\"a\"")], .failed), ([("If-Match", "")], .failed),
            ([("If-Match", "\"b\""), ("If-Match", "\"a\"")], .proceed),
            // Step 2: only without If-Match.
            ([("If-Unmodified-Since", then)], .proceed), ([("If-Unmodified-Since", after)], .proceed),
            ([("If-Unmodified-Since", before)], .failed), ([("If-Unmodified-Since", "yesterday")], .proceed),
            ([("If-Unmodified-Since", obsolete)], .proceed),
            ([("If-Match", "\"a\""), ("If-Unmodified-Since", before)], .proceed),
            ([("If-Unmodified-Since", before), ("If-Unmodified-Since", before)], .proceed),
            // Step 3: If-None-Match compares weakly.
            ([("If-None-Match", "\"a\"")], .notModified), ([("If-None-Match", "W/\"a\"")], .notModified),
            ([("If-None-Match", "*")], .notModified), ([("If-None-Match", "\"b\"")], .proceed),
            ([("If-None-Match", "\"b\""), ("If-None-Match", "\"a\"")], .notModified),
            ([("If-Match", "\"a\""), ("If-None-Match", "\"a\"")], .notModified),
            ([("If-Match", "\"b\""), ("If-None-Match", "\"a\"")], .failed),
            ([("If-Unmodified-Since", before), ("If-None-Match", "\"a\"")], .failed),
            // Step 4: only without If-None-Match.
            ([("If-Modified-Since", then)], .notModified), ([("If-Modified-Since", after)], .notModified),
            ([("If-Modified-Since", " \(then)\t")], .notModified),
            ([("If-Modified-Since", before)], .proceed), ([("If-Modified-Since", "tomorrow")], .proceed),
            ([("If-None-Match", "\"b\""), ("If-Modified-Since", then)], .proceed),
            ([("If-Match", "*"), ("If-Modified-Since", then)], .notModified),
            ([("If-Unmodified-Since", after), ("If-Modified-Since", then)], .notModified),
        ] as [([(String, String)], Preconditions.Outcome)])
    func `conditions are evaluated in their order`(fields: [(String, String)], outcome: Preconditions.Outcome) {
        #expect(Preconditions.evaluate(HTTPHeaders(fields), Self.validators, unixTime: Self.now) == outcome)
    }

    /// An object that is known by neither tag nor date.
    @Test(
        arguments: [
            ("If-Match", "*", .proceed), ("If-Match", "\"a\"", .failed), ("If-None-Match", "*", .notModified),
            ("If-None-Match", "\"a\"", .proceed), ("If-Unmodified-Since", before, .proceed),
            ("If-Modified-Since", after, .proceed),
        ] as [(String, String, Preconditions.Outcome)])
    func `without a validator a condition on it is ignored or fails`(
        name: String, value: String, outcome: Preconditions.Outcome
    ) {
        let validators = Preconditions.Validators(entityTag: nil, lastModified: nil)
        #expect(Preconditions.evaluate([name: value], validators, unixTime: Self.now) == outcome)
    }

    @Test(arguments: [
        (["\"a\""], true), ([" \"a\" "], true), (["W/\"a\""], false), (["\"b\""], false), (["\"b\", \"a\""], false),
        ([then], true), ([obsolete], true), ([before], false), ([after], false), (["*"], false), ([""], false),
        (["\"a\"", "\"a\""], false), ([], true),
    ])
    func `a range holds for the very version it was asked of`(fields: [String], holds: Bool) {
        let headers = HTTPHeaders(fields.map { ("If-Range", $0) })
        #expect(Preconditions.rangeHolds(headers, Self.validators, unixTime: Self.now) == holds)
        let unknown = Preconditions.Validators(entityTag: nil, lastModified: nil)
        #expect(Preconditions.rangeHolds(headers, unknown, unixTime: Self.now) == fields.isEmpty)
    }
}

import HTTPSemantics
import TestSupport
import Testing

@Suite struct ContentCodingTests {
    @Test(
        arguments: [
            ([], .identity), ([""], .identity), (["gzip"], .gzip), (["GZip"], .gzip), (["x-gzip"], .gzip),
            (["gzip, deflate, br"], .gzip), (["deflate,\tgzip"], .gzip), (["deflate", "gzip"], .gzip),
            (["br"], .identity),
            (["*"], .gzip), (["*;q=0.1"], .gzip), (["gzip;q=0.001"], .gzip), (["gzip ; q=1.000"], .gzip),
            (["gzip;Q=0.5"], .gzip), (["identity"], .identity), (["gzipped"], .identity),
            // The heavier one; gzip of two as heavy.
            (["gzip;q=0.5, identity;q=0.6"], .identity), (["gzip;q=0.6, identity;q=0.5"], .gzip),
            (["gzip, identity"], .gzip), (["*;q=0.5, identity"], .identity),
            // What is forbidden.
            (["gzip;q=0"], .identity), (["gzip;q=0.000"], .identity), (["gzip;q=0, *"], .identity),
            (["identity;q=0"], nil), (["identity;q=0, gzip"], .gzip), (["identity;q=0, *"], .gzip), (["*;q=0"], nil),
            (["*;q=0, identity"], .identity), (["*;q=0, gzip"], .gzip), (["br, identity;q=0"], nil),
            // What is malformed counts for nothing.
            (["gzip;q=2"], .identity), (["gzip;q=1.001"], .identity), (["gzip;q=0.0001"], .identity),
            (["gzip;q=.5"], .identity), (["gzip;q=-1"], .identity), (["gzip;q="], .identity),
            (["gzip;level=1"], .identity),
            (["gzip;q=0.5;x=1"], .identity), (["gzip;q=1x"], .identity), ([",,gzip,,"], .gzip),
            ([String(repeating: "br,", count: 64) + "gzip"], .identity),
            ([String(repeating: "br,", count: 62) + "br", "gzip"], .gzip),
            ([String(repeating: "br,", count: 63) + "br", "gzip"], .identity),
        ] as [([String], ContentCoding?)])
    func `the better coding is taken`(fields: [String], coding: ContentCoding?) {
        #expect(ContentCoding.preferred(fields) == coding)
        #expect(ContentCoding.acceptsGzip(fields) == (coding == .gzip))
    }

    @Test func `no field traps`() {
        var random = RandomNumbers(seed: 4)
        let words = [
            "gzip", "identity", "identity;q=0", "*", ";q=", ";", "0", "1", ".", "5", ",", " ", "\t", "é", "\u{0}",
        ]
        var seen: Set<ContentCoding?> = []
        for _ in 0..<10_000 {
            let field = (0..<Int.random(in: 0..<12, using: &random)).map { _ in
                words.randomElement(using: &random) ?? ""
            }
            seen.insert(ContentCoding.preferred([field.joined()]))
        }
        #expect(seen == [nil, .gzip, .identity])
    }
}

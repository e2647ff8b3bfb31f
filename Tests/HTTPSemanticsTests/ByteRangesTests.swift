import HTTPSemantics
import TestSupport
import Testing

@Suite struct ByteRangesTests {
    /// A header, and the offsets it means in an object of 10,000 bytes.
    @Test(arguments: [
        ("bytes=0-0", [0..<1]), ("bytes=0-9999", [0..<10_000]), ("bytes=0-", [0..<10_000]),
        ("BYTES=0-1", [0..<2]), ("bytes= 0-1\t", [0..<2]), ("bytes=9999-", [9_999..<10_000]),
        ("bytes=007-0010", [7..<11]), ("bytes=5-99999999999999999999999", [5..<10_000]),
        ("bytes=-1", [9_999..<10_000]), ("bytes=-10000", [0..<10_000]), ("bytes=-99999999999999999999", [0..<10_000]),
        // Lists with empty elements and white space (RFC 9110 §5.6.1.2).
        ("bytes=0-1,", [0..<2]), ("bytes=,,0-1", [0..<2]), ("bytes=0-1 ,\t, 500-501", [0..<2, 500..<502]),
        // The order that was asked for stays.
        ("bytes=500-501,0-1", [500..<502, 0..<2]), ("bytes=-1,0-0", [9_999..<10_000, 0..<1]),
        // What overlaps, touches, or lies close becomes one, in the place of the first.
        ("bytes=0-500,400-600", [0..<601]), ("bytes=400-600,0-500", [0..<601]), ("bytes=0-9,10-19", [0..<20]),
        ("bytes=0-9,90-99", [0..<100]), ("bytes=0-9,91-99", [0..<10, 91..<100]), ("bytes=0-0,0-0,0-0", [0..<1]),
        ("bytes=5000-5001,900-901,5002-5003", [5_000..<5_004, 900..<902]),
        ("bytes=900-901,5000-5001,890-899", [890..<902, 5_000..<5_002]), ("bytes=0-9999,5-6", [0..<10_000]),
        // What cannot be satisfied is left out (RFC 9110 §15.3.7.2).
        ("bytes=10000-,0-1", [0..<2]), ("bytes=10000-", []), ("bytes=-0", []), ("bytes=10000-10001,-0", []),
    ])
    func `a header is read and resolved`(header: String, offsets: [Range<Int>]) throws {
        #expect(try #require(ByteRanges(header: header)).resolved(length: 10_000) == offsets)
    }

    @Test(arguments: [
        "", "bytes", "bytes=", "bytes= , ,", "bytes=-", "bytes=1", "bytes=2-1", "bytes=0-1,2-1", "bytes=0-1,x",
        "bytes=+1-2", "bytes=1-+2", "bytes=--1", "bytes=1--2", "bytes=1-x", "bytes=0x1-2", "bytes=0 - 1", "bytes =0-1",
        "bytes=0-1;2-3",
        "bytes=0-1-2", "bit=1-2", "bytes:0-1", "=0-1", "bytes=bytes=0-1", "bytes=१-२", "bytes=1-2\u{301}",
        "bytes=99999999999999999999-1",
    ])
    func `what is no list of byte ranges is ignored`(header: String) {
        #expect(ByteRanges(header: header) == nil)
    }

    @Test func `an empty object satisfies no range`() throws {
        for header in ["bytes=0-", "bytes=0-0", "bytes=-1"] {
            #expect(try #require(ByteRanges(header: header)).resolved(length: 0) == [])
        }
    }

    @Test func `no more than 64 elements are looked at, and no more than 64 digits`() {
        let ranges = (0..<65).map { "\($0 * 1_000)-\($0 * 1_000)" }
        #expect(ByteRanges(header: "bytes=" + ranges.dropLast().joined(separator: ","))?.specs.count == 64)
        #expect(ByteRanges(header: "bytes=" + ranges.joined(separator: ",")) == nil)
        #expect(ByteRanges(header: "bytes=0-1" + String(repeating: ",", count: 63)) != nil)
        #expect(ByteRanges(header: "bytes=0-1" + String(repeating: ",", count: 64)) == nil)
        #expect(ByteRanges(header: "bytes=0-" + String(repeating: "9", count: 64)) != nil)
        #expect(ByteRanges(header: "bytes=0-" + String(repeating: "9", count: 65)) == nil)
    }

    @Test func `whatever is asked for, the offsets lie within the object, apart, and hold every byte asked for`() {
        var random = RandomNumbers(seed: 1)
        let alphabet = Array("0123456789--,,,, \t=bx".utf8)
        for _ in 0..<5_000 {
            let text = (0..<Int.random(in: 0..<24, using: &random)).map { _ in
                alphabet.randomElement(using: &random) ?? 0
            }
            guard let ranges = ByteRanges(header: "bytes=" + String(decoding: text, as: UTF8.self)) else { continue }
            let length = Int.random(in: 0...2_000, using: &random)
            let resolved = ranges.resolved(length: length)
            let held = Set(resolved.flatMap(Array.init))
            #expect(held.count == resolved.reduce(0) { $0 + $1.count })
            #expect(resolved.allSatisfy { !$0.isEmpty && $0.lowerBound >= 0 && $0.upperBound <= length })
            for spec in ranges.specs {
                switch spec {
                case .from(let first, let last) where first < length:
                    #expect(held.contains(first) && held.contains(min(last?.value ?? .max, length - 1)))
                case .suffix(let count) where count > 0 && length > 0:
                    #expect(held.contains(length - 1) && held.contains(max(0, length - count)))
                case .from, .suffix: break
                }
            }
        }
    }
}

import HTTPSemantics
import NIOCore
import NIOHTTP1
import OriginStore

/// Reads a Range header, and demands offsets within the object, apart from each other, and a body as long as it says.
package func fuzzByteRanges(_ bytes: UnsafeRawBufferPointer) {
    let text = unsafe String(decoding: bytes, as: UTF8.self)
    if let range = GrowingRange(header: text) {
        precondition(range.first >= 0 && range.last ?? .max >= range.first)
        precondition(range.lastText.utf8.allSatisfy { (0x30...0x39).contains($0) } && text.contains(range.lastText))
        precondition(!range.isEndless || range.lastText.utf8.count >= 16)
    }
    guard let ranges = ByteRanges(header: text) else { return }
    precondition((1...64).contains(ranges.specs.count))
    for length in [0, 1, 10, 10_000, 1 << 40, .max] {
        let resolved = ranges.resolved(length: length)
        precondition(resolved.allSatisfy { !$0.isEmpty && $0.lowerBound >= 0 && $0.upperBound <= length })
        let sorted = resolved.sorted { $0.lowerBound < $1.lowerBound }
        precondition(zip(sorted, sorted.dropFirst()).allSatisfy { $0.upperBound < $1.lowerBound })
        guard length <= 10_000 else { continue }
        let body = ObjectBody.bytes(ByteBuffer(repeating: 1, count: length))
        let multipart = MultipartRanges(resolved, of: body, contentType: "a/b")
        precondition(multipart.parts.count == 2 * resolved.count + 1)
        let sent = multipart.parts.indices.filter { $0 % 2 == 1 }.map { multipart.parts[$0].range }
        precondition(sent == resolved, "a part is not the range that was asked for")
    }
}

/// Reads a date, and demands that it is read the same again as it is written.
package func fuzzHTTPDate(_ bytes: UnsafeRawBufferPointer) {
    let text = unsafe String(decoding: bytes, as: UTF8.self)
    for now in [0, 1_795_000_000, 4_000_000_000, .max, .min] {
        guard let time = HTTPDate.unixTime(text, now: now) else { return }
        precondition((-62_167_219_200...253_402_300_800).contains(time))
        guard (0..<253_402_300_800).contains(time) else { continue }
        precondition(HTTPDate.unixTime(HTTPDate.text(unixTime: time), now: now) == time)
    }
}

/// Lines are the values of conditional headers, which the first byte of each names.
package func fuzzPreconditions(_ bytes: UnsafeRawBufferPointer) {
    let names = ["If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "If-Range"]
    var headers = HTTPHeaders()
    for line in unsafe Array(bytes).split(separator: UInt8(ascii: "\n")) {
        guard let name = line.first else { continue }
        headers.add(
            name: names[Int(name) % names.count], value: String(decoding: line.dropFirst(), as: UTF8.self))
    }
    let validators = Preconditions.Validators(entityTag: "\"a-1\"", lastModified: 784_111_777)
    let outcome = Preconditions.evaluate(headers, validators, unixTime: 1_795_000_000)
    if !headers.contains(name: "If-Match"), !headers.contains(name: "If-Unmodified-Since") {
        precondition(outcome != .failed)
    }
    if !headers.contains(name: "If-None-Match"), !headers.contains(name: "If-Modified-Since") {
        precondition(outcome != .notModified)
    }
    let tags = (headers["If-None-Match"] + headers["If-Match"]).joined()
    if EntityTag.isNamed("\"a-1\"", in: [tags], .strong) {
        precondition(EntityTag.isNamed("\"a-1\"", in: [tags]), "a strong match is a weak one")
        precondition(tags.utf8.contains(UInt8(ascii: "*")) || tags.utf8.firstRange(of: "\"a-1\"".utf8) != nil)
    }
    if headers["If-Range"].count > 1 {
        precondition(!Preconditions.rangeHolds(headers, validators, unixTime: 1_795_000_000))
    }
}

/// Reads Accept-Encoding, and demands that nothing is encoded for those who do not ask for it.
package func fuzzAcceptEncoding(_ bytes: UnsafeRawBufferPointer) {
    let text = unsafe String(decoding: bytes, as: UTF8.self)
    switch ContentCoding.preferred([text]) {
    case .gzip: precondition(text.lowercased().contains("gzip") || text.utf8.contains(UInt8(ascii: "*")))
    case .identity: break
    case nil: precondition(text.utf8.contains(UInt8(ascii: "0")))
    }
}

/// Sets a cache policy, and demands that what is taken can stand in a response's head.
package func fuzzCachePolicy(_ bytes: UnsafeRawBufferPointer) {
    let text = unsafe String(decoding: bytes, as: UTF8.self)
    for header in [CachePolicy.Header.cacheControl, .cdn, .surrogate] {
        var policy = CachePolicy(header)
        guard (try? policy.set(text)) != nil else { continue }
        for kind in CachePolicy.Class.allCases {
            for status: UInt in [200, 404, 416, 503, 599] {
                guard let value = policy.value(for: kind, status: status, targetDuration: 6, upstream: text) else {
                    continue
                }
                precondition(value.utf8.allSatisfy { (0x20..<0x7F).contains($0) } && value != "none")
            }
        }
    }
}

import HTTPSemantics
import NIOCore
import NIOHTTP1

/// A response's status and fields, before they are written as one version of HTTP or the other wants them.
struct ResponseHead {
    let status: HTTPResponseStatus
    private(set) var fields: [(name: String, value: String)]

    /// Begins with what every response carries.
    init(_ status: HTTPResponseStatus, unixTime: Int) {
        self.status = status
        fields = [
            ("Date", HTTPDate.text(unixTime: unixTime)),
            ("Server", "headwater-origin"),
            ("Timing-Allow-Origin", "*"),
            (
                "Access-Control-Expose-Headers",
                "Age, Date, Content-Length, Content-Range, ETag, Headwater-Held"
            ),
        ]
        fields.reserveCapacity(16)
    }

    mutating func add(_ name: String, _ value: String) {
        fields.append((name, value))
    }

    /// One more request field that the response depends on (`RFC 9110 §12.5.5`).
    mutating func addVary(_ name: String) {
        if let index = fields.firstIndex(where: { $0.name == "Vary" }) {
            fields[index].value += ", " + name
        } else {
            fields.append(("Vary", name))
        }
    }
}

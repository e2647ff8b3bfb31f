/// What a request was about, as metrics tell it apart.
package enum RouteClass: String, CaseIterable, Sendable {
    case multivariant
    case playlist
    case segment
    case initialization = "init"
    case missing
    case upload
    case delete
    case preflight
    case other
}

/// The statuses the origin answers with, for counters that are made before they are needed.
package enum SentStatus {
    /// In ascending order.
    package static let all: [UInt] = [
        200, 201, 204, 206, 304, 400, 401, 403, 404, 405, 408, 409, 412, 413, 414, 415, 416, 429, 431, 501, 503, 505,
        507,
    ]

    /// The place of a status in ``all``; nil for one the origin does not send.
    package static func index(of status: UInt) -> Int? {
        status < 600 ? places[Int(status)].map(Int.init) : nil
    }

    private static let places: [UInt8?] = {
        var places = [UInt8?](repeating: nil, count: 600)
        for (index, status) in all.enumerated() { places[Int(status)] = UInt8(index) }
        return places
    }()
}

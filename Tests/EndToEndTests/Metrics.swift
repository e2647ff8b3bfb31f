/// What a service's `/metrics` says at a moment.
struct Metrics: Sendable {
    let text: String
    private let values: [Substring: Double]

    /// - Parameter admin: `http://HOST:PORT` of the admin endpoint.
    init(at admin: String) async throws {
        text = try await Curl.get("\(admin)/metrics").text
        let lines = text.split(separator: "\n").filter { !$0.hasPrefix("#") }
        values = Dictionary(
            lines.compactMap { line in
                let parts = line.split(separator: " ")
                return parts.count == 2 ? Double(parts[1]).map { (parts[0], $0) } : nil
            }, uniquingKeysWith: +)
    }

    /// Those of a service, as soon as a series has a value; gauges are brought up to date once a second.
    static func at(_ admin: String, when series: Substring, is value: Double) async throws -> Metrics {
        try await poll(for: "\(series) to be \(value)") {
            let metrics = try await Metrics(at: admin)
            return metrics[series] == value ? metrics : nil
        }
    }

    /// A series by its name and labels, as they are printed; by its name alone the sum of those that have labels.
    subscript(series: Substring) -> Double? {
        if let value = values[series] { return value }
        let labelled = values.filter { $0.key.hasPrefix("\(series){") }
        return labelled.isEmpty ? nil : labelled.values.reduce(0, +)
    }

    /// The names, without labels, of all that is printed.
    var families: [String] {
        text.split(separator: "\n").filter { $0.hasPrefix("# TYPE ") }.map { String($0.split(separator: " ")[2]) }
    }

    /// The values of a label.
    func values(of label: String, in family: String) -> Set<String> {
        Set(
            values.keys.filter { $0.hasPrefix("\(family){") }.compactMap { series in
                series.firstRange(of: "\(label)=\"").map { String(series[$0.upperBound...].prefix { $0 != "\"" }) }
            })
    }

    /// What has been counted since, in the series of these families.
    func counted(since former: Metrics, in families: [String]) -> [String: Double] {
        var counts: [String: Double] = [:]
        for (series, value) in values where families.contains(where: { series.hasPrefix($0) }) {
            let count = value - (former[series] ?? 0)
            if count != 0 { counts[String(series)] = count }
        }
        return counts
    }
}

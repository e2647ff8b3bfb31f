/// One object on its way to all HTTP destinations; belongs to the uploader's thread.
final class ObjectUpload {
    let body: GrowingBody
    /// The path as it stands in a request.
    let target: String
    /// The length of an object that is sent whole; nil for a growing one.
    let wholeCount: Int?
    /// One for each destination where it has not ended.
    var transfers: [Transfer] = []
    var whenEnded: ((ObjectUpload) -> Void)?
    private var isBegun = false

    init(_ body: GrowingBody, wholeCount: Int?) {
        self.body = body
        target = body.objectPath?.percentEncoded ?? "/"
        self.wholeCount = wholeCount
    }

    func begin(at destinations: [HTTPDestination]) {
        for destination in destinations { destination.add(self) }
        isBegun = true
        endIfDone()
    }

    func ended(_ transfer: Transfer) {
        transfers.removeAll { $0 === transfer }
        endIfDone()
    }

    private func endIfDone() {
        guard isBegun, transfers.isEmpty else { return }
        whenEnded?(self)
        whenEnded = nil
    }
}

/// What a thread is made of: handed over to it at its start.
struct UploadSeed<Place: Sendable>: Sendable {
    struct Target: Sendable {
        let place: Place
        let metrics: UploadMetrics
        let report: DestinationReport
    }

    let mailbox: Mailbox
    let targets: [Target]
    let configuration: Uploader.Configuration
    let supersession: Supersession
}

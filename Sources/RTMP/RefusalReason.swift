/// Why a connection or a publish is refused, or a publish ended by the server.
package enum RefusalReason: String, Hashable, Sendable, CaseIterable {
    case unknownApp = "unknown_app"
    case badStreamName = "bad_stream_name"
    case alreadyPublishing = "already_publishing"
    case takenOver = "taken_over"
    case denied
    case full
    case draining
    case failed

    /// The code of the `onStatus` that refuses a publish: one of those at which OBS gives up at once.
    package var publishCode: StatusCode {
        switch self {
        case .badStreamName, .alreadyPublishing, .takenOver: .publishBadName
        case .denied: .publishDenied
        case .unknownApp, .full, .draining: .publishRejected
        case .failed: .streamFailed
        }
    }
}

extension RefusalReason: CustomStringConvertible {
    /// What the encoder's log shows.
    package var description: String {
        switch self {
        case .unknownApp: "There is no such application here."
        case .badStreamName: "The stream name is not allowed."
        case .alreadyPublishing: "The stream is already being published."
        case .takenOver: "Another publisher took the stream over."
        case .denied: "Publishing is not permitted with this key."
        case .full: "The server has no room for another publisher."
        case .draining: "The server is about to stop; try again soon."
        case .failed: "The server could not take the stream."
        }
    }
}

/// The `code` of a status object (`RTMP 1.0 §7.2.2`).
package enum StatusCode: String, Hashable, Sendable {
    case connectSuccess = "NetConnection.Connect.Success"
    case connectRejected = "NetConnection.Connect.Rejected"
    case callFailed = "NetConnection.Call.Failed"
    case publishStart = "NetStream.Publish.Start"
    case publishBadName = "NetStream.Publish.BadName"
    case publishDenied = "NetStream.Publish.Denied"
    case publishRejected = "NetStream.Publish.Rejected"
    case unpublishSuccess = "NetStream.Unpublish.Success"
    case streamFailed = "NetStream.Failed"
    case playFailed = "NetStream.Play.Failed"
}

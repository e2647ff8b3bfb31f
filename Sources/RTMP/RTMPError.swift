/// The rule a peer broke, or the reason a connection is closed.
package enum RTMPError: Error, Hashable, Sendable {
    // Handshake
    case textClient(firstByte: UInt8)
    case tlsClient
    case handshakeDeadlinePassed
    // Chunks
    case chunkWithoutHeader(format: UInt8)
    case tooManyChunkStreams
    case messageTooLong(typeID: UInt8, bytes: Int)
    case tooManyPartialBytes
    case chunkSizeOutOfRange(UInt32)
    // Messages
    case messageTruncated(typeID: UInt8)
    case commandMalformed
    case aggregateTruncated
    case aggregateTooLong
    // AMF
    case amfTruncated
    case amfTooDeep
    case amfTooManyKeys
    case amfTooManyElements
    case amfStringTooLong
    case amfMarkerUnknown(UInt8)
    case amf3Unsupported(marker: UInt8)
    // Media tags
    case tagTruncated
    case videoFrameTypeUnknown(UInt8)
    case videoPacketTypeUnknown(UInt8)
    case audioPacketTypeUnknown(UInt8)
    // Session
    case publishWithoutConnect
    case publishWithoutStream
    case playRefused
    case refused(RefusalReason)
    case publishDeadlinePassed
    case publishIdle

    /// One of a fixed set of words, for metrics.
    package var label: String {
        switch self {
        case .textClient: "text_client"
        case .tlsClient: "tls_client"
        case .handshakeDeadlinePassed: "handshake_deadline_passed"
        case .chunkWithoutHeader: "chunk_without_header"
        case .tooManyChunkStreams: "too_many_chunk_streams"
        case .messageTooLong: "message_too_long"
        case .tooManyPartialBytes: "too_many_partial_bytes"
        case .chunkSizeOutOfRange: "chunk_size_out_of_range"
        case .messageTruncated: "message_truncated"
        case .commandMalformed: "command_malformed"
        case .aggregateTruncated: "aggregate_truncated"
        case .aggregateTooLong: "aggregate_too_long"
        case .amfTruncated: "amf_truncated"
        case .amfTooDeep: "amf_too_deep"
        case .amfTooManyKeys: "amf_too_many_keys"
        case .amfTooManyElements: "amf_too_many_elements"
        case .amfStringTooLong: "amf_string_too_long"
        case .amfMarkerUnknown: "amf_marker_unknown"
        case .amf3Unsupported: "amf3_unsupported"
        case .tagTruncated: "tag_truncated"
        case .videoFrameTypeUnknown: "video_frame_type_unknown"
        case .videoPacketTypeUnknown: "video_packet_type_unknown"
        case .audioPacketTypeUnknown: "audio_packet_type_unknown"
        case .publishWithoutConnect: "publish_without_connect"
        case .publishWithoutStream: "publish_without_stream"
        case .playRefused: "play_refused"
        case .refused(let reason): "refused_\(reason.rawValue)"
        case .publishDeadlinePassed: "publish_deadline_passed"
        case .publishIdle: "publish_idle"
        }
    }
}

extension RTMPError: CustomStringConvertible {
    /// The rule in words; of what the peer sent it shows small numbers alone.
    package var description: String {
        switch self {
        case .textClient(let byte):
            "the first byte is \(byte), text and not an RTMP version: an HTTP client? (RTMP 1.0 §5.2.2)"
        case .tlsClient: "the client speaks TLS (RTMPS); this listener takes plain RTMP"
        case .handshakeDeadlinePassed: "the handshake was not finished in time (RTMP 1.0 §5.2)"
        case .chunkWithoutHeader(let format):
            "a chunk stream cannot start with a chunk of type \(format) (RTMP 1.0 §5.3.1.2)"
        case .tooManyChunkStreams: "too many chunk streams on one connection"
        case .messageTooLong(let typeID, let bytes): "a message of type \(typeID) may not have \(bytes) bytes"
        case .tooManyPartialBytes: "too many bytes of unfinished messages on one connection"
        case .chunkSizeOutOfRange(let size): "a chunk size of \(size) is not from 1 to 2147483647 (RTMP 1.0 §5.4.1)"
        case .messageTruncated(let typeID): "a message of type \(typeID) is shorter than its fields"
        case .commandMalformed: "a command is a name, a transaction number and values (RTMP 1.0 §7.2)"
        case .aggregateTruncated: "an aggregate's sub-message is longer than the aggregate (RTMP 1.0 §7.1.6)"
        case .aggregateTooLong: "an aggregate has too many sub-messages"
        case .amfTruncated: "an AMF value is longer than its message"
        case .amfTooDeep: "AMF objects are nested too deeply"
        case .amfTooManyKeys: "the AMF objects of a message have too many keys"
        case .amfTooManyElements: "the AMF arrays of a message have too many elements"
        case .amfStringTooLong: "an AMF string is too long"
        case .amfMarkerUnknown(let marker): "no AMF0 value starts with \(marker) (AMF0 §2.1)"
        case .amf3Unsupported(let marker): "an AMF3 value starting with \(marker) is not supported in a command"
        case .tagTruncated: "a media message is shorter than its tag header (FLV 10.1 §E.4)"
        case .videoFrameTypeUnknown(let type): "no video frame is of type \(type) (FLV 10.1 §E.4.3.1)"
        case .videoPacketTypeUnknown(let type): "no AVC packet is of type \(type) (FLV 10.1 §E.4.3.1)"
        case .audioPacketTypeUnknown(let type): "no AAC packet is of type \(type) (FLV 10.1 §E.4.2.1)"
        case .publishWithoutConnect: "publish came before connect"
        case .publishWithoutStream: "publish came on a message stream that was not created"
        case .playRefused: "playing over RTMP is not offered here"
        case .refused(let reason): reason.description
        case .publishDeadlinePassed: "nothing was published in time"
        case .publishIdle: "the publisher sent nothing for too long"
        }
    }
}

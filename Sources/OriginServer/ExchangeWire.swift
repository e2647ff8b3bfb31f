import NIOCore
import OriginStore

/// What an ``Exchange`` writes its response to: a connection of HTTP/1.1, or a stream of HTTP/2.
///
/// A response is a head, then bytes as its framing says, then its end; or it is cut. What is sent may wait until
/// ``flush()``, which can fail and then ends the exchange before it returns: state is up to date before each.
protocol ExchangeWire: AnyObject {
    var eventLoop: any EventLoop { get }
    /// Whether more would be sent at once rather than queued.
    var isWritable: Bool { get }
    /// HTTP/1.0 knows no chunks: what grows is sent when it is whole.
    var takesGrowingBodies: Bool { get }
    /// Whether so much is copied for readers who do not take it that this one is to have no more.
    var hasManyCopies: Bool { get }
    /// The request's body is going to be taken.
    func expectBody()
    /// Asks for the request's body (`RFC 9110 §15.2.1`).
    func continueRequest()
    /// The connection carries no further request after this one, where a connection carries one after the other.
    func closeAfterResponse()
    func start(_ head: ResponseHead, _ framing: ResponseFraming)
    /// A head that all get who ask alike in the same second: when a segment begins, its readers come at once.
    /// - Parameter isFollowed: whether the first of the body is sent at once or soon, to leave in the same packet.
    func start(
        sharing shared: SharedHead, unixTime: Int, _ framing: ResponseFraming, isFollowed: Bool,
        _ head: () -> ResponseHead)
    /// A piece of a growing body.
    /// - Parameter isFollowed: whether more, or the end, is sent at once, to leave in the same packet.
    func send(_ chunk: ObjectChunk, isFollowed: Bool)
    /// Takes as much of a part of a body of known length as goes without a long queue: some of it, unless its bytes
    /// cannot be read.
    func send(_ part: inout BodyPart)
    /// The response is whole. The exchange is over, and the next may have begun when this returns.
    func end()
    /// Ends the response so that no reader or cache takes it for whole.
    func cut()
    func flush()
}

/// How a reader knows where a response's body ends.
enum ResponseFraming {
    /// There is no body, whatever the head says (`RFC 9112 §6.3`).
    case none
    /// By its Content-Length.
    case length
    /// By the last chunk, or the end of the stream.
    case growing
}

import Glibc
import MemoryFile
import NIOCore
import OriginStore

/// A channel's socket, written without the channel: what a viewer of a growing object gets most of its bytes by.
///
/// A write through NIO costs a fifth of what the kernel takes for a chunk of a few kilobytes; with a thousand viewers of
/// each chunk that is the difference that counts. It may be used on the channel's event loop alone, while the channel has
/// nothing queued, and must be gone when a write fails or the channel becomes inactive: the channel closes the descriptor
/// right before it says so.
struct DirectSocket {
    private let descriptor: NIOBSDSocket.Handle

    /// Nil for a channel without a socket, and for one on which other handlers, such as TLS, must see the bytes.
    init?(_ context: ChannelHandlerContext) {
        let operations = context.pipeline.syncOperations
        guard let handle = try? operations.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self, { $0 }) else {
            return nil
        }
        descriptor = handle
    }

    /// Gives the bytes the socket took: fewer than all when it is full, and none when it is broken, which the channel
    /// finds out with its next write.
    /// - Parameter isFollowed: whether more comes at once behind them, to leave in the same packet.
    func send(_ bytes: ByteBuffer, isFollowed: Bool) -> Int {
        let flags = CInt(MSG_NOSIGNAL) | CInt(MSG_DONTWAIT) | (isFollowed ? CInt(MSG_MORE) : 0)
        return unsafe bytes.withUnsafeReadableBytes { bytes in
            max(0, unsafe Glibc.send(descriptor, bytes.baseAddress, bytes.count, flags))
        }
    }

    /// Whether the peer has not got all that was sent.
    var hasUnsent: Bool {
        var count: CInt = 0
        return unsafe ioctl(descriptor, UInt(TIOCOUTQ), &count) == 0 && count > 0
    }

    /// Gives how much of a part of a body the socket took, as ``send(_:isFollowed:)`` does.
    func send(_ part: BodyPart) -> Int {
        switch part.body {
        case .bytes(let body):
            guard let bytes = body.getSlice(at: body.readerIndex + part.range.lowerBound, length: part.count) else {
                return 0
            }
            return send(bytes, isFollowed: false)
        case .extent(let extent):
            return extent.send(part.range, to: descriptor)
        }
    }
}

import NIOCore
import Synchronization

extension GrowingBody {
    enum Reading: Equatable {
        case bytes(Int)
        /// Nothing new yet.
        case waiting
        case end
        /// The bytes are no longer there.
        case gone
    }

    /// Copies what follows the cursor into `space`, as much as there is and fits, and moves the cursor behind it.
    @unsafe
    func read(into space: UnsafeMutableRawBufferPointer, at cursor: inout Cursor) -> Reading {
        state.withLock { state in
            switch state.phase {
            case .abandoned, .expired: return .gone
            case .open, .finished: break
            }
            var copied = 0
            while copied < space.count, cursor.piece < state.pieces.count {
                let length = unsafe state.pieces[cursor.piece].withUnsafeReadableBytes { bytes in
                    let length = min(bytes.count - cursor.offset, space.count - copied)
                    unsafe UnsafeMutableRawBufferPointer(rebasing: space[copied...])
                        .copyMemory(
                            from: UnsafeRawBufferPointer(rebasing: bytes[cursor.offset..<cursor.offset + length]))
                    return length
                }
                copied += length
                cursor.offset += length
                if cursor.offset == state.pieces[cursor.piece].readableBytes {
                    cursor.piece += 1
                    cursor.offset = 0
                }
            }
            cursor.position += copied
            if copied > 0 { return .bytes(copied) }
            return state.phase == .finished ? .end : .waiting
        }
    }

    /// The whole pieces that follow the cursor, which is moved behind them; nil when they are no longer there.
    func pieces(at cursor: inout Cursor, limit: Int) -> (pieces: [ByteBuffer], isEnd: Bool)? {
        state.withLock { state in
            switch state.phase {
            case .abandoned, .expired: return nil
            case .open, .finished: break
            }
            let end = cursor.piece + min(limit, state.pieces.count - cursor.piece)
            let pieces = Array(state.pieces[cursor.piece..<end])
            cursor.piece = end
            return (pieces, state.phase == .finished && end == state.pieces.count)
        }
    }
}

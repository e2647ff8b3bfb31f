import NIOCore

/// The bytes of an object that grows, as chunks that readers share.
extension GrowingObject.State {
    /// Compares the start of `bytes` with what is held from `position` on, and moves both past what is the same;
    /// false where they differ.
    func matches(_ bytes: inout ByteBuffer, at position: inout ObjectUpload.Position) -> Bool {
        while position.chunk < chunks.count, bytes.readableBytes > 0 {
            let held = chunks[position.chunk].payload
            let count = min(held.readableBytes - position.chunkOffset, bytes.readableBytes)
            let expected = held.getSlice(at: held.readerIndex + position.chunkOffset, length: count)
            guard bytes.readSlice(length: count) == expected else { return false }
            position.verified += count
            position.chunkOffset += count
            if position.chunkOffset == held.readableBytes {
                position.chunk += 1
                position.chunkOffset = 0
            }
        }
        return true
    }

    mutating func append(_ payload: ByteBuffer, _ memory: MemoryAccount) {
        let chunk = ObjectChunk(payload: payload)
        let cost = chunk.framed.storageCapacity + ObjectChunk.overheadBytes
        memory.charge(cost)
        chunkCharge += cost
        chunks.append(chunk)
    }

    mutating func releaseChunks(_ memory: MemoryAccount) {
        chunks = []
        memory.release(chunkCharge)
        chunkCharge = 0
    }

    func joined(limit: Int) -> ByteBuffer {
        var whole = ByteBufferAllocator().buffer(capacity: limit)
        for chunk in chunks where whole.readableBytes < limit {
            whole.writeImmutableBuffer(
                chunk.payload.getSlice(
                    at: chunk.payload.readerIndex,
                    length: min(chunk.payload.readableBytes, limit - whole.readableBytes)) ?? ByteBuffer())
        }
        return whole
    }
}

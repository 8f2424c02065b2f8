/// A piece of memory that is filled from its start, and the `Bytes` that lie in it.
///
/// One allocation holds the object and its bytes. What has been appended never changes, so that it
/// may be read elsewhere while more is appended here, by one owner at a time.
@usableFromInline
package final class ByteStorage: ManagedBuffer<ByteStorage.Fill, UInt8> {
    /// How far the memory is filled.
    @frozen
    @usableFromInline
    package struct Fill {
        @usableFromInline let byteCountMax: Int
        @usableFromInline var byteCount: Int

        @inlinable
        init(byteCountMax: Int) {
            self.byteCountMax = byteCountMax
            byteCount = 0
        }
    }

    /// Room for so many bytes.
    @inlinable
    package static func make(byteCountMax: Int) -> ByteStorage {
        let made = ByteStorage.create(minimumCapacity: byteCountMax) { _ in
            Fill(byteCountMax: byteCountMax)
        }
        // `create` makes an instance of the class it is called on.
        return unsafe unsafeDowncast(made, to: ByteStorage.self)
    }

    /// How many bytes can still be appended.
    @inlinable
    package var room: Int { header.byteCountMax - header.byteCount }

    /// Copies the span behind what is there. There must be room for it.
    @inlinable
    package func append(_ span: RawSpan) -> Bytes {
        let count = span.byteCount
        precondition(count <= room)
        let filled = header.byteCount
        header.byteCount = filled + count
        // The memory begins at a fixed place of the object, and stays there until the object goes,
        // which the `Bytes` prevents. Nobody reads beyond what had been filled before.
        let target = unsafe withUnsafeMutablePointerToElements { elements in
            unsafe UnsafeMutableRawBufferPointer(start: elements + filled, count: count)
        }
        unsafe span.withUnsafeBytes { source in unsafe target.copyMemory(from: source) }
        return unsafe Bytes(unowned: UnsafeRawBufferPointer(target), keptBy: self)
    }
}

/// Copies many small things into few pieces of memory, as those that arrive or leave together.
package struct ByteArena {
    private var chunk: ByteStorage?
    private let chunkBytes: Int

    /// An arena of pieces of this size. Whoever keeps one thing keeps its piece.
    package init(chunkBytes: Int) { self.chunkBytes = chunkBytes }

    /// A copy, which must not be larger than a piece.
    package mutating func copy(_ span: RawSpan) -> Bytes {
        if let chunk, chunk.room >= span.byteCount { return chunk.append(span) }
        let fresh = ByteStorage.make(byteCountMax: chunkBytes)
        chunk = fresh
        return fresh.append(span)
    }
}

extension Bytes {
    /// Bytes that `fill` writes into memory of this size; it says how many.
    package init(
        byteCountMax: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Int
    ) {
        let storage = ByteStorage.make(byteCountMax: byteCountMax)
        self = unsafe storage.fill(fill)
    }
}

extension ByteStorage {
    /// What `fill` writes behind what is there; it says how many bytes.
    func fill(_ fill: (UnsafeMutableRawBufferPointer) -> Int) -> Bytes {
        let filled = header.byteCount
        // As in `append`: nobody reads the memory before it has been written.
        let target = unsafe withUnsafeMutablePointerToElements { elements in
            unsafe UnsafeMutableRawBufferPointer(start: elements + filled, count: room)
        }
        let count = unsafe fill(target)
        precondition(count <= room)
        header.byteCount = filled + count
        return unsafe Bytes(
            unowned: UnsafeRawBufferPointer(rebasing: target[..<count]), keptBy: self)
    }
}

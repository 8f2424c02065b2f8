internal import MartletCore
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Memory of frames that have gone, for those to come.
///
/// A ring that is full lets the oldest frame go for each new one. `free` would give that memory
/// back to the system, page by page, and the next frame would have to ask for it again.
@safe
enum MemoryPool {
    /// Room for a frame of the usual size, and for the event that is written behind it to see that
    /// it does not fit. Others are not kept.
    static let byteCount = Limits.frameBytes + 8 * 1_024

    /// 18 MiB at most: as many as leave the ring at once while the publisher catches up.
    private static let blocksMax = 256

    // Sound to share: a block is in the pool, or with whoever took it, and never both.
    @safe
    private struct Block: @unchecked Sendable {
        let start: UnsafeMutableRawPointer
    }

    private static let blocks = Lock<[Block]>([])

    /// Whether so many bytes fill most of one of its blocks.
    static func fits(_ count: Int) -> Bool { count > byteCount / 2 && count <= byteCount }

    /// Memory of `byteCount` bytes; nil if the system has none.
    @unsafe
    static func take() -> UnsafeMutableRawPointer? {
        let known = blocks.withLock { $0.popLast() }
        return unsafe known?.start ?? malloc(byteCount)
    }

    /// Takes back memory of so many bytes.
    @unsafe
    static func give(_ start: UnsafeMutableRawPointer?, capacity: Int) {
        guard let start = unsafe start else { return }
        let block = unsafe Block(start: start)
        let isKept =
            capacity == byteCount
            && blocks.withLock { blocks in
                guard blocks.count < blocksMax else { return false }
                blocks.append(block)
                return true
            }
        if !isKept { unsafe free(block.start) }
    }
}

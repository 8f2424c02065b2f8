#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Memory that codecs write into: it grows as they append, up to a limit, and serves again and
/// again.
///
/// Keep one for a task that encodes often. A codec only appends, and takes back what it wrote if it
/// fails.
@safe
public struct EncodingBuffer: ~Copyable {
    @usableFromInline let storage: UnsafeMutablePointer<EncodingMemory>

    /// An empty buffer that refuses to grow beyond so many bytes.
    public init(byteCountMax: Int = Limits.encodedBytesMax) {
        let byteCountMax = unsafe min(max(0, byteCountMax), Int(Int32.max) - EncodingMemory.slack)
        unsafe storage = .allocate(capacity: 1)
        unsafe storage.initialize(to: EncodingMemory(byteCountMax: byteCountMax))
    }

    deinit {
        unsafe storage.pointee.release()
        unsafe storage.deinitialize(count: 1)
        unsafe storage.deallocate()
    }

    /// How many bytes have been written.
    public var count: Int { unsafe storage.pointee.count - storage.pointee.floor }

    /// Whether nothing has been written.
    public var isEmpty: Bool { count == 0 }

    /// Appends the bytes. It throws `messageTooLarge` beyond the limit.
    public mutating func append(_ span: RawSpan) throws(MartletError) {
        guard unsafe span.byteCount <= storage.pointee.byteCountMax - storage.pointee.count else {
            throw unsafe storage.pointee.tooLarge
        }
        unsafe try span.withUnsafeBytes { (bytes) throws(MartletError) in
            unsafe try storage.pointee.append(bytes)
        }
    }

    /// Shows what has been written for as long as `body` runs.
    public func withBytes<Result: ~Copyable, Failure: Error>(
        _ body: (RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let written = unsafe storage.pointee.written
        return unsafe try body(
            UnsafeRawBufferPointer(rebasing: written[storage.pointee.floor...]).bytes)
    }

    /// A copy of what has been written.
    public func bytes() -> Bytes { withBytes { Bytes(copying: $0) } }

    /// Forgets what has been written and keeps the memory.
    public mutating func removeAll() { truncate(to: 0) }

    /// Forgets all but the first bytes, of which there must be as many.
    mutating func truncate(to count: Int) {
        precondition(count <= self.count)
        unsafe storage.pointee.count = unsafe storage.pointee.floor + count
        unsafe storage.pointee.failure = nil
    }

    /// What has been written, without a copy where it fills much of the memory, which then goes
    /// along.
    mutating func takeBytes() -> Bytes {
        let bytes: Bytes
        if unsafe storage.pointee.count * 2 < storage.pointee.capacity {
            bytes = self.bytes()
            // The next of the size of a frame does better in memory of the pool.
            if unsafe MemoryPool.fits(storage.pointee.count) { unsafe storage.pointee.release() }
        } else {
            let written = unsafe storage.pointee.written
            let keeper = unsafe MemoryKeeper(storage.pointee.start, storage.pointee.capacity)
            bytes = unsafe Bytes(unowned: written, keptBy: keeper)
            unsafe storage.pointee.start = nil
            unsafe storage.pointee.capacity = 0
        }
        unsafe storage.pointee.count = 0
        return bytes
    }
}

/// Gives the memory back when the last bytes in it go.
@safe
private final class MemoryKeeper {
    private let start: UnsafeMutableRawPointer?
    private let capacity: Int

    init(_ start: UnsafeMutableRawPointer?, _ capacity: Int) {
        unsafe self.start = unsafe start
        self.capacity = capacity
    }

    deinit { unsafe MemoryPool.give(start, capacity: capacity) }
}

/// What an encoding buffer holds. It lies behind a pointer, so that the writers of one value may
/// share it without the checks that a class would make at every access.
@unsafe
@frozen
@usableFromInline
struct EncodingMemory {
    @usableFromInline var start: UnsafeMutableRawPointer?
    @usableFromInline var count = 0
    @usableFromInline var capacity = 0
    /// What lies before belongs to others and is neither shown nor taken back: a frame's earlier
    /// events.
    @usableFromInline var floor = 0
    @usableFromInline let byteCountMax: Int
    /// What went wrong. Kept, so that a type which catches it does not make the value look whole.
    @usableFromInline var failure: MartletError?

    init(byteCountMax: Int) {
        unsafe start = nil
        unsafe self.byteCountMax = byteCountMax
    }

    var written: UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(start: start, count: count)
    }

    /// Where the next byte goes. Valid after `reserve`, for as many bytes as were reserved.
    @inlinable
    @inline(__always)
    var target: UnsafeMutableRawPointer { unsafe start.unsafelyUnwrapped + count }

    /// Makes room for so many more bytes.
    @inlinable
    @inline(__always)
    mutating func reserve(_ more: Int) throws(MartletError) {
        if unsafe capacity &- count < more { unsafe try grow(more) }
    }

    @usableFromInline
    @inline(never)
    mutating func grow(_ more: Int) throws(MartletError) {
        guard unsafe more <= byteCountMax + EncodingMemory.slack - count else {
            throw unsafe fail(tooLarge)
        }
        var wanted = unsafe min(
            byteCountMax + EncodingMemory.slack, max(256, count + more, capacity * 2))
        let isFrame = unsafe start == nil && MemoryPool.fits(wanted)
        if isFrame { wanted = MemoryPool.byteCount }
        guard let grown = unsafe isFrame ? MemoryPool.take() : realloc(start, wanted) else {
            throw MartletError(
                .resourceExhausted, "There is no memory for \(wanted) bytes. Send less at once.")
        }
        unsafe start = unsafe grown
        unsafe capacity = wanted
    }

    /// Writers reserve a little more than they write. What was written is checked at the end.
    static let slack = 64

    var tooLarge: MartletError {
        MartletError(
            .messageTooLarge,
            unsafe "What was to be written exceeds \(byteCountMax) bytes. Send less, or store it "
                + "elsewhere and send a `dataref` that leads there.")
    }

    /// Throws what went wrong since the beginning, if anything did.
    func check() throws(MartletError) {
        if let failure = unsafe failure { throw failure }
        guard unsafe count <= byteCountMax else { throw unsafe tooLarge }
    }

    mutating func release() {
        unsafe MemoryPool.give(start, capacity: capacity)
        unsafe start = nil
        unsafe capacity = 0
    }

    /// Keeps the first failure and returns this one.
    mutating func fail(_ error: MartletError) -> MartletError {
        if unsafe failure == nil { unsafe failure = error }
        return error
    }

    @inline(__always)
    mutating func append(_ byte: UInt8) throws(MartletError) {
        unsafe try reserve(1)
        unsafe target.storeBytes(of: byte, as: UInt8.self)
        unsafe count += 1
    }

    @inline(__always)
    mutating func append(_ bytes: UnsafeRawBufferPointer) throws(MartletError) {
        guard let source = bytes.baseAddress else { return }
        unsafe try reserve(bytes.count)
        unsafe target.copyMemory(from: source, byteCount: bytes.count)
        unsafe count += bytes.count
    }

    @inline(__always)
    mutating func append(_ text: StaticString) throws(MartletError) {
        unsafe try append(
            UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Appends the number with its bytes from the most significant to the least.
    @inline(__always)
    mutating func appendBig<Number: FixedWidthInteger & BitwiseCopyable>(
        _ number: Number
    ) throws(MartletError) {
        unsafe try reserve(MemoryLayout<Number>.size)
        unsafe target.storeBytes(of: number.bigEndian, as: Number.self)
        unsafe count += MemoryLayout<Number>.size
    }

    @inline(__always)
    mutating func appendVarint(_ value: UInt64) throws(MartletError) {
        var value = value
        while value >= 0x80 {
            unsafe try append(UInt8(truncatingIfNeeded: value) | 0x80)
            value >>= 7
        }
        unsafe try append(UInt8(truncatingIfNeeded: value))
    }

    /// Opens a hole of so many bytes at a place within what has been written.
    mutating func insertHole(at place: Int, _ byteCount: Int) throws(MartletError) {
        unsafe try reserve(byteCount)
        let hole = unsafe start.unsafelyUnwrapped + place
        unsafe memmove(hole + byteCount, hole, count - place)
        unsafe count += byteCount
    }

    /// Takes away so many bytes at a place within what has been written.
    mutating func removeBytes(at place: Int, _ byteCount: Int) {
        let start = unsafe start.unsafelyUnwrapped + place
        unsafe memmove(start, start + byteCount, count - place - byteCount)
        unsafe count -= byteCount
    }
}

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

// Sound to share: the bytes are written before the initialiser returns and never after, the only
// way to reach them afterwards is a span that cannot be written to, and the keeper is only held.

/// Immutable bytes and what keeps them: a frame, a received message, a row, or a part of one.
///
/// Copying a `Bytes` copies no byte, it may be shared between threads, and the memory goes when the
/// last copy goes. Several may lie in one piece of memory: small messages that arrived together,
/// the slices of a frame. Keep a few of many for long and you keep that memory; `detached` gives a
/// copy that stands alone.
@safe
@frozen
public struct Bytes: @unchecked Sendable {
    @usableFromInline package let start: UnsafeRawPointer
    /// How many bytes there are.
    public let count: Int
    /// Whatever frees the memory when it goes; nil for bytes that live for ever.
    @usableFromInline let keeper: AnyObject?

    /// No bytes.
    @inlinable
    public init() {
        let nothing = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
        unsafe self.init(unowned: nothing, keptBy: nil)
    }

    /// A copy of what the span shows.
    @inlinable
    public init(copying span: RawSpan) {
        let storage = ByteStorage.make(byteCountMax: span.byteCount)
        self = storage.append(span)
    }

    /// A copy of the array's bytes.
    @inlinable
    public init(_ bytes: [UInt8]) {
        let span = bytes.span
        // Sound: bytes have no padding that could be shown.
        unsafe self.init(copying: span.bytes)
    }

    /// The UTF-8 form of a text.
    public init(utf8 text: String) { self.init(Array(text.utf8)) }

    /// Memory that stays valid and unchanged for as long as `keeper` lives.
    @inlinable
    @unsafe
    package init(unowned bytes: UnsafeRawBufferPointer, keptBy keeper: AnyObject?) {
        // An empty buffer may have no address. One is needed, and nothing is read from it.
        unsafe start = bytes.baseAddress ?? UnsafeRawPointer(bitPattern: 1).unsafelyUnwrapped
        count = bytes.count
        self.keeper = keeper
    }

    /// Whether there are none.
    @inlinable
    public var isEmpty: Bool { count == 0 }

    /// Shows the bytes for as long as `body` runs.
    @inlinable
    public func withBytes<Result: ~Copyable, Failure: Error>(
        _ body: (RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        // The keeper outlives the call, and the span cannot leave it.
        defer { extendLifetime(keeper) }
        let bytes = unsafe UnsafeRawBufferPointer(start: start, count: count)
        return unsafe try body(bytes.bytes)
    }

    /// The bytes and their keeper, for C functions that hold on to both.
    @inlinable
    @unsafe
    package func withUnsafeMemory<Result>(
        _ body: (UnsafeRawBufferPointer, AnyObject?) -> Result
    ) -> Result {
        unsafe body(UnsafeRawBufferPointer(start: start, count: count), keeper)
    }

    /// Some of the bytes, in the same memory. The range must lie within them.
    public subscript(range: Range<Int>) -> Bytes {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "range out of bounds")
        let all = unsafe UnsafeRawBufferPointer(start: start, count: count)
        return unsafe Bytes(unowned: UnsafeRawBufferPointer(rebasing: all[range]), keptBy: keeper)
    }

    /// A copy in memory of its own.
    public func detached() -> Bytes { withBytes { Bytes(copying: $0) } }

    /// A copy of the bytes as an array.
    public func array() -> [UInt8] {
        withBytes { span in
            unsafe span.withUnsafeBytes { source in unsafe Array(source) }
        }
    }
}

extension Bytes: Hashable {
    /// Whether both hold the same bytes.
    public static func == (left: Bytes, right: Bytes) -> Bool {
        guard left.count == right.count else { return false }
        guard left.count > 0 else { return true }
        defer {
            extendLifetime(left.keeper)
            extendLifetime(right.keeper)
        }
        return unsafe memcmp(left.start, right.start, left.count) == 0
    }

    /// Whether two pieces of memory of one size hold the same.
    @unsafe
    static func isSame(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
        guard let start = left.baseAddress, let other = right.baseAddress else { return true }
        return unsafe memcmp(start, other, left.count) == 0
    }

    /// Hashes the bytes.
    public func hash(into hasher: inout Hasher) {
        withBytes { span in
            unsafe span.withUnsafeBytes { bytes in unsafe hasher.combine(bytes: bytes) }
        }
    }
}

extension Bytes: CustomStringConvertible {
    /// The size alone: payloads belong in no log.
    public var description: String { "Bytes(\(count))" }
}

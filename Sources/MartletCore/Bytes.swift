// Sound to share: the bytes are written before the initialiser returns and never after, and the
// only way to reach them afterwards is a span that cannot be written to.
/// Immutable bytes that know their owner: a frame, a received message, a row.
///
/// A `Bytes` is one reference. Copying it copies no byte, it may be shared between threads, and
/// the memory goes when the last copy goes: bytes that Martlet made lie in the object itself, and
/// bytes that something else made (a large message of libzmq) keep that owner alive.
public struct Bytes: @unchecked Sendable {
    @usableFromInline package let storage: ManagedBuffer<Header, UInt8>

    // Sound to use: `start` leads to `count` bytes for as long as the storage lives.
    @safe
    @usableFromInline
    package struct Header {
        /// The first byte: in this buffer's own tail, or in memory that `owner` keeps.
        @usableFromInline var start: UnsafeMutableRawPointer
        @usableFromInline var count: Int
        @usableFromInline var owner: AnyObject?

        @inlinable
        init(start: UnsafeMutableRawPointer, count: Int, owner: AnyObject?) {
            unsafe self.start = start
            self.count = count
            self.owner = owner
        }
    }

    /// No bytes.
    public init() { self = Self.empty }

    /// A copy of what the span shows.
    @inlinable
    public init(copying span: RawSpan) {
        unsafe self.init(byteCountMax: span.byteCount) { target in
            unsafe span.withUnsafeBytes { source in
                unsafe target.copyMemory(from: source)
            }
            return span.byteCount
        }
    }

    /// A copy of the array's bytes.
    @inlinable
    public init(_ bytes: [UInt8]) {
        let span = bytes.span
        // Sound: bytes have no padding that could be shown.
        unsafe self.init(copying: span.bytes)
    }

    /// The UTF-8 form of a text.
    @inlinable
    public init(utf8 text: String) { self.init(Array(text.utf8)) }

    /// Room for `byteCountMax` bytes, of which `fill` writes some from the start and says how many.
    @inlinable
    @unsafe
    package init<Failure: Error>(
        byteCountMax: Int,
        filledBy fill: (UnsafeMutableRawBufferPointer) throws(Failure) -> Int
    ) throws(Failure) {
        // The tail begins at a fixed offset of the object and stays there until it is freed.
        let buffer = ManagedBuffer<Header, UInt8>.create(minimumCapacity: byteCountMax) { buffer in
            let tail = unsafe buffer.withUnsafeMutablePointerToElements { elements in
                UnsafeMutableRawPointer(elements)
            }
            return unsafe Header(start: tail, count: 0, owner: nil)
        }
        let target = unsafe UnsafeMutableRawBufferPointer(
            start: buffer.header.start, count: byteCountMax)
        let count = unsafe try fill(target)
        precondition(count >= 0 && count <= byteCountMax)
        buffer.header.count = count
        storage = buffer
    }

    /// Memory that stays valid and unchanged for as long as `owner` lives.
    @unsafe
    package init(unowned bytes: UnsafeRawBufferPointer, keptBy owner: AnyObject) {
        guard let start = bytes.baseAddress else {
            self = Self.empty
            return
        }
        storage = ManagedBuffer<Header, UInt8>.create(minimumCapacity: 0) { _ in
            // Never written through: `Bytes` offers no way to.
            unsafe Header(
                start: UnsafeMutableRawPointer(mutating: start), count: bytes.count, owner: owner)
        }
    }

    private static let empty = unsafe Bytes(byteCountMax: 0) { _ in 0 }

    /// How many bytes there are.
    @inlinable
    public var count: Int { storage.header.count }

    /// Whether there are none.
    @inlinable
    public var isEmpty: Bool { count == 0 }

    /// Shows the bytes for as long as `body` runs.
    @inlinable
    public func withBytes<Result: ~Copyable, Failure: Error>(
        _ body: (RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        // The storage outlives the call, and the span cannot leave it.
        defer { extendLifetime(storage) }
        let bytes = unsafe UnsafeRawBufferPointer(
            start: storage.header.start, count: storage.header.count)
        return unsafe try body(bytes.bytes)
    }

    /// The first byte, for C functions; valid for as long as the storage lives.
    @inlinable
    @unsafe
    package func withUnsafeStart<Result>(_ body: (UnsafeRawPointer) -> Result) -> Result {
        defer { extendLifetime(storage) }
        return unsafe body(UnsafeRawPointer(storage.header.start))
    }

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
        guard left.storage !== right.storage else { return true }
        guard left.count == right.count else { return false }
        return left.withBytes { leftSpan in
            right.withBytes { rightSpan in
                unsafe leftSpan.withUnsafeBytes { leftBytes in
                    unsafe rightSpan.withUnsafeBytes { rightBytes in
                        unsafe leftBytes.elementsEqual(rightBytes)
                    }
                }
            }
        }
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

public import CZeroMQ
public import MartletCore

/// One part of a message in libzmq's own memory: what a `Socket` sends and receives.
///
/// A message has one owner. Sending consumes it; receiving into an existing one spares a new one.
/// Up to 33 bytes lie in the value itself, more on libzmq's heap or, without a copy, in a `Bytes`.
/// Bytes are shown to a closure rather than returned, because those of a small message move with
/// it.
@safe
@frozen
public struct Message: ~Copyable {
    @usableFromInline var raw: zmq_msg_t

    /// An empty message.
    ///
    /// C: `zmq_msg_init`
    @inlinable
    public init() {
        raw = zeromq_message_empty()
    }

    /// A copy of what the span shows.
    ///
    /// C: `zmq_msg_init_size`
    @inlinable
    public init(copying span: RawSpan) {
        raw = zmq_msg_t()
        let result = unsafe span.withUnsafeBytes { bytes in
            unsafe zeromq_message_init_copy(&raw, bytes.baseAddress, bytes.count)
        }
        precondition(result == 0, "libzmq could not allocate a message")
    }

    /// A copy of the array's bytes.
    @inlinable
    public init(_ bytes: [UInt8]) {
        let span = bytes.span
        // Bytes have no padding, which is what `bytes` of other elements could show.
        unsafe self.init(copying: span.bytes)
    }

    /// A message of `count` bytes that `fill` appends to the span. What it leaves out is zero.
    ///
    /// C: `zmq_msg_init_size`
    @inlinable
    public init<Failure: Error>(
        count: Int, filledBy fill: (inout OutputRawSpan) throws(Failure) -> Void
    ) throws(Failure) {
        raw = zmq_msg_t()
        let result = unsafe zeromq_message_init_size(&raw, count)
        precondition(result == 0, "libzmq could not allocate a message of \(count) bytes")
        try unsafe withUnsafeMutablePointer(to: &raw) { message throws(Failure) in
            // The bytes of a small message lie in the value itself, which stays put in here.
            let target = unsafe UnsafeMutableRawBufferPointer(
                start: zmq_msg_data(message), count: count)
            var output = unsafe OutputRawSpan(buffer: target, initializedCount: 0)
            try fill(&output)
            let written = unsafe output.finalize(for: target)
            guard written < count else { return }
            let gap = unsafe UnsafeMutableRawBufferPointer(rebasing: target[written...])
            unsafe gap.initializeMemory(as: UInt8.self, repeating: 0)
        }
    }

    /// A message over bytes that Martlet owns, without a copy. They live until libzmq has sent
    /// them to every peer.
    ///
    /// C: `zmq_msg_init_data`
    public init(sharing bytes: Bytes) {
        raw = zmq_msg_t()
        let result = unsafe bytes.withUnsafeMemory { memory, keeper in
            guard let keeper else {
                return unsafe zeromq_message_init_copy(&raw, memory.baseAddress, memory.count)
            }
            // The message holds a reference to the keeper until libzmq calls back, on any thread.
            return unsafe zeromq_message_init_borrowed(
                &raw, memory.baseAddress, memory.count, releaseSharedBytes,
                Unmanaged.passRetained(keeper).toOpaque())
        }
        precondition(result == 0, "libzmq could not allocate a message")
    }

    /// Takes over a message that libzmq has initialised.
    init(adopting raw: zmq_msg_t) {
        self.raw = raw
    }

    @inlinable
    deinit {
        // Moving a zmq_msg_t bit by bit is allowed; the copy is closed and the original is gone.
        var message = raw
        unsafe zmq_msg_close(&message)
    }

    /// How many bytes the message has.
    ///
    /// C: `zmq_msg_size`
    @inlinable
    public var count: Int {
        unsafe withUnsafePointer(to: raw) { unsafe zmq_msg_size($0) }
    }

    /// Whether further parts of the same message follow.
    ///
    /// C: `zmq_msg_more`
    @inlinable
    public var hasMore: Bool {
        unsafe withUnsafePointer(to: raw) { unsafe zmq_msg_more($0) } != 0
    }

    /// Shows the bytes for as long as `body` runs.
    ///
    /// C: `zmq_msg_data`
    @inlinable
    public func withBytes<Result: ~Copyable, Failure: Error>(
        _ body: (RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        // The pointer may lead to a copy of a small message; it is valid, with the same bytes,
        // until the closure returns, and the span cannot outlive the closure.
        try unsafe withUnsafePointer(to: raw) { pointer throws(Failure) in
            let start = unsafe zmq_msg_data(UnsafeMutablePointer(mutating: pointer))
            let bytes = unsafe UnsafeRawBufferPointer(start: start, count: zmq_msg_size(pointer))
            return try unsafe body(bytes.bytes)
        }
    }

    /// A copy of the bytes.
    public func array() -> [UInt8] {
        withBytes { span in
            unsafe span.withUnsafeBytes { bytes in unsafe Array(bytes) }
        }
    }

    /// What the connection that brought the message knows about its peer, such as `Peer-Address`
    /// or, behind CURVE, `User-Id`. Read it from the last part: 4.3.4 can lose it from the first.
    ///
    /// C: `zmq_msg_gets`
    public func property(_ name: String) -> String? {
        unsafe withUnsafePointer(to: raw) { pointer in
            unsafe zmq_msg_gets(pointer, name).map { unsafe String(cString: $0) }
        }
    }

    /// Sends the message to a raw socket. Zero or more, or -errno; the message is gone either way.
    @inlinable
    consuming func send(to socket: UnsafeMutableRawPointer, flags: Int32) -> Int32 {
        while true {
            let sent = unsafe zeromq_message_send(&raw, socket, flags)
            if sent >= 0 {
                // libzmq has taken the contents; what is left needs no closing.
                discard self
                return sent
            }
            if sent != -EINTR {
                _ = consume self
                return sent
            }
        }
    }
}

// Sound: a message has one owner, libzmq lets any one thread at a time use it, and what is shown
// by a borrow is only read.
extension Message: @unchecked Sendable {}

/// libzmq's callback when it has done with a message made by `Message(sharing:)`.
private let releaseSharedBytes:
    @convention(c) (UnsafeMutableRawPointer?, UnsafeMutableRawPointer?)
        -> Void = { _, owner in
            guard let owner = unsafe owner else { return }
            unsafe Unmanaged<AnyObject>.fromOpaque(owner).release()
        }

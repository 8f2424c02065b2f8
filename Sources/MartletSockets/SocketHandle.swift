public import CZeroMQ
public import MartletCore

/// A libzmq socket without its role: what `Socket` and the loop own.
///
/// Owned once, used by one thread at a time, closed when it goes.
@safe
@frozen
@usableFromInline
struct SocketHandle: ~Copyable {
    @usableFromInline let pointer: UnsafeMutableRawPointer
    /// Keeps the context alive for as long as the socket is open.
    @usableFromInline let context: Context
    @usableFromInline let kind: SocketKind

    init(_ kind: SocketKind, in context: Context) throws(MartletError) {
        unsafe pointer = try context.openSocket(kind)
        self.context = context
        self.kind = kind
    }

    deinit {
        // Fails only for what is not a socket, and this is one until here.
        unsafe zeromq_socket_close(pointer)
    }
}

// MARK: - Messages

extension SocketHandle {
    /// Sends, and waits for as long as the socket's send timeout says. Zero or more, or -errno.
    /// A signal does not end the wait.
    @inlinable
    func send(_ message: consuming Message, flags: Int32) -> Int32 {
        unsafe message.send(to: pointer, flags: flags)
    }

    /// Sends and leaves the message empty, or leaves it as it is. Zero or more, or -errno.
    @inlinable
    func send(_ message: inout Message, flags: Int32) -> Int32 {
        while true {
            let sent = unsafe zeromq_message_send(&message.raw, pointer, flags)
            if sent != -EINTR { return sent }
        }
    }

    /// Receives into a message, whose former contents are released. The size, or -errno.
    @inlinable
    func receive(into message: inout Message, flags: Int32) -> Int32 {
        while true {
            let received = unsafe zeromq_message_receive(&message.raw, pointer, flags)
            if received != -EINTR { return received }
        }
    }

    /// The error for a failed call, with the endpoint that the socket last used.
    @usableFromInline
    func failure(_ result: Int32, _ operation: String) -> MartletError {
        .socket(result, operation, at: lastEndpoint.map { "\(kind.rawValue) \($0)" })
    }
}

// MARK: - Options and endpoints

extension SocketHandle {
    /// Sets an option that has a number for a value.
    func set(_ option: Int32, to value: Int32) -> Int32 {
        unsafe zeromq_socket_set_int(pointer, option, value)
    }

    /// Sets an option that has bytes for a value.
    func set(_ option: Int32, to bytes: [UInt8]) -> Int32 {
        unsafe bytes.withUnsafeBytes { bytes in
            unsafe zeromq_socket_set(pointer, option, bytes.baseAddress, bytes.count)
        }
    }

    /// The value of an option that is a number, or nil when the socket has none.
    func number(_ option: Int32) -> Int32? {
        var value: Int32 = 0
        return read(option, into: &value) == 0 ? value : nil
    }

    /// Reads an option that is a number. Zero, or -errno. A signal does not end it.
    func read(_ option: Int32, into value: inout Int32) -> Int32 {
        while true {
            let result = unsafe zeromq_socket_get_int(pointer, option, &value)
            if result != -EINTR { return result }
        }
    }

    /// The bytes of an option, at most 1 KiB, without a terminating zero.
    func bytes(_ option: Int32) -> [UInt8]? {
        var size = 1_024
        var buffer = [UInt8](repeating: 0, count: size)
        let result = unsafe buffer.withUnsafeMutableBytes { bytes in
            unsafe zeromq_socket_get(pointer, option, bytes.baseAddress, &size)
        }
        return result == 0 ? Array(buffer.prefix(size)) : nil
    }

    /// Where the socket was last bound or connected.
    var lastEndpoint: String? {
        guard let bytes = bytes(ZMQ_LAST_ENDPOINT), bytes.count > 1 else { return nil }
        return String(decoding: bytes.dropLast(), as: UTF8.self)
    }
}

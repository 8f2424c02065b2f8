import CZeroMQ
public import MartletCore

/// A setting of a socket, with the type of its value and the roles that have it.
///
/// ```swift
/// try socket.set(.linger, to: .seconds(1))
/// let queued = try socket.value(of: .sendHighWaterMark)
/// ```
///
/// Martlet's sockets begin with these values, libzmq's in parentheses: `linger` 0 (for ever),
/// `maxMessageBytes` about 2 MiB (no limit), `handshakeInterval` 5 s (30 s), `immediate` on (off),
/// `reconnectIntervalMax` 2 s (no growth), `tcpKeepAlive` on, after 6 s, every 2 s, 3 times (as the
/// system has it), `isRouterMandatory` on (off), and a SUB's own send mark 0 (1,000). Most take
/// effect for connections made after they are set.
public struct SocketOption<Role: SocketRole, Value: Sendable>: Sendable {
    /// The name of libzmq's constant.
    public let name: String

    let write: @Sendable (Value, borrowing SocketHandle) throws(MartletError) -> Void
    let read: @Sendable (borrowing SocketHandle) throws(MartletError) -> Value

    /// An option that libzmq keeps as a 32-bit number.
    init(
        _ name: String, _ number: Int32,
        encode: @escaping @Sendable (Value) -> Int32?,
        decode: @escaping @Sendable (Int32) -> Value,
        bounds: String
    ) {
        self.name = name
        write = { value, handle throws(MartletError) in
            guard let encoded = encode(value) else {
                throw MartletError(.invalidArgument, "\(name) takes \(bounds), not \(value).")
            }
            let result = handle.set(number, to: encoded)
            guard result >= 0 else { throw handle.failure(result, "zmq_setsockopt(\(name))") }
        }
        read = { handle throws(MartletError) in
            guard let value = handle.number(number) else {
                throw handle.failure(-EINVAL, "zmq_getsockopt(\(name))")
            }
            return decode(value)
        }
    }

    /// An option that libzmq keeps in another form.
    init(
        _ name: String,
        write: @escaping @Sendable (Value, borrowing SocketHandle) throws(MartletError) -> Void,
        read: @escaping @Sendable (borrowing SocketHandle) throws(MartletError) -> Value
    ) {
        self.name = name
        self.write = write
        self.read = read
    }
}

extension Socket {
    /// Changes an option.
    ///
    /// C: `zmq_setsockopt`
    public func set<Value: Sendable>(
        _ option: SocketOption<Role, Value>, to value: Value
    ) throws(MartletError) {
        try option.write(value, handle)
    }

    /// The value of an option.
    ///
    /// C: `zmq_getsockopt`
    public func value<Value: Sendable>(
        of option: SocketOption<Role, Value>
    ) throws(MartletError) -> Value {
        try option.read(handle)
    }
}

// MARK: - The forms of values

extension SocketOption where Value == Int {
    static func count(_ name: String, _ number: Int32, _ range: ClosedRange<Int>) -> Self {
        Self(
            name, number,
            encode: { range.contains($0) ? Int32(exactly: $0) : nil },
            decode: { Int($0) },
            bounds: "a number from \(range.lowerBound) to \(range.upperBound)")
    }
}

extension SocketOption where Value == Bool {
    static func flag(_ name: String, _ number: Int32) -> Self {
        Self(name, number, encode: { $0 ? 1 : 0 }, decode: { $0 != 0 }, bounds: "true or false")
    }
}

extension SocketOption where Value == Duration {
    /// A time in milliseconds, rounded up to whole steps, of which libzmq keeps no parts.
    static func duration(
        _ name: String, _ number: Int32, atMost longest: Duration = .milliseconds(Int32.max),
        step: Int64 = 1
    ) -> Self {
        Self(
            name, number,
            encode: { value in
                guard value >= .zero, value <= longest else { return nil }
                return Int32((value.milliseconds(rounded: .up) + step - 1) / step * step)
            },
            decode: { .milliseconds($0) },
            bounds: "a time from zero to \(longest)")
    }

    /// A time in seconds, within what the system accepts: it closes connections that ask for less
    /// or for more.
    static func keepAlive(_ name: String, _ number: Int32) -> Self {
        Self(
            name, number,
            encode: { value in
                let seconds = (value.milliseconds(rounded: .up) + 999) / 1_000
                return (1...32_767).contains(seconds) ? Int32(seconds) : nil
            },
            decode: { .seconds($0) },
            bounds: "a time from 1 to 32,767 seconds")
    }
}

extension SocketOption where Value == Duration? {
    /// A time in milliseconds, or nil for ever.
    static func durationOrForever(_ name: String, _ number: Int32) -> Self {
        Self(
            name, number,
            encode: { value in
                guard let value else { return -1 }
                return value >= .zero ? Int32(value.milliseconds(rounded: .up)) : nil
            },
            decode: { $0 < 0 ? nil : .milliseconds($0) },
            bounds: "a time of zero or more, or nil for ever")
    }
}

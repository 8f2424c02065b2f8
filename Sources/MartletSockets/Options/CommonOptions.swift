import CZeroMQ
import MartletCore

// The options that every role has.

extension SocketOption where Value == Duration? {
    /// How long a closed socket goes on sending what it has queued; nil for ever. Zero by default:
    /// what must arrive is acknowledged by its receiver, and a link drains before it closes.
    ///
    /// C: `ZMQ_LINGER`
    public static var linger: Self { .durationOrForever("ZMQ_LINGER", ZMQ_LINGER) }
}

extension SocketOption where Value == Duration {
    /// Pause before the first attempt to connect again.
    ///
    /// C: `ZMQ_RECONNECT_IVL`
    public static var reconnectInterval: Self { .duration("ZMQ_RECONNECT_IVL", ZMQ_RECONNECT_IVL) }

    /// Longest pause between attempts, to which it doubles; zero keeps the first.
    ///
    /// C: `ZMQ_RECONNECT_IVL_MAX`
    public static var reconnectIntervalMax: Self {
        .duration("ZMQ_RECONNECT_IVL_MAX", ZMQ_RECONNECT_IVL_MAX)
    }

    /// A new connection that has not finished its handshake by then is dropped.
    ///
    /// C: `ZMQ_HANDSHAKE_IVL`
    public static var handshakeInterval: Self { .duration("ZMQ_HANDSHAKE_IVL", ZMQ_HANDSHAKE_IVL) }

    /// Time between ZMTP's pings on a connection; zero, the default, sends none.
    ///
    /// Use them only where the receiver never stops reading: libzmq reads no pings while a receiver
    /// is full, and then drops the connection with the messages that it holds.
    ///
    /// C: `ZMQ_HEARTBEAT_IVL`
    public static var heartbeatInterval: Self { .duration("ZMQ_HEARTBEAT_IVL", ZMQ_HEARTBEAT_IVL) }

    /// A connection that stays silent for so long after a ping is closed.
    ///
    /// C: `ZMQ_HEARTBEAT_TIMEOUT`
    public static var heartbeatTimeout: Self {
        .duration("ZMQ_HEARTBEAT_TIMEOUT", ZMQ_HEARTBEAT_TIMEOUT)
    }

    /// What a ping asks of the other side: to close the connection after so long a silence. In
    /// tenths of a second, at most a minute (4.3.4 overflows above 65.5 s).
    ///
    /// C: `ZMQ_HEARTBEAT_TTL`
    public static var heartbeatTTL: Self {
        .duration(
            "ZMQ_HEARTBEAT_TTL", ZMQ_HEARTBEAT_TTL, atMost: Limits.heartbeatTTLMax, step: 100)
    }

    /// Silence after which the system probes a TCP connection, in whole seconds.
    ///
    /// C: `ZMQ_TCP_KEEPALIVE_IDLE`
    public static var tcpKeepAliveIdle: Self {
        .keepAlive("ZMQ_TCP_KEEPALIVE_IDLE", ZMQ_TCP_KEEPALIVE_IDLE)
    }

    /// Pause between the system's probes, in whole seconds.
    ///
    /// C: `ZMQ_TCP_KEEPALIVE_INTVL`
    public static var tcpKeepAliveInterval: Self {
        .keepAlive("ZMQ_TCP_KEEPALIVE_INTVL", ZMQ_TCP_KEEPALIVE_INTVL)
    }

    /// How long an attempt to connect may take; zero leaves it to the system.
    ///
    /// C: `ZMQ_CONNECT_TIMEOUT`
    public static var connectTimeout: Self {
        .duration("ZMQ_CONNECT_TIMEOUT", ZMQ_CONNECT_TIMEOUT)
    }

    /// How long sent bytes may stay unacknowledged by the peer's system before the connection is
    /// closed; zero leaves it to the system. A receiver that is full counts as silent here.
    ///
    /// C: `ZMQ_TCP_MAXRT`
    public static var tcpUserTimeout: Self { .duration("ZMQ_TCP_MAXRT", ZMQ_TCP_MAXRT) }
}

extension SocketOption where Value == Int {
    /// Largest message part accepted; a peer that sends a larger one is disconnected. -1 for no
    /// limit.
    ///
    /// C: `ZMQ_MAXMSGSIZE`
    public static var maxMessageBytes: Self {
        Self(
            "ZMQ_MAXMSGSIZE",
            write: { value, handle throws(MartletError) in
                guard value >= -1 else {
                    throw MartletError(
                        .invalidArgument,
                        "ZMQ_MAXMSGSIZE takes a size, or -1 for no limit, not \(value).")
                }
                let result = unsafe zeromq_socket_set_int64(
                    handle.pointer, ZMQ_MAXMSGSIZE, Int64(value))
                guard result >= 0 else {
                    throw handle.failure(result, "zmq_setsockopt(ZMQ_MAXMSGSIZE)")
                }
            },
            read: { handle throws(MartletError) in
                var value: Int64 = 0
                let result = unsafe zeromq_socket_get_int64(
                    handle.pointer, ZMQ_MAXMSGSIZE, &value)
                guard result >= 0 else {
                    throw handle.failure(result, "zmq_getsockopt(ZMQ_MAXMSGSIZE)")
                }
                return Int(value)
            })
    }

    /// The system's send buffer of a connection; -1 leaves it to the system.
    ///
    /// C: `ZMQ_SNDBUF`
    public static var sendBufferBytes: Self { .count("ZMQ_SNDBUF", ZMQ_SNDBUF, -1...0x7FFF_FFFF) }

    /// The system's receive buffer of a connection; -1 leaves it to the system.
    ///
    /// C: `ZMQ_RCVBUF`
    public static var receiveBufferBytes: Self {
        .count("ZMQ_RCVBUF", ZMQ_RCVBUF, -1...0x7FFF_FFFF)
    }

    /// Connections that may wait to be accepted.
    ///
    /// C: `ZMQ_BACKLOG`
    public static var backlog: Self { .count("ZMQ_BACKLOG", ZMQ_BACKLOG, 1...0x7FFF_FFFF) }

    /// The system's own probes of an idle TCP connection: 1 on, 0 off, -1 as the system has it.
    ///
    /// C: `ZMQ_TCP_KEEPALIVE`
    public static var tcpKeepAlive: Self { .count("ZMQ_TCP_KEEPALIVE", ZMQ_TCP_KEEPALIVE, -1...1) }

    /// Probes without an answer after which the system gives a connection up.
    ///
    /// C: `ZMQ_TCP_KEEPALIVE_CNT`
    public static var tcpKeepAliveProbes: Self {
        .count("ZMQ_TCP_KEEPALIVE_CNT", ZMQ_TCP_KEEPALIVE_CNT, 1...127)
    }

    /// The type-of-service byte of the packets.
    ///
    /// C: `ZMQ_TOS`
    public static var typeOfService: Self { .count("ZMQ_TOS", ZMQ_TOS, 0...255) }
}

extension SocketOption where Value == Bool {
    /// Queues messages only for connections that exist. Off, messages wait for peers that may never
    /// come, and a broken connection's queue is sent again to whoever comes next.
    ///
    /// C: `ZMQ_IMMEDIATE`
    public static var immediate: Self { .flag("ZMQ_IMMEDIATE", ZMQ_IMMEDIATE) }
}

extension SocketHandle {
    /// Martlet's defaults, on a socket that has just been made.
    func applyDefaults() throws(MartletError) {
        let milliseconds = { (value: Duration) in Int32(value.milliseconds(rounded: .up)) }
        var defaults: [(Int32, Int32)] = [
            (ZMQ_LINGER, 0),
            (ZMQ_SNDHWM, Int32(Limits.highWaterMark)),
            (ZMQ_RCVHWM, Int32(Limits.highWaterMark)),
            (ZMQ_RECONNECT_IVL, milliseconds(Limits.reconnectInterval)),
            (ZMQ_RECONNECT_IVL_MAX, milliseconds(Limits.reconnectIntervalMax)),
            (ZMQ_HANDSHAKE_IVL, milliseconds(Limits.handshakeInterval)),
            (ZMQ_IMMEDIATE, 1),
            (ZMQ_TCP_KEEPALIVE, 1),
            (ZMQ_TCP_KEEPALIVE_IDLE, Int32(Limits.keepAliveIdle.components.seconds)),
            (ZMQ_TCP_KEEPALIVE_INTVL, Int32(Limits.keepAliveInterval.components.seconds)),
            (ZMQ_TCP_KEEPALIVE_CNT, Int32(Limits.keepAliveProbes)),
        ]
        if kind == .router { defaults.append((ZMQ_ROUTER_MANDATORY, 1)) }
        // Above its send mark a subscriber drops its own subscriptions when it connects again.
        if kind == .sub || kind == .xsub {
            defaults.append((ZMQ_SNDHWM, 0))
            // Subscriptions, all that it sends, would wait until its owner next touches it.
            defaults.append((ZMQ_IMMEDIATE, 0))
        }
        for (option, value) in defaults {
            let result = set(option, to: value)
            guard result >= 0 else { throw failure(result, "zmq_setsockopt(\(option))") }
        }
        let result = unsafe zeromq_socket_set_int64(
            pointer, ZMQ_MAXMSGSIZE, Int64(Limits.messageBytesMax))
        guard result >= 0 else { throw failure(result, "zmq_setsockopt(ZMQ_MAXMSGSIZE)") }
    }
}

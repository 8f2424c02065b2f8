import CZeroMQ
package import MartletCore

/// Whoever does its work on the loop's thread, between two looks at the sockets: it takes what
/// links have received, and gives them what is to be sent, without a hop between threads.
package protocol LoopDriver: AnyObject {
    /// Gives what has come to those who wait for it. Tasks on the loop's thread run after it.
    func deliver(on loop: isolated SocketLoop)

    /// Answers those who ask. What takes a moment may be an errand for the loop's thread, if the
    /// loop was idle until then; if not, another thread is told of it.
    func serve(isIdle: Bool, on loop: isolated SocketLoop) -> (any LoopErrand)?

    /// Does what else there is to do, without waiting. Returns when it wants to be called at the
    /// latest.
    func turn(on loop: isolated SocketLoop) -> ContinuousClock.Instant
}

extension LoopDriver {
    /// Nobody asks.
    package func serve(isIdle: Bool, on loop: isolated SocketLoop) -> (any LoopErrand)? { nil }
}

extension SocketLoop {
    /// Connects a link at once. Host names are refused: resolve them before.
    package func connect<Role: SocketRole>(
        _ link: ZeroMQLink<Role>, to endpoint: Endpoint
    ) throws(MartletError) {
        try connect(link.queues, to: [endpoint])
    }

    /// Binds a link at once.
    package func bind<Role: SocketRole>(
        _ link: ZeroMQLink<Role>, to endpoint: Endpoint
    ) throws(MartletError) -> Endpoint {
        try bind(link.queues, to: endpoint)
    }

    /// Closes a link at once; what is queued is dropped.
    package func abandon<Role: SocketRole>(_ link: ZeroMQLink<Role>) {
        beginDraining(link.queues, until: .now)
    }
}

extension SocketLoop {
    /// Subscribes a link at once.
    package func subscribe<Role: SubscribingRole>(
        _ link: ZeroMQLink<Role>, to prefix: Bytes
    ) throws(MartletError) {
        try setPrefix(link.queues, ZMQ_SUBSCRIBE, prefix)
    }

    /// Takes back a subscription of a link at once.
    package func unsubscribe<Role: SubscribingRole>(
        _ link: ZeroMQLink<Role>, from prefix: Bytes
    ) throws(MartletError) {
        try setPrefix(link.queues, ZMQ_UNSUBSCRIBE, prefix)
    }
}

extension ZeroMQLink where Role: ReceivingRole {
    /// What has arrived, without waiting. On the loop's thread, which reads on by itself.
    package func takeReceived() -> [Multipart] { queues.incoming.takeNow() }
}

extension ZeroMQLink where Role: SendingRole {
    /// How many bytes may still be queued.
    package var room: Int { queues.outgoing.room }
}

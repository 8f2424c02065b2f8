import CZeroMQ
public import MartletCore
import Synchronization

// libzmq's I/O threads block when nobody reads a monitor. A thread of its own therefore reads it
// until the socket has closed, whatever becomes of the sequence.
/// The events of one socket's connections, for diagnosis: who connected, who was refused and why.
///
/// It ends with the socket. Up to `Limits.monitorEvents` wait for their reader; when there are
/// more, the oldest go and `dropped` counts them, so that a reader who stops reading stops nobody
/// else.
public struct SocketMonitor: AsyncSequence, Sendable {
    /// One event.
    public typealias Element = MonitorEvent

    private let events: Inbox<MonitorEvent>

    /// Begins to read; a monitor has one reader at a time.
    public func makeAsyncIterator() -> Iterator { Iterator(events: events) }

    /// How many events were dropped because nobody read them in time.
    public var dropped: Int { events.dropped }

    /// Hands out events in order.
    public struct Iterator: AsyncIteratorProtocol {
        private let events: Inbox<MonitorEvent>

        fileprivate init(events: Inbox<MonitorEvent>) { self.events = events }

        /// The next event, or nil once the socket has closed. Throws `cancelled` with the task.
        public mutating func next() async throws(MartletError) -> MonitorEvent? {
            // One by one: what nobody asked for waits for the next reader.
            try await events.take(atMost: 1)?.first
        }
    }
}

extension SocketMonitor {
    private static let counter = Atomic<UInt64>(0)

    init(_ handle: borrowing SocketHandle) throws(MartletError) {
        let number = Self.counter.add(1, ordering: .relaxed).newValue
        let endpoint = Endpoint(.inproc(name: "martlet-monitor-\(number)"))
        let events = Inbox<MonitorEvent>(
            bound: Limits.monitorEvents, byteBound: .max, overflow: .dropOldest)
        self.events = events

        // Connected before the monitor is armed: from then on nothing it says can be lost, and
        // nothing it says can block.
        let reader = Reader(try handle.context.socket(Pair.self))
        try reader.connect(to: endpoint)
        let result = unsafe zeromq_socket_monitor(
            handle.pointer, endpoint.description, ZMQ_EVENT_ALL)
        guard result >= 0 else { throw MartletError.socket(result, "zmq_socket_monitor") }
        do {
            try DedicatedThread.start(named: "martlet-monitor") { reader.run(into: events) }
        } catch {
            unsafe zeromq_socket_monitor(handle.pointer, nil, 0)
            throw error
        }
    }
}

/// Owns the reading end. Handed from the thread that makes it to the one that reads.
private final class Reader: Sendable {
    private let socket: Mutex<Socket<Pair>>

    init(_ socket: consuming sending Socket<Pair>) {
        self.socket = Mutex(socket)
    }

    func connect(to endpoint: Endpoint) throws(MartletError) {
        try socket.withLock { socket throws(MartletError) in try socket.connect(to: endpoint) }
    }

    /// Reads until the socket has closed or its context was shut down.
    func run(into events: Inbox<MonitorEvent>) {
        socket.withLock { socket in
            while let event = (try? Self.next(from: socket)) ?? nil {
                events.push([event], byteCount: 0)
            }
        }
        events.close()
    }

    /// The next event, or nil when the socket has closed.
    private static func next(from socket: borrowing Socket<Pair>) throws -> MonitorEvent? {
        let message = try socket.receiveMultipart()
        var raw = zeromq_monitor_event()
        let isEvent = unsafe message.first.withUnsafeMemory { memory, _ in
            unsafe zeromq_monitor_decode(memory.baseAddress, memory.count, &raw)
        }
        guard isEvent else { return MonitorEvent(kind: .other(event: 0, value: 0), endpoint: "") }
        if Int32(raw.event) == ZMQ_EVENT_MONITOR_STOPPED { return nil }
        return MonitorEvent(
            kind: MonitorEvent.Kind(
                event: Int32(raw.event), value: Int32(truncatingIfNeeded: raw.value)),
            endpoint: message.rest.first.map { String(decoding: $0.array(), as: UTF8.self) } ?? "")
    }
}

extension Socket {
    /// Tells of everything that happens to the socket's connections from now on. A socket has one
    /// monitor at a time; a new one ends the former.
    ///
    /// C: `zmq_socket_monitor`
    public func monitor() throws(MartletError) -> SocketMonitor {
        try SocketMonitor(handle)
    }
}

extension ZeroMQLink {
    /// Tells of everything that happens to the link's connections from now on.
    ///
    /// C: `zmq_socket_monitor`
    public func monitor() async throws(MartletError) -> SocketMonitor {
        try await loop.monitor(queues)
    }
}

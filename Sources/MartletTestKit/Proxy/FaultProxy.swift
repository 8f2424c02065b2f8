public import MartletCore
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A second address of a TCP port, with a network between that does as it is told: for tests of
/// what happens when connections are slow, silent, damaged or cut.
///
/// ```
/// let proxy = try FaultProxy(to: "tcp://127.0.0.1:5550", seed: 7)
/// // Connect to proxy.endpoint instead.
/// proxy.faults.delay = .milliseconds(50)
/// proxy.cut()
/// ```
///
/// A thread of its own carries the bytes. IPv4 addresses alone.
public final class FaultProxy: Sendable {
    private struct State: Sendable {
        var faults: NetworkFaults
        /// How often all connections have been cut.
        var cuts = 0
        var isStopped = false
    }

    /// Where it listens.
    public let endpoint: Endpoint
    private let state: Lock<State>
    private let alarm: Int32

    /// A way to an endpoint, from any free port of this machine unless it is told where to listen.
    public init(
        to target: Endpoint, listening: Endpoint = "tcp://127.0.0.1:0",
        faults: NetworkFaults = .none, seed: UInt64 = 1
    ) throws(MartletError) {
        let listener = try SystemSocket.listening(at: listening)
        endpoint = try .tcp(listening.host ?? "127.0.0.1", port: listener.port)
        state = Lock(State(faults: faults))
        // Whoever changes something wakes the thread through a pipe.
        var ends: [Int32] = [-1, -1]
        guard unsafe pipe(&ends) == 0 else {
            throw MartletError(.resourceExhausted, "A proxy: no pipe can be made.")
        }
        for end in ends {
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        }
        alarm = ends[1]
        let loop = ProxyLoop(listener, to: target, wakenBy: ends[0], seed: seed)
        let orders = { @Sendable [weak self] () -> ProxyLoop.Orders? in
            guard let self else { return nil }
            return self.state.withLock { state in
                state.isStopped ? nil : ProxyLoop.Orders(faults: state.faults, cuts: state.cuts)
            }
        }
        try ProxyThread.run { loop.run(orders) }
    }

    deinit {
        wake()
        close(alarm)
    }

    /// What its connections do to bytes that come from now on.
    public var faults: NetworkFaults {
        get { state.withLock { $0.faults } }
        set {
            state.withLock { $0.faults = newValue }
            wake()
        }
    }

    /// Cuts what is connected. Whoever connects again is carried on.
    public func cut() {
        state.withLock { $0.cuts += 1 }
        wake()
    }

    /// Takes the address away: what is connected is cut, and nobody can connect any more.
    public func stop() {
        state.withLock { $0.isStopped = true }
        wake()
    }

    private func wake() {
        var byte: UInt8 = 0
        // A pipe that is full wakes as well.
        _ = unsafe write(alarm, &byte, 1)
    }
}

public import MartletCore
import Synchronization

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
/// A thread of its own carries the bytes, as long as you keep the proxy. IPv4 addresses alone.
public final class FaultProxy: Sendable {
    private struct State: Sendable {
        var faults: NetworkFaults
        /// How often all connections have been cut.
        var cuts = 0
        /// How often they have been frozen.
        var freezes = 0
        var isStopped = false
    }

    /// Where it listens.
    public let endpoint: Endpoint
    private let state: Lock<State>
    private let alarm: ProxyAlarm

    /// A way to an endpoint, from any free port of this machine unless it is told where to listen.
    public init(
        to target: Endpoint, listening: Endpoint = "tcp://127.0.0.1:0",
        faults: NetworkFaults = .none, seed: UInt64 = 1
    ) throws(MartletError) {
        let listener = try SystemSocket.listening(at: listening)
        endpoint = try .tcp(listening.host ?? "127.0.0.1", port: listener.port)
        state = Lock(State(faults: faults))
        alarm = try ProxyAlarm()
        let loop = ProxyLoop(listener, to: target, wokenBy: alarm, seed: seed)
        let orders = { @Sendable [weak self] () -> ProxyLoop.Orders? in
            guard let self else { return nil }
            return self.state.withLock { state in
                state.isStopped
                    ? nil
                    : ProxyLoop.Orders(
                        faults: state.faults, cuts: state.cuts, freezes: state.freezes)
            }
        }
        try ProxyThread.run { loop.run(orders) }
    }

    deinit { alarm.ring() }

    /// What its connections do to bytes that come from now on.
    public var faults: NetworkFaults {
        get { state.withLock { $0.faults } }
        set {
            state.withLock { $0.faults = newValue }
            alarm.ring()
        }
    }

    /// Cuts what is connected. Whoever connects again is carried on.
    public func cut() {
        state.withLock { $0.cuts += 1 }
        alarm.ring()
    }

    /// Carries nothing more for what is connected, and tells nobody, as a firewall does that has
    /// forgotten a connection. Whoever connects again is carried on.
    public func freeze() {
        state.withLock { $0.freezes += 1 }
        alarm.ring()
    }

    /// Takes the address away: what is connected is cut, and nobody can connect any more.
    public func stop() {
        state.withLock { $0.isStopped = true }
        alarm.ring()
    }
}

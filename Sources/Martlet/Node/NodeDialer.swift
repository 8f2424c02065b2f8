internal import MartletDelivery
internal import MartletSockets

/// The socket of somebody who talks to one node, and the addresses where that may be. On the loop's
/// thread.
final class NodeDialer {
    /// Addresses with numbers; one is used until it fails.
    private var endpoints: [Endpoint]
    private var place = 0
    private var service: ZeroMQLink<Dealer>?
    /// Whether the present socket has led to a session.
    private var hasBegun = false
    /// When a fresh socket is due.
    private(set) var due: MonotonicTime?

    init(_ endpoints: [Endpoint] = []) {
        self.endpoints = endpoints
        if !endpoints.isEmpty { due = NodeClock.now }
    }

    /// The addresses as they are now. The first ones are dialled at once.
    func use(_ endpoints: [Endpoint]) {
        guard !endpoints.isEmpty, endpoints != self.endpoints else { return }
        if self.endpoints.isEmpty { due = NodeClock.now }
        self.endpoints = endpoints
        place = 0
    }

    /// A fresh socket is to be taken after this time.
    func reconnect(after pause: Duration) { due = NodeClock.now + pause }

    /// Takes a fresh socket if one is due. False if none is there that was not before.
    func connectIfDue(at now: MonotonicTime, on loop: isolated SocketLoop) -> Bool {
        guard let moment = due, now >= moment else { return false }
        due = nil
        if let service {
            loop.abandon(service)
            // An address that has led to nothing gives way to the next.
            if !hasBegun { place = (place + 1) % endpoints.count }
        }
        hasBegun = false
        do throws(MartletError) {
            let fresh = try loop.link(Dealer.self)
            service = fresh
            try loop.connect(fresh, to: endpoints[place])
            return true
        } catch {
            // Too many descriptors, say: it may be better in a moment.
            due = now + Limits.reconnectIntervalMax
            return false
        }
    }

    /// What has come.
    func takeReceived() -> [Multipart] {
        let messages = service?.takeReceived() ?? []
        hasBegun = hasBegun || !messages.isEmpty
        return messages
    }

    /// Sends a message. What finds no room is lost.
    func send(_ message: Multipart) { _ = try? service?.offer(message) }
}

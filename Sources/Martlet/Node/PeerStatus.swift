internal import MartletDelivery
internal import MartletSockets

/// A peer of a node, as it stands at a moment.
public struct PeerStatus: Sendable {
    /// Whether there is a session.
    public enum State: Sendable {
        /// Not yet, or not any more; it is tried again and again.
        case connecting
        /// There is one.
        case connected
        /// The peer is this node itself.
        case superfluous
        /// It will not come about, and why.
        case failed(MartletError)
    }

    /// A channel, as the peer told of it when the session began.
    public struct ChannelStatus: Sendable {
        /// The stream.
        public let stream: StreamName
        /// The lane.
        public let lane: Int
        /// The number of the first event that it kept.
        public let first: UInt64
        /// The number of the next event to come.
        public let next: UInt64
    }

    /// The address of its service; of several, the one that is used.
    public let endpoint: Endpoint
    /// Whether there is a session.
    public let state: State
    /// What people call it; nil before the first session.
    public let name: String?
    /// Who it is; nil before the first session.
    public let id: NodeID?
    /// What it told of when the session began, of the streams that are subscribed to.
    public let channels: [ChannelStatus]
}

extension Node {
    /// The other nodes that this one knows, and how it stands with each.
    public func peerStatus() async throws(MartletError) -> [PeerStatus] {
        try await loop.withDriver(NodeEngine.self) { (engine, _) throws(MartletError) in
            engine.peers.filter { !$0.isOwn }.map(\.status)
        }
    }
}

extension PeerConnection {
    fileprivate var status: PeerStatus {
        let state: PeerStatus.State
        switch self.state {
        case .active: state = machine.isLive ? .connected : .connecting
        case .superfluous: state = .superfluous
        case .failed(let error): state = .failed(error)
        }
        let channels = (welcome?.channels ?? []).map {
            PeerStatus.ChannelStatus(
                stream: $0.stream, lane: $0.lane, first: $0.first, next: $0.next)
        }
        return PeerStatus(
            endpoint: endpoint, state: state, name: welcome?.name, id: welcome?.instance.node,
            channels: channels)
    }
}

/// What a node is told when it starts, for those who need more than `withNode` takes by name.
public struct NodeConfiguration: Sendable {
    /// What people call it: up to 128 bytes of text. Names are labels; the identity is the node's
    /// id.
    public var name: String
    /// The service endpoint, where peers reach the node. Without one it publishes nothing.
    ///
    /// The data socket binds the next port, or the path with `.data` over ipc; with port 0 any.
    public var listening: Endpoint?
    /// Where the data socket binds, if not beside the service.
    public var data: Endpoint?
    /// The host that other nodes are told, where they cannot use the one that is bound: with
    /// `tcp://*:5550` the machine's own name, unless you say otherwise.
    public var advertisedHost: String?
    /// Nodes to read from, by their service endpoints. A host name stands for all its addresses,
    /// which are looked up again and again. The node's own endpoint may be among them.
    public var peers: [Endpoint] = []
    /// The folder of the node's journal, which is made if it is not there. A node with a journal
    /// keeps its identity, and may have durable streams. One process at a time uses it.
    public var journal: String?
    /// Whether producers elsewhere may submit events to the durable streams of the node, as
    /// `withProducer` does.
    public var acceptsProducers = true
    /// Whether others may ask the node how it stands, and tell it what is to be done about groups
    /// and dead letters, as `martletctl` does.
    public var acceptsCommands = true
    /// Streams that need other settings than `.live(name)`.
    public var streams: [StreamDefinition] = []
    /// How payloads are written and read.
    public var codecs = CodecSet.standard
    /// Longest wait for room when publishing.
    public var publishTimeout = Limits.publishTimeout
    /// Closing waits so long for readers to get what was published.
    public var drainTimeout = Limits.drainTimeout
    /// Host names are looked up so often.
    public var lookupInterval = Limits.lookupInterval
    /// Peers that do not answer hold a new subscription up for so long, if others do.
    public var peerPatience = Limits.peerPatience

    /// Peers that others have told of, or that were found by a name, are forgotten after so long
    /// without a session.
    public var learnedPeerPatience = Limits.learnedPeerPatience

    /// How long the node's thread goes on looking for news before it sleeps: up to 10 ms.
    ///
    /// While it looks, nothing must wake it, which saves a lone event ten microseconds or so; but a
    /// node that is rarely idle for so long keeps a processor busy. Best together with
    /// `Node.executor`.
    public var spinTime = Duration.zero

    /// Whether glibc keeps up to `Limits.freedBytes` of freed memory in each of its arenas instead
    /// of giving it back after every frame: a worker saves a sixth of its time.
    ///
    /// It begins with the first node of a process that is started so, and holds for the whole
    /// process. Where the environment sets `MALLOC_TRIM_THRESHOLD_`, `MALLOC_MMAP_THRESHOLD_` or
    /// tunables of malloc, those hold. Other C libraries are left alone.
    public var keepsFreedMemory = true

    /// A node of this name that reads from these peers.
    public init(
        name: String, listening: Endpoint? = nil, peers: [Endpoint] = [],
        streams: [StreamDefinition] = []
    ) {
        self.name = name
        self.listening = listening
        self.peers = peers
        self.streams = streams
    }

    func validate() throws(MartletError) {
        guard !name.isEmpty, name.utf8.count <= Limits.nodeNameBytesMax,
            !name.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F })
        else {
            throw MartletError(
                .invalidArgument,
                "A node's name has 1 to \(Limits.nodeNameBytesMax) bytes and no control characters."
            )
        }
        if let listening, listening.transport == .inproc {
            throw MartletError(
                .invalidEndpoint, "A node listens over tcp or ipc, not at \(listening).")
        }
        var names: Set<StreamName> = []
        for stream in streams where !names.insert(stream.name).inserted {
            throw MartletError(
                .invalidArgument, "The stream `\(stream.name)` is defined twice. Keep one.")
        }
        guard spinTime >= .zero, spinTime <= Limits.spinTimeMax else {
            throw MartletError(
                .invalidArgument,
                "A node's thread looks for news for 0 to 10 ms before it sleeps, not for "
                    + "\(spinTime).")
        }
        guard peers.count <= Limits.peersMax else {
            throw MartletError(
                .invalidArgument,
                "A node has \(Limits.peersMax) peers at most. Name a seed instead.")
        }
    }
}

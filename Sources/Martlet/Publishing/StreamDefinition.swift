/// How a node keeps and spreads the events of a stream.
public struct StreamDefinition: Sendable, Hashable {
    /// What happens when readers are slower than publishers.
    public enum LagPolicy: String, Sendable, Hashable, CaseIterable {
        /// Publishers go on. Readers fetch what they missed for as long as it is kept, and what is
        /// kept no more is reported to them.
        case `repair`
        /// Publishers wait for the slowest reader, for a second at most; after that it is left
        /// behind, and repairs.
        case wait
    }

    /// The first token of the topics of its events.
    public let name: StreamName
    /// How keys are spread over lanes.
    public let partitioning: Partitioning
    /// Bytes of frames that are kept for readers that missed them.
    public let ringBytes: Int
    /// A frame that has reached this size is sealed.
    public let frameBytes: Int
    /// What happens when readers lag.
    public let whenReadersLag: LagPolicy
    /// Whether its events are in the node's journal before anybody gets them.
    public let isDurable: Bool
    /// How long the journal keeps events of a durable stream.
    public let retention: Retention
    /// Whether each of its events goes to one of those who pull, and is kept nowhere.
    public let isPushed: Bool

    /// A stream that lives in memory: with the process goes what it keeps.
    ///
    /// - Parameters:
    ///   - name: the first token of its topics.
    ///   - partitions: lanes for events with a key, 1 to 1,024. One key keeps its order; with more
    ///     lanes, more readers can share the work later.
    ///   - ringBytes: what is kept for readers that missed something, 1 MiB or more.
    ///   - frameBytes: 1 KiB to 256 KiB. Larger frames are faster and less even.
    ///   - whenReadersLag: whether publishers go on or wait.
    public static func live(
        _ name: StreamName, partitions: Int = 16, ringBytes: Int = Limits.ringBytes,
        frameBytes: Int = Limits.frameBytes, whenReadersLag: LagPolicy = .repair
    ) throws(MartletError) -> StreamDefinition {
        try StreamDefinition(
            name, partitions, ringBytes, frameBytes, whenReadersLag, isDurable: false)
    }

    /// A stream that is kept in the node's journal: what was confirmed outlives the process and the
    /// power of its machine.
    ///
    /// - Parameters:
    ///   - name: the first token of its topics.
    ///   - partitions: lanes for events with a key, 1 to 1,024; they stay what they were when the
    ///     stream began.
    ///   - retention: how long the journal keeps events; for ever without it.
    ///   - ringBytes: what is kept in memory beside, so that readers that missed something need not
    ///     wait for the disk; 1 MiB or more.
    ///   - frameBytes: 1 KiB to 256 KiB. Larger frames are faster and less even.
    ///   - whenReadersLag: whether publishers go on or wait.
    public static func durable(
        _ name: StreamName, partitions: Int = 16, retention: Retention = .forever,
        ringBytes: Int = Limits.ringBytes, frameBytes: Int = Limits.frameBytes,
        whenReadersLag: LagPolicy = .repair
    ) throws(MartletError) -> StreamDefinition {
        try retention.check(name)
        return try StreamDefinition(
            name, partitions, ringBytes, frameBytes, whenReadersLag, isDurable: true, retention)
    }

    /// A stream whose events go to those who pull it, `WorkerPool.atMostOnce`, each to one of them:
    /// over plain PUSH and PULL, frame by frame in turn. The fastest way to spread work, and the
    /// simplest. Nobody can subscribe to it, nothing is numbered for readers, kept or sent again:
    /// with a worker or a connection goes what it had. While nobody pulls, publishers wait.
    ///
    /// - Parameters:
    ///   - name: the first token of its topics.
    ///   - frameBytes: 1 KiB to 256 KiB. Larger frames are faster, and spread less evenly.
    public static func pushed(
        _ name: StreamName, frameBytes: Int = Limits.frameBytes
    ) throws(MartletError) -> StreamDefinition {
        try StreamDefinition(
            name, 1, Limits.ringBytes, frameBytes, .repair, isDurable: false, isPushed: true)
    }

    private init(
        _ name: StreamName, _ partitions: Int, _ ringBytes: Int, _ frameBytes: Int,
        _ whenReadersLag: LagPolicy, isDurable: Bool, _ retention: Retention = .forever,
        isPushed: Bool = false
    ) throws(MartletError) {
        guard (1_024...Limits.frameBytesTargetMax).contains(frameBytes) else {
            throw MartletError(
                .invalidArgument,
                "Frames of the stream `\(name)` have 1 KiB to 256 KiB, not \(frameBytes) bytes.")
        }
        guard ringBytes >= 1_048_576 else {
            throw MartletError(
                .invalidArgument,
                "The ring of the stream `\(name)` has 1 MiB or more, not \(ringBytes) bytes.")
        }
        self.name = name
        partitioning = try Partitioning(partitions)
        self.ringBytes = ringBytes
        self.frameBytes = frameBytes
        self.whenReadersLag = whenReadersLag
        self.isDurable = isDurable
        self.retention = retention
        self.isPushed = isPushed
    }
}

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
        return StreamDefinition(
            name: name, partitioning: try Partitioning(partitions), ringBytes: ringBytes,
            frameBytes: frameBytes, whenReadersLag: whenReadersLag)
    }
}

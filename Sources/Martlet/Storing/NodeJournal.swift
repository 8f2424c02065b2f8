internal import MartletDelivery
internal import MartletJournal

/// The journal of a node, the thread that writes it and the one that reads it.
final class NodeJournal: Sendable {
    let storage: any Storage
    /// Where it is.
    let folder: String
    /// Who the node is, in this start.
    let instance: Instance
    let writer: StorageWriter
    let reader: StorageReader
    /// What was noticed when it was opened.
    let findings: [StorageFinding]
    /// The streams that are stored, also those that nobody has named in this start.
    let streams: [StreamDefinition]

    private init(
        _ storage: any Storage, in folder: String, _ instance: Instance,
        _ streams: [StreamDefinition],
        _ findings: [StorageFinding]
    ) {
        self.findings = findings
        self.folder = folder
        self.storage = storage
        self.streams = streams
        self.instance = instance
        writer = StorageWriter(storage, epoch: instance.epoch)
        reader = StorageReader(storage)
    }

    /// Opens the journal in a folder, and raises the epoch before anything is sent. A thread of its
    /// own waits for the disk.
    static func open(
        _ folder: String, _ streams: [StreamDefinition]
    ) async throws(MartletError) -> NodeJournal {
        try await BlockingCall.run { () throws(MartletError) in
            let storage = try Journal(at: folder)
            do throws(MartletError) {
                return try begin(storage, in: folder, streams, storage.findings)
            } catch {
                try? storage.close()
                throw error
            }
        }
    }

    /// Raises the epoch of a storage that is open.
    static func begin(
        _ storage: any Storage, in folder: String, _ streams: [StreamDefinition],
        _ findings: [StorageFinding]
    ) throws(MartletError) -> NodeJournal {
        let known = storage.partitions
        var changes = StorageChanges()
        for stream in streams {
            if let before = known[stream.name] { try check(stream, before) }
            if stream.isDurable { changes.streams[stream.name] = stream.partitioning.partitions }
        }
        var all = streams.filter(\.isDurable)
        for (name, partitions) in known.sorted(by: { $0.key.precedes($1.key) })
        where changes.streams[name] == nil {
            all.append(try .durable(name, partitions: partitions))
        }
        let start = storage.epoch?.start ?? 0
        guard start < .max else {
            throw MartletError(.resourceExhausted, "The journal has been opened too often.")
        }
        let epoch = Epoch(start: start + 1, random: .random(in: 0 ... .max))
        changes.epoch = epoch
        try storage.commit(changes)
        return NodeJournal(
            storage, in: folder, Instance(node: storage.node, epoch: epoch), all, findings)
    }

    /// Whether a stream may go on as it is defined now.
    private static func check(
        _ stream: StreamDefinition, _ before: Int
    ) throws(MartletError) {
        guard stream.isDurable else {
            throw MartletError(
                .invalidArgument,
                "The stream `\(stream.name)` is durable in the journal, and live in the "
                    + "configuration. Make it durable, or choose another name.")
        }
        guard stream.partitioning.partitions == before else {
            throw MartletError(
                .invalidArgument,
                "The stream `\(stream.name)` has \(before) partitions in the journal, and "
                    + "\(stream.partitioning.partitions) are asked for. Keys would change their "
                    + "lanes: keep \(before), or publish to a new stream.")
        }
    }

    /// Whether a cursor may be moved by hand.
    func check(cursor name: String) throws(MartletError) {
        guard !name.isEmpty, name.utf8.count <= Limits.cursorNameBytesMax else {
            throw MartletError(
                .invalidArgument,
                "The name of a cursor has 1 to \(Limits.cursorNameBytesMax) bytes.")
        }
        guard !writer.isTracked(name) else {
            throw MartletError(
                .wrongState, "A subscription goes by the cursor `\(name)`. End it first.")
        }
    }

    /// A subscription begins that goes by a cursor.
    func track(_ name: String) throws(MartletError) -> CursorTracker {
        try check(cursor: name)
        let tracker = CursorTracker(name, from: storage.cursors[name] ?? [], writer)
        // Another one may have come between.
        guard writer.add(tracker) else {
            throw MartletError(
                .wrongState, "A subscription goes by the cursor `\(name)`. End it first.")
        }
        return tracker
    }

    /// What is stored of a stream.
    func channels(of stream: StreamName) -> [StoredChannel] {
        storage.channels.filter { $0.channel.stream == stream }
    }

    /// Begins to write and to read for a core, if there is one.
    func start(_ core: PublishingCore?) throws(MartletError) {
        try reader.start(core)
        do throws(MartletError) { try writer.start(core) } catch {
            reader.close()
            throw error
        }
    }

    /// Closes a journal that was not started.
    func abandon() async {
        let storage = storage
        // Nothing was stored but the epoch.
        try? await BlockingCall.run { () throws(MartletError) in try storage.close() }
    }

    /// Stores what is there, and closes the journal.
    func close(within timeout: Duration) async {
        reader.close()
        await writer.close(within: timeout)
    }
}

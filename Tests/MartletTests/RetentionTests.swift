import MartletTestKit
import Testing

@testable import Martlet

/// What a journal keeps, and for whom.
@Suite struct RetentionTests {
    private static let epoch = Epoch(start: 1, random: 1)

    /// A storage with frames of ten events each in lane 1.
    private func storage(
        frames count: Int, cursors: [String: UInt64]
    ) throws -> (storage: MemoryStorage, channel: Channel, frameBytes: UInt64) {
        let storage = MemoryStorage()
        let channel = Channel(node: storage.node, stream: "orders", lane: 1)
        var series = FrameSeries(channel, Self.epoch)
        var changes = StorageChanges()
        changes.epoch = Self.epoch
        changes.streams = ["orders": 4]
        changes.frames = try (0..<count).map { _ in try series.frame(10) }
        changes.cursors = cursors.mapValues {
            [Position(channel: channel, epoch: Self.epoch, sequence: $0)]
        }
        try storage.commit(changes)
        return (storage, channel, UInt64(changes.frames[0].bytes.count))
    }

    /// Events go when the slowest of the cursors is past them, and not before.
    @Test(
        arguments: [
            (["ledger": 25], 1), (["ledger": 25, "audit": 7], 8),
            (["ledger": 50, "audit": 50], 51),
            (["ledger": 900, "audit": 900], 51), ([:], 1),
        ] as [([String: UInt64], UInt64)])
    func cursorsHoldEvents(cursors: [String: UInt64], first: UInt64) throws {
        let (storage, channel, _) = try storage(frames: 5, cursors: cursors)
        var keeper = RetentionKeeper(storage)
        let stream = try StreamDefinition.durable(
            "orders", retention: .handled(by: ["ledger", "audit"], atMost: 1 << 30))
        let firsts = keeper.firstsIfDue([stream])
        #expect(firsts?[channel] ?? 1 == first)
        #expect(keeper.overruns.isEmpty)
        let again = keeper.firstsIfDue([stream])
        #expect(firsts != nil && again == nil)
    }

    /// So do groups of workers, by the first of their events that is open.
    @Test func groupsHoldEvents() throws {
        let (storage, channel, _) = try storage(frames: 5, cursors: ["ledger": 45])
        var changes = StorageChanges()
        changes.groups = ["billing": StoredGroup(definition: Bytes(), starts: [:])]
        var ledger = StoredLedger(from: 38)
        changes.ledgers = [LedgerName("billing", channel): ledger]
        try storage.commit(changes)
        let stream = try StreamDefinition.durable(
            "orders", retention: .handled(by: ["ledger", "billing"], atMost: 1 << 30))
        var keeper = RetentionKeeper(storage)
        #expect(keeper.firstsIfDue([stream]) == [channel: 38])
        // One that was set aside is tried again.
        ledger.reopened = SequenceSet(12..<13)
        changes = StorageChanges()
        changes.ledgers = [LedgerName("billing", channel): ledger]
        try storage.commit(changes)
        keeper = RetentionKeeper(storage)
        #expect(keeper.firstsIfDue([stream]) == [channel: 12])
    }

    /// A cursor that stands still does not fill the disk, and what it has not handled is named.
    @Test func whatIsTooMuchGoesAndIsNamed() throws {
        let (storage, channel, frameBytes) = try storage(
            frames: 5, cursors: ["ledger": 7, "audit": 45])
        var keeper = RetentionKeeper(storage)
        let stream = try StreamDefinition.durable(
            "orders",
            retention: .handled(by: ["ledger", "audit"], atMost: 2 * frameBytes + frameBytes / 2))
        let firsts = keeper.firstsIfDue([stream])
        #expect(firsts == [channel: 31])
        #expect(
            keeper.overruns == [
                RetentionOverrun(cursor: "ledger", channel: channel, sequences: 8..<31)
            ])
    }

    @Test func cursorsAloneAreNoBound() {
        #expect(throws: MartletError.self) {
            try StreamDefinition.durable("orders", retention: Retention(handledBy: ["ledger"]))
        }
    }

    /// What the node's own reader is past goes at the next look.
    @Test func whatIsHandledGoes() async throws {
        try await within {
            try await withFolder { folder in
                for life in 0..<2 {
                    try await withNode(
                        named: "n", listening: "tcp://127.0.0.1:0", journal: folder,
                        streams: [
                            .durable(
                                "orders", retention: .handled(by: ["ledger"], atMost: 1 << 30))
                        ]
                    ) { node in
                        guard life == 0 else { return }
                        let orders = try node.publisher(of: OrderPlaced.self)
                        for id in 0..<9 { try await orders.publish(OrderPlaced(id: id)) }
                        try await node.subscribe(
                            to: OrderPlaced.self, from: .cursor("ledger")
                        ) { events in
                            // The last one is not handled.
                            for try await (order, _) in events where order.id == 6 { break }
                        }
                    }
                }
                try await withJournal(at: folder) { journal in
                    #expect(journal.channels.map(\.first) == [7])
                    #expect(journal.channels.map(\.next) == [10])
                }
            }
        }
    }
}

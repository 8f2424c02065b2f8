import MartletSockets
import Testing

@testable import Martlet

/// What the loop's thread stores itself.
@Suite(.timeLimit(.minutes(5))) struct ErrandTests {
    /// Runs a node on a storage of ours.
    private func withStore(
        _ body: (Node, StallingStorage, Endpoint) async throws -> Void
    ) async throws {
        let streams: [StreamDefinition] = [
            try .durable("orders", partitions: 1), try .live("metrics"),
        ]
        let configuration = NodeConfiguration(
            name: "store", listening: "tcp://127.0.0.1:0", streams: streams)
        let loop = try SocketLoop()
        let storage = StallingStorage(for: loop)
        let journal = try NodeJournal.begin(storage, in: "", streams, [])
        let node = try await Node.start(configuration, on: loop, journal)
        do { try await body(node, storage, try #require(node.endpoint)) } catch {
            storage.goOn()
            await node.close()
            throw error
        }
        await node.close()
    }

    /// Submits one event after another until the loop's thread has stored one.
    private func submitUntilTheLoopStores(
        _ storage: StallingStorage, _ producer: Producer
    ) async throws {
        let before = storage.commits.byLoop
        while storage.commits.byLoop == before {
            let receipt = try await producer.submit(OrderPlaced(id: 1))
            #expect(receipt.position?.sequence == receipt.number)
        }
    }

    /// Submits until the medium stalls under the loop's thread. The last submission waits.
    private func stallTheLoop(
        _ storage: StallingStorage, _ producer: Producer
    ) async throws -> Task<Void, any Error> {
        try await submitUntilTheLoopStores(storage, producer)
        storage.stallLoop()
        let submitting = Task {
            while storage.stalled.all.isEmpty {
                _ = try await producer.submit(OrderPlaced(id: 2))
            }
        }
        try await storage.stalled.wait(for: 1)
        return submitting
    }

    @Test func theLoopStoresWhatComesAlone() async throws {
        try await within {
            try await withStore { node, storage, address in
                try await withProducer(named: "web", at: address) { producer in
                    try await submitUntilTheLoopStores(storage, producer)
                }
                #expect(storage.commits.byWriter > 0)
            }
        }
    }

    @Test func aMediumThatStallsDoesNotHoldUpTheLoop() async throws {
        try await within {
            try await withStore { node, storage, address in
                try await withProducer(named: "web", at: address) { producer in
                    let submitting = try await stallTheLoop(storage, producer)
                    // The thread that stores is told of something all the time, as by those who
                    // publish in this process.
                    let telling = Task {
                        while !Task.isCancelled {
                            node.core?.journal?.writer.tell()
                            await Task.yield()
                        }
                    }
                    defer { telling.cancel() }
                    // Whoever comes now is served, while the loop's thread waits for the disk.
                    try await withNode(named: "reader", peers: [address]) { reader in
                        let metrics = try node.publisher(
                            of: EventDefinition(topic: "metrics.load", contentType: .text))
                        try await reader.subscribe(to: ["metrics.>"]) { events in
                            try await metrics.publish(Bytes(utf8: "1"))
                            for try await (event, _) in events {
                                #expect(event.payload == Bytes(utf8: "1"))
                                break
                            }
                        }
                    }
                    // The loop is not on its own thread.
                    #expect(node.loop.errand != nil)
                    storage.goOn()
                    try await submitting.value
                    // And back in its place.
                    try await submitUntilTheLoopStores(storage, producer)
                }
                #expect(node.loop.errand == nil)
            }
        }
    }

    @Test func aNodeMayBeClosedWhileTheMediumStalls() async throws {
        try await within {
            try await withStore { node, storage, address in
                try await withProducer(named: "web", at: address) { producer in
                    let submitting = try await stallTheLoop(storage, producer)
                    async let closing: Void = node.close()
                    storage.goOn()
                    await closing
                    // Whether its event was told to be stored, or the node was gone before that.
                    _ = await submitting.result
                }
                // What was taken in is stored.
                #expect(storage.channels.first?.next ?? 0 > 1)
            }
        }
    }
}

import MartletCore
import MartletSockets
import Synchronization
import Testing

@Suite struct MessageTests {
    @Test(arguments: [0, 1, 33, 34, 100, 2_048, 2_049, 100_000])
    func copiesAndGivesBack(count: Int) {
        let content = pattern(count)
        let message = content.withBytes { Message(copying: $0) }
        #expect(message.count == count)
        #expect(message.hasMore == false)
        #expect(message.array() == content.array())
        #expect(message.bytes() == content)
    }

    @Test func fillsInPlaceAndLeavesZerosBehind() {
        let whole = Message(count: 3) { span in
            for byte in [UInt8](1...3) { span.append(byte) }
        }
        #expect(whole.array() == [1, 2, 3])
        let partial = Message(count: 40) { span in span.append(9) }
        #expect(partial.array() == [9] + [UInt8](repeating: 0, count: 39))
    }

    @Test func aFailedFillLeavesNothing() {
        struct Refused: Error {}
        #expect(throws: Refused.self) {
            _ = try Message(count: 1_000) { _ throws(Refused) in throw Refused() }
        }
    }

    /// Bytes made from a received message outlive it and its socket.
    @Test(arguments: [10, 100, 5_000])
    func bytesOutliveTheSocket(count: Int) throws {
        var kept: [Bytes] = []
        do {
            let context = try Context()
            let left = try context.socket(Pair.self)
            let right = try context.socket(Pair.self)
            try left.bind(to: "inproc://outlive")
            try right.connect(to: "inproc://outlive")
            for seed in 0..<3 {
                try left.send(Multipart(pattern(count, seed: seed)))
                kept.append(try right.receive().bytes())
            }
        }
        #expect(kept == (0..<3).map { pattern(count, seed: $0) })
    }

    /// A shared message holds its bytes until libzmq has sent it, and no longer.
    @Test func sharesBytesWithoutACopyAndReleasesThem() throws {
        let isFreed = Flag()
        let context = try Context()
        let left = try context.socket(Pair.self)
        let right = try context.socket(Pair.self)
        try left.bind(to: "inproc://share")
        try right.connect(to: "inproc://share")
        do {
            let watched = WatchedMemory(count: 100_000, isFreed: isFreed)
            try left.send(Message(sharing: watched.bytes))
        }
        #expect(!isFreed.isSet)
        do {
            let received = try right.receive()
            #expect(received.count == 100_000)
            #expect(!isFreed.isSet)
        }
        #expect(eventually { isFreed.isSet })
    }

    @Test func knowsWhereItCameFrom() throws {
        let context = try Context()
        let sender = try context.socket(Push.self)
        let receiver = try context.socket(Pull.self)
        try receiver.beImpatientReceiving()
        let bound = try receiver.bind(to: "tcp://127.0.0.1:*")
        try sender.connect(to: bound)
        try sender.send(Multipart(Bytes([1])))
        let message = try receiver.receive()
        #expect(message.property("Peer-Address") == "127.0.0.1")
        #expect(message.property("Socket-Type") == "PUSH")
        #expect(message.property("No-Such") == nil)
    }
}

final class Flag: Sendable {
    private let state = Atomic<Bool>(false)
    var isSet: Bool { state.load(ordering: .sequentiallyConsistent) }
    func set() { state.store(true, ordering: .sequentiallyConsistent) }
}

/// Memory that tells when it goes.
private final class WatchedMemory {
    private let memory: UnsafeMutableRawBufferPointer
    private let isFreed: Flag

    init(count: Int, isFreed: Flag) {
        memory = .allocate(byteCount: count, alignment: 1)
        memory.initializeMemory(as: UInt8.self, repeating: 7)
        self.isFreed = isFreed
    }

    deinit {
        memory.deallocate()
        isFreed.set()
    }

    var bytes: Bytes { Bytes(unowned: UnsafeRawBufferPointer(memory), keptBy: self) }
}

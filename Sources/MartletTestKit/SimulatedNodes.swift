internal import MartletDelivery

/// The publisher of a simulated world: the machine, and what it seals.
struct SimulatedPublisher {
    private(set) var instance: Instance
    private let ringBytes: Int
    private let raisesEpoch: Bool
    private let waits: Bool
    private(set) var machine: FanoutPublisher
    /// The next sequence of each lane.
    private var next: [Int: UInt64] = [:]
    /// When the last message over PUB arrives at each reader: a connection keeps its order.
    var lastArrival: [Int: UInt64] = [:]
    /// Raised when the publisher goes: what is under way over older links never arrives.
    private(set) var link = 0

    /// Where it stores its events; nil if they are live.
    private(set) var journal: SimulatedJournal?

    init(
        _ node: NodeID, _ plan: FanoutWorld.Plan, _ generator: inout SimulationGenerator
    ) {
        let random = UInt32(truncatingIfNeeded: generator.next())
        instance = Instance(node: node, epoch: Epoch(start: 1, random: random))
        ringBytes = plan.flaw == .ringWithoutBound ? .max : FanoutWorld.ringBytes
        raisesEpoch = plan.flaw != .epochNotRaised
        waits = plan.waits
        if plan.isDurable { journal = SimulatedJournal(node, plan.flaw, &generator) }
        machine = FanoutPublisher(
            instance, named: "publisher", dataEndpoint: "sim://data",
            firstSession: generator.next(), fetchBytes: FanoutWorld.fetchBytes)
        begin()
    }

    /// Starts anew, with nothing but its identity and its journal.
    mutating func restart(_ generator: inout SimulationGenerator) throws(Violation) {
        let random = UInt32(truncatingIfNeeded: generator.next())
        let epoch = Epoch(start: instance.epoch.start + 1, random: random)
        if raisesEpoch { instance = Instance(node: instance.node, epoch: epoch) }
        next = [:]
        link += 1
        try journal?.restart(random)
        if let epoch = journal?.epoch { instance = Instance(node: instance.node, epoch: epoch) }
        machine = FanoutPublisher(
            instance, named: "publisher", dataEndpoint: "sim://data",
            firstSession: generator.next(), fetchBytes: FanoutWorld.fetchBytes)
        begin()
    }

    private mutating func begin() {
        let stored = journal?.channels
        machine.add(
            FanoutWorld.stream, stored: stored, ringBytes: ringBytes, waitingForReaders: waits,
            windowBytes: FanoutWorld.windowBytes)
        for channel in stored ?? [] { next[channel.channel.lane] = channel.next }
        if let epoch = journal?.epoch { instance = Instance(node: instance.node, epoch: epoch) }
    }

    /// A frame of so many events. It is to be published, or first to be stored.
    mutating func seal(
        lane: Int, count: Int, at now: MonotonicTime
    ) throws(MartletError) -> Frame {
        let first = next[lane] ?? 1
        let channel = Channel(node: instance.node, stream: FanoutWorld.stream, lane: lane)
        var builder = FrameBuilder(
            channel: channel, epoch: instance.epoch, nextSequence: first,
            isDurable: journal != nil)
        let kind = try EventDefinition(topic: "sim.events", contentType: .text)
        for offset in 0..<UInt64(count) {
            let payload = FanoutChecker.payload(
                lane, instance.epoch.rawValue, first + offset)
            _ = try builder.append(
                payload, with: TextCodec(), of: kind, at: .earliest, key: lane == 0 ? nil : "k")
        }
        next[lane] = first + UInt64(count)
        let frame = try Frame(builder.seal())
        let sealed = SealedFrame(
            lane: lane, sequences: frame.sequences, latest: .earliest, bytes: frame.bytes)
        if journal != nil { journal?.add(sealed) } else { machine.seal(sealed, of: 0, at: now) }
        return frame
    }

    mutating func receive(
        _ message: Multipart, from route: Bytes, at now: MonotonicTime
    ) -> [FanoutPublisher.Effect] { machine.receive(message, from: route, at: now) }

    /// What waits is stored; what is stored is to be published.
    mutating func commit(
        _ generator: inout SimulationGenerator, at now: MonotonicTime
    ) -> [CommitQueue.Stored] {
        let random = UInt32(truncatingIfNeeded: generator.next())
        let stored = journal?.commit(random) ?? []
        for some in stored {
            machine.raise(some.epoch)
            for entry in some.entries { machine.seal(entry.frame, of: 0, at: now) }
        }
        return stored
    }

    /// Whether the last commit failed.
    var isDoubtful: Bool { journal?.isDoubtful ?? false }

    /// Where its events are; nil if they are live.
    var storage: (any Storage)? { journal?.storage }

    /// What is stored of a lane.
    func payloads(of lane: Int, in storage: any Storage) -> [String] {
        let channel = Channel(node: instance.node, stream: FanoutWorld.stream, lane: lane)
        guard let read = try? storage.read(channel, from: 1, byteCountMax: .max),
            read.damaged == nil
        else { return [] }
        return read.frames.flatMap { stored in
            ((try? Frame(stored.bytes)) ?? nil)?.map { $0.payload.text } ?? []
        }
    }

    /// The process is killed, or the power goes.
    func die(_ generator: inout SimulationGenerator) { journal?.die(&generator) }

    /// The disk fails behind so many operations, or works again.
    func failDisk(after count: Int?) { journal?.failDisk(after: count) }

    /// The storage says what a reader has asked.
    mutating func answer(_ request: StoredRequest) -> [FanoutPublisher.Effect] {
        guard let storage, let question = request.question else { return [] }
        let answer: StoredAnswer
        do throws(MartletError) {
            switch question {
            case .events(let sequence, let byteCountMax):
                answer = .events(
                    try storage.read(
                        request.channel, from: sequence, byteCountMax: byteCountMax))
            case .time(let time):
                answer = .sequence(try storage.sequence(at: time, of: request.channel))
            }
        } catch { answer = .failed }
        return machine.answered(request, with: answer)
    }

    /// The first event of a lane that can be asked for.
    func firstKept(lane: Int) -> UInt64 { machine.firstKept(of: FanoutWorld.stream, lane: lane) }

    /// Whether readers are so far behind that it waits.
    mutating func isHeldUp(at now: MonotonicTime) -> Bool {
        machine.isHeldUp(0, at: now)
    }

    mutating func tick(at now: MonotonicTime) -> [FanoutPublisher.Effect] {
        machine.tick(at: now)
    }
}

/// A reader of a simulated world: the machine, its consumer and its sockets.
struct SimulatedReader {
    /// What the consumer gets, in its order.
    enum Item {
        case started(Channel, Epoch, next: UInt64)
        case frame(Frame, from: UInt64)
        case gap(Gap)
    }

    let number: Int
    var machine: PublisherPeer
    var queue: [Item] = []
    /// The service socket; raised for each fresh one.
    var link = 0
    var sessions = 0
    /// When the last message of the service socket arrives, there and here.
    var lastToPublisher: UInt64 = 0
    var lastToReader: UInt64 = 0
    /// Whether the SUB socket is connected.
    var isSubscribed = false
    /// What arrived while the reader was paused.
    var waiting: [FanoutWorld.Step] = []
    /// Whether it reads from the first event that is kept.
    private(set) var wantsAll = false
    private let node: NodeID
    private let isCheated: Bool
    private var starts: UInt32 = 0

    init(_ number: Int, _ plan: FanoutWorld.Plan, _ generator: inout SimulationGenerator) {
        self.number = number
        isCheated = plan.flaw == .firstMeansNow
        node = NodeID(high: generator.next(), low: generator.next())
        machine = SimulatedReader.machine(node, 1, .first)
        restart(number == 0 ? .first : .now)
    }

    private static func machine(
        _ node: NodeID, _ start: UInt32, _ from: FanoutReader.Start
    ) -> PublisherPeer {
        var peer = PublisherPeer(
            Instance(node: node, epoch: Epoch(start: start, random: 1)), named: "reader")
        let reader = FanoutReader(
            number: SimulatedReader.subscription, to: [FanoutWorld.stream], from: from,
            bufferBytes: FanoutWorld.bufferBytes, heldBytes: FanoutWorld.heldBytes)
        peer.add(reader, numbered: SimulatedReader.subscription)
        return peer
    }

    /// The number of the one subscription.
    static let subscription: UInt16 = 3

    /// Starts anew, and remembers nothing.
    mutating func restart(_ from: FanoutReader.Start) {
        starts += 1
        if case .first = from { wantsAll = true } else { wantsAll = false }
        let from = isCheated ? .now : from
        machine = SimulatedReader.machine(node, starts, from)
        queue = []
        waiting = []
        link += 1
        sessions = 0
        isSubscribed = false
    }
}

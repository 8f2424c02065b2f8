internal import MartletDelivery
internal import MartletJournal

/// A node of a simulated world that stores what producers submit.
struct SubmitNode {
    private let flaw: Flaw?
    private let id: NodeID
    var machine: FanoutPublisher
    private var journal: SimulatedJournal
    var table: ProducerTable
    /// The number of the next event of each lane.
    private var nexts: [Int: UInt64] = [:]
    /// The epoch in which events are numbered.
    private var epoch: Epoch
    /// Raised with each start: what is under way to the one before never arrives.
    private(set) var life = 0

    private static let lanes = 3

    init(_ flaw: Flaw?, _ generator: inout SimulationGenerator) {
        self.flaw = flaw
        id = NodeID(high: generator.next(), low: generator.next())
        journal = SimulatedJournal(id, flaw, &generator)
        epoch = journal.epoch
        table = ProducerTable([:])
        machine = FanoutPublisher(
            Instance(node: id, epoch: epoch), named: "node", dataEndpoint: "sim://data",
            firstSession: generator.next())
    }

    var isDoubtful: Bool { journal.isDoubtful }

    func die(_ generator: inout SimulationGenerator) { journal.die(&generator) }

    func failDisk(after count: Int?) { journal.failDisk(after: count) }

    mutating func restart(_ generator: inout SimulationGenerator) throws(Violation) {
        life += 1
        try journal.restart(UInt32(truncatingIfNeeded: generator.next()))
        epoch = journal.epoch
        nexts = [:]
        for stored in journal.channels { nexts[stored.channel.lane] = stored.next }
        table = ProducerTable(journal.storage.producers)
        machine = FanoutPublisher(
            Instance(node: id, epoch: epoch), named: "node", dataEndpoint: "sim://data",
            firstSession: generator.next())
    }

    /// Takes what has come, and commits it. What may be said then is returned.
    mutating func turn(
        _ generator: inout SimulationGenerator, isCrowded: Bool, at now: UInt64
    ) -> [ProducerAnswer] {
        let random = UInt32(truncatingIfNeeded: generator.next())
        if !journal.isDoubtful {
            let time = Timestamp(microseconds: Int64(now)) ?? .earliest
            var frames: [SealedFrame] = []
            var taken = 0
            let most = isCrowded ? generator.number(0...12) : .max
            let (id, epoch) = (id, epoch)
            var nexts = nexts
            table.admit(at: time) { (event) throws(MartletError) in
                guard taken < most else { return .full }
                taken += 1
                let lane = Int(event.sequence % UInt64(SubmitNode.lanes))
                let channel = Channel(node: id, stream: FanoutWorld.stream, lane: lane)
                let sequence = nexts[lane] ?? 1
                var builder = FrameBuilder(
                    channel: channel, epoch: epoch, nextSequence: sequence, isDurable: true)
                _ = try builder.append(
                    event.payload.text, with: TextCodec(), of: event.definition, at: time)
                frames.append(
                    SealedFrame(
                        lane: lane, sequences: sequence..<sequence + 1, latest: time,
                        bytes: builder.seal()))
                nexts[lane] = sequence + 1
                return .appended(channel, sequence)
            }
            self.nexts = nexts
            for frame in frames { journal.add(frame) }
            let changes = table.takeChanges()
            if flaw != .producersNotStored { journal.add(producers: changes) }
        }
        if flaw == .answersBeforeCommit {
            let answers = takeAnswers()
            _ = journal.commit(random)
            return answers
        }
        _ = journal.commit(random)
        return journal.isDoubtful ? [] : takeAnswers()
    }

    private mutating func takeAnswers() -> [ProducerAnswer] {
        let channels = journal.channels
        let epoch = epoch
        defer { table.forgetAnswers() }
        return table.answers { channel, sequence in
            channels.first { $0.channel == channel }?.epoch(of: sequence) ?? epoch
        }
    }

    // MARK: What is stored

    private func frames(of lane: Int) -> [Frame] {
        let channel = Channel(node: id, stream: FanoutWorld.stream, lane: lane)
        let read = try? journal.storage.read(channel, from: 1, byteCountMax: .max)
        return (read?.frames ?? []).compactMap { try? Frame($0.bytes) }
    }

    /// The payload of an event; nil where there is none.
    func payload(at position: Position) -> String? {
        let read = try? journal.storage.read(
            position.channel, from: position.sequence, byteCountMax: 1)
        let frame = read?.frames.first.flatMap { try? Frame($0.bytes) }
        guard let frame, frame.header.epoch == position.epoch else { return nil }
        return frame.event(numbered: position.sequence)?.payload.text
    }

    /// Which events of each producer are stored, lane by lane.
    func stored() -> [String: [SubmittedEvent]] {
        var found: [String: [SubmittedEvent]] = [:]
        for lane in 0..<SubmitNode.lanes {
            for event in frames(of: lane).joined() {
                guard let event = SubmittedEvent(event.payload.text) else { continue }
                found[event.name, default: []].append(event)
            }
        }
        return found
    }

    /// Where events of a producer are not in their order; nil if they are everywhere.
    func disorder() -> String? {
        for lane in 0..<SubmitNode.lanes {
            var last: [String: UInt64] = [:]
            for event in frames(of: lane).joined() {
                guard let event = SubmittedEvent(event.payload.text) else { continue }
                if let before = last[event.name], before >= event.number {
                    return "lane \(lane) has \(event) behind \(before)"
                }
                last[event.name] = event.number
            }
        }
        return nil
    }
}

/// A producer of a simulated world: one process.
struct SubmitProducer {
    let name: String
    /// Which of all processes.
    let process: Int
    /// Its events from the first to this one are confirmed.
    var confirmed: Range<UInt64> = 1..<1
    var machine: ProducerClient
    /// The socket; raised for each fresh one.
    var link = 0
    var lastToNode: UInt64 = 0
    var lastFromNode: UInt64 = 0
    var isDead = false
    /// Another process goes by its name, and it knows.
    var isReplaced = false
    /// What has come while it stood still.
    var waiting: [SubmitWorld.Step] = []
    private var epoch: Epoch?
    private var next: UInt64 = 1

    init(_ name: String, _ process: Int, _ generator: inout SimulationGenerator) {
        self.name = name
        self.process = process
        let instance = Instance(
            node: NodeID(high: generator.next(), low: generator.next()),
            epoch: Epoch(start: 1, random: 1))
        machine = ProducerClient(
            name, instance, random: UInt32(truncatingIfNeeded: generator.next()))
    }

    var isOpen: Bool { epoch != nil && !isReplaced }

    mutating func open(_ epoch: Epoch, next: UInt64) {
        self.epoch = epoch
        self.next = next
        confirmed = next..<next
    }

    /// The next events of its name.
    mutating func produce(_ count: Int, at now: MonotonicTime) -> [ProducerClient.Effect] {
        guard let epoch else { return [] }
        let numbers = next..<next + UInt64(count)
        next = numbers.upperBound
        let bytes = SubmitProducer.frame(numbers, epoch) { offset in
            SubmittedEvent(name: name, number: numbers.lowerBound + offset, process: process)
        }
        return machine.add(bytes, numbers, at: now)
    }

    static func frame(
        _ numbers: Range<UInt64>, _ epoch: Epoch, _ event: (UInt64) -> SubmittedEvent
    ) -> Bytes {
        var builder = FrameBuilder(
            channel: Channel(node: NodeID(high: 0, low: 0), stream: FanoutWorld.stream, lane: 0),
            epoch: epoch, nextSequence: numbers.lowerBound)
        do throws(MartletError) {
            let kind = try EventDefinition(topic: "sim.events", contentType: .text)
            for offset in 0..<UInt64(numbers.count) {
                _ = try builder.append(
                    event(offset).description, with: TextCodec(), of: kind, at: .earliest)
            }
        } catch { preconditionFailure("such events are allowed") }
        return builder.seal()
    }
}

/// An event of a producer, as its payload says it.
struct SubmittedEvent: Equatable, CustomStringConvertible {
    let name: String
    let number: UInt64
    let process: Int

    init(name: String, number: UInt64, process: Int) {
        self.name = name
        self.number = number
        self.process = process
    }

    init?(_ payload: String) {
        let parts = payload.split(separator: " ")
        guard parts.count == 3, let number = UInt64(parts[1]), let process = Int(parts[2]) else {
            return nil
        }
        self.init(name: String(parts[0]), number: number, process: process)
    }

    var description: String { "\(name) \(number) \(process)" }
}

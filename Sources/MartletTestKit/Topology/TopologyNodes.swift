internal import MartletDelivery

/// A publisher of a large simulated world, with its stream in memory.
struct TopologyPublisher {
    let number: Int
    private let instance: Instance
    private let partitions: Int
    var machine: FanoutPublisher
    var dispatcher: Dispatcher
    private var nexts: [UInt64]
    private var turn = 0

    init(
        _ number: Int, _ plan: TopologyWorld.Plan, _ generator: inout SimulationGenerator,
        at now: MonotonicTime
    ) {
        self.number = number
        partitions = plan.partitions
        nexts = [UInt64](repeating: 1, count: plan.partitions + 1)
        instance = Instance(
            node: NodeID(high: generator.next(), low: generator.next()),
            epoch: Epoch(start: 1, random: UInt32(number + 1)))
        machine = FanoutPublisher(
            instance, named: "publisher-\(number)", dataEndpoint: "sim://data",
            firstSession: generator.next())
        dispatcher = Dispatcher(instance, seed: generator.next(), at: now)
        machine.add(FanoutWorld.stream)
        dispatcher.add(
            FanoutWorld.stream, partitions: partitions, isDurable: false,
            ringBytes: Limits.ringBytes, in: machine, at: now)
        // Every lane has had an event.
        for lane in 1...partitions { publish(lane: lane, at: now) }
    }

    /// Appends an event to the next lane.
    mutating func publish(at now: MonotonicTime) {
        turn = turn % partitions + 1
        publish(lane: turn, at: now)
    }

    private mutating func publish(lane: Int, at now: MonotonicTime) {
        let channel = Channel(node: instance.node, stream: FanoutWorld.stream, lane: lane)
        let first = nexts[lane]
        var builder = FrameBuilder(
            channel: channel, epoch: instance.epoch, nextSequence: first, isDurable: false)
        let time = Timestamp(microseconds: Int64(now.microseconds)) ?? .earliest
        do throws(MartletError) {
            let kind = try EventDefinition(topic: "sim.events", contentType: .text)
            _ = try builder.append(
                "\(first)", with: TextCodec(), of: kind, at: time, key: "k\(lane)")
        } catch { preconditionFailure("such events are allowed") }
        nexts[lane] += 1
        let frame = SealedFrame(
            lane: lane, sequences: first..<first + 1, latest: time, bytes: builder.seal())
        machine.seal(frame, of: 0, at: now)
        dispatcher.sealed(frame, of: FanoutWorld.stream, in: machine, at: now)
    }

    /// Who has each lane, among the workers that are there, and how many these are.
    var owners: (lanes: [Channel: NodeID], workerCount: Int) {
        dispatcher.owners(ofGroup: TopologyWorld.group.name)
    }
}

/// A worker of a large simulated world, with a session at each publisher.
struct TopologyWorker {
    let instance: Instance
    var peers: [PublisherPeer]
    var worker: Worker
    var isGone = false
    var running = 0
    /// Messages of one connection keep their order.
    var lastTo: [UInt64]
    var lastFrom: [UInt64]

    static let width = 4

    init(
        _ number: Int, publishers: Int, _ definition: GroupDefinition,
        _ generator: inout SimulationGenerator, at now: MonotonicTime
    ) {
        let instance = Instance(
            node: NodeID(high: generator.next(), low: generator.next()),
            epoch: Epoch(start: 1, random: UInt32(number + 1)))
        self.instance = instance
        peers = (0..<publishers).map { _ in PublisherPeer(instance, named: "worker-\(number)") }
        lastTo = [UInt64](repeating: 0, count: publishers)
        lastFrom = lastTo
        guard let worker = try? Worker(definition, width: TopologyWorker.width, at: now) else {
            preconditionFailure("such a group is allowed")
        }
        self.worker = worker
    }
}

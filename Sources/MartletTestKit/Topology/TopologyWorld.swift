internal import MartletDelivery

/// Many publishers and very many workers of one group, in a simulated world without faults: how
/// many messages they send, how many lanes move, and how long it takes until all is calm.
///
/// The machines are those of real nodes; only the network, the clock and the handlers are made up.
public struct TopologyWorld {
    /// How large it is.
    public struct Plan: Sendable, Hashable {
        /// Nodes that publish, each a stream of its own node.
        public var publishers: Int
        /// Workers of the group, each with a session at every publisher.
        public var workers: Int
        /// Lanes of every publisher's stream.
        public var partitions: Int
        /// Events of each publisher a second, where it is busy.
        public var eventsPerSecond: Int
        /// What it is drawn from.
        public var seed: UInt64

        /// A world of this size.
        public init(
            publishers: Int, workers: Int, partitions: Int = 128, eventsPerSecond: Int = 200,
            seed: UInt64 = 1
        ) {
            self.publishers = publishers
            self.workers = workers
            self.partitions = partitions
            self.eventsPerSecond = eventsPerSecond
            self.seed = seed
        }
    }

    /// What a change of the members came to.
    public struct Change: Sendable, Hashable {
        /// Lanes that have another worker, at all publishers together.
        public internal(set) var moves = 0
        /// Messages beyond those that are always sent.
        public internal(set) var messages = 0
        /// Until the last lane had its worker, in milliseconds, at the longest.
        public internal(set) var milliseconds = 0
    }

    /// What a run came to.
    public struct Report: Sendable, Hashable {
        /// All workers come within a second: the messages are all that were sent.
        public internal(set) var start = Change()
        /// Messages a second while nothing happens.
        public internal(set) var idleMessages = 0
        /// Messages for each event, beyond the idle ones.
        public internal(set) var messagesPerEvent = 0.0
        /// One more worker comes.
        public internal(set) var join = Change()
        /// One dies without a word.
        public internal(set) var death = Change()
        /// One leaves in order.
        public internal(set) var leave = Change()
    }

    enum Step {
        case workerTick(Int)
        case publisherTick(Int)
        case connect(Int, Int)
        case toWorker(Int, Int, Multipart)
        case toPublisher(Int, Int, Multipart)
        case handled(Int, HeldEvents)
        case publish(Int)
    }

    let plan: Plan
    var generator: SimulationGenerator
    var schedule = Schedule<Step>()
    var now: UInt64 = 1_000_000
    var publishers: [TopologyPublisher] = []
    var workers: [TopologyWorker] = []
    var messages = 0
    var published = 0
    var isBusy = false

    /// How far apart nodes look at the time. Real ones do every 50 ms.
    static let tick: UInt64 = 100_000
    static let handling: UInt64 = 1_000

    /// A world before its first step.
    public init(_ plan: Plan) {
        self.plan = plan
        generator = SimulationGenerator(seed: plan.seed)
        for number in 0..<plan.publishers {
            publishers.append(TopologyPublisher(number, plan, &generator, at: clock))
            schedule.plan(
                .publisherTick(number), at: now + generator.milliseconds(0...100))
        }
    }

    var clock: MonotonicTime { MonotonicTime(microseconds: now) }

    /// Runs the world to its end.
    public mutating func run() -> Report {
        var report = Report()
        for number in 0..<plan.workers { add(at: now + generator.milliseconds(0...1_000), number) }
        report.start = settle()
        report.start.messages = messages
        let idle = count(for: 5_000_000)
        report.idleMessages = idle / 5
        isBusy = true
        for number in publishers.indices { schedule.plan(.publish(number), at: now) }
        let busy = count(for: 5_000_000)
        isBusy = false
        report.messagesPerEvent = Double(busy - idle) / Double(max(published, 1))
        pass(2_000_000)

        report.join = average(report.idleMessages) { world, _ in
            world.add(at: world.now, world.workers.count)
        }
        report.death = average(report.idleMessages) { world, turn in
            world.workers[turn].isGone = true
        }
        report.leave = average(report.idleMessages) { world, turn in
            world.workers[TopologyWorld.changes + turn].worker.drain()
        }
        return report
    }

    /// So many workers come, die and leave, one after the other: one alone may be no example.
    static let changes = 4

    private mutating func average(
        _ idle: Int, _ body: (inout TopologyWorld, _ turn: Int) -> Void
    ) -> Change {
        var sum = Change()
        for turn in 0..<TopologyWorld.changes {
            let before = (owners: owners, messages: messages)
            body(&self, turn)
            let change = change(from: before, idle)
            sum.moves += change.moves
            sum.messages += change.messages
            sum.milliseconds = max(sum.milliseconds, change.milliseconds)
        }
        sum.moves /= TopologyWorld.changes
        sum.messages /= TopologyWorld.changes
        return sum
    }

    private typealias Owners = [(lanes: [Channel: NodeID], workerCount: Int)]

    /// What has changed when all is calm again.
    private mutating func change(
        from before: (owners: Owners, messages: Int), _ idle: Int
    ) -> Change {
        let began = now
        var change = settle()
        for (old, new) in zip(before.owners, owners) {
            change.moves += new.lanes.count { old.lanes[$0.key] != $0.value }
        }
        // Beats of those that are there now.
        let share = Double(workers.count { !$0.isGone }) / Double(plan.workers)
        let expected = Int(Double(now - began) / 1e6 * Double(idle) * share)
        change.messages = max(0, messages - before.messages - expected)
        return change
    }

    /// Lets time pass until every lane of every publisher has a worker that is there, and none has
    /// moved for a while. The time is that of the last move.
    private mutating func settle() -> Change {
        var change = Change()
        let began = now
        var last = owners
        var moved = now
        // A lease, and what it takes to notice, come before the last lane of a dead worker moves.
        while now < began + 120_000_000 {
            pass(100_000)
            let present = owners
            let isSame = zip(present, last).allSatisfy { $0.lanes == $1.lanes }
            if !isSame { moved = now }
            last = present
            if isServed(present), now > moved + 2_000_000 { break }
        }
        change.milliseconds = Int(moved - began) / 1_000
        return change
    }

    private func isServed(_ owners: Owners) -> Bool {
        let gone = Set(workers.filter(\.isGone).map(\.instance.node))
        let workerCount = workers.count - gone.count
        return owners.allSatisfy { present in
            present.lanes.count >= plan.partitions && present.workerCount == workerCount
                && (gone.isEmpty || !present.lanes.values.contains { gone.contains($0) })
        }
    }

    /// Who has which lane, at each publisher.
    private var owners: Owners { publishers.map(\.owners) }

    /// Messages in a time.
    private mutating func count(for time: UInt64) -> Int {
        let before = messages
        pass(time)
        return messages - before
    }

    private mutating func pass(_ time: UInt64) {
        let end = now + time
        while let next = schedule.next() {
            now = max(now, next.time)
            advance(next.step)
            if now >= end { break }
        }
    }
}

internal import MartletDelivery

/// Groups of workers that share the events of a publisher, in a simulated world: messages are lost
/// and late, workers die, stop, go on, come and leave, handlers fail and take their time, and the
/// publisher dies and its disk fails. All of it follows from a seed.
///
/// Every event must end once in each group, each key in its order, and what may have been handled
/// before must say so.
public struct WorkWorld {
    /// What a run came to.
    public struct Outcome: Sendable, Hashable {
        /// Steps that were made.
        public var steps = 0
        /// Events that were published.
        public var published = 0
        /// Handlers that began.
        public var begun = 0
        /// Events that were set aside.
        public var dead = 0
        /// How much time has passed in the world.
        public var simulated = Duration.zero
        /// Rare things that happened.
        public var sometimes: [String: Int] = [:]
        /// Stands for all that happened, in its order.
        public var trace: UInt64 = 0
        /// The promise that was broken, if one was.
        public var violation: Violation?

        /// Nothing yet.
        public init() {}

        /// Adds up what another run came to. Traces and violations stay each run's own.
        public mutating func add(_ other: Outcome) {
            steps += other.steps
            simulated += other.simulated
            published += other.published
            begun += other.begun
            dead += other.dead
            sometimes.merge(other.sometimes, uniquingKeysWith: +)
        }
    }

    enum Step {
        case publish
        case connect(Int)
        case workerTick(Int)
        case handlerEnd(Int, handler: Int)
        case toWorker(Int, link: Int, Multipart)
        case toNode(Int, link: Int, life: Int, Multipart)
        case read(life: Int, WorkRead)
        case nodeTick
        case commit
        case fault
        case heal(Wound)
        /// Somebody lets a group try again what it has set aside.
        case retry
        /// What is set aside of these keys is on disk by now.
        case reopen(DeadEvent, Set<HeldKey>, life: Int)
    }

    enum Wound: Hashable {
        case toNodeCut(Int)
        case toWorkerCut(Int)
        case paused(Int)
        case nodePaused
        case nodeDown
        case diskFails
        /// All handlers fail.
        case outage
    }

    /// What happens in a world.
    public enum Pace: Sendable {
        /// Much at once, and workers that die all the time.
        case hasty
        /// Silences longer than leases, and handlers that go on meanwhile; workers come and
        /// go, and hardly any dies.
        case slow
    }

    let flaw: Flaw?
    let pace: Pace
    let isDurable: Bool
    private let stepsMax: Int
    var generator: SimulationGenerator
    var schedule = Schedule<Step>()
    var now: UInt64 = 1_000_000
    var wounds: Set<Wound> = []
    var outcome = Outcome()
    var node: WorkNode
    var processes: [WorkProcess] = []
    var checker = WorkChecker()
    let groups: [GroupDefinition]
    var isHealing = false
    /// Nothing is wrong with any event.
    var isCured = false
    var lastHandler = 0
    /// What came to the node while it stood still.
    var nodeWaiting: [Step] = []

    /// A world before its first step. Every second seed has a journal.
    public init(seed: UInt64, steps: Int = 1_500, flaw: Flaw? = nil, pace: Pace = .hasty) {
        self.flaw = flaw
        self.pace = pace
        stepsMax = pace == .slow ? steps * WorkWorld.slowness : steps
        isDurable = seed.isMultiple(of: 2)
        var generator = SimulationGenerator(seed: seed ^ 0x770_12CE)
        node = WorkNode(
            isDurable: isDurable, flaw, &generator, at: MonotonicTime(microseconds: now))
        self.generator = generator
        groups = WorkWorld.definitions
    }

    private static var definitions: [GroupDefinition] {
        do throws(MartletError) {
            let backOff = try BackOff(from: .milliseconds(100), upTo: .milliseconds(800))
            return [
                try GroupDefinition(
                    named: "keyed", patterns: ["sim.>"], attempts: 4, backOff: backOff),
                try GroupDefinition(
                    named: "parking", patterns: ["sim.>"], attempts: 2, backOff: backOff,
                    lastResort: .park),
                try GroupDefinition(
                    named: "loose", patterns: ["sim.events"], isKeyed: false, attempts: 3,
                    backOff: backOff),
            ]
        } catch { preconditionFailure("such groups are allowed") }
    }

    /// A slow world makes so many times the steps, most of which are ticks.
    private static let slowness = 8

    var clock: MonotonicTime { MonotonicTime(microseconds: now) }

    /// Runs the world to its end.
    public mutating func run() -> Outcome {
        for number in 0..<6 { start(groups[number % groups.count]) }
        schedule.plan(.nodeTick, at: now)
        schedule.plan(.commit, at: now)
        schedule.plan(.publish, at: now)
        schedule.plan(.fault, at: now + generator.milliseconds(50...500))
        schedule.plan(.retry, at: now + generator.milliseconds(50...600))
        do throws(Violation) {
            while outcome.steps < stepsMax { try advance() }
            try heal()
        } catch { outcome.violation = error }
        outcome.simulated = .microseconds(now - 1_000_000)
        return outcome
    }

    /// Ends all wounds, and gives the world time: then every event must have ended.
    private mutating func heal() throws(Violation) {
        isHealing = true
        for wound in wounds.sorted(by: { "\($0)" < "\($1)" }) { try heal(wound) }
        // Somebody works for each group.
        for group in groups { start(group) }
        // An event that kills its workers takes a lease for each attempt.
        let latest = now + 400_000_000
        while now < latest, !isDone { try pass(5_000_000) }
        try pass(20_000_000)
        for group in groups {
            try checker.checkEnd(of: group.name) { node.ledger(group.name, $0) }
        }
        try checker.checkWatches()
        try checker.checkBystanders()
        try cure()
        try checkDrained()
    }

    private mutating func pass(_ time: UInt64) throws(Violation) {
        let end = now + time
        while now < end { try advance() }
    }

    /// Whether nothing is left to do.
    private var isDone: Bool {
        node.dispatcher.status.count == groups.count
            && node.dispatcher.status.allSatisfy { $0.lanes.allSatisfy { $0.lag == 0 } }
    }

    /// What made events fail is mended, and they are tried again: each is handled then.
    private mutating func cure() throws(Violation) {
        isCured = true
        let latest = now + 400_000_000
        while now < latest, !isDone || !node.letters.open.isEmpty || node.letters.isStoring {
            try pass(2_000_000)
        }
        for group in groups {
            try checker.checkCured(group.name) { node.ledger(group.name, $0) }
        }
    }

    /// Whoever has left had nothing.
    private func checkDrained() throws(Violation) {
        for process in processes where process.isDraining && !process.isDead {
            guard process.hasLeft else {
                throw Violation(
                    invariant: "I17",
                    description: "process \(process.number) drains, and never leaves: it has "
                        + "\(process.worker.unfinishedCount) events")
            }
        }
    }

    private mutating func advance() throws(Violation) {
        guard let (time, step) = schedule.next() else { return }
        now = max(now, time)
        outcome.steps += 1
        switch step {
        case .publish: try publish()
        case .connect(let number): try connect(number)
        case .workerTick(let number): try tick(number)
        case .handlerEnd(let number, let handler): try endHandler(handler, of: number)
        case .toWorker(let number, let link, let message): try arrive(message, at: number, link)
        case .toNode(let number, let link, let life, let message):
            try arrive(message, from: number, link, life)
        case .read(let life, let read): try answer(read, life)
        case .nodeTick: try tickNode()
        case .commit: try commit()
        case .fault: try fault()
        case .heal(let wound): try heal(wound)
        case .retry: try retry()
        case .reopen(let letter, let held, let life): try reopen(letter, held, life)
        }
    }

    private mutating func publish() throws(Violation) {
        guard !isHealing else { return }
        let pause = pace == .slow ? 50...800 : 5...80
        schedule.plan(.publish, at: now + generator.milliseconds(pause))
        guard !wounds.contains(.nodeDown), !wounds.contains(.nodePaused), !node.isDoubtful else {
            return
        }
        // Events of one lane only, as a frame has them.
        let key = generator.chance(oneIn: 5) ? nil : "k\(generator.number(0...5))"
        let events = (0..<generator.number(1...6)).map { _ in
            outcome.published += 1
            return WorkedEvent(
                number: outcome.published, key: key,
                isPoison: pace == .hasty && generator.chance(oneIn: 150),
                isBad: generator.chance(oneIn: 60))
        }
        let known = groups.map(\.name).filter { node.dispatcher.knows($0) }
        for event in node.publish(events, watchedBy: known, at: now) {
            checker.published(event, watchedBy: known)
        }
        try carryOutWork()
    }

    // MARK: Faults

    private mutating func fault() throws(Violation) {
        guard !isHealing else { return }
        let pause = pace == .slow ? 300...3_000 : 50...1_500
        schedule.plan(.fault, at: now + generator.milliseconds(pause))
        let living = processes.indices.filter { !processes[$0].isGone }
        guard !living.isEmpty else {
            return start(groups[generator.number(0...groups.count - 1)])
        }
        let number = living[generator.number(0...living.count - 1)]
        let wound: Wound
        // Of the last two, which are deaths, a slow world has one.
        switch generator.number(0...(pace == .slow ? 14 : 15)) {
        case 0, 1: wound = .toNodeCut(number)
        case 2, 3: wound = .toWorkerCut(number)
        case 4, 5, 6: wound = .paused(number)
        case 7:
            guard isDurable else { return }
            wound = .nodeDown
        case 8: wound = .nodePaused
        case 9:
            guard isDurable else { return }
            wound = .diskFails
        case 10: wound = .outage
        case 11: return drain(number)
        case 12, 13:
            guard processes.count < 24 else { return }
            return start(groups[generator.number(0...groups.count - 1)])
        default: return kill(number)
        }
        guard wounds.insert(wound).inserted else { return }
        note("wound \(wound)")
        sometimes("wound: \("\(wound)".prefix { $0 != "(" })")
        let isLong = generator.chance(oneIn: 4) || pace == .slow
        let time = isLong ? 2_000...14_000 : 20...1_500
        schedule.plan(.heal(wound), at: now + generator.milliseconds(time))
        switch wound {
        case .nodeDown:
            checker.note(ledgers)
            checker.forgetWatches()
            node.die(&generator)
        case .diskFails: node.failDisk(after: generator.number(0...8))
        default: break
        }
    }

    private mutating func heal(_ wound: Wound) throws(Violation) {
        guard wounds.remove(wound) != nil else { return }
        note("heal \(wound)")
        switch wound {
        case .nodeDown:
            try node.restart(&generator, at: clock)
            checker.restarted(node.storedLedgers)
            node.restore(at: clock)
            for lane in 0...WorkNode.partitions {
                checker.forget(lane: lane, from: node.end(of: lane))
            }
        case .diskFails: node.failDisk(after: nil)
        case .paused(let number):
            for step in processes[number].waiting { schedule.plan(step, at: now) }
            processes[number].waiting = []
        case .nodePaused:
            for step in nodeWaiting { schedule.plan(step, at: now) }
            nodeWaiting = []
        case .toNodeCut, .toWorkerCut, .outage: break
        }
    }

    /// The ledgers as the dispatcher has them.
    var ledgers: [(group: String, lane: Int, ledger: StoredLedger)] {
        node.dispatcher.status.flatMap { group in
            group.lanes.map { (group.definition.name, $0.channel.lane, $0.ledger) }
        }
    }

    /// Notes that something happened, for the trace.
    mutating func note(_ what: String) {
        for byte in what.utf8 {
            outcome.trace = (outcome.trace ^ UInt64(byte)) &* 0x100_0000_01B3
        }
        outcome.trace = (outcome.trace ^ now) &* 0x100_0000_01B3
    }

    /// Notes that a rare state was reached.
    mutating func sometimes(_ what: String) { outcome.sometimes[what, default: 0] += 1 }
}

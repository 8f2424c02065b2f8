internal import MartletDelivery

/// Producers that come and go, and a node that stores their events, in a simulated world: messages
/// are lost and late, processes die, stop and go on, and the disk forgets and fails. All of it
/// follows from a seed.
///
/// Each event of a producer must be stored once, in its order, and what was confirmed must stay.
public struct SubmitWorld {
    /// What a run came to.
    public struct Outcome: Sendable, Hashable {
        /// Steps that were made.
        public var steps = 0
        /// Events that were handed to producers.
        public var submitted = 0
        /// Events that are stored.
        public var stored = 0
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
            submitted += other.submitted
            stored += other.stored
            sometimes.merge(other.sometimes, uniquingKeysWith: +)
        }
    }

    enum Step {
        case produce(Int)
        case connect(Int)
        case producerTick(Int)
        case toProducer(Int, link: Int, Multipart)
        case toNode(Int, link: Int, life: Int, Multipart)
        case nodeTick
        case commit
        case fault
        case heal(Wound)
    }

    enum Wound: Hashable {
        case toNodeCut(Int)
        case toProducerCut(Int)
        case paused(Int)
        case nodeDown
        case diskFails
    }

    static let names = ["billing", "import"]
    /// Events that a producer has on their way.
    static let windowEvents = 30

    let flaw: Flaw?
    private let stepsMax: Int
    var generator: SimulationGenerator
    var schedule = Schedule<Step>()
    var now: UInt64 = 1_000_000
    var wounds: Set<Wound> = []
    var outcome = Outcome()
    var node: SubmitNode
    /// All processes that there have been.
    var producers: [SubmitProducer] = []
    /// Of each name: all events before this one were confirmed.
    var confirmed: [String: UInt64] = [:]
    var isHealing = false

    /// A world before its first step.
    public init(seed: UInt64, steps: Int = 1_500, flaw: Flaw? = nil) {
        self.flaw = flaw
        stepsMax = steps
        var generator = SimulationGenerator(seed: seed ^ 0x5B_317)
        node = SubmitNode(flaw, &generator)
        self.generator = generator
    }

    var clock: MonotonicTime { MonotonicTime(microseconds: now) }

    /// Runs the world to its end.
    public mutating func run() -> Outcome {
        for name in SubmitWorld.names { start(name) }
        schedule.plan(.nodeTick, at: now)
        schedule.plan(.commit, at: now)
        schedule.plan(.fault, at: now + generator.milliseconds(50...500))
        do throws(Violation) {
            while outcome.steps < stepsMax { try advance() }
            try heal()
        } catch { outcome.violation = error }
        outcome.simulated = .microseconds(now - 1_000_000)
        return outcome
    }

    /// Ends all wounds, and gives the world time: then everything must be stored.
    private mutating func heal() throws(Violation) {
        isHealing = true
        for wound in wounds.sorted(by: { "\($0)" < "\($1)" }) { try heal(wound) }
        let end = now + 30_000_000
        while now < end { try advance() }
        for producer in producers where !producer.isDead && !producer.isReplaced {
            guard producer.isOpen, producer.machine.pendingCount == 0 else {
                throw Violation(
                    invariant: "I22",
                    description: "`\(producer.name)` has \(producer.machine.pendingCount) events "
                        + "that were never confirmed")
            }
        }
        try checkStored()
        outcome.stored = Int(confirmed.values.reduce(0) { $0 + $1 - 1 })
    }

    private mutating func advance() throws(Violation) {
        guard let (time, step) = schedule.next() else { return }
        now = max(now, time)
        outcome.steps += 1
        switch step {
        case .produce(let number): try produce(number)
        case .connect(let number): try connect(number)
        case .producerTick(let number): try tick(number)
        case .toProducer(let number, let link, let message): try arrive(message, at: number, link)
        case .toNode(let number, let link, let life, let message):
            arrive(message, from: number, link, life)
        case .nodeTick:
            schedule.plan(.nodeTick, at: now + 100_000)
            if !wounds.contains(.nodeDown) { carryOut(node.machine.tick(at: clock)) }
        case .commit: commit()
        case .fault: fault()
        case .heal(let wound): try heal(wound)
        }
    }

    // MARK: Faults

    private mutating func fault() {
        guard !isHealing else { return }
        schedule.plan(.fault, at: now + generator.milliseconds(50...1_200))
        let living = producers.indices.filter { !producers[$0].isDead }
        let number = living[generator.number(0...living.count - 1)]
        let wound: Wound
        switch generator.number(0...11) {
        case 0, 1: wound = .toNodeCut(number)
        case 2, 3: wound = .toProducerCut(number)
        case 4, 5: wound = .nodeDown
        case 6: wound = .diskFails
        case 7:
            // The process stops; another one goes on in its place, until it comes back.
            wound = .paused(number)
            if !producers[number].isReplaced, generator.chance(oneIn: 2) {
                sometimes("a producer was replaced while it stood still")
                start(producers[number].name)
            }
        default: return kill(number)
        }
        guard wounds.insert(wound).inserted else { return }
        note("wound \(wound)")
        sometimes("wound: \("\(wound)".prefix { $0 != "(" })")
        let time = generator.chance(oneIn: 4) ? 2_000...6_000 : 20...1_500
        schedule.plan(.heal(wound), at: now + generator.milliseconds(time))
        if wound == .nodeDown { node.die(&generator) }
        if wound == .diskFails { node.failDisk(after: generator.number(0...8)) }
    }

    /// A process dies, and another of the same name begins.
    private mutating func kill(_ number: Int) {
        guard !wounds.contains(.paused(number)), !producers[number].isReplaced else { return }
        note("kill \(number)")
        sometimes("a producer died")
        producers[number].isDead = true
        start(producers[number].name)
    }

    private mutating func heal(_ wound: Wound) throws(Violation) {
        guard wounds.remove(wound) != nil else { return }
        note("heal \(wound)")
        switch wound {
        case .nodeDown:
            try node.restart(&generator)
            try checkStored()
        case .diskFails: node.failDisk(after: nil)
        case .paused(let number):
            for step in producers[number].waiting { schedule.plan(step, at: now) }
            producers[number].waiting = []
        case .toNodeCut, .toProducerCut: break
        }
    }

    // MARK: Promises

    /// Each event of a producer is stored once, in its order, and those that were confirmed are.
    private func checkStored() throws(Violation) {
        let found = node.stored()
        for name in SubmitWorld.names {
            let events = found[name] ?? []
            let numbers = events.map(\.number)
            guard numbers.sorted() == (0..<UInt64(numbers.count)).map({ $0 + 1 }) else {
                throw Violation(
                    invariant: "I15",
                    description: "events of `\(name)` are stored twice, or not at all: "
                        + "\(numbers.sorted().suffix(20))")
            }
            let confirmed = confirmed[name] ?? 1
            guard UInt64(numbers.count) + 1 >= confirmed else {
                throw Violation(
                    invariant: "I1",
                    description: "\(confirmed - 1) events of `\(name)` were confirmed, and "
                        + "\(numbers.count) are stored")
            }
        }
        try checkOwn(found)
        guard let disorder = node.disorder() else { return }
        throw Violation(invariant: "I12", description: disorder)
    }

    /// What a process was told to be stored are its own events, not those of another of its name.
    private func checkOwn(_ found: [String: [SubmittedEvent]]) throws(Violation) {
        let owners = found.mapValues { events in
            Dictionary(events.map { ($0.number, $0.process) }, uniquingKeysWith: { $1 })
        }
        for producer in producers {
            for number in producer.confirmed
            where owners[producer.name]?[number] != producer.process {
                throw Violation(
                    invariant: "I15",
                    description: "event \(number) of `\(producer.name)` was confirmed to process "
                        + "\(producer.process), and is another's")
            }
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

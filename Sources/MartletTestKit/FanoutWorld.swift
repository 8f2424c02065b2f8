internal import MartletDelivery

/// A publisher and its readers in a simulated world: a clock that jumps, links that lose, repeat,
/// delay and are cut, nodes that pause, crash and come back. All of it follows from a seed.
///
/// The state machines are the real ones, and so are the bytes between them.
public struct FanoutWorld {
    /// What kind of run it is.
    public struct Plan: Sendable {
        /// What everything follows from.
        public var seed: UInt64
        /// How many steps are made under faults before the world heals.
        public var steps = 2_000
        /// How many readers there are.
        public var readers = 3
        /// How many lanes the stream has, lane 0 included.
        public var lanes = 3
        /// Whether the publisher waits for its readers; every third seed does.
        public var waits: Bool
        /// Whether the publisher has a journal, on a disk that fails; two of five seeds have.
        public var isDurable: Bool
        /// A bug to be found.
        public var flaw: Flaw?

        /// A run of this seed.
        public init(seed: UInt64) {
            self.seed = seed
            waits = seed.isMultiple(of: 3)
            isDurable = seed % 5 > 2
        }
    }

    /// What a run came to.
    public struct Outcome: Sendable, Hashable {
        /// Steps that were made.
        public var steps = 0
        /// Events that were published.
        public var attempted = 0
        /// Events that consumers got; each reader counts.
        public var delivered = 0
        /// Gaps that were reported.
        public var gaps = 0
        /// How many events the gaps named.
        public var reportedLost = 0
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
            attempted += other.attempted
            delivered += other.delivered
            gaps += other.gaps
            reportedLost += other.reportedLost
            sometimes.merge(other.sometimes, uniquingKeysWith: +)
        }
    }

    enum Step {
        case publish
        case commit
        case stored(link: Int, StoredRequest)
        case publisherTick
        case readerTick(Int)
        case published(reader: Int, link: Int, Bytes)
        case toPublisher(reader: Int, link: Int, Multipart)
        case toReader(reader: Int, link: Int, Multipart)
        case consume(Int)
        case connect(Int)
        case fault
        case heal(Wound)
    }

    /// Something that is wrong with the world for a time.
    enum Wound: Hashable {
        case publishedCut(Int)
        case toPublisherCut(Int)
        case toReaderCut(Int)
        case readerPaused(Int)
        case publisherPaused
        case publisherDown
        case readerDown(Int)
        case diskFails
    }

    /// Small, so that rings are outrun and buffers fill up.
    static let ringBytes = 12_000
    static let bufferBytes = 9_000
    static let heldBytes = 7_500
    static let windowBytes = 2_000
    static let fetchBytes = 2_000
    static let stream: StreamName = "sim"

    let plan: Plan
    var generator: SimulationGenerator
    var schedule = Schedule<Step>()
    var now: UInt64 = 1_000_000
    var wounds: Set<Wound> = []
    var checker = FanoutChecker()
    var outcome = Outcome()
    var publisher: SimulatedPublisher
    var readers: [SimulatedReader]
    var isHealing = false

    /// A world before its first step.
    public init(_ plan: Plan) {
        self.plan = plan
        var generator = SimulationGenerator(seed: plan.seed)
        let node = NodeID(high: generator.next(), low: generator.next())
        publisher = SimulatedPublisher(node, plan, &generator)
        readers = (0..<plan.readers).map { SimulatedReader($0, plan, &generator) }
        self.generator = generator
    }

    var clock: MonotonicTime { MonotonicTime(microseconds: now) }

    /// Runs the world to its end.
    public mutating func run() -> Outcome {
        schedule.plan(.publish, at: now)
        schedule.plan(.publisherTick, at: now)
        if plan.isDurable { schedule.plan(.commit, at: now) }
        schedule.plan(.fault, at: now + generator.milliseconds(50...500))
        for reader in readers.indices {
            schedule.plan(.connect(reader), at: now + generator.milliseconds(0...300))
            schedule.plan(.readerTick(reader), at: now + generator.milliseconds(0...100))
            schedule.plan(.consume(reader), at: now + generator.milliseconds(0...100))
        }
        do throws(Violation) {
            while outcome.steps < plan.steps { try advance() }
            try heal()
        } catch { outcome.violation = error }
        outcome.simulated = .microseconds(now - 1_000_000)
        outcome.attempted = checker.attempted
        outcome.delivered = checker.delivered
        outcome.gaps = checker.gaps
        outcome.reportedLost = checker.reportedLost
        return outcome
    }

    /// Ends all wounds, and gives the world time: then everybody must have everything.
    private mutating func heal() throws(Violation) {
        isHealing = true
        for wound in wounds.sorted(by: { "\($0)" < "\($1)" }) { try heal(wound) }
        let end = now + 20_000_000
        while now < end { try advance() }
        guard !plan.isDurable else {
            return try checker.checkDurableLag(readers: plan.readers, lanes: plan.lanes)
        }
        try checker.checkLag(
            readers: plan.readers, lanes: plan.lanes, epoch: publisher.instance.epoch.rawValue)
    }

    private mutating func advance() throws(Violation) {
        guard let (time, step) = schedule.next() else { return }
        now = max(now, time)
        outcome.steps += 1
        try make(step)
        try checkMemory()
    }

    private mutating func make(_ step: Step) throws(Violation) {
        switch step {
        case .publish: try publish()
        case .commit: try commit()
        case .stored(let link, let request): answer(request, link)
        case .publisherTick: tickPublisher()
        case .readerTick(let reader): try tick(reader)
        case .published(let reader, let link, let bytes):
            try arrive(published: bytes, at: reader, link)
        case .toPublisher(let reader, let link, let message):
            arrive(message, fromReader: reader, link)
        case .toReader(let reader, let link, let message):
            try arrive(message, at: reader, link)
        case .consume(let reader): try consume(reader)
        case .connect(let reader): try connect(reader)
        case .fault: fault()
        case .heal(let wound): try heal(wound)
        }
    }

    /// I18: nobody keeps more than allowed, and one frame more at each place.
    private func checkMemory() throws(Violation) {
        let frame = 1_500
        let ring = publisher.machine.ringByteCount
        guard ring <= FanoutWorld.ringBytes + frame else {
            throw Violation(invariant: "I18", description: "the rings hold \(ring) bytes")
        }
        for (number, reader) in readers.enumerated() {
            let bounds = FanoutWorld.bufferBytes + FanoutWorld.heldBytes
            let allowed = bounds + plan.lanes * 2 * frame
            guard reader.machine.byteCount <= allowed else {
                throw Violation(
                    invariant: "I18",
                    description: "reader \(number) holds \(reader.machine.byteCount) bytes")
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

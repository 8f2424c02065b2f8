import Testing

@testable import MartletDelivery

/// The dispatcher, step by step: what workers that err or lie can do, and what a restart means.
@Suite struct DispatcherTests {
    static let node = NodeID(high: 1, low: 2)
    static let channel = Channel(node: node, stream: "jobs", lane: 0)
    static let window = WorkWindow(events: 100, bytes: Limits.workBytesMax)

    /// A dispatcher, and what it says.
    struct Stage {
        var publisher: FanoutPublisher
        var dispatcher: Dispatcher
        let definition: Bytes
        var now = MonotonicTime(microseconds: 1_000_000)
        private var next: UInt64 = 1

        init(stored: [StoredChannel]? = nil, ledgers: [LedgerName: StoredLedger] = [:]) throws {
            let instance = Instance(node: node, epoch: Epoch(start: 2, random: 3))
            publisher = FanoutPublisher(
                instance, named: "n", dataEndpoint: "ipc://d", firstSession: 1)
            publisher.add("jobs", stored: stored)
            let group = try GroupDefinition(
                named: "g", patterns: ["jobs.>"], attempts: 2,
                backOff: BackOff(from: .milliseconds(50), upTo: .milliseconds(50)))
            definition = try group.encoded()
            dispatcher = Dispatcher(
                instance, isStored: stored != nil, ledgers: ledgers, seed: 1, at: now)
            dispatcher.add(
                "jobs", partitions: 4, isDurable: stored != nil, ringBytes: 1_048_576,
                in: publisher, at: now)
        }

        mutating func publish(_ count: Int) throws {
            var builder = FrameBuilder(
                channel: channel, epoch: Epoch(start: 2, random: 3), nextSequence: next)
            let kind = try EventDefinition(topic: "jobs.new", contentType: .text)
            for number in 0..<count {
                _ = try builder.append("\(number)", with: TextCodec(), of: kind, at: .earliest)
            }
            let frame = SealedFrame(
                lane: 0, sequences: next..<next + UInt64(count), latest: .earliest,
                bytes: builder.seal())
            next += UInt64(count)
            publisher.seal(frame, of: 0, at: now)
            dispatcher.sealed(frame, of: "jobs", in: publisher, at: now)
        }

        mutating func join(_ number: UInt64, holdings: [WorkHolding] = []) {
            let join = WorkJoin(
                group: "g", round: 1, definition: definition, window: window, holdings: holdings)
            say(number, .join(session: number, join))
        }

        /// A worker of another group comes.
        mutating func join(_ number: UInt64, group: String) throws {
            let definition = try GroupDefinition(named: group, patterns: ["jobs.>"]).encoded()
            let join = WorkJoin(
                group: group, round: 1, definition: definition, window: window, holdings: [])
            say(number, .join(session: number, join))
        }

        mutating func say(_ number: UInt64, _ message: SessionMessage) {
            let worker = Instance(
                node: NodeID(high: 9, low: number), epoch: Epoch(start: 1, random: 1))
            dispatcher.handle(
                .said(session: number, worker, named: "worker \(number)", message), in: publisher,
                at: now)
        }

        mutating func result(
            _ number: UInt64, _ message: UInt64, _ fence: UInt64, _ range: Range<UInt64>,
            _ verdict: WorkResult.Verdict = .done, group: String = "g"
        ) {
            let result = WorkResult(
                stream: "jobs", lane: 0, fence: fence, sequences: SequenceSet(range),
                verdict: verdict)
            let results = WorkResults(
                group: group, number: message, first: 1, results: [result])
            say(number, .results(session: number, results))
        }

        /// The events that were given out since the last look: session, fence and numbers.
        mutating func given() -> [(session: UInt64, lease: Work.Lease, numbers: [UInt64])] {
            dispatcher.takeEffects().flatMap {
                effect -> [(session: UInt64, lease: Work.Lease, numbers: [UInt64])] in
                guard case .say(.work(let session, let work)) = effect else { return [] }
                return zip(work.leases, work.frames).map { lease, bytes in
                    let numbers = (try? Frame(bytes)).map { $0.map(\.sequence) } ?? []
                    return (session, lease, numbers)
                }
            }
        }

        var ledger: StoredLedger? { dispatcher.status.first?.lanes.first?.ledger }
    }

    /// A fence names one giving: no group's ever falls behind another's, whoever speaks last.
    @Test func fencesOfGroupsRiseTogether() throws {
        var stage = try Stage()
        stage.join(1)
        try stage.join(2, group: "h")
        try stage.publish(1)
        var fences = [1: UInt64(0), 2: 0]
        var seen: [UInt64] = []
        for message in 1...4 as ClosedRange<UInt64> {
            for given in stage.given() {
                fences[Int(given.session)] = given.lease.fence
                seen.append(given.lease.fence)
            }
            // Both in one turn, the later group first.
            stage.result(2, message, fences[2] ?? 0, 1..<2, .returned, group: "h")
            stage.result(1, message, fences[1] ?? 0, 1..<2, .returned)
        }
        #expect(seen.count == 8)
        #expect(Set(seen).count == 8)
    }

    @Test func aStaleResultChangesNothing() throws {
        var stage = try Stage()
        stage.join(1)
        try stage.publish(3)
        let first = try #require(stage.given().first)
        // The first worker falls silent, and the second gets what it had, one by one.
        stage.dispatcher.handle(
            .closed(session: 1, isGoodbye: false), in: stage.publisher, at: stage.now)
        stage.join(2)
        #expect(stage.given().isEmpty)
        stage.now = stage.now + Limits.lease
        stage.dispatcher.handle(.beat(session: 2), in: stage.publisher, at: stage.now)
        stage.dispatcher.tick(at: stage.now)
        let second = stage.given()
        #expect(second.map(\.numbers) == [[1]])
        #expect(second.allSatisfy { $0.lease.mayRepeat && $0.lease.fence > first.lease.fence })
        #expect(second.allSatisfy { $0.lease.attempt == 1 })
        // The first one comes back, with its results.
        stage.join(1)
        stage.result(1, 1, first.lease.fence, 1..<2)
        #expect(stage.ledger?.next == 1)
        #expect(stage.ledger?.tally.handled == 0)
        // The second one's counts.
        stage.result(2, 1, second[0].lease.fence, 1..<2)
        #expect(stage.ledger?.next == 2)
    }

    @Test func liesAreCountedAndHaveNoEffect() throws {
        var stage = try Stage()
        stage.join(1)
        stage.join(2)
        try stage.publish(2)
        let given = try #require(stage.given().first)
        let (honest, liar): (UInt64, UInt64) = given.session == 1 ? (1, 2) : (2, 1)
        // The results of another one, a forged fence, events that there are not, and all of it
        // twice.
        stage.result(liar, 1, given.lease.fence, 1..<3)
        stage.result(liar, 2, given.lease.fence + 9, 1..<3)
        stage.result(liar, 3, given.lease.fence, 7..<9_000)
        stage.result(liar, 3, given.lease.fence, 1..<3)
        #expect(stage.ledger?.next == 1)
        let member = stage.dispatcher.status[0].members.first { $0.session == liar }
        #expect(member?.outCount == 0)
        stage.result(honest, 1, given.lease.fence, 1..<3)
        stage.result(honest, 1, given.lease.fence, 1..<3)
        #expect(stage.ledger?.next == 3)
        #expect(stage.ledger?.tally.handled == 2)
    }

    @Test func anEventDiesAfterItsAttempts() throws {
        var stage = try Stage()
        stage.join(1)
        try stage.publish(1)
        let first = try #require(stage.given().first)
        stage.result(1, 1, first.lease.fence, 1..<2, .retry(after: nil, reason: "no"))
        #expect(stage.given().isEmpty)
        stage.now = stage.now + .milliseconds(60)
        stage.dispatcher.tick(at: stage.now)
        let second = try #require(stage.given().first)
        #expect(second.lease.attempt == 2)
        stage.result(1, 2, second.lease.fence, 1..<2, .retry(after: nil, reason: "again"))
        let dead = stage.dispatcher.takeEffects().compactMap { effect -> DeadEvent? in
            if case .dead(let event) = effect { event } else { nil }
        }
        #expect(dead.first?.attempts.map(\.reason) == ["no", "again"])
        #expect(stage.ledger?.tally.dead == 1)
        #expect(stage.ledger?.next == 2)
    }

    /// A suspect that is alone with a worker when that falls silent is charged; its neighbours were
    /// not.
    @Test func onlyWhoIsAloneIsCharged() throws {
        var stage = try Stage()
        try stage.publish(3)
        for session in 1...4 as ClosedRange<UInt64> {
            stage.join(session)
            _ = stage.given()
            stage.dispatcher.handle(
                .closed(session: session, isGoodbye: false), in: stage.publisher, at: stage.now)
            stage.now = stage.now + Limits.lease
            stage.dispatcher.tick(at: stage.now)
            let failing = stage.ledger?.failing.map { [$0.sequence, UInt64($0.attempts)] }
            // At first all are suspects; then one after the other is alone, and dies at the second
            // time.
            switch session {
            case 1: #expect(failing == [])
            case 2: #expect(failing == [[1, 1]])
            default: #expect(failing?.contains([3, 2]) == false)
            }
        }
    }

    @Test func whatExpiredIsLostByName() throws {
        let channel = Self.channel
        let stored = StoredChannel(
            channel, epochs: [.init(Epoch(start: 1, random: 1), first: 1)], first: 5, next: 9,
            latest: .earliest)
        let name = LedgerName("g", channel)
        var stage = try Stage(stored: [stored], ledgers: [name: StoredLedger(from: 1)])
        stage.join(1)
        let reads = stage.dispatcher.takeEffects().compactMap { effect -> WorkRead? in
            if case .read(let read) = effect { read } else { nil }
        }
        let read = try #require(reads.first)
        #expect(read.from == 1)
        var builder = FrameBuilder(
            channel: channel, epoch: Epoch(start: 1, random: 1), nextSequence: 5, isDurable: true)
        let kind = try EventDefinition(topic: "jobs.new", contentType: .text)
        for number in 0..<4 {
            _ = try builder.append("\(number)", with: TextCodec(), of: kind, at: .earliest)
        }
        let frame = StoredFrame(
            channel: channel, epoch: Epoch(start: 1, random: 1), sequences: 5..<9,
            latest: .earliest, bytes: builder.seal())
        stage.dispatcher.answered(
            read, with: .events(StoredEvents([frame])), first: 5, at: stage.now)
        // Nothing goes before a commit says that it may have gone.
        #expect(stage.given().isEmpty)
        let changes = stage.dispatcher.takeChanges()
        #expect(changes.groups["g"] != nil)
        #expect(changes.ledgers[name]?.losses == [.init(1..<5, .expired)])
        #expect(changes.ledgers[name]?.leasedThrough ?? 0 > 9)
        stage.dispatcher.committed(at: stage.now)
        #expect(stage.given().map(\.numbers) == [[5, 6, 7, 8]])
    }

    @Test func withoutWorkersALiveStreamIsGivenUp() throws {
        var stage = try Stage()
        stage.join(1)
        try stage.publish(2)
        stage.say(1, .leave(session: 1, group: "g"))
        stage.dispatcher.tick(at: stage.now)
        stage.now = stage.now + Limits.abandonedPatience
        stage.dispatcher.tick(at: stage.now)
        try stage.publish(1)
        #expect(stage.ledger?.losses.map(\.sequences) == [1..<3, 3..<4])
        #expect(!stage.dispatcher.isHeldUp("jobs"))
        stage.join(2)
        try stage.publish(1)
        #expect(stage.given().last?.numbers == [4])
    }
}

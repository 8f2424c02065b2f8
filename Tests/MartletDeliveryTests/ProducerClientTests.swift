import Testing

@testable import MartletDelivery

/// A producer's own side, where a simulated world does not lead.
@Suite struct ProducerClientTests {
    static let node = Instance(
        node: NodeID(high: 1, low: 2), epoch: Epoch(start: 1, random: 1))
    static let epoch = Epoch(start: 1, random: 7)

    /// A client, and what it has sent and said.
    private struct Dialogue {
        var client = ProducerClient(
            "web",
            Instance(node: NodeID(high: 0, low: 9), epoch: Epoch(start: 1, random: 1)), random: 7)
        var now = MonotonicTime(microseconds: 1_000_000)
        var submissions: [Submission] = []
        var errors: [MartletError] = []
        var stored: [UInt64] = []
        var asked: [ProducerAwaiting] = []
        var outcomes: [ProducerOutcome] = []
        private var nonce: UInt64 = 0
        private var session: UInt64 = 0

        mutating func note(_ effects: [ProducerClient.Effect]) {
            for effect in effects {
                switch effect {
                case .send(let message):
                    switch SessionMessage(message) {
                    case .submit(_, let submission)?: submissions.append(submission)
                    case .await(_, let wanted)?: asked.append(wanted)
                    default: break
                    }
                case .fail(let error): errors.append(error)
                case .stored(let before, _, _): stored.append(before)
                case .ended(let outcome): outcomes.append(outcome)
                case .opened, .reconnect: break
                }
            }
        }

        mutating func open(next: UInt64) {
            nonce += 1
            session += 1
            note(client.connected(nonce: nonce, at: now))
            let welcome = Welcome(
                nonce: nonce, instance: node, name: "n", dataEndpoint: "", pushEndpoint: "",
                eventBytesMax: 1, channels: [], peers: [])
            receive(.welcome(session: session, welcome))
            receive(
                .opened(
                    session: session,
                    ProducerOpened(producer: "web", epoch: epoch, next: next, streams: ["a"])))
        }

        mutating func await(_ number: UInt64) { note(client.await(number, by: "g")) }

        mutating func receive(_ message: SessionMessage) {
            note(client.receive(message.multipart, at: now))
        }

        mutating func answer(_ attempt: UInt64, _ next: UInt64, _ outcome: Submitted.Outcome) {
            receive(
                .submitted(
                    session: session,
                    Submitted(producer: "web", attempt: attempt, next: next, outcome: outcome)))
        }

        mutating func add(_ numbers: Range<UInt64>, bytes: Int = 100) {
            let frame = Bytes([UInt8](repeating: 0, count: bytes))
            note(client.add(frame, numbers, at: now))
        }

        mutating func pass(_ duration: Duration) {
            now = now + duration
            // The node is alive.
            receive(.beat(session: session, Beat(clock: now, echo: nil)))
            note(client.tick(at: now))
        }
    }

    /// What begins anew sends one message of a frame's size, and the others when it is answered.
    @Test func whatBeginsAnewAsksFirst() {
        var dialogue = Dialogue()
        dialogue.open(next: 1)
        for number in 1...40 as ClosedRange<UInt64> {
            dialogue.add(number..<number + 1, bytes: Limits.frameBytes / 2)
        }
        #expect(dialogue.submissions.count == 40)
        dialogue.open(next: 1)
        #expect(dialogue.submissions.count == 41)
        #expect(dialogue.submissions.last?.frames.count == 2)
        dialogue.pass(.seconds(1))
        #expect(dialogue.submissions.count == 41)
        dialogue.answer(1, 3, .stored([]))
        #expect(dialogue.submissions.count == 41 + 19)
        #expect(dialogue.submissions.allSatisfy { $0.byteCount <= Limits.frameBytes })
    }

    /// What a group makes of an event is asked before it goes, again in a new session and after a
    /// while, and told once.
    @Test func outcomesAreAskedForUntilTheyCome() throws {
        var dialogue = Dialogue()
        dialogue.open(next: 1)
        dialogue.await(1)
        dialogue.add(1..<2)
        #expect(dialogue.asked.map(\.number) == [1])
        dialogue.open(next: 2)
        #expect(dialogue.asked.count == 2)
        dialogue.pass(.milliseconds(100))
        #expect(dialogue.asked.count == 2)
        dialogue.pass(Limits.fetchTimeout)
        #expect(dialogue.asked.count == 3)
        let wanted = try #require(dialogue.asked.last)
        for _ in 0..<2 {
            dialogue.receive(.outcome(session: 2, ProducerOutcome(wanted, .ended(.skipped))))
        }
        #expect(dialogue.outcomes == [ProducerOutcome(wanted, .ended(.skipped))])
        dialogue.pass(Limits.fetchTimeout)
        #expect(dialogue.asked.count == 3)
    }

    /// A node that is busy is left alone for longer and longer.
    @Test func busyNodesAreLeftAlone() {
        var dialogue = Dialogue()
        dialogue.open(next: 1)
        dialogue.add(1..<2)
        var pauses: [Int] = []
        for attempt in 0..<7 as Range<UInt64> {
            dialogue.answer(attempt, 1, .busy)
            let before = dialogue.submissions.count
            var waited = 0
            while dialogue.submissions.count == before, waited < 10_000 {
                dialogue.pass(.milliseconds(50))
                waited += 50
            }
            pauses.append(waited)
        }
        #expect(pauses == [50, 100, 200, 400, 800, 1_000, 1_000])
        dialogue.answer(7, 2, .stored([]))
        #expect(dialogue.stored == [2])
    }

    /// A node that has lost what it confirmed is told apart from one that has not got it yet, also
    /// by a producer that has nothing to send.
    @Test(arguments: [true, false]) func lostEventsAreNoticed(isIdle: Bool) {
        var dialogue = Dialogue()
        dialogue.open(next: 5)
        dialogue.add(5..<9)
        dialogue.answer(0, 9, .stored([]))
        if !isIdle { dialogue.add(9..<10) }
        dialogue.open(next: 6)
        #expect(dialogue.errors.map(\.code) == [.wrongState])
    }

    /// Numbers that were never submitted are not believed.
    @Test func numbersBeyondTheEndAreRefused() {
        var dialogue = Dialogue()
        dialogue.open(next: 1)
        dialogue.add(1..<3)
        dialogue.answer(0, 4, .stored([]))
        #expect(dialogue.stored.isEmpty)
        #expect(dialogue.errors.map(\.code) == [.wrongState])
    }

    /// Whatever was planned, a producer that has failed does nothing more.
    @Test func failureEndsEverything() {
        var dialogue = Dialogue()
        dialogue.open(next: 1)
        dialogue.add(1..<3)
        dialogue.answer(0, 1, .busy)
        #expect(dialogue.client.deadline != nil)
        dialogue.answer(0, 1, .refused(SubmissionRefusal(.invalid, "no")))
        #expect(dialogue.client.deadline == nil)
        #expect(dialogue.errors.map(\.code) == [.invalidArgument])
        let count = dialogue.submissions.count
        dialogue.pass(.seconds(60))
        #expect(dialogue.submissions.count == count && dialogue.errors.count == 1)
    }
}

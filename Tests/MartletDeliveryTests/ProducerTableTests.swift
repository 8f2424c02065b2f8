import Testing

@testable import MartletDelivery

/// The node's side of producers, where a simulated world does not lead.
@Suite struct ProducerTableTests {
    static let node = NodeID(high: 1, low: 2)
    static let channel = Channel(node: node, stream: "orders", lane: 0)

    static func time(_ seconds: Int64) -> Timestamp {
        Timestamp(microseconds: seconds * 1_000_000) ?? .earliest
    }

    static func opening(_ name: String, random: UInt32 = 7, epoch: Epoch? = nil) -> ProducerRequest
    {
        ProducerRequest(
            session: 3, .open(ProducerOpening(producer: name, random: random, epoch: epoch)))
    }

    static func frame(_ numbers: Range<UInt64>, random: UInt32 = 7) throws -> Bytes {
        var builder = FrameBuilder(
            channel: Channel(node: NodeID(high: 0, low: 9), stream: "orders", lane: 0),
            epoch: Epoch(start: 1, random: random), nextSequence: numbers.lowerBound)
        let kind = try EventDefinition(topic: "orders.placed", contentType: .text)
        for number in numbers {
            _ = try builder.append("\(number)", with: TextCodec(), of: kind, at: .earliest)
        }
        return builder.seal()
    }

    static func submission(_ name: String, _ frames: [Bytes]) -> ProducerRequest {
        ProducerRequest(
            session: 3, .submit(Submission(producer: name, attempt: 5, frames: frames)))
    }

    /// What a table has appended, and what it says.
    private struct Desk {
        var table: ProducerTable
        var events: [UInt64] = []

        init(_ stored: [String: StoredProducer] = [:]) { table = ProducerTable(stored) }

        mutating func turn(
            _ requests: [ProducerRequest], at seconds: Int64 = 0
        ) -> [SessionMessage] {
            for request in requests { table.add(request) }
            var events = events
            table.admit(at: time(seconds)) { event in
                events.append(event.sequence)
                return .appended(channel, UInt64(events.count))
            }
            self.events = events
            _ = table.takeChanges()
            defer { table.forgetAnswers() }
            return table.answers { _, _ in Epoch(start: 1, random: 1) }.map(\.message)
        }
    }

    private static func submitted(_ message: SessionMessage) -> Submitted? {
        if case .submitted(_, let submitted) = message { submitted } else { nil }
    }

    private static func refusal(_ message: SessionMessage) -> SubmissionRefusal.Code? {
        switch message {
        case .opened(_, let opened): opened.refusal?.code
        case .submitted(_, let submitted):
            if case .refused(let refusal) = submitted.outcome { refusal.code } else { nil }
        default: nil
        }
    }

    /// Submissions that are committed together are answered each with its own places.
    @Test func eachAnswerNamesItsOwn() throws {
        var desk = Desk()
        _ = desk.turn([Self.opening("web")])
        let answers = desk.turn([
            Self.submission("web", [try Self.frame(1..<4)]),
            Self.submission("web", [try Self.frame(4..<6), try Self.frame(6..<9)]),
        ]).compactMap(Self.submitted)
        #expect(answers.map(\.next) == [4, 9])
        let rows = answers.map { answer in
            if case .stored(let rows) = answer.outcome { rows } else { [] as [SubmittedRun] }
        }
        #expect(rows.map { $0.map(\.first) } == [[1], [4]])
        #expect(rows.map { $0.map(\.sequences) } == [[1..<4], [4..<9]])
        #expect(desk.events == Array(1...8))
    }

    /// What comes again is passed by, and answered with the places that are remembered.
    @Test func repeatsAreAnswered() throws {
        var desk = Desk()
        _ = desk.turn([Self.opening("web")])
        _ = desk.turn([Self.submission("web", [try Self.frame(1..<6)])])
        let again = desk.turn([Self.submission("web", [try Self.frame(3..<9)])])
        #expect(desk.events == Array(1...8))
        guard case .stored(let rows)? = again.compactMap(Self.submitted).first?.outcome else {
            Issue.record("it was not stored")
            return
        }
        let last = rows.compactMap { $0.position(of: 8, at: Self.node) }
        #expect(last.map(\.sequence) == [8])
        #expect(rows.compactMap { $0.position(of: 3, at: Self.node) }.map(\.sequence) == [3])
    }

    @Test func holesAndStrangersAreTurnedAway() throws {
        var desk = Desk()
        _ = desk.turn([Self.opening("web")])
        let behind = desk.turn([Self.submission("web", [try Self.frame(2..<3)])])
        #expect(behind.compactMap(Self.submitted).map(\.outcome) == [.behind])
        #expect(behind.compactMap(Self.submitted).map(\.next) == [1])
        let unknown = desk.turn([Self.submission("other", [try Self.frame(1..<2)])])
        #expect(unknown.map(Self.refusal) == [.replaced])
        let torn = try Self.frame(1..<2)
        for bytes in [[Bytes([1, 2, 3])], [torn, torn]] {
            #expect(desk.turn([Self.submission("web", bytes)]).map(Self.refusal) == [.invalid])
        }
        let replaced = desk.turn([
            Self.opening("web", random: 8), Self.submission("web", [torn]),
            Self.opening("web", random: 7, epoch: Epoch(start: 1, random: 7)),
        ])
        #expect(replaced.map(Self.refusal) == [nil, .replaced, .replaced])
        #expect(desk.events.isEmpty)
    }

    /// Of two that open in one turn, the first hears that it was replaced, not the other's epoch.
    @Test func twoOpenAtOnce() {
        var desk = Desk()
        let answers = desk.turn([Self.opening("web", random: 1), Self.opening("web", random: 2)])
        #expect(answers.map(Self.refusal) == [.replaced, nil])
    }

    /// A full table makes room: for one that was never used soon, for others after a day.
    @Test func whoIsSilentGivesWay() {
        var stored: [String: StoredProducer] = [:]
        for number in 0..<Limits.producersMax {
            stored["p\(number)"] = StoredProducer(
                epoch: Epoch(start: 1, random: 1), next: 2, usedAt: Self.time(1_000))
        }
        var desk = Desk(stored)
        #expect(desk.turn([Self.opening("new")], at: 2_000).map(Self.refusal) == [.full])
        #expect(desk.turn([Self.opening("p9", random: 1)], at: 80_000).map(Self.refusal) == [nil])
        // A day later, but for the one that was heard of since.
        #expect(desk.turn([Self.opening("new")], at: 87_500).map(Self.refusal) == [nil])
        #expect(desk.table.producer("p0") == nil)
        #expect(desk.table.producer("p9") != nil)
        stored["idle"] = StoredProducer(
            epoch: Epoch(start: 1, random: 1), next: 1, usedAt: Self.time(1_000))
        stored["p0"] = nil
        desk = Desk(stored)
        #expect(desk.turn([Self.opening("new")], at: 1_050).map(Self.refusal) == [.full])
        #expect(desk.turn([Self.opening("new")], at: 1_100).map(Self.refusal) == [nil])
        #expect(desk.table.producer("idle") == nil)
    }

    /// However many come at once, a commit changes so many producers at most, and none is left.
    @Test func aCommitHasItsBounds() throws {
        var desk = Desk()
        var answers: [Int] = []
        var requests = (0..<200).map { Self.opening("p\($0)") }
        repeat {
            answers.append(desk.turn(requests).count)
            requests = []
        } while desk.table.waitingBytes > 0
        #expect(answers == [64, 64, 64, 8])
    }

    private static func await(_ number: UInt64) -> ProducerRequest {
        ProducerRequest(
            session: 4,
            .await(ProducerAwaiting(producer: "p", number: number, group: "g")))
    }

    /// Who waits for what becomes of an event is heard of when that is appended, or at once.
    @Test func whoWaitsIsNamedWithThePlaceOfTheEvent() throws {
        var desk = Desk()
        _ = desk.turn([Self.opening("p"), Self.await(2), Self.await(2), Self.await(9)])
        #expect(desk.table.takeWatches().isEmpty)
        _ = desk.turn([Self.submission("p", [try Self.frame(1..<4)])])
        let watches = desk.table.takeWatches()
        #expect(watches.map(\.awaiting.number) == [2])
        #expect(watches.map(\.session) == [4])
        #expect(watches.first?.event?.sequence == 2)
        // Asked again when it is there: its place is remembered.
        _ = desk.turn([Self.await(3)])
        #expect(desk.table.takeWatches().first?.event?.sequence == 3)
        #expect(desk.table.takeWatches().isEmpty)
    }

    /// Of what was long ago the place is not known any more.
    @Test func whatIsNotRememberedIsSaidToBeSo() throws {
        var desk = Desk([
            "p": StoredProducer(
                epoch: Epoch(start: 1, random: 7), next: 50, usedAt: Self.time(0))
        ])
        _ = desk.turn([Self.await(20)])
        let watch = try #require(desk.table.takeWatches().first)
        #expect(watch.event == nil)
    }
}

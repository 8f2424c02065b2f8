import Testing

@testable import MartletDelivery

/// Answers from the storage, turn by turn.
@Suite struct StoredRequestTests {
    /// A publisher that has come back, with frames of two events on its disk, and a reader.
    struct Stage {
        static let route = Bytes(utf8: "reader")
        var publisher: FanoutPublisher
        var frames: [StoredFrame] = []
        let size: Int

        /// With room for so many frames in a turn.
        init(frames count: Int, inTurn turn: Int) throws {
            var maker = FrameMaker()
            for _ in 0..<count {
                let frame = try maker.sealed(2)
                frames.append(
                    StoredFrame(
                        channel: maker.channel, epoch: maker.epoch, sequences: frame.sequences,
                        latest: .earliest, bytes: frame.bytes))
            }
            size = frames.first?.bytes.count ?? 0
            let stored = StoredChannel(
                maker.channel, epochs: [StoredChannel.EpochStart(maker.epoch, first: 1)], first: 1,
                next: maker.next, latest: .earliest)
            let instance = Instance(node: FrameMaker.node, epoch: Epoch(start: 2, random: 2))
            publisher = FanoutPublisher(
                instance, named: "p", dataEndpoint: "", firstSession: 1, fetchBytes: turn * size)
            publisher.add("orders", stored: [stored])
            _ = publisher.receive(
                SessionTests.hello().multipart, from: Stage.route, at: .seconds(1))
        }

        /// Asks for all there is, and answers for the storage until the answer is complete.
        mutating func fetch(
            frames budget: Int, upTo last: UInt64? = nil,
            answering answer: (Int, StoredAnswer) -> StoredAnswer = { $1 }
        ) -> [String] {
            let fetch = Fetch(
                request: 3, stream: "orders", lane: 1,
                start: .behind(epoch: FrameMaker().epoch, sequence: 0), upTo: last,
                byteBudget: UInt64(budget * size))
            var effects = publisher.receive(
                SessionMessage.fetch(session: 2, fetch).multipart, from: Stage.route,
                at: .seconds(1))
            var words: [String] = []
            var turn = 0
            while !effects.isEmpty {
                words += effects.map(Self.words)
                let asked = effects.compactMap { effect -> StoredRequest? in
                    if case .ask(let request) = effect { request } else { nil }
                }
                turn += 1
                effects = asked.flatMap {
                    publisher.answered($0, with: answer(turn, read($0)))
                }
            }
            return words
        }

        private func read(_ request: StoredRequest) -> StoredAnswer {
            guard case .events(let from, let byteCountMax)? = request.question else {
                return .failed
            }
            let some = frames.filter { $0.sequences.upperBound > from }
            return .events(StoredEvents(Array(some.prefix(max(1, byteCountMax / size)))))
        }

        static func words(_ effect: FanoutPublisher.Effect) -> String {
            switch effect {
            case .ask(let request): return request.question.map { "\($0)" } ?? "nothing"
            case .send(_, let message):
                switch SessionMessage(message) {
                case .frames(_, let request, let frames)?: return "\(request): \(frames.count)"
                case .end(_, let end)?: return "\(end.request): \(end.reason) \(end.next)"
                default: return "other"
                }
            default: return "other"
            }
        }
    }

    @Test func theNextTurnIsReadWhileOneIsOnItsWay() throws {
        var stage = try Stage(frames: 7, inTurn: 2)
        let size = stage.size
        #expect(
            stage.fetch(frames: 5) == [
                "events(from: 1, byteCountMax: \(2 * size))", "3: 2",
                "events(from: 5, byteCountMax: \(2 * size))", "3: 2",
                "events(from: 9, byteCountMax: \(size))", "3: 1", "3: more 11",
            ])
    }

    @Test func anAnswerTakesAFewTurnsAtMost() throws {
        var stage = try Stage(frames: 20, inTurn: 1)
        let words = stage.fetch(frames: 20)
        #expect(words.count { $0 == "3: 1" } == Limits.fetchTurns)
        #expect(words.last == "3: more \(2 * Limits.fetchTurns + 1)")
    }

    @Test func theLastTurnEndsIt() throws {
        var stage = try Stage(frames: 3, inTurn: 2)
        #expect(stage.fetch(frames: 9).suffix(2) == ["3: 1", "3: done 7"])
        var other = try Stage(frames: 9, inTurn: 2)
        #expect(other.fetch(frames: 9, upTo: 7).suffix(2) == ["3: 2", "3: done 9"])
    }

    /// What finds no room, or cannot be read, is asked for anew behind what came.
    @Test func anAnswerThatHasBegunIsNotPutOff() throws {
        var stage = try Stage(frames: 9, inTurn: 2)
        #expect(
            stage.fetch(frames: 9) { turn, answer in turn == 2 ? .failed : answer }.suffix(3) == [
                "3: 2", "events(from: 5, byteCountMax: \(2 * stage.size))", "3: more 5",
            ])
        #expect(stage.fetch(frames: 9) { _, _ in .failed }.last == "3: busy 19")
        stage.publisher.answerRoom = 3 * stage.size
        #expect(stage.fetch(frames: 9).suffix(2) == ["3: 2", "3: more 5"])
    }

    /// What is damaged is said where it is met.
    @Test func damageEndsATurn() throws {
        var stage = try Stage(frames: 9, inTurn: 2)
        let words = stage.fetch(frames: 9) { turn, answer in
            turn == 2 ? .events(StoredEvents([], damaged: 5..<7)) : answer
        }
        #expect(words.suffix(1) == ["3: corrupt 7"])
    }
}

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
        init(frames count: Int, inTurn turn: Int, bytes: Int = 10) throws {
            var maker = FrameMaker()
            for _ in 0..<count {
                let frame = try maker.sealed(2, byteCount: bytes)
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
            bytes budget: Int, upTo last: UInt64? = nil,
            answering answer: (Int, StoredAnswer) -> StoredAnswer = { $1 }
        ) -> [String] {
            let fetch = Fetch(
                request: 3, stream: "orders", lane: 1,
                start: .behind(epoch: FrameMaker().epoch, sequence: 0), upTo: last,
                byteBudget: UInt64(budget))
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
            stage.fetch(bytes: 5 * size) == [
                "events(from: 1, byteCountMax: \(2 * size))", "3: 2",
                "events(from: 5, byteCountMax: \(2 * size))", "3: 2",
                "events(from: 9, byteCountMax: \(size))", "3: 1", "3: more 11",
            ])
    }

    /// What is left of a budget is not worth a turn if no frame goes in.
    @Test func anAnswerKeepsToItsBudget() throws {
        var stage = try Stage(frames: 9, inTurn: 2)
        let size = stage.size
        #expect(
            stage.fetch(bytes: 3 * size - 1) == [
                "events(from: 1, byteCountMax: \(2 * size))", "3: 2", "3: more 5",
            ])
        #expect(stage.fetch(bytes: 3 * size).suffix(2) == ["3: 1", "3: more 7"])
    }

    @Test func anAnswerTakesAFewTurnsAtMost() throws {
        var stage = try Stage(frames: 20, inTurn: 1)
        let words = stage.fetch(bytes: 20 * stage.size)
        #expect(words.count { $0 == "3: 1" } == Limits.fetchTurns)
        #expect(words.last == "3: more \(2 * Limits.fetchTurns + 1)")
    }

    /// A peer's queue counts messages, whatever their size.
    @Test func smallFramesTakeOneTurn() throws {
        var stage = try Stage(frames: 2 * Limits.fetchFrames, inTurn: 2 * Limits.fetchFrames)
        let words = stage.fetch(bytes: 4 * Limits.fetchFrames * stage.size)
        #expect(words.count { $0 == "3: \(Limits.messageFrames)" } == 4)
        #expect(words.last == "3: more \(2 * Limits.fetchFrames + 1)")
    }

    /// On a slow line whoever waits must see that something comes.
    @Test func largeFramesAreSpreadOverMessages() throws {
        var stage = try Stage(frames: 9, inTurn: 9, bytes: 30_000)
        let words = stage.fetch(bytes: 9 * stage.size)
        #expect(words.dropFirst() == ["3: 5", "3: 4", "3: done 19"])
    }

    @Test func theLastTurnEndsIt() throws {
        var stage = try Stage(frames: 3, inTurn: 2)
        #expect(stage.fetch(bytes: 9 * stage.size).suffix(2) == ["3: 1", "3: done 7"])
        var other = try Stage(frames: 9, inTurn: 2)
        #expect(other.fetch(bytes: 9 * other.size, upTo: 7).suffix(2) == ["3: 2", "3: done 9"])
    }

    /// What finds no room, cannot be read or is damaged behind what has been sent is told to a
    /// reader that asks from there: this one may have lost some of it.
    @Test func anAnswerThatHasBegunSaysNothingOfWhatFollows() throws {
        var stage = try Stage(frames: 9, inTurn: 2)
        let size = stage.size
        let read = "events(from: 5, byteCountMax: \(2 * size))"
        let failures: [StoredAnswer] = [
            .failed, .events(StoredEvents([], damaged: 5..<7)), .events(StoredEvents([])),
        ]
        for failure in failures {
            let words = stage.fetch(bytes: 9 * size) { turn, answer in
                turn == 2 ? failure : answer
            }
            #expect(words.suffix(3) == ["3: 2", read, "3: more 5"])
        }
        #expect(stage.fetch(bytes: 9 * size) { _, _ in .failed }.last == "3: busy 19")
        let damaged = StoredAnswer.events(StoredEvents([], damaged: 1..<3))
        #expect(stage.fetch(bytes: 9 * size) { _, _ in damaged }.last == "3: corrupt 3")
        stage.publisher.answerRoom = 3 * size
        #expect(stage.fetch(bytes: 9 * size).suffix(2) == ["3: 2", "3: more 5"])
    }
}

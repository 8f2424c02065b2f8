import Testing

@testable import MartletDelivery

/// A channel at its publisher: the ring, the beats, the answers.
@Suite struct PublisherChannelTests {
    static func fetch(
        _ start: Fetch.Start, upTo: UInt64? = nil, budget: UInt64 = 1 << 20
    ) -> Fetch {
        Fetch(request: 1, stream: "orders", lane: 1, start: start, upTo: upTo, byteBudget: budget)
    }

    /// Ten frames of two events, of which so many are kept.
    static func channel(keeping count: Int = 10) throws -> (PublisherChannel, FrameMaker, Int) {
        var maker = FrameMaker()
        var channel = PublisherChannel(maker.channel, maker.epoch)
        var size = 0
        for number in 0..<10 {
            let time = try #require(Timestamp(microseconds: Int64(number) * 100))
            let frame = try maker.sealed(2, at: time)
            size = frame.bytes.count
            channel.seal(frame, at: .seconds(Double(number)))
        }
        for _ in count..<10 { #expect(channel.forgetOldest() == size) }
        return (channel, maker, size)
    }

    static func summary(_ answer: PublisherChannel.Answer) -> String {
        switch answer {
        case .frames(let frames, let end):
            let numbers = frames.map { "\($0.sequences.lowerBound)" }.joined(separator: " ")
            return "[\(numbers)] \(end.reason) \(end.next)"
        case .stored(let question): return "\(question)"
        }
    }

    @Test func answersBeginAndEndWhereTheyShould() throws {
        let (channel, maker, size) = try Self.channel()
        let time = try #require(Timestamp(microseconds: 750))
        func behind(_ sequence: UInt64, upTo: UInt64? = nil, budget: UInt64 = 1 << 20) -> Fetch {
            Self.fetch(
                .behind(epoch: maker.epoch, sequence: sequence), upTo: upTo, budget: budget)
        }
        let cases: [(Fetch, String)] = [
            (behind(0, upTo: 4), "[1 3] done 5"),
            (behind(0, upTo: 3), "[1 3] done 5"),
            (behind(2, upTo: 4), "[3] done 5"),
            (behind(3, upTo: 4), "[3] done 5"),
            (behind(18), "[19] done 21"),
            (behind(20), "[] done 21"),
            (behind(21), "[] truncated 1"),
            (Self.fetch(.behind(epoch: Epoch(start: 0, random: 1), sequence: 2)), "[] truncated 1"),
            (behind(0, budget: UInt64(size * 2)), "[1 3] more 5"),
            (behind(0, budget: 1), "[1] more 3"),
            (behind(0, upTo: .max, budget: 1), "[1] more 3"),
            // Starts are said, not sent.
            (Self.fetch(.now), "[] done 21"),
            (Self.fetch(.first), "[] more 1"),
            (Self.fetch(.time(time), upTo: 18), "[] more 17"),
            (Self.fetch(.time(.latest)), "[] more 21"),
        ]
        for (fetch, expected) in cases { #expect(Self.summary(channel.answer(fetch)) == expected) }
        #expect(Self.summary(channel.answer(behind(0), room: size)) == "[1] more 3")
        #expect(Self.summary(channel.answer(behind(0), room: size - 1)) == "[] busy 1")
        #expect(Self.summary(channel.answer(behind(0), budget: size)) == "[1] more 3")
    }

    @Test func whatIsForgottenHasExpired() throws {
        let (channel, maker, size) = try Self.channel(keeping: 3)
        #expect(channel.first == 15)
        #expect(channel.ringByteCount == size * 3)
        for (sequence, expected) in [
            (3, "[] expired 15"), (13, "[] expired 15"), (14, "[15 17 19] done 21"),
            (16, "[17 19] done 21"),
        ] as [(UInt64, String)] {
            let fetch = Self.fetch(.behind(epoch: maker.epoch, sequence: sequence))
            #expect(Self.summary(channel.answer(fetch)) == expected)
        }
        #expect(Self.summary(channel.answer(Self.fetch(.first))) == "[] more 15")
        #expect(channel.total(upTo: 16).frames == 8)
        #expect(channel.total(upTo: 17).bytes == UInt64(8 * size))
        #expect(channel.total(upTo: 3).frames == 7)
    }

    /// Lanes share the ring of their stream, of which the oldest frames go first.
    @Test func aStreamKeepsItsLastFrames() throws {
        let instance = Instance(node: FrameMaker.node, epoch: FrameMaker().epoch)
        var makers = [FrameMaker(lane: 0), FrameMaker(lane: 1)]
        let size = try FrameMaker(lane: 1).sealedSize()
        var stream = PublisherStream(
            "orders", of: instance, ringBytes: 4 * size, flow: FlowControl(), waits: false)
        for number in 0..<3_000 {
            // The first lane falls silent.
            let lane = number < 10 ? 0 : 1
            stream.seal(try makers[lane].sealed(1), at: .seconds(1))
            #expect(stream.ringByteCount <= 4 * size)
        }
        #expect(stream[0]?.first == 11)
        #expect(stream[1]?.first == 2_987)
        var small = PublisherStream(
            "orders", of: instance, ringBytes: 1, flow: FlowControl(), waits: false)
        makers[1] = FrameMaker(lane: 1)
        for _ in 0..<3 { small.seal(try makers[1].sealed(1), at: .seconds(1)) }
        // The last one is always kept.
        #expect(small[1]?.first == 3)
    }

    @Test func beatsTellTheNextSequence() throws {
        let (before, _, _) = try Self.channel()
        var channel = before
        let early = channel.beat(at: .seconds(9.4))
        #expect(early == nil)
        let due = channel.beat(at: .seconds(9.5))
        let beat = try Frame(try #require(due))
        #expect(beat.isBeat)
        #expect(beat.header.firstSequence == 21)
        let again = channel.beat(at: .seconds(9.9))
        #expect(again == nil)
        #expect(channel.beatDue == .seconds(10))
        var empty = PublisherChannel(FrameMaker().channel, FrameMaker().epoch)
        let none = empty.beat(at: .seconds(100))
        #expect(none == nil)
    }
}

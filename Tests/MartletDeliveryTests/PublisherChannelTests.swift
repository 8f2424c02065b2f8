import Testing

@testable import MartletDelivery

/// A channel at its publisher: the ring, the beats, the answers.
@Suite struct PublisherChannelTests {
    static func fetch(
        _ start: Fetch.Start, upTo: UInt64? = nil, budget: UInt64 = 1 << 20
    ) -> Fetch {
        Fetch(request: 1, stream: "orders", lane: 1, start: start, upTo: upTo, byteBudget: budget)
    }

    /// Ten frames of two events, of which the ring keeps some.
    static func channel(ringBytes: Int = 1 << 20) throws -> (PublisherChannel, FrameMaker, Int) {
        var maker = FrameMaker()
        var channel = PublisherChannel(maker.channel, maker.epoch, ringBytes: ringBytes)
        var size = 0
        for number in 0..<10 {
            let time = try #require(Timestamp(microseconds: Int64(number) * 100))
            let frame = try maker.frame(2, at: time)
            size = frame.bytes.count
            channel.seal(frame, at: .seconds(Double(number)))
        }
        return (channel, maker, size)
    }

    static func summary(_ answer: (frames: [Frame], end: FetchEnd)) -> String {
        let frames = answer.frames.map { "\($0.sequences.lowerBound)" }.joined(separator: " ")
        return "[\(frames)] \(answer.end.reason) \(answer.end.next)"
    }

    @Test func answersBeginAndEndWhereTheyShould() throws {
        let (channel, maker, size) = try Self.channel()
        let time = try #require(Timestamp(microseconds: 750))
        let cases: [(Fetch, String)] = [
            (Self.fetch(.first, upTo: 4), "[1 3] done 5"),
            (Self.fetch(.first, upTo: 3), "[1 3] done 5"),
            (Self.fetch(.behind(epoch: maker.epoch, sequence: 2), upTo: 4), "[3] done 5"),
            (Self.fetch(.behind(epoch: maker.epoch, sequence: 3), upTo: 4), "[3] done 5"),
            (Self.fetch(.behind(epoch: maker.epoch, sequence: 18)), "[19] done 21"),
            (Self.fetch(.behind(epoch: maker.epoch, sequence: 20)), "[] done 21"),
            (Self.fetch(.behind(epoch: maker.epoch, sequence: 21)), "[] truncated 1"),
            (Self.fetch(.behind(epoch: Epoch(start: 0, random: 1), sequence: 2)), "[] truncated 1"),
            (Self.fetch(.now), "[] done 21"),
            (Self.fetch(.first, budget: UInt64(size * 2)), "[1 3] more 5"),
            (Self.fetch(.first, budget: 1), "[1] more 3"),
            (
                Self.fetch(.time(time), upTo: 18),
                "[17] done 19"
            ),
            (Self.fetch(.time(.latest)), "[] done 21"),
            (Self.fetch(.first, upTo: .max, budget: 1), "[1] more 3"),
        ]
        for (fetch, expected) in cases { #expect(Self.summary(channel.answer(fetch)) == expected) }
    }

    @Test func theRingForgetsTheOldest() throws {
        let (_, _, size) = try Self.channel()
        let (channel, maker, _) = try Self.channel(ringBytes: size * 3)
        #expect(channel.first == 15)
        #expect(channel.ringByteCount == size * 3)
        #expect(
            Self.summary(channel.answer(Self.fetch(.behind(epoch: maker.epoch, sequence: 3))))
                == "[] expired 15")
        #expect(
            Self.summary(channel.answer(Self.fetch(.behind(epoch: maker.epoch, sequence: 13))))
                == "[] expired 15")
        #expect(
            Self.summary(
                channel.answer(Self.fetch(.behind(epoch: maker.epoch, sequence: 14), upTo: 15)))
                == "[15] done 17")
        #expect(Self.summary(channel.answer(Self.fetch(.first, upTo: 16))) == "[15] done 17")
    }

    @Test func theLastFrameIsAlwaysKept() throws {
        let (channel, _, _) = try Self.channel(ringBytes: 1)
        #expect(channel.first == 19)
    }

    @Test func theRingMovesOnForLong() throws {
        var maker = FrameMaker()
        var ring = FrameRing(byteCountMax: 2_000)
        for _ in 0..<3_000 {
            ring.append(try maker.frame(1))
            #expect(ring.byteCount <= 2_000)
        }
        let first = try #require(ring.first)
        #expect(ring.frames(from: 0).first?.sequences.lowerBound == first)
        #expect(ring.frames(from: 2_999).map(\.sequences) == [2_999..<3_000, 3_000..<3_001])
        #expect(ring.frames(from: 3_001).isEmpty)
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

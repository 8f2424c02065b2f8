import Testing

@testable import MartletDelivery

/// A channel at a reader, input by input.
@Suite struct SubscriberChannelTests {
    /// A reader with a publisher, and what they say to each other.
    struct Dialogue {
        var maker = FrameMaker()
        var reader: SubscriberChannel
        var now = MonotonicTime.seconds(1)
        var requests: [Fetch] = []

        init(from start: Fetch.Start = .first, bufferBytes: Int = 1 << 20) {
            reader = SubscriberChannel(FrameMaker().channel, from: start, bufferBytes: bufferBytes)
        }

        mutating func handle(_ input: SubscriberChannel.Input) -> [String] {
            let effects = reader.handle(input, at: now)
            for case .fetch(let fetch) in effects { requests.append(fetch) }
            return effects.map(\.words)
        }

        mutating func end(_ reason: FetchEnd.Reason, _ next: UInt64, _ epoch: Epoch? = nil)
            -> [String]
        {
            let request = requests.last?.request ?? 0
            return handle(
                .answered(
                    FetchEnd(
                        request: request, reason: reason, epoch: epoch ?? maker.epoch, next: next)))
        }

        mutating func fetched(_ frame: Frame) -> [String] {
            handle(.fetched(request: requests.last?.request ?? 0, frame))
        }

        /// Follows from the first event, of which there is none yet.
        mutating func follow() {
            _ = handle(.attached(maker.epoch))
            _ = end(.done, 1)
        }
    }

    @Test func theNextInLineIsDelivered() throws {
        var dialogue = Dialogue()
        #expect(dialogue.handle(.attached(dialogue.maker.epoch)) == ["fetch first"])
        #expect(dialogue.end(.done, 1) == ["started 1"])
        #expect(dialogue.handle(.published(try dialogue.maker.frame(3))) == ["deliver 1..<4"])
        #expect(dialogue.handle(.published(try dialogue.maker.frame(1))) == ["deliver 4..<5"])
        #expect(dialogue.handle(.published(try dialogue.maker.beat())) == [])
    }

    @Test func whatComesAgainIsDropped() throws {
        var dialogue = Dialogue()
        dialogue.follow()
        let frame = try dialogue.maker.frame(3)
        _ = dialogue.handle(.published(frame))
        #expect(dialogue.handle(.published(frame)) == [])
        #expect(dialogue.reader.duplicates == 1)
    }

    @Test func aHoleIsFetchedAndWhatFollowsIsHeld() throws {
        var dialogue = Dialogue()
        dialogue.follow()
        let frames = try (0..<4).map { _ in try dialogue.maker.frame(2) }
        #expect(dialogue.handle(.published(frames[0])) == ["deliver 1..<3"])
        #expect(dialogue.handle(.published(frames[2])) == ["fetch 1/2 to 4"])
        #expect(dialogue.handle(.published(frames[3])) == [])
        #expect(dialogue.fetched(frames[1]) == ["deliver 3..<5", "deliver 5..<7", "deliver 7..<9"])
        #expect(dialogue.end(.done, 5) == [])
    }

    @Test func theLossOfTheVeryLastFrameIsSeenByABeat() throws {
        var dialogue = Dialogue()
        dialogue.follow()
        let frame = try dialogue.maker.frame(2)
        #expect(dialogue.handle(.published(try dialogue.maker.beat())) == ["fetch 1/0 to 2"])
        #expect(dialogue.fetched(frame) == ["deliver 1..<3"])
        #expect(dialogue.end(.done, 3) == [])
    }

    @Test func framesThatOverlapAreDeliveredFromWhereItStands() throws {
        var dialogue = Dialogue(from: .behind(epoch: FrameMaker().epoch, sequence: 2))
        let frame = try dialogue.maker.frame(5)
        #expect(dialogue.handle(.attached(dialogue.maker.epoch)) == ["fetch 1/2"])
        #expect(dialogue.fetched(frame) == ["started 3", "deliver 3..<6"])
        #expect(dialogue.end(.done, 6) == [])
    }

    @Test func aReaderOfTheFutureHoldsWhatComesMeanwhile() throws {
        var dialogue = Dialogue(from: .now)
        #expect(dialogue.handle(.attached(dialogue.maker.epoch)) == ["fetch now"])
        let first = try dialogue.maker.frame(2)
        let second = try dialogue.maker.frame(2)
        #expect(dialogue.handle(.published(first)) == [])
        #expect(dialogue.handle(.published(second)) == [])
        // The publisher answered between the two.
        #expect(dialogue.end(.done, 3) == ["started 3", "deliver 3..<5"])
    }

    @Test func aReaderOfATimeBeginsWithinAFrame() throws {
        let early = try #require(Timestamp(microseconds: 1_000))
        let late = try #require(Timestamp(microseconds: 2_000))
        var dialogue = Dialogue(from: .time(late))
        var builder = FrameBuilder(channel: dialogue.maker.channel, epoch: dialogue.maker.epoch)
        let kind = try EventDefinition(topic: "orders.placed", contentType: .text)
        for time in [early, early, late] {
            _ = try builder.append("x", with: TextCodec(), of: kind, at: time)
        }
        let frame = try Frame(builder.seal())
        #expect(dialogue.handle(.attached(dialogue.maker.epoch)) == ["fetch time"])
        // What comes before the answer that says where it begins is held.
        #expect(dialogue.handle(.published(frame)) == [])
        #expect(dialogue.end(.more, 3) == ["started 3", "deliver 3..<4", "fetch 1/3"])
    }

    @Test func expiredEventsAreNamed() throws {
        var dialogue = Dialogue()
        dialogue.follow()
        _ = try dialogue.maker.frame(10)
        #expect(dialogue.handle(.published(try dialogue.maker.frame(2))) == ["fetch 1/0 to 10"])
        #expect(dialogue.end(.expired, 6) == ["lost 1/1-5 expired", "fetch 1/5"])
    }

    @Test func theEndOfAnInstanceIsReportedOnceItIsConfirmed() throws {
        var dialogue = Dialogue()
        dialogue.follow()
        _ = dialogue.handle(.published(try dialogue.maker.frame(2)))
        dialogue.maker = FrameMaker()
        dialogue.maker.epoch = Epoch(start: 2, random: 9)
        let frame = try dialogue.maker.frame(2)
        #expect(dialogue.handle(.published(frame)) == ["fetch 1/2"])
        #expect(dialogue.handle(.published(frame)) == [])
        #expect(
            dialogue.end(.truncated, 1)
                == ["lost 1/3-? instanceGone", "started 1", "fetch 2/0"])
        #expect(dialogue.fetched(frame) == ["deliver 1..<3"])
    }

    @Test func framesOfAnEpochThatHasEndedAreDropped() throws {
        var dialogue = Dialogue()
        let old = try dialogue.maker.frame(2)
        dialogue.maker = FrameMaker()
        dialogue.maker.epoch = Epoch(start: 2, random: 9)
        dialogue.follow()
        #expect(dialogue.handle(.published(old)) == [])
        #expect(dialogue.reader.stale == 1)
    }

    @Test func aPublisherWithoutItsPastIsAFailure() throws {
        var dialogue = Dialogue()
        dialogue.follow()
        _ = dialogue.handle(.published(try dialogue.maker.frame(2)))
        #expect(dialogue.handle(.attached(dialogue.maker.epoch)) == ["fetch 1/2"])
        #expect(dialogue.end(.truncated, 1) == ["fail"])
        #expect(dialogue.handle(.published(try dialogue.maker.frame(1))) == [])
    }

    @Test func aFullBufferIsCaughtUpWithLater() throws {
        var dialogue = Dialogue(bufferBytes: 500)
        dialogue.follow()
        let frames = try (0..<4).map { _ in try dialogue.maker.frame(2, byteCount: 100) }
        #expect(dialogue.handle(.published(frames[0])) == ["deliver 1..<3"])
        #expect(dialogue.handle(.published(frames[1])) == [])
        #expect(dialogue.handle(.published(frames[2])) == [])
        // One is with the consumer, one is held behind the hole.
        #expect(dialogue.reader.byteCount == 2 * frames[0].bytes.count)
        #expect(
            dialogue.handle(.consumed(byteCount: frames[0].bytes.count)) == ["fetch 1/2 to 4"])
        #expect(dialogue.fetched(frames[1]) == ["deliver 3..<5"])
    }

    @Test func answersThatDoNotComeAreAskedForAgain() throws {
        var dialogue = Dialogue()
        _ = dialogue.handle(.attached(dialogue.maker.epoch))
        #expect(dialogue.handle(.tick) == [])
        dialogue.now = .seconds(3)
        #expect(dialogue.handle(.tick) == ["fetch first"])
        let first = dialogue.requests[0].request
        let stale = FetchEnd(request: first, reason: .done, epoch: dialogue.maker.epoch, next: 1)
        #expect(dialogue.handle(.answered(stale)) == [])
        #expect(dialogue.end(.busy, 0) == [])
        dialogue.now = .seconds(5)
        #expect(dialogue.handle(.tick) == ["fetch first"])
    }

    /// On a slow line an answer takes its time.
    @Test func anAnswerThatKeepsComingIsNotAskedForAgain() throws {
        var dialogue = Dialogue()
        dialogue.follow()
        _ = try dialogue.maker.frame(1)
        #expect(dialogue.handle(.published(try dialogue.maker.beat())) == ["fetch 1/0 to 1"])
        var maker = FrameMaker()
        dialogue.now = .seconds(2.9)
        #expect(dialogue.handle(.tick) == [])
        #expect(dialogue.fetched(try maker.frame(1)) == ["deliver 1..<2"])
        dialogue.now = .seconds(4.8)
        #expect(dialogue.handle(.tick) == [])
        dialogue.now = .seconds(4.9)
        #expect(dialogue.handle(.tick) == ["fetch 1/1"])
    }

    /// More than one turn is asked for where there is room for it.
    @Test func whatFindsNoRoomIsNotAskedFor() throws {
        var dialogue = Dialogue(bufferBytes: 3 * Limits.fetchBytes)
        dialogue.reader.fetchByteCount = 4 * Limits.fetchBytes
        dialogue.follow()
        #expect(dialogue.requests.last?.byteBudget == UInt64(3 * Limits.fetchBytes))
        for _ in 0..<3 {
            let frame = try dialogue.maker.frame(1, byteCount: Limits.fetchBytes - 1_000)
            _ = dialogue.handle(.published(frame))
        }
        _ = try dialogue.maker.frame(1)
        _ = dialogue.handle(.published(try dialogue.maker.beat()))
        #expect(dialogue.requests.last?.byteBudget == UInt64(Limits.fetchBytes))
    }

    /// The simulator found this: the events between the first session and the answer were skipped.
    @Test func aPublisherThatStartsAnewBeforeItAnswersIsFollowedFromItsFirstEvent() throws {
        var dialogue = Dialogue(from: .now)
        #expect(dialogue.handle(.attached(dialogue.maker.epoch)) == ["fetch now"])
        #expect(dialogue.handle(.detached(afterGoodbye: false)) == [])
        dialogue.maker.epoch = Epoch(start: 2, random: 9)
        #expect(dialogue.handle(.attached(dialogue.maker.epoch)) == ["fetch 2/0"])
        let frame = try dialogue.maker.frame(2)
        #expect(dialogue.fetched(frame) == ["started 1", "deliver 1..<3"])
    }

    /// An answer that is too large for one goes on behind what has come.
    @Test func moreIsAskedFor() throws {
        var dialogue = Dialogue()
        dialogue.follow()
        let frame = try dialogue.maker.frame(2)
        _ = try dialogue.maker.frame(9)
        #expect(dialogue.handle(.attached(dialogue.maker.epoch)) == ["fetch 1/0"])
        #expect(dialogue.fetched(frame) == ["deliver 1..<3"])
        #expect(dialogue.end(.more, 3) == ["fetch 1/2"])
        #expect(dialogue.end(.done, 12) == ["fetch 1/2 to 11"])
    }

    /// What is held is delivered when the hole before it cannot be filled.
    @Test func onlyTheHoleIsLost() throws {
        var dialogue = Dialogue()
        dialogue.follow()
        _ = try dialogue.maker.frame(2)
        #expect(dialogue.handle(.published(try dialogue.maker.frame(4))) == ["fetch 1/0 to 2"])
        #expect(
            dialogue.end(.expired, 7) == ["lost 1/1-2 expired", "deliver 3..<7", "fetch 1/6"])
    }

    @Test func theEndOfAnInstanceLeavesWhatIsHeld() throws {
        var dialogue = Dialogue()
        dialogue.follow()
        _ = try dialogue.maker.frame(2)
        _ = dialogue.handle(.published(try dialogue.maker.frame(2)))
        let epoch = Epoch(start: 2, random: 1)
        #expect(dialogue.handle(.attached(epoch)) == ["fetch 1/0"])
        #expect(
            dialogue.end(.truncated, 1, epoch) == [
                "lost 1/1-2 instanceGone", "deliver 3..<5", "lost 1/5-? instanceGone", "started 1",
                "fetch 2/0",
            ])
    }

    @Test func aPublisherThatStaysAwayIsNotWaitedForForEver() throws {
        var dialogue = Dialogue()
        dialogue.follow()
        _ = try dialogue.maker.frame(2)
        _ = dialogue.handle(.published(try dialogue.maker.frame(2)))
        _ = dialogue.handle(.detached(afterGoodbye: false))
        dialogue.now = .seconds(60.9)
        #expect(dialogue.handle(.tick) == [])
        dialogue.now = .seconds(61)
        #expect(
            dialogue.handle(.tick) == [
                "lost 1/1-2 unreachable", "deliver 3..<5", "lost 1/5-? unreachable",
            ])
        #expect(dialogue.handle(.tick) == [])
        #expect(dialogue.handle(.attached(dialogue.maker.epoch)) == ["fetch 1/4"])
    }

    /// It is silent only while nothing comes, and whoever has said goodbye has nothing more to say.
    @Test func silenceIsReportedWhereSomethingMayBeMissing() throws {
        var dialogue = Dialogue()
        dialogue.follow()
        _ = dialogue.handle(.detached(afterGoodbye: false))
        dialogue.now = .seconds(50)
        #expect(dialogue.handle(.published(try dialogue.maker.frame(2))) == ["deliver 1..<3"])
        dialogue.now = .seconds(109)
        #expect(dialogue.handle(.tick) == [])
        dialogue.now = .seconds(110)
        #expect(dialogue.handle(.tick) == ["lost 1/3-? unreachable"])
        #expect(dialogue.handle(.published(try dialogue.maker.frame(2))) == ["deliver 3..<5"])

        var other = Dialogue()
        other.follow()
        _ = other.handle(.published(try other.maker.frame(2)))
        _ = other.handle(.detached(afterGoodbye: true))
        other.now = .seconds(200)
        #expect(other.handle(.tick) == [])
    }

    /// A buffer that is full when the session comes back must not make it forget to ask.
    @Test func whoIsBehindAsksOnceThereIsRoom() throws {
        var dialogue = Dialogue(bufferBytes: 500)
        dialogue.follow()
        let frames = try (0..<3).map { _ in try dialogue.maker.frame(2, byteCount: 100) }
        #expect(dialogue.handle(.published(frames[1])) == ["fetch 1/0 to 2"])
        _ = dialogue.handle(.published(frames[2]))
        #expect(dialogue.fetched(frames[0]) == ["deliver 1..<3"])
        #expect(dialogue.end(.done, 3) == [])
        let epoch = Epoch(start: 2, random: 1)
        #expect(dialogue.handle(.detached(afterGoodbye: false)) == [])
        #expect(dialogue.handle(.attached(epoch)) == [])
        let size = frames[0].bytes.count
        #expect(dialogue.handle(.consumed(byteCount: size)) == ["deliver 3..<5"])
        #expect(
            dialogue.handle(.consumed(byteCount: size)) == ["deliver 5..<7", "fetch 1/6"])
        #expect(dialogue.end(.truncated, 1, epoch).first == "lost 1/7-? instanceGone")
    }

    /// An identity with two owners is no new start.
    @Test func anotherOwnerOfTheIdentityIsAFailure() throws {
        var dialogue = Dialogue()
        dialogue.follow()
        _ = dialogue.handle(.published(try dialogue.maker.frame(2)))
        let other = Epoch(start: 1, random: 99)
        #expect(dialogue.handle(.attached(other)) == ["fetch 1/2"])
        #expect(dialogue.end(.truncated, 1, other) == ["fail"])
    }

    @Test func slicesAreNoFrames() throws {
        var dialogue = Dialogue()
        dialogue.follow()
        let frame = try dialogue.maker.frame(5)
        let slice = frame[0].detached().frame
        #expect(slice.header.isSlice)
        #expect(dialogue.handle(.published(slice)) == [])
        #expect(dialogue.handle(.published(frame)) == ["deliver 1..<6"])
    }

    @Test func aHistoryThatEndedBeforeItBeganIsReported() throws {
        var dialogue = Dialogue(from: .behind(epoch: FrameMaker().epoch, sequence: 5))
        let epoch = Epoch(start: 2, random: 1)
        #expect(dialogue.handle(.attached(epoch)) == ["fetch 1/5"])
        #expect(
            dialogue.end(.unknown, 1, epoch)
                == ["started 6", "lost 1/6-? instanceGone", "started 1", "fetch 2/0"])
        #expect(dialogue.end(.unknown, 1, epoch) == [])
    }

    @Test func withoutASessionNothingIsAsked() throws {
        var dialogue = Dialogue()
        dialogue.follow()
        #expect(dialogue.handle(.detached(afterGoodbye: false)) == [])
        _ = try dialogue.maker.frame(2)
        #expect(dialogue.handle(.published(try dialogue.maker.frame(2))) == [])
        #expect(dialogue.handle(.attached(dialogue.maker.epoch)) == ["fetch 1/0"])
    }
}

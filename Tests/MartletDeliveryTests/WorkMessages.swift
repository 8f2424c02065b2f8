@testable import MartletDelivery

/// The messages about work, byte by byte, beside those of SessionMessageTests.
enum WorkMessages {
    private static let fence: UInt64 = 0x0000_0002_0000_0001
    private static let some = SequenceSet(ranges: [5..<8, 10..<11]) ?? SequenceSet()

    private static func result(
        _ sequences: SequenceSet, _ verdict: WorkResult.Verdict
    ) -> WorkResult {
        WorkResult(stream: "a", lane: 3, fence: fence, sequences: sequences, verdict: verdict)
    }

    private static let awaiting = ProducerAwaiting(producer: "p", number: 300, group: "g")

    static let golden: [(message: SessionMessage, hex: String)] = [
        (
            .join(
                session: 7,
                WorkJoin(
                    group: "g", round: 2, definition: Bytes([1, 2]),
                    window: WorkWindow(events: 300, bytes: 1_048_576),
                    holdings: [
                        WorkHolding(stream: "a", lane: 3, fence: fence, sequences: some)
                    ])),
            """
            4d535601 30000000 0700000000000000 01 67 02 02 0102 ac02 808040
            01 01 61 03 0100000002000000 02 05 03 02 01
            """
        ),
        (
            .joined(session: 7, WorkJoined(group: "g", round: 2)),
            "4d535601 31000000 0700000000000000 01 67 02 00"
        ),
        (
            .joined(
                session: 7, WorkJoined(group: "g", round: 2, refusal: .definition, text: "no")),
            "4d535601 31000000 0700000000000000 01 67 02 01 02 6e6f"
        ),
        (
            .work(
                session: 7,
                Work(
                    group: "g", round: 2, number: 5,
                    leases: [
                        .init(fence: fence, attempt: 2, mayRepeat: true),
                        .init(fence: fence, attempt: 1, mayRepeat: false),
                    ], frames: [Bytes([1]), Bytes([2])])),
            """
            4d535601 32000000 0700000000000000 01 67 02 05
            0100000002000000 02 01 0100000002000000 01 00
            """
        ),
        (
            .results(
                session: 7,
                WorkResults(
                    group: "g", number: 9, first: 7,
                    results: [
                        result(some, .done), result(SequenceSet(5..<6), .value(Bytes([7]))),
                        result(
                            SequenceSet(5..<6), .retry(after: .milliseconds(1), reason: "no")),
                        result(SequenceSet(5..<6), .retry(after: nil, reason: "")),
                        result(SequenceSet(5..<6), .reject(reason: "no")),
                        result(some, .returned),
                    ])),
            """
            4d535601 33000000 0700000000000000 01 67 09 07 06
            01 61 03 0100000002000000 02 05 03 02 01 00
            01 61 03 0100000002000000 01 05 01 01 01 07
            01 61 03 0100000002000000 01 05 01 02 e907 02 6e6f
            01 61 03 0100000002000000 01 05 01 02 00 00
            01 61 03 0100000002000000 01 05 01 03 02 6e6f
            01 61 03 0100000002000000 02 05 03 02 01 04
            """
        ),
        (
            .settled(
                session: 7,
                WorkSettled(group: "g", round: 2, lastNumber: 5, numbers: [7, 9], staleCount: 1)),
            "4d535601 34000000 0700000000000000 01 67 02 05 00 01 02 07 09"
        ),
        (
            .settled(
                session: 7, WorkSettled(group: "g", round: 2, lastNumber: 5, resendFrom: 8)),
            "4d535601 34000000 0700000000000000 01 67 02 05 08 00 00"
        ),
        (
            .recall(
                session: 7,
                WorkRecall(group: "g", round: 2, number: 5, stream: "a", lane: 3, fence: fence)),
            "4d535601 35000000 0700000000000000 01 67 02 05 01 61 03 0100000002000000"
        ),
        (
            .resize(session: 7, WorkResize(group: "g", round: 2, window: .none)),
            "4d535601 36000000 0700000000000000 01 67 02 00 00"
        ),
        (.leave(session: 7, group: "g"), "4d535601 37000000 0700000000000000 01 67"),
        (
            .await(session: 7, awaiting), "4d535601 24000000 0700000000000000 01 70 ac02 01 67"
        ),
        (
            .outcome(session: 7, ProducerOutcome(awaiting, .ended(.handled(value: nil)))),
            "4d535601 25000000 0700000000000000 01 70 ac02 01 67 00"
        ),
        (
            .outcome(
                session: 7,
                ProducerOutcome(awaiting, .ended(.handled(value: Bytes(utf8: "42"))))),
            "4d535601 25000000 0700000000000000 01 70 ac02 01 67 01 02 3432"
        ),
        (
            .outcome(
                session: 7, ProducerOutcome(awaiting, .ended(.dead(.parked, text: "no")))),
            "4d535601 25000000 0700000000000000 01 70 ac02 01 67 02 03 02 6e6f"
        ),
        (
            .outcome(session: 7, ProducerOutcome(awaiting, .ended(.lost(.corrupt)))),
            "4d535601 25000000 0700000000000000 01 70 ac02 01 67 04 02"
        ),
        (
            .outcome(session: 7, ProducerOutcome(awaiting, .forgotten)),
            "4d535601 25000000 0700000000000000 01 70 ac02 01 67 05"
        ),
        (
            .pulled(session: 7, PullReport(stream: "a", handled: 300, dropped: 2)),
            "4d535601 3a000000 0700000000000000 01 61 ac02 02"
        ),
        (
            .ask(session: 7, Inquiry(request: 3, verb: "node", body: Bytes(utf8: "{}"))),
            "4d535601 40000000 0700000000000000 03 04 6e6f6465 02 7b7d"
        ),
        (
            .tell(session: 7, Answer(request: 3, kind: .part, number: 4, body: Bytes(utf8: "[]"))),
            "4d535601 41000000 0700000000000000 03 01 04 02 5b5d"
        ),
    ]
}

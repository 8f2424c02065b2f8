import Testing

@testable import MartletDelivery

/// The messages of the service socket, byte by byte.
@Suite struct SessionMessageTests {
    static let instance = Instance(
        node: NodeID("00112233445566778899aabbccddeeff") ?? .random(),
        epoch: Epoch(start: 2, random: 0xCAFE))

    /// Every kind, and the bytes of its first part. Docs/protocol.md shows the same.
    static let golden: [(message: SessionMessage, hex: String)] =
        [
            (
                .hello(
                    Hello(
                        instance: instance, nonce: 0x0102_0304_0506_0708, versions: 1...1,
                        name: "dash",
                        endpoint: "ipc://a", streams: ["orders", "a"])),
                """
                4d535601 01000000 0000000000000000 00112233445566778899aabbccddeeff feca000002000000
                0807060504030201 01 01 04 64617368 07 6970633a2f2f61
                02 01 61 06 6f7264657273
                """
            ),
            (
                .hello(
                    Hello(
                        instance: instance, nonce: 1, versions: 1...2, name: "", endpoint: "",
                        streams: .all)),
                """
                4d535601 01000000 0000000000000000 00112233445566778899aabbccddeeff feca000002000000
                0100000000000000 01 02 00 00 01 01 3e
                """
            ),
            (
                .welcome(
                    session: 7,
                    Welcome(
                        nonce: 0x0102_0304_0506_0708, instance: instance, name: "shop",
                        dataEndpoint: "tcp://h:5551", pushEndpoint: "", eventBytesMax: 300,
                        channels: [
                            .init(stream: "orders", lane: 3, first: 17, next: 200),
                            .init(
                                stream: "orders", lane: 4, first: 1, next: 6,
                                durableEpoch: instance.epoch),
                        ],
                        peers: ["tcp://b:1"])),
                """
                4d535601 02000000 0700000000000000 0807060504030201 00112233445566778899aabbccddeeff
                feca000002000000 04 73686f70 0c 7463703a2f2f683a35353531 00 ac02
                02 06 6f7264657273 03 11 c801 00 06 6f7264657273 04 01 06 01 feca000002000000
                01 09 7463703a2f2f623a31
                """
            ),
            (
                .beat(
                    session: 7,
                    Beat(
                        clock: MonotonicTime(microseconds: 1_000),
                        echo: MonotonicTime(microseconds: 2),
                        reached: [Reached(stream: "orders", lane: 3, sequence: 200)])),
                "4d535601 03000000 0700000000000000 e803000000000000 0200000000000000"
                    + "01 06 6f7264657273 03 c801"
            ),
            (
                .bye(session: 7, Goodbye(code: .protocolError, text: "no")),
                "4d535601 04000000 0700000000000000 01 02 6e6f"
            ),
            (
                .peers(session: 7, ["tcp://b:1"]),
                "4d535601 05000000 0700000000000000 01 09 7463703a2f2f623a31"
            ),
            (
                .fetch(
                    session: 7,
                    Fetch(
                        request: 5, stream: "orders", lane: 3,
                        start: .behind(epoch: instance.epoch, sequence: 16), upTo: 19,
                        byteBudget: 4_096
                    )),
                "4d535601 10000000 0700000000000000 05 06 6f7264657273 03 00"
                    + "feca000002000000 10 13 8020"
            ),
            (
                .fetch(
                    session: 7,
                    Fetch(
                        request: 6, stream: "orders", lane: 0, start: .first, upTo: nil,
                        byteBudget: 1)),
                "4d535601 10000000 0700000000000000 06 06 6f7264657273 00 01 00 01"
            ),
            (
                .fetch(
                    session: 7,
                    Fetch(
                        request: 6, stream: "orders", lane: 0, start: .time(.earliest), upTo: nil,
                        byteBudget: 1)),
                "4d535601 10000000 0700000000000000 06 06 6f7264657273 00 03"
                    + hex(Timestamp.earliest.microseconds) + "00 01"
            ),
            (
                .frames(session: 7, request: 5, [Bytes([1, 2, 3]), Bytes([4])]),
                "4d535601 11000000 0700000000000000 05"
            ),
            (
                .end(
                    session: 7,
                    FetchEnd(request: 5, reason: .expired, epoch: instance.epoch, next: 21)),
                "4d535601 12000000 0700000000000000 05 03 feca000002000000 15"
            ),
        ] + producerGolden

    private static let rows = [
        SubmittedRun(
            first: 200, stream: "orders", lane: 3, epoch: instance.epoch, sequences: 17..<19)
    ]
    private static let rowsHex = "01 c801 06 6f7264657273 03 feca000002000000 11 02"

    private static let producerGolden: [(message: SessionMessage, hex: String)] =
        [
            (
                .open(
                    session: 7,
                    ProducerOpening(producer: "web", random: 0x0102_0304, epoch: instance.epoch)),
                "4d535601 20000000 0700000000000000 03 776562 0403020100000000 feca000002000000"
            ),
            (
                .opened(
                    session: 7,
                    ProducerOpened(
                        producer: "web", epoch: instance.epoch, next: 202, runs: rows,
                        streams: ["a", "orders"])),
                "4d535601 21000000 0700000000000000 03 776562 00 feca000002000000 ca01" + rowsHex
                    + "02 01 61 06 6f7264657273"
            ),
            (
                .opened(
                    session: 7,
                    ProducerOpened(
                        producer: "web", refusal: SubmissionRefusal(.replaced, "no"),
                        epoch: instance.epoch, next: 1)),
                "4d535601 21000000 0700000000000000 03 776562 01 02 6e6f feca000002000000 01 00 00"
            ),
            (
                .submit(
                    session: 7,
                    Submission(producer: "web", attempt: 300, frames: [Bytes([1, 2]), Bytes([3])])),
                "4d535601 22000000 0700000000000000 03 776562 ac02"
            ),
            (
                .submitted(
                    session: 7,
                    Submitted(producer: "web", attempt: 300, next: 202, outcome: .stored(rows))),
                "4d535601 23000000 0700000000000000 03 776562 ac02 ca01 00" + rowsHex
            ),
            (
                .submitted(
                    session: 7, Submitted(producer: "web", attempt: 0, next: 9, outcome: .behind)),
                "4d535601 23000000 0700000000000000 03 776562 00 09 10"
            ),
            (
                .submitted(
                    session: 7, Submitted(producer: "web", attempt: 0, next: 1, outcome: .busy)),
                "4d535601 23000000 0700000000000000 03 776562 00 01 11"
            ),
            (
                .submitted(
                    session: 7,
                    Submitted(
                        producer: "web", attempt: 0, next: 9,
                        outcome: .refused(SubmissionRefusal(.invalid, "no")))),
                "4d535601 23000000 0700000000000000 03 776562 00 09 04 02 6e6f"
            ),
        ] + WorkMessages.golden

    static func hex(_ value: Int64) -> String {
        (0..<8).map { byte in
            let digits = String((UInt64(bitPattern: value) >> (8 * UInt64(byte))) & 0xFF, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }

    static func bytes(_ hex: String) -> [UInt8] {
        let nibbles = hex.compactMap(\.hexDigitValue)
        return stride(from: 0, to: nibbles.count, by: 2).map {
            UInt8(nibbles[$0] << 4 | nibbles[$0 + 1])
        }
    }

    @Test(arguments: golden.indices)
    func bytesAreAsSpecified(place: Int) {
        let (message, hex) = Self.golden[place]
        #expect(message.multipart.first.array() == Self.bytes(hex))
        #expect(SessionMessage(message.multipart) == message)
    }

    /// Whatever is cut off or flipped is another message or none, and never a trap.
    @Test(arguments: golden.indices)
    func damageIsNoticedOrMeansSomethingElse(place: Int) {
        let multipart = Self.golden[place].message.multipart
        let bytes = multipart.first.array()
        for count in 0..<bytes.count {
            let cut = Multipart(first: Bytes(Array(bytes.prefix(count))), rest: multipart.rest)
            #expect(SessionMessage(cut) == nil)
        }
        for bit in 0..<bytes.count * 8 {
            var flipped = bytes
            flipped[bit / 8] ^= 1 << (bit % 8)
            let message = SessionMessage(Multipart(first: Bytes(flipped), rest: multipart.rest))
            // The three reserved bytes are ignored.
            let isReserved = (5...7).contains(bit / 8)
            #expect((message == Self.golden[place].message) == isReserved)
        }
        // Bytes behind what is known are for later versions.
        let longer = Multipart(first: Bytes(bytes + [9, 9]), rest: multipart.rest)
        #expect(SessionMessage(longer) == Self.golden[place].message)
    }

    @Test func partsMustBeAsMany() {
        let message = Self.golden[0].message.multipart
        #expect(SessionMessage(Multipart(first: message.first, rest: [Bytes()])) == nil)
        let frame = SessionMessage.frames(session: 7, request: 5, [Bytes([1])]).multipart
        #expect(SessionMessage(Multipart(frame.first)) == nil)
        #expect(
            SessionMessage(
                Multipart(first: frame.first, rest: Array(repeating: Bytes(), count: 64))) == nil)
        #expect(SessionMessage(Multipart(Bytes())) == nil)
    }

    /// An END without a next event, and numbers near the last that there are.
    @Test(arguments: ["00", "ffffffffffffffffff01", "8180808080808080c0 00"])
    func numbersThatNoEventHasAreRefused(next: String) {
        let end = "4d535601 12000000 0700000000000000 05 03 feca000002000000" + next
        #expect(SessionMessage(Multipart(Bytes(Self.bytes(end)))) == nil)
    }

    @Test func countsThatCannotBeThereAreRefused() {
        // A WELCOME that promises 2^40 channels.
        let bytes = Self.bytes(
            """
            4d535601 02000000 0700000000000000 0807060504030201 00112233445566778899aabbccddeeff
            feca000002000000 00 00 00 00 808080808040
            """)
        #expect(SessionMessage(Multipart(Bytes(bytes))) == nil)
    }
}

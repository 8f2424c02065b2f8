import MartletCore
import Testing

@Suite struct IdentityTests {
    @Test func nodesHaveTheirDigits() {
        let node = NodeID("0123456789abcdef00000000000000ff")
        #expect(node?.description == "0123456789abcdef00000000000000ff")
        #expect(NodeID("0123456789ABCDEF00000000000000ff") == nil)
        #expect(NodeID("0123") == nil)
        #expect(NodeID.random() != NodeID.random())
    }

    @Test func epochsRiseWithTheirStarts() {
        let first = Epoch(start: 1, random: .max)
        let second = Epoch(start: 2, random: 0)
        #expect(first < second)
        #expect(second.start == 2 && second.random == 0 && first.random == .max)
    }

    @Test func positionsHaveOneText() throws {
        let text = "0123456789abcdef00000000000000ff/orders/16/4294967298/17"
        let position = try #require(Position(text))
        #expect(position.description == text)
        #expect(position.channel.stream == "orders" && position.channel.lane == 16)
        #expect(position.epoch == Epoch(start: 1, random: 2) && position.sequence == 17)
    }

    @Test func streamsMayHoldSlashes() {
        let text = "0123456789abcdef00000000000000ff/a/b/16/1/17"
        #expect(Position(text)?.channel.stream == "a/b")
        #expect(Position(text)?.description == text)
    }

    @Test(arguments: [
        "", "x", "0123456789abcdef00000000000000ff/orders/16/1/", "/orders/16/1/17",
        "0123456789abcdef00000000000000ff/or ders/16/1/17",
        "0123456789abcdef00000000000000ff/orders/1025/1/17",
        "0123456789abcdef00000000000000ff/orders/-1/1/17",
        "0123456789abcdef00000000000000ff/orders/01/1/17",
        "0123456789abcdef00000000000000ff/orders/1/1/+17",
        "0123456789abcdef00000000000000ff/orders/1/1/17/",
    ])
    func positionsThatAreNone(text: String) {
        #expect(Position(text) == nil)
    }

    @Test(arguments: ["", "a.b", "a b", "a*", ">", "a\n"])
    func streamNamesThatAreNone(text: String) {
        let error = #expect(throws: MartletError.self) { try StreamName(text) }
        #expect(error?.code == .invalidTopic)
    }
}

@Suite struct TimestampTests {
    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00Z"), (1, "1970-01-01T00:00:00.000001Z"),
            (-1, "1969-12-31T23:59:59.999999Z"), (1_795_509_000_250_000, "2026-11-24T08:30:00.25Z"),
            (951_782_400_000_000, "2000-02-29T00:00:00Z"),
            (-62_135_596_800_000_000, "0001-01-01T00:00:00Z"),
            (-62_167_219_200_000_000, "0000-01-01T00:00:00Z"),
            (253_402_300_799_999_999, "9999-12-31T23:59:59.999999Z"),
        ] as [(Int64, String)])
    func textsNameTheirMoment(microseconds: Int64, text: String) {
        #expect(Timestamp(microseconds: microseconds)?.description == text)
        #expect(Timestamp(text)?.microseconds == microseconds)
    }

    /// Every day of eight centuries, against counting one by one.
    @Test func daysFollowOneAnother() {
        var last: Timestamp?
        for day in -146_097..<146_097 {
            let moment = Timestamp(microseconds: Int64(day) * 86_400_000_000)
            let again = moment.flatMap { Timestamp($0.description) }
            if again != moment || moment == nil || last == moment {
                Issue.record("day \(day) is \(moment?.description ?? "none")")
                return
            }
            last = moment
        }
    }

    @Test(arguments: [
        ("2026-11-24T09:30:00+01:00", "2026-11-24T08:30:00Z"),
        ("2026-11-24t08:30:00z", "2026-11-24T08:30:00Z"),
        ("2026-11-24 08:30:00-00:30", "2026-11-24T09:00:00Z"),
        ("2026-11-24T08:30:00.1234567891Z", "2026-11-24T08:30:00.123456Z"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
    ])
    func textsInOtherForms(text: String, same: String) {
        #expect(Timestamp(text)?.description == same)
    }

    @Test(arguments: [
        "", "2026-11-24", "2026-11-24T08:30:00", "2026-13-01T00:00:00Z", "2026-02-29T00:00:00Z",
        "2026-11-31T00:00:00Z", "2026-11-24T24:00:00Z", "2026-11-24T08:60:00Z",
        "2026-11-24T08:30:61Z", "2026-11-24T08:30:00.Z", "2026-11-24T08:30:00+1:00",
        "0000-01-01T00:00:00+00:01", "9999-12-31T23:59:59-01:00", "２026-11-24T08:30:00Z",
        "2026-11-24T08:30:00Z ",
    ])
    func textsThatNameNone(text: String) {
        #expect(Timestamp(text) == nil)
    }
}

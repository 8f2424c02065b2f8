import Foundation
import MartletRouting
import Testing

/// Numbers that are the same at every run.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

extension CloudEvent {
    /// The event of an order, with what a test says about it.
    static func sample(
        id: String = "A-17", source: String = "/shop", type: String = "orders.placed",
        contentType: ContentType? = .json, subject: String? = nil,
        _ extensions: KeyValuePairs<AttributeName, AttributeValue> = [:],
        data: Bytes? = nil
    ) throws -> CloudEvent {
        try CloudEvent(
            id: id, source: source, type: type,
            time: Timestamp(microseconds: 1_795_509_000_000_000), contentType: contentType,
            attributes: EventAttributes(subject: subject, extensions), data: data)
    }

    /// The event with this JSON as its payload.
    static func sample(json: String) throws -> CloudEvent {
        try sample(data: Bytes(utf8: json))
    }

    /// The same event in a frame.
    func recorded() throws -> RecordedEvent {
        let channel = Channel(
            node: .random(), stream: try topic().stream, lane: key == nil ? 0 : 1)
        var builder = FrameBuilder(channel: channel, epoch: Epoch(start: 1, random: 2))
        let time = try #require(Timestamp(microseconds: 1_795_509_000_000_000))
        _ = try builder.append(self, at: time)
        return try #require(try Frame(builder.seal()).first)
    }
}

/// What a call throws, or nothing.
func failure(_ body: () throws -> Void) -> MartletError? {
    do {
        try body()
        return nil
    } catch { return error as? MartletError }
}

import Foundation
import MartletEvents

/// The frames whose bytes are checked in and shown in Docs/protocol.md.
enum GoldenFrame: String, CaseIterable {
    /// Two events of one kind.
    case plain
    /// No event: the sequence that comes next.
    case beat
    /// Every part that a record can have.
    case full
    /// The first and the third of three events.
    case slice

    var file: URL { Files.tests.appendingPathComponent("Golden/\(rawValue).frame") }

    func bytes() throws -> [UInt8] { try Array(Data(contentsOf: file)) }

    /// The frame as today's builder makes it.
    func built() throws -> [UInt8] {
        // Only events with a key have a lane above 0.
        var builder = FrameBuilder.sample(lane: self == .full ? 3 : 0)
        switch self {
        case .plain:
            let placed = try EventDefinition(topic: "orders.placed", contentType: .json)
            try builder.add(Array(#"{"cents":4200}"#.utf8), placed)
            try builder.add(Array(#"{"cents":990}"#.utf8), placed, at: .sample.adding(1_500))
        case .beat: break
        case .full:
            let definition = try EventDefinition(
                topic: "orders.placed", contentType: .cbor, type: "com.example.order",
                schema: "https://example.com/order.json", source: "/checkout")
            let attributes = try EventAttributes(
                subject: "A-17",
                [
                    "priority": 2, "urgent": true, "correlationid": "c-1",
                    "digest": .binary(Bytes([0xDE, 0xAD])), "expirytime": .timestamp(.sample),
                    "dataref": .uriReference("/blobs/7"), "home": .uri("https://example.com"),
                ])
            try builder.add(
                [0xA1, 0x61, 0x6E, 0x01], definition, at: .sample, key: "customer-9", id: "A-17",
                attributes: attributes)
        case .slice:
            let placed = try EventDefinition(topic: "orders.placed", contentType: .json)
            let paid = try EventDefinition(topic: "orders.paid", contentType: .json)
            let shipped = try EventDefinition(topic: "orders.shipped", contentType: .json)
            try builder.add(Array("1".utf8), placed)
            try builder.add(Array("2".utf8), paid, at: .sample.adding(10))
            try builder.add(Array("3".utf8), shipped, at: .sample.adding(-20))
            let slice = try Frame(builder.seal()).slice { $0.sequence != 18 }
            return slice?.bytes.array() ?? []
        }
        return builder.seal().array()
    }
}

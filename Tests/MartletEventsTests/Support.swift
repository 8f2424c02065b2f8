import Foundation
import MartletEvents

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

extension NodeID {
    /// The node of the golden frames.
    static let sample = NodeID("00112233445566778899aabbccddeeff") ?? .random()
}

extension Timestamp {
    /// 2026-11-24T08:30:00Z.
    static let sample = Timestamp(microseconds: 1_795_509_000_000_000) ?? .earliest

    func adding(_ microseconds: Int64) -> Timestamp {
        Timestamp(microseconds: self.microseconds + microseconds) ?? .latest
    }
}

/// Bytes written in hexadecimal digits, with white space wherever it helps.
func hex(_ digits: String) -> [UInt8] {
    let nibbles = digits.compactMap(\.hexDigitValue)
    return stride(from: 0, to: nibbles.count - 1, by: 2).map {
        UInt8(nibbles[$0] << 4 | nibbles[$0 + 1])
    }
}

func hex(_ bytes: [UInt8]) -> String {
    bytes.map { String(format: "%02x", $0) }.joined()
}

/// The files beside the tests.
enum Files {
    static let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    static let root = tests.deletingLastPathComponent().deletingLastPathComponent()
}

extension FrameBuilder {
    static func sample(stream: StreamName = "orders", lane: Int = 3, nextSequence: UInt64 = 17)
        -> FrameBuilder
    {
        FrameBuilder(
            channel: Channel(node: .sample, stream: stream, lane: lane),
            epoch: Epoch(start: 2, random: 0xCAFE), nextSequence: nextSequence)
    }

    /// Appends an event to a frame that has room for it, and defines its kind.
    mutating func add(
        _ payload: [UInt8], _ definition: EventDefinition, at time: Timestamp = .sample,
        key: String? = nil, id: String? = nil, attributes: EventAttributes = EventAttributes()
    ) throws {
        guard let number = try define(definition),
            try append(
                payload.span.bytes, as: number, at: time, key: key, id: id, attributes: attributes)
                != nil
        else { throw MartletError(.full, "no room for a sample") }
    }
}

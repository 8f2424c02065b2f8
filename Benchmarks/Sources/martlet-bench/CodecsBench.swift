import CWorkload
import Foundation
import MartletEvents

/// Codecs on an order of about 190 bytes of JSON, in one process, against Foundation's JSON.
enum CodecsBench {
    static func cases(scale: Double) -> [Case] {
        let count = max(100, Int(60_000 * scale))
        return [
            coding("json", JSONCodec(), count), coding("messagepack", MessagePackCodec(), count),
            coding("cbor", CBORCodec(), count), direct(count),
        ].flatMap { $0 }
    }

    private static func coding(_ name: String, _ codec: some Codec, _ count: Int) -> [Case] {
        [
            codecCase("\(name) encode", count, encodeWithFoundation) { count in
                try encode(count) { try codec.encode($0, into: &$1) }
            },
            codecCase("\(name) decode", count, decodeWithFoundation) { count in
                let bytes = try codec.encode(Order.sample)
                return try decode(count) { try codec.decode(Order.self, from: bytes) }
            },
        ]
    }

    /// Types that write and read themselves, in JSON.
    private static func direct(_ count: Int) -> [Case] {
        let codec = JSONCodec()
        return [
            codecCase("direct encode", count, encodeWithFoundation) { count in
                try encode(count) { try codec.encode(directly: $0, into: &$1) }
            },
            codecCase("direct decode", count, decodeWithFoundation) { count in
                let bytes = try codec.encode(directly: Order.sample)
                return try decode(count) { try codec.decode(directly: Order.self, from: bytes) }
            },
        ]
    }

    private static func codecCase(
        _ name: String, _ count: Int, _ foundation: @escaping (Int) throws -> UInt64,
        _ martlet: @escaping (Int) throws -> UInt64
    ) -> Case {
        let sample = { (nanoseconds: UInt64) in
            Sample(
                value: Double(count) / (Double(nanoseconds) / 1e9),
                cpu: Double(nanoseconds) / Double(count))
        }
        let isEncoding = name.hasSuffix("encode")
        return Case(
            bench: "codecs", name: name, unit: "events/s", better: .higher,
            baselineNote: isEncoding
                ? "Foundation's JSONEncoder, reused, on the same order"
                : "Foundation's JSONDecoder, reused, on the JSON of the same order",
            pairs: 11, martlet: { [sample(try martlet(count))] },
            baseline: { [sample(try foundation(count))] })
    }

    // MARK: Loops

    private static func encode(
        _ count: Int, _ encode: (Order, inout EncodingBuffer) throws -> Void
    ) throws -> UInt64 {
        let order = Order.sample
        var buffer = EncodingBuffer()
        try encode(order, &buffer)
        let size = buffer.count
        let started = workload_now()
        for _ in 0..<count {
            buffer.removeAll()
            try encode(order, &buffer)
            try check(buffer.count == size)
        }
        return workload_now() - started
    }

    private static func decode(_ count: Int, _ decode: () throws -> Order) throws -> UInt64 {
        try check(try decode() == Order.sample)
        let started = workload_now()
        for _ in 0..<count { try check(try decode().items.count == 3) }
        return workload_now() - started
    }

    private static func encodeWithFoundation(_ count: Int) throws -> UInt64 {
        let encoder = JSONEncoder()
        let order = Order.sample
        let size = try encoder.encode(order).count
        let started = workload_now()
        for _ in 0..<count { try check(try encoder.encode(order).count == size) }
        return workload_now() - started
    }

    private static func decodeWithFoundation(_ count: Int) throws -> UInt64 {
        let decoder = JSONDecoder()
        let data = try JSONEncoder().encode(Order.sample)
        return try decode(count) { try decoder.decode(Order.self, from: data) }
    }

    private static func check(_ isRight: Bool) throws {
        guard isRight else {
            throw Peer.Failure(description: "codecs: an order was not what was written")
        }
    }
}

import Martlet

/// What is published: 64 keys, each counting by itself, so that a reader can tell by the payloads
/// alone whether anything is missing, came twice or changed its place.
enum ChaosEvent {
    static let topic: Topic = "chaos.event"
    static let keys = (0..<64).map { "k\($0)" }
    static let byteCount = 100

    /// Which run of which publisher it is, which key, and the how-manieth event of it.
    struct Content: Equatable {
        var run: UInt64
        var key: UInt64
        var count: UInt64
    }

    static func payload(_ content: Content) -> Bytes {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(byteCount)
        for value in [content.run, content.key, content.count] {
            for shift in stride(from: 0, to: 64, by: 8) {
                bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(shift)))
            }
        }
        while bytes.count < byteCount {
            bytes.append(UInt8(truncatingIfNeeded: content.count &+ UInt64(bytes.count)))
        }
        return Bytes(bytes)
    }

    /// Nil if any byte is not what it was.
    static func content(of event: RecordedEvent) -> Content? {
        let bytes = event.payload.array()
        guard bytes.count == byteCount else { return nil }
        let values = (0..<3).map { place in
            (0..<8).reduce(UInt64(0)) { $0 | UInt64(bytes[place * 8 + $1]) << UInt64(8 * $1) }
        }
        let content = Content(run: values[0], key: values[1], count: values[2])
        for place in 24..<byteCount {
            guard bytes[place] == UInt8(truncatingIfNeeded: content.count &+ UInt64(place)) else {
                return nil
            }
        }
        return content
    }
}

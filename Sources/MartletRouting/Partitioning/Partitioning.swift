internal import CXXHash

/// Which lane of a stream an event belongs to.
///
/// Events with one key share a lane, where they stay in order; events without a key share lane 0.
/// The lane of a key depends on the key and on the number of partitions and on nothing else: it is
/// the same on every node, platform and run.
public struct Partitioning: Sendable, Hashable {
    /// Where an event's key is found.
    public enum KeySource: Sendable, Hashable {
        /// The key that the event was published with, CloudEvents' `partitionkey`.
        case key
        /// The canonical text of an attribute.
        case field(EventField)
        /// A value of the payload, as a text.
        case payload(PayloadPath)
    }

    /// How many lanes keys are spread over; lane 0 comes on top.
    public let partitions: Int
    /// Where the key of an event is found.
    public let keySource: KeySource

    /// Between 1 and 1024 partitions.
    public init(_ partitions: Int, by keySource: KeySource = .key) throws(MartletError) {
        guard (1...Limits.partitionsMax).contains(partitions) else {
            throw MartletError(
                .invalidArgument,
                "A stream has 1 to \(Limits.partitionsMax) partitions, not \(partitions).")
        }
        self.partitions = partitions
        self.keySource = keySource
    }

    /// The lane of a key, from 1; 0 without one. An empty key is a key.
    ///
    /// It is 1 + ⌊h · P / 2³²⌋, where h is the high half of XXH3-64 of the key's UTF-8.
    public func lane(ofKey key: String?) -> Int {
        Partitioning.lane(ofKey: key, partitions: partitions)
    }

    /// The same, for those who know the number of partitions alone.
    package static func lane(ofKey key: String?, partitions: Int) -> Int {
        guard let key else { return 0 }
        // Most texts lie in one piece, and this is the cheapest way to it.
        let hash = unsafe key.utf8.withContiguousStorageIfAvailable { bytes in
            unsafe Hash.xxh3(bytes.span)
        }
        return lane(ofHash: hash ?? Hash.xxh3(key.utf8Span.span), partitions: partitions)
    }

    /// The lane of an event that is about to be published, by a key path or a closure.
    public func lane<E>(of event: E, by key: (E) throws -> String?) rethrows -> Int {
        lane(ofKey: try key(event))
    }

    /// The lane of an event. One whose payload cannot be read has no key.
    public func lane(of event: RecordedEvent) -> Int {
        var payload = PayloadCache()
        return lane(of: event, &payload)
    }

    /// The lane of an event. One whose payload cannot be read has no key.
    public func lane(of event: CloudEvent) -> Int {
        var payload = PayloadCache()
        return lane(of: event, &payload)
    }

    /// The key of an event; nil if it has none.
    public func key(of event: RecordedEvent) -> String? {
        var payload = PayloadCache()
        return key(of: event, &payload).map { event.text(of: $0) }
    }

    /// The key of an event; nil if it has none.
    public func key(of event: CloudEvent) -> String? {
        var payload = PayloadCache()
        return key(of: event, &payload).map { event.text(of: $0) }
    }

    func lane(of source: some FieldSource, _ payload: inout PayloadCache) -> Int {
        guard let key = key(of: source, &payload) else { return 0 }
        return source.withUTF8(key) {
            Partitioning.lane(ofHash: Hash.xxh3($0), partitions: partitions)
        }
    }

    func key(of source: some FieldSource, _ payload: inout PayloadCache) -> Operand? {
        switch keySource {
        case .key: return source.operand(for: EventField(.partitionKey))
        case .field(let field): return source.operand(for: field)
        case .payload(let path):
            guard let reader = try? payload.reader(of: source),
                let value = try? reader.value(at: path.steps)
            else { return nil }
            return Operand(value)
        }
    }

    private static func lane(ofHash hash: UInt64, partitions: Int) -> Int {
        1 + Int(((hash >> 32) * UInt64(partitions)) >> 32)
    }
}

/// XXH3 with 64 bits.
enum Hash {
    @inline(__always)
    static func xxh3(_ bytes: Span<UInt8>) -> UInt64 {
        // XXH3 reads so many bytes and keeps nothing.
        unsafe bytes.withUnsafeBytes { unsafe XXH3_64bits($0.baseAddress, $0.count) }
    }
}

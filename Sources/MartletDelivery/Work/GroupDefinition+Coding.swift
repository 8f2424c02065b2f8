// A definition is written as the group's name (text), version (varint), varint count of patterns
// and the patterns (texts), the filter as JSON (text, empty for none), start (1), 1 if it is keyed
// and 0 if not (1), attempts (varint), the first and the longest wait in µs (varints), and what
// happens after the last attempt (1). Two definitions are the same if their bytes are.

extension GroupDefinition {
    package init?(_ reader: inout FieldReader) {
        guard let name = reader.text(atMost: Limits.groupNameBytesMax),
            let version = reader.varint(), version <= UInt64(UInt32.max),
            let count = reader.count(ofThingsOf: 2), count <= Limits.topicsOfGroupMax
        else { return nil }
        var patterns: [TopicPattern] = []
        for _ in 0..<count {
            guard let text = reader.text(atMost: Limits.topicBytesMax),
                let pattern = try? TopicPattern(text)
            else { return nil }
            patterns.append(pattern)
        }
        guard let json = reader.bytes(atMost: Limits.filterBytesMax),
            let start = reader.byte().flatMap({ Start(rawValue: $0) }),
            let keyed = reader.byte(), keyed <= 1, let attempts = reader.varint(),
            attempts <= UInt64(Limits.attemptsMax), let first = reader.wait(),
            let longest = reader.wait(),
            let lastResort = reader.byte().flatMap({ LastResort(rawValue: $0) }),
            let backOff = try? BackOff(from: first, upTo: longest)
        else { return nil }
        var filter: Filter?
        if !json.isEmpty {
            guard let read = try? JSONCodec().decode(Filter.self, from: json) else {
                return nil
            }
            filter = read
        }
        guard
            let read = try? GroupDefinition(
                named: name, patterns: patterns, where: filter, from: start, isKeyed: keyed == 1,
                attempts: Int(attempts), backOff: backOff, lastResort: lastResort,
                version: Int(version))
        else { return nil }
        self = read
    }

    package func write(into writer: inout FieldWriter, filter json: Bytes) {
        writer.text(name)
        writer.varint(UInt64(version))
        writer.varint(UInt64(patterns.count))
        for pattern in patterns { writer.text(pattern.text) }
        writer.bytes(json)
        writer.byte(start.rawValue)
        writer.byte(isKeyed ? 1 : 0)
        writer.varint(UInt64(attempts))
        writer.wait(backOff.first)
        writer.wait(backOff.longest)
        writer.byte(lastResort.rawValue)
    }

    /// The definition as it is sent and stored. It throws if its filter cannot be written.
    package func encoded() throws(MartletError) -> Bytes {
        let json = try filter.map { (filter) throws(MartletError) -> Bytes in
            try JSONCodec().encode(filter)
        }
        guard json?.count ?? 0 <= Limits.filterBytesMax else {
            throw MartletError(
                .invalidExpression,
                "The filter of a group takes \(Limits.filterBytesMax) bytes at most as JSON.")
        }
        var writer = FieldWriter()
        write(into: &writer, filter: json ?? Bytes())
        return Bytes(writer.bytes)
    }

    /// The definition that was sent or stored; nil if these bytes are none.
    package init?(encoded: Bytes) {
        var reader = FieldReader(encoded)
        self.init(&reader)
    }
}

extension FieldReader {
    fileprivate mutating func wait() -> Duration? {
        varint().flatMap { $0 <= 86_400_000_000 ? .microseconds(Int64($0)) : nil }
    }
}

extension FieldWriter {
    fileprivate mutating func wait(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        varint(UInt64(seconds) * 1_000_000 + UInt64(attoseconds) / 1_000_000_000_000)
    }
}

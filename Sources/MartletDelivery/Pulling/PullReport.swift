/// How far somebody is who pulls events of a stream, since it began to.
package struct PullReport: Sendable, Hashable {
    package let stream: StreamName
    /// Events whose handlers have returned.
    package let handled: UInt64
    /// Events whose handlers have thrown, or that were not wanted.
    package let dropped: UInt64

    package init(stream: StreamName, handled: UInt64, dropped: UInt64) {
        self.stream = stream
        self.handled = handled
        self.dropped = dropped
    }
}

extension PullReport {
    init?(_ reader: inout FieldReader) {
        guard let stream = reader.stream(), let handled = reader.varint(),
            let dropped = reader.varint()
        else { return nil }
        self.init(stream: stream, handled: handled, dropped: dropped)
    }

    func write(into writer: inout FieldWriter) {
        writer.text(stream.text)
        writer.varint(handled)
        writer.varint(dropped)
    }
}

/// Where streams are that go to whoever pulls, each event to one of them.
package struct PushedStreams: Sendable, Hashable {
    /// Endpoints, by stream.
    package private(set) var endpoints: [(stream: StreamName, endpoint: String)]

    package init(_ endpoints: [(stream: StreamName, endpoint: String)]) {
        self.endpoints = endpoints
    }

    /// As it is told: `jobs=tcp://*:5552`, with spaces between.
    package init?(_ text: String) {
        endpoints = []
        for part in text.split(separator: " ") {
            let sides = part.split(separator: "=", maxSplits: 1)
            guard sides.count == 2, let stream = try? StreamName(String(sides[0])) else {
                return nil
            }
            endpoints.append((stream, String(sides[1])))
        }
    }

    package var text: String {
        endpoints.map { "\($0.stream)=\($0.endpoint)" }.joined(separator: " ")
    }

    package static func == (left: PushedStreams, right: PushedStreams) -> Bool {
        left.text == right.text
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(text) }
}

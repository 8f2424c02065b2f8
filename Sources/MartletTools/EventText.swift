public import Martlet

/// An event as a line.
public enum EventText {
    /// For people: when, where to, in order with what, and what.
    public static func line(_ event: RecordedEvent) -> String {
        // 2026-11-24T19:38:04.123456Z
        let clock = event.time.description.dropFirst(11).prefix(12)
        let key = event.key.map { " key=\($0)" } ?? ""
        return "\(clock) \(event.topic)\(key) \(payload(event))"
    }

    private static func payload(_ event: RecordedEvent) -> String {
        let kind = event.contentType?.text ?? "nothing said of it"
        let unreadable = "<\(event.payloadByteCount) bytes, \(kind)>"
        guard event.contentType.map(isText) ?? true else { return unreadable }
        guard let text = String(validating: event.payload.array(), as: UTF8.self) else {
            return unreadable
        }
        // An event is a line.
        return text.unicodeScalars.contains("\n")
            ? text.unicodeScalars.map { $0 == "\n" ? "\\n" : String($0) }.joined() : text
    }

    private static func isText(_ type: ContentType) -> Bool {
        type == .json || type.text.hasPrefix("text/") || type.text.hasSuffix("+json")
    }

    /// For programs: the JSON format of CloudEvents, with the extension `position` where the id is
    /// another.
    public static func json(_ event: RecordedEvent) throws(MartletError) -> [UInt8] {
        var cloudEvent = try event.cloudEvent()
        let position = event.position.description
        if cloudEvent.id != position || cloudEvent.attributes[positionName] != nil {
            var attributes = cloudEvent.attributes
            try attributes.set(positionName, to: .string(position))
            cloudEvent = try cloudEvent.with(attributes)
        }
        return try CloudEventsJSON.encode(cloudEvent).array() + [UInt8(ascii: "\n")]
    }

    /// Where the event stood that such a line was made of.
    public static func position(_ event: CloudEvent) -> Position? {
        Position(event.attributes[positionName]?.canonicalText ?? event.id)
    }

    private static let positionName: AttributeName = "position"
}

import MartletRouting

/// Expressions and payload paths under fire.
enum RoutingTargets {
    /// The first line is an expression, the rest a payload of JSON. An event must give the same
    /// whether it lies in a frame or not.
    static func feedExpression(_ input: Bytes) {
        let (line, rest) = split(input.array()[...])
        guard let event = event(.json, rest) else { return }
        for isStrict in [true, false] {
            guard let expression = try? Expression(utf8: Bytes(line), isStrict: isStrict) else {
                continue
            }
            evaluate(expression, event.loose, event.recorded)
            _ = try? Filter.sql(expression).explain(event.loose)
        }
        _ = try? TopicPattern(String(decoding: line, as: UTF8.self))
        guard let filter = try? Filter(json: Bytes(rest)) else { return }
        precondition(filter.matches(event.loose) == filter.matches(event.recorded))
    }

    /// The first byte chooses a format, the rest of its line is a path, and what follows a payload.
    static func feedPayloadPath(_ input: Bytes) {
        let bytes = input.array()
        guard let choice = bytes.first else { return }
        let formats: [ContentType] = [.json, .messagePack, .cbor, .text]
        let format = formats[Int(choice) % formats.count]
        let (line, rest) = split(bytes.dropFirst())
        let text = String(decoding: line, as: UTF8.self)
        guard let path = try? PayloadPath(text), let event = event(format, rest),
            let partitioning = try? Partitioning(16, by: .payload(path))
        else { return }
        let key = partitioning.key(of: event.loose)
        precondition(key == partitioning.key(of: event.recorded), "a key depends on the frame")
        precondition(partitioning.lane(of: event.loose) == partitioning.lane(ofKey: key))
        if let expression = try? Expression(path.text) {
            evaluate(expression, event.loose, event.recorded)
        }
    }

    private static func evaluate(
        _ expression: Expression, _ loose: CloudEvent, _ recorded: RecordedEvent
    ) {
        let evaluation = expression.evaluate(loose)
        let other = expression.evaluate(recorded)
        if case .number(let value) = evaluation.value, value.double.isNaN { return }
        precondition(evaluation == other, "an event differs from itself in a frame")
        let isTrue = evaluation.error == nil && evaluation.value == .boolean(true)
        precondition(expression.matches(recorded) == isTrue)
        precondition(expression.matches(loose) == isTrue)
        if evaluation.error == nil, let type = expression.type {
            precondition(evaluation.value.type == type, "a type is not what was foretold")
        }
    }

    private static func split(_ bytes: ArraySlice<UInt8>) -> (line: [UInt8], rest: [UInt8]) {
        let end = bytes.firstIndex(of: UInt8(ascii: "\n")) ?? bytes.endIndex
        return (Array(bytes[..<end]), Array(bytes[end...].dropFirst()))
    }

    private static func event(
        _ contentType: ContentType, _ payload: [UInt8]
    ) -> (loose: CloudEvent, recorded: RecordedEvent)? {
        guard
            let attributes = try? EventAttributes(
                subject: "s-1", ["region": "eu", "size": 12, "urgent": true, "partitionkey": "k"]),
            let event = try? CloudEvent(
                id: "A-17", source: "/shop", type: "orders.placed", time: .earliest,
                contentType: contentType, attributes: attributes, data: Bytes(payload))
        else { return nil }
        let channel = Channel(node: .random(), stream: "orders", lane: 1)
        var builder = FrameBuilder(channel: channel, epoch: Epoch(rawValue: 1))
        guard (try? builder.append(event, at: .earliest)) != nil,
            let recorded = try? Frame(builder.seal()).first
        else { return nil }
        return (event, recorded)
    }
}

/// An event that can be asked for its fields: one in a frame, or one of another system.
protocol FieldSource {
    /// The value of a field; nil if the event lacks it.
    func operand(for field: EventField) -> Operand?
    /// The bytes in which places lie.
    var fieldBytes: Bytes { get }
    /// How many extensions there are, at most.
    var extensionCount: Int { get }
    /// How many bytes its record has in a frame, or would have at most.
    var byteCount: Int { get }
    /// The payload, to look values up in; nil if there is none.
    func payloadReader() throws(MartletError) -> PayloadReader?
}

extension FieldSource {
    /// The text of a field, whatever its type.
    func text(of field: EventField) -> String? {
        operand(for: field).map { text(of: $0) }
    }

    /// What an operand is as a text.
    func text(of operand: Operand) -> String {
        switch operand {
        case .boolean(let value): value ? "true" : "false"
        case .integer(let value): String(value)
        case .number(let value): value.description
        case .text(let text): text
        case .place(let start, let end):
            fieldBytes.text(in: Int(start)..<Int(end))
        }
    }

    /// Shows the UTF-8 bytes of a text operand.
    @inline(__always)
    func withUTF8<Result>(_ operand: Operand, _ body: (Span<UInt8>) -> Result) -> Result {
        switch operand {
        case .place(let start, let end):
            fieldBytes.withUTF8(in: Int(start)..<Int(end), body)
        default: body(text(of: operand).utf8Span.span)
        }
    }
}

extension RecordedEvent: FieldSource {
    var fieldBytes: Bytes { frame.bytes }
    // Counting them is not worth it for the rare event that has so many.
    var extensionCount: Int { attributesByteCount / 3 }
    // Elsewhere the id and the key are written out.
    var byteCount: Int { recordByteCount + id.utf8.count }

    func operand(for field: EventField) -> Operand? {
        switch field.kind {
        case .attribute, .subject:
            switch attributePlace(field.name) {
            case .text(let range)?: .place(range)
            case .integer(let value)?: .integer(value)
            case .boolean(let value)?: .boolean(value)
            case .other?:
                (try? AttributeName(field.name)).flatMap { attribute($0) }.map(Operand.init)
            case nil: nil
            }
        case .key: keyPlace.map { .place($0) }
        case .id: explicitIDPlace.map { .place($0) } ?? .text(id)
        case .type: .text(type)
        case .topic: .text(topic.text)
        case .source: .text(source)
        case .time: .text(time.description)
        case .contentType: contentType.map { .text($0.text) }
        case .schema: schema.map { .text($0) }
        case .specVersion: .text("1.0")
        }
    }

    func payloadReader() throws(MartletError) -> PayloadReader? {
        payloadByteCount > 0 ? try PayloadReader(payload, contentType) : nil
    }
}

extension CloudEvent: FieldSource {
    var fieldBytes: Bytes { Bytes() }
    var extensionCount: Int { attributes.extensions.count }
    var byteCount: Int {
        let texts = attributes.extensions.reduce(0) { sum, attribute in
            sum + attribute.name.text.utf8.count + attribute.value.canonicalText.utf8.count + 16
        }
        let subject = attributes.subject?.utf8.count ?? 0
        return (data?.count ?? 0) + texts + subject + id.utf8.count + 64
    }

    func operand(for field: EventField) -> Operand? {
        switch field.kind {
        case .attribute:
            (try? AttributeName(field.name)).flatMap { attributes[$0] }.map(Operand.init)
        case .key: key.map { .text($0) }
        case .subject: attributes.subject.map { .text($0) }
        case .id: .text(id)
        case .type: .text(type)
        case .topic: .text(attributes[.topic]?.canonicalText ?? type)
        case .source: .text(source)
        case .time: timeText.map { .text($0) }
        case .contentType: contentType.map { .text($0.text) }
        case .schema: schema.map { .text($0) }
        case .specVersion: .text("1.0")
        }
    }

    func payloadReader() throws(MartletError) -> PayloadReader? {
        guard let data, !data.isEmpty else { return nil }
        return try PayloadReader(data, contentType)
    }
}

/// The binary mode of CloudEvents: attributes as headers, data as the body. Names and values are
/// those of the HTTP binding, which other bindings share but for the prefix.
public enum CloudEventHeaders {
    /// The headers of an event in the order in which the specification names the attributes, with
    /// `content-type` last. Values are percent-encoded where HTTP asks for it.
    public static func headers(
        of event: CloudEvent, prefix: String = "ce-"
    ) -> [(name: String, value: String)] {
        var headers = [
            ("specversion", "1.0"), ("id", event.id), ("source", event.source),
            ("type", event.type),
        ]
        if let subject = event.attributes.subject { headers.append(("subject", subject)) }
        if let time = event.timeText { headers.append(("time", time)) }
        if let schema = event.schema { headers.append(("dataschema", schema)) }
        headers += event.attributes.extensions.map { ($0.name.text, $0.value.canonicalText) }
        var encoded = headers.map { (name: prefix + $0.0, value: encode($0.1)) }
        if let contentType = event.contentType {
            encoded.append(("content-type", contentType.text))
        }
        return encoded
    }

    /// The event of these headers, whose names may be in any case, and of this body. Headers
    /// without the prefix do not belong to the event, but for `content-type`.
    public static func event(
        headers: some Sequence<(name: String, value: String)>, data: Bytes?, prefix: String = "ce-"
    ) throws(MartletError) -> CloudEvent {
        let prefix = prefix.lowercased()
        var texts: [String: String] = [:]
        var attributes = EventAttributes()
        var contentType: ContentType?
        for (header, value) in headers {
            let name = header.lowercased()
            if name == "content-type" {
                contentType = try ContentType(shared: value)
                continue
            }
            guard name.hasPrefix(prefix) else { continue }
            let attribute = String(name.dropFirst(prefix.count))
            let text = decode(value)
            switch attribute {
            case "subject": try attributes.setSubject(text)
            case "specversion", "id", "source", "type", "time", "dataschema":
                texts[attribute] = text
            default: try attributes.set(AttributeName(attribute), to: .string(text))
            }
        }
        return try event(texts, attributes, contentType, data, prefix)
    }

    private static func event(
        _ texts: [String: String], _ attributes: EventAttributes, _ contentType: ContentType?,
        _ data: Bytes?, _ prefix: String
    ) throws(MartletError) -> CloudEvent {
        func required(_ name: String) throws(MartletError) -> String {
            guard let text = texts[name] else {
                throw MartletError(
                    .notDecodable,
                    "The header `\(prefix)\(name)` is missing; without it the message is no event.")
            }
            return text
        }
        guard try required("specversion") == "1.0" else {
            throw MartletError(
                .notDecodable,
                "The header `\(prefix)specversion` must be 1.0, the only one there is.")
        }
        let time = texts["time"].map { Timestamp($0) }
        if case .some(.none) = time {
            throw MartletError(
                .notDecodable,
                "The header `\(prefix)time` must be a moment of RFC 3339, as in "
                    + "2026-11-24T08:30:00Z.")
        }
        return try CloudEvent(
            id: required("id"), source: required("source"), type: required("type"),
            time: time ?? nil, timeText: texts["time"], contentType: contentType,
            schema: texts["dataschema"],
            attributes: attributes, data: data)
    }

    // MARK: Values

    /// Percent-encodes what is not a visible ASCII character, the quote and the percent sign.
    static func encode(_ value: String) -> String {
        var encoded = ""
        for byte in value.utf8 {
            if byte > 0x20, byte < 0x7F, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "%") {
                encoded.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                encoded += byte < 0x10 ? "%0" : "%"
                encoded += String(byte, radix: 16, uppercase: true)
            }
        }
        return encoded
    }

    /// Takes away quotes around the value, then percent-encoding. What is no such stays as it is.
    static func decode(_ value: String) -> String {
        var bytes = Array(value.utf8)
        if bytes.count >= 2, bytes.first == UInt8(ascii: "\""), bytes.last == UInt8(ascii: "\"") {
            bytes = unquoted(bytes[1..<(bytes.count - 1)])
        }
        var decoded: [UInt8] = []
        var place = 0
        while place < bytes.count {
            if bytes[place] == UInt8(ascii: "%"), place + 2 < bytes.count,
                let high = digit(bytes[place + 1]), let low = digit(bytes[place + 2])
            {
                decoded.append(high << 4 | low)
                place += 3
            } else {
                decoded.append(bytes[place])
                place += 1
            }
        }
        return String(decoding: decoded, as: UTF8.self)
    }

    private static func unquoted(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        var plain: [UInt8] = []
        var isEscaped = false
        for byte in bytes {
            if !isEscaped, byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else {
                plain.append(byte)
                isEscaped = false
            }
        }
        return plain
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

/// Reads events in the JSON format.
@safe
struct CloudEventReader {
    private let source: DecodingSource
    private let bytes: UnsafeRawBufferPointer

    /// The one event that the bytes are, or those of a batch.
    @unsafe
    static func events(
        _ bytes: UnsafeRawBufferPointer, isBatch: Bool, _ byteCountMax: Int
    ) throws(MartletError) -> [CloudEvent] {
        let source: DecodingSource
        do throws(ScanFailure) {
            guard bytes.count <= byteCountMax else {
                throw ScanFailure(.tooLarge, at: byteCountMax)
            }
            source = unsafe DecodingSource(try JSONScanner.scan(bytes), bytes, options)
        } catch {
            throw failure(error.description, at: error.offset)
        }
        let reader = unsafe CloudEventReader(source: source, bytes: bytes)
        guard isBatch else { return [try reader.event(0)] }
        let batch = source.token(0)
        guard batch.kind == .array else { throw failure("a batch must be an array", at: 0) }
        var events: [CloudEvent] = []
        var place = 1
        while place < batch.low {
            events.append(try reader.event(place))
            place = source.next(place)
        }
        return events
    }

    private static let options = CodingOptions(
        dates: .rfc3339, userInfo: [:], byteCountMax: Limits.encodedBytesMax
    ) { JSONWriter(byteCountMax: $0) }

    private static func failure(_ reason: String, at offset: Int) -> MartletError {
        CodingFailure(path: "", byteOffset: offset, reason: reason)
            .asError(reading: CloudEventsJSON.contentType)
    }

    // MARK: One event

    /// What has been read of an event.
    private struct Parts {
        var texts: [String: String] = [:]
        var attributes = EventAttributes()
        var data: Int?
        var base64: String?
    }

    private func event(_ place: Int) throws(MartletError) -> CloudEvent {
        let map = source.token(place)
        guard map.kind == .map else { throw failure("an event must be an object", at: place) }
        _ = source.markDuplicateKeys(of: place)
        var parts = Parts()
        var key = place + 1
        while key < map.low {
            let value = source.next(key)
            let name = source.text(ofKey: key) ?? ""
            guard source.token(key).detail & Token.duplicate == 0 else {
                throw failure("`\(name)` occurs more than once", at: key)
            }
            // A member that is null counts as absent.
            if !source.isNull(value) { try read(name, value, into: &parts) }
            key = source.next(value)
        }
        return try event(parts, place)
    }

    private func read(_ name: String, _ value: Int, into parts: inout Parts) throws(MartletError) {
        switch name {
        case "data": parts.data = value
        case "data_base64": parts.base64 = try text(value, of: name)
        case "subject": try parts.attributes.setSubject(text(value, of: name))
        case "specversion", "id", "source", "type", "time", "datacontenttype", "dataschema":
            parts.texts[name] = try text(value, of: name)
        default: try parts.attributes.set(AttributeName(name), to: attribute(value, of: name))
        }
    }

    private func event(_ parts: Parts, _ place: Int) throws(MartletError) -> CloudEvent {
        func required(_ name: String) throws(MartletError) -> String {
            guard let text = parts.texts[name] else {
                throw failure("`\(name)` is missing", at: place)
            }
            return text
        }
        guard try required("specversion") == "1.0" else {
            throw failure("`specversion` must be 1.0", at: place)
        }
        let contentType: ContentType? =
            if let text = parts.texts["datacontenttype"] { try ContentType(shared: text) } else {
                nil
            }
        var time: Timestamp?
        if let text = parts.texts["time"] {
            time = Timestamp(text)
            guard time != nil else {
                throw failure(
                    "`time` must be a moment of RFC 3339, as in 2026-11-24T08:30:00Z", at: place)
            }
        }
        return try CloudEvent(
            id: required("id"), source: required("source"), type: required("type"), time: time,
            timeText: parts.texts["time"], contentType: contentType,
            schema: parts.texts["dataschema"],
            attributes: parts.attributes, data: data(parts, contentType, place))
    }

    // MARK: Values

    private func text(_ value: Int, of name: String) throws(MartletError) -> String {
        let token = source.token(value)
        guard token.kind == .text else { throw failure("`\(name)` must be a text", at: value) }
        return source.text(token)
    }

    private func attribute(_ value: Int, of name: String) throws(MartletError) -> AttributeValue {
        let token = source.token(value)
        switch token.kind {
        case .text: return .string(source.text(token))
        case .trueValue: return .boolean(true)
        case .falseValue: return .boolean(false)
        case .unsigned, .negative:
            if let number = Int32(exactly: Int64(truncatingIfNeeded: token.payload)),
                token.kind == .negative || token.payload <= UInt64(Int32.max)
            {
                return .integer(number)
            }
        default: break
        }
        throw failure(
            "`\(name)` must be a text, true, false or a whole number of 32 bits", at: value)
    }

    private func data(
        _ parts: Parts, _ contentType: ContentType?, _ place: Int
    ) throws(MartletError) -> Bytes? {
        if let base64 = parts.base64 {
            guard parts.data == nil else {
                throw failure("`data` and `data_base64` exclude each other", at: place)
            }
            guard let bytes = Base64.decode(base64) else {
                throw failure("`data_base64` must be base64", at: place)
            }
            return bytes
        }
        guard let value = parts.data else { return nil }
        let token = source.token(value)
        if token.kind == .text, !(contentType?.isJSON ?? true) {
            return Bytes(utf8: source.text(token))
        }
        let start = Int(token.offset)
        let end = unsafe JSONBytes.valueEnd(bytes, from: start)
        return unsafe Bytes(copying: UnsafeRawBufferPointer(rebasing: bytes[start..<end]).bytes)
    }

    private func failure(_ reason: String, at place: Int) -> MartletError {
        CloudEventReader.failure(reason, at: Int(source.token(place).offset))
    }
}

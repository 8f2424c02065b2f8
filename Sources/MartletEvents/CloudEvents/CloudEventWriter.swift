/// Writes one event in the JSON format.
struct CloudEventWriter {
    private let writer: JSONWriter
    /// Data lies in an event, and that perhaps in a batch.
    private static let dataNestingMax = Limits.nestingMax - 2

    init(_ writer: JSONWriter) { self.writer = writer }

    func write(_ event: CloudEvent) throws(MartletError) {
        try writer.open(isMap: true)
        try key("specversion", isFirst: true)
        try writer.write("1.0")
        try field("id", event.id)
        try field("source", event.source)
        try field("type", event.type)
        try field("subject", event.attributes.subject)
        try field("time", event.timeText)
        try field("datacontenttype", event.contentType?.text)
        try field("dataschema", event.schema)
        for (name, value) in event.attributes.extensions {
            try key(name.text)
            switch value {
            case .boolean(let value): try writer.writeBool(value)
            case .integer(let value): try writer.writeSigned(Int64(value))
            default: try writer.write(value.canonicalText)
            }
        }
        if let data = event.data { try write(data, event.contentType) }
        _ = try writer.close(isMap: true, at: 0, count: 0)
    }

    private func field(_ name: String, _ value: String?) throws(MartletError) {
        guard let value else { return }
        try key(name)
        try writer.write(value)
    }

    private func key(_ name: String, isFirst: Bool = false) throws(MartletError) {
        unsafe try name.utf8Span.span.withUnsafeBytes { (name) throws(MartletError) in
            unsafe try writer.writeKey(name, isFirst: isFirst)
        }
    }

    private func write(_ data: Bytes, _ contentType: ContentType?) throws(MartletError) {
        try data.withBytes { (span) throws(MartletError) in
            unsafe try span.withUnsafeBytes { (bytes) throws(MartletError) in
                if contentType?.isJSON ?? true {
                    unsafe try writeJSON(bytes, isCertain: contentType != nil)
                } else if contentType?.isText == true, unsafe Text.isUTF8(bytes) {
                    try key("data")
                    unsafe try writer.writeText(bytes)
                } else {
                    unsafe try writeBase64(bytes)
                }
            }
        }
    }

    /// Data that should be JSON. Where nobody said what it is, it may be something else.
    private func writeJSON(
        _ bytes: UnsafeRawBufferPointer, isCertain: Bool
    ) throws(MartletError) {
        do throws(ScanFailure) {
            _ = unsafe try JSONScanner.scan(bytes, nestingMax: CloudEventWriter.dataNestingMax)
        } catch {
            guard isCertain else {
                unsafe try writeBase64(bytes)
                return
            }
            throw CodingFailure(path: "data", byteOffset: error.offset, reason: error.description)
                .asError(writing: CloudEventsJSON.contentType)
        }
        try key("data")
        unsafe try writer.memory.pointee.append(bytes)
    }

    private func writeBase64(_ bytes: UnsafeRawBufferPointer) throws(MartletError) {
        try key("data_base64")
        unsafe try writer.writeBytes(bytes)
    }
}

extension ContentType {
    /// Whether the bytes are a text that people may read: `text/…`, XML.
    var isText: Bool {
        let type = mediaType
        return type.hasPrefix("text/") || type.hasSuffix("/xml") || type.hasSuffix("+xml")
    }
}

/// The JSON format of CloudEvents 1.0, for one event and for batches.
///
/// Data that is JSON stands in the event as it is; texts stand there as texts; all else is base64.
public enum CloudEventsJSON {
    /// `application/cloudevents+json`.
    public static let contentType: ContentType = "application/cloudevents+json"
    /// `application/cloudevents-batch+json`.
    public static let batchContentType: ContentType = "application/cloudevents-batch+json"

    /// Appends the event. It throws `notEncodable` when its data should be JSON and is not.
    public static func encode(
        _ event: CloudEvent, into buffer: inout EncodingBuffer
    ) throws(MartletError) {
        try write(into: &buffer) { (writer) throws(MartletError) in
            try CloudEventWriter(writer).write(event)
        }
    }

    /// Appends the events as a batch.
    public static func encode(
        batch events: some Sequence<CloudEvent>, into buffer: inout EncodingBuffer
    ) throws(MartletError) {
        try write(into: &buffer) { (writer) throws(MartletError) in
            try writer.open(isMap: false)
            var isFirst = true
            for event in events {
                try writer.separate(isFirst: isFirst)
                isFirst = false
                try CloudEventWriter(writer).write(event)
            }
            _ = try writer.close(isMap: false, at: 0, count: 0)
        }
    }

    private static func write(
        into buffer: inout EncodingBuffer, _ body: (JSONWriter) throws(MartletError) -> Void
    ) throws(MartletError) {
        let writer = JSONWriter()
        do { try writer.write(into: &buffer) { try body(writer) } } catch {
            throw error as? MartletError ?? MartletError(.notEncodable, "\(error)")
        }
    }

    /// The event as bytes of its own.
    public static func encode(_ event: CloudEvent) throws(MartletError) -> Bytes {
        var buffer = EncodingBuffer()
        try encode(event, into: &buffer)
        return buffer.takeBytes()
    }

    /// The event that all of the bytes together are. It throws `notDecodable` when they are not
    /// JSON of an event, `invalidAttribute` when CloudEvents does not allow an attribute.
    public static func decode(
        from bytes: RawSpan, byteCountMax: Int = Limits.encodedBytesMax
    ) throws(MartletError) -> CloudEvent {
        unsafe try bytes.withUnsafeBytes { (bytes) throws(MartletError) in
            unsafe try CloudEventReader.events(bytes, isBatch: false, byteCountMax)[0]
        }
    }

    /// The events of a batch.
    public static func decodeBatch(
        from bytes: RawSpan, byteCountMax: Int = Limits.encodedBytesMax
    ) throws(MartletError) -> [CloudEvent] {
        unsafe try bytes.withUnsafeBytes { (bytes) throws(MartletError) in
            unsafe try CloudEventReader.events(bytes, isBatch: true, byteCountMax)
        }
    }

    /// The event that all of the bytes together are.
    public static func decode(from bytes: Bytes) throws(MartletError) -> CloudEvent {
        try bytes.withBytes { (span) throws(MartletError) in try decode(from: span) }
    }

    /// The events of a batch.
    public static func decodeBatch(from bytes: Bytes) throws(MartletError) -> [CloudEvent] {
        try bytes.withBytes { (span) throws(MartletError) in try decodeBatch(from: span) }
    }
}

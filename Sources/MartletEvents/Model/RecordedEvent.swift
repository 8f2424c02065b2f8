/// An event as it stands in a frame: a small value that keeps the frame alive, and reads there what
/// it is asked for.
///
/// Keep one for long and you keep its whole frame; `detached()` gives a copy that stands alone.
@frozen
public struct RecordedEvent: Sendable {
    /// The frame that holds the event.
    public let frame: Frame
    /// The event's number in its channel.
    public let sequence: UInt64
    /// Where its record lies in the frame.
    @usableFromInline let place: RecordPlace

    @inlinable
    @inline(__always)
    init(frame: Frame, sequence: UInt64, place: RecordPlace) {
        self.frame = frame
        self.sequence = sequence
        self.place = place
    }
}

extension RecordedEvent {
    /// When the event was published, or when its producer says that it happened.
    public var time: Timestamp {
        Timestamp(unchecked: frame.header.baseTime.microseconds &+ head.timeOffset)
    }

    /// Where the event stands.
    public var position: Position {
        Position(channel: frame.channel, epoch: frame.header.epoch, sequence: sequence)
    }

    /// What events of its kind have in common.
    public var definition: EventDefinition { frame.definitions[definitionNumber] }

    /// Where the event is addressed to.
    public var topic: Topic { definition.topic }

    /// What the payload is.
    public var contentType: ContentType? { definition.contentType }

    /// The CloudEvents `type`.
    public var type: String { definition.type ?? topic.text }

    /// The CloudEvents `dataschema`.
    public var schema: String? { definition.schema }

    /// Who produced the event: a URI reference, `martlet:` and the node's id unless the producer
    /// says otherwise.
    public var source: String { definition.source ?? "martlet:\(frame.channel.node)" }

    /// The id that is unique within the source: the position's text, unless the producer gave one.
    public var id: String { explicitID ?? position.description }

    /// What identifies the event for ever and everywhere.
    public var eventID: EventID { EventID(source: source, id: id) }

    /// The id that the producer gave, if it gave one.
    public var explicitID: String? { text(RecordFlags.id) }

    /// What the event must stay in order with.
    public var key: String? { text(RecordFlags.key) }

    /// The subject and the extensions, without the key.
    public var attributes: EventAttributes {
        var attributes = EventAttributes()
        defer { extendLifetime(frame) }
        if let block = unsafe part(RecordFlags.attributes) {
            unsafe AttributeBlock.read(block, into: &attributes)
        }
        return attributes
    }

    /// How many bytes the payload has.
    @inlinable
    public var payloadByteCount: Int { place.end - place.payload }

    /// The payload, in the frame's memory.
    public var payload: Bytes { frame.bytes[place.payload..<place.end] }

    /// Shows the payload for as long as `body` runs.
    @inlinable
    @inline(__always)
    public func withPayload<Result, Failure: Error>(
        _ body: (RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        // The frame outlives the call, and the span cannot leave it.
        defer { extendLifetime(frame) }
        let bytes = unsafe UnsafeRawBufferPointer(
            start: frame.start + place.payload, count: payloadByteCount)
        return unsafe try body(bytes.bytes)
    }

    /// A copy in a frame of its own, which does not keep the other events.
    public func detached() -> RecordedEvent {
        frame.count > 1 ? frame.slice(of: [self])[0] : self
    }
}

// MARK: - The record

extension RecordedEvent {
    /// The number of the event's definition in the frame.
    package var definitionNumber: UInt64 { head.definition }

    /// The whole record with its length, valid for as long as the frame lives.
    @unsafe
    var recordBytes: UnsafeRawBufferPointer { unsafe bytes(place.start..<place.end) }

    private var head: RecordHead {
        var record = unsafe ByteCursor(bytes(place.start..<place.end))
        defer { extendLifetime(frame) }
        guard let head = record.recordHead() else {
            preconditionFailure("a frame that was validated has no record where there was one")
        }
        return head
    }

    /// The validator has seen that records lie within their frame.
    @unsafe
    @inline(__always)
    private func bytes(_ range: Range<Int>) -> UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(rebasing: frame.memory[range])
    }

    /// One of the parts between the head and the payload, if it is there. Valid for as long as the
    /// frame lives.
    @unsafe
    func part(_ flag: UInt8) -> UnsafeRawBufferPointer? {
        let head = head
        guard head.flags & flag != 0 else { return nil }
        var cursor = head.partCursor(before: flag)
        return unsafe cursor.lengthPrefixed()
    }

    private func text(_ flag: UInt8) -> String? {
        defer { extendLifetime(frame) }
        return unsafe part(flag).map { unsafe String(decoding: $0, as: UTF8.self) }
    }
}

extension RecordedEvent: CustomStringConvertible {
    /// Topic, position and size: payloads belong in no log.
    public var description: String { "\(topic) \(position) (\(payloadByteCount) bytes)" }
}

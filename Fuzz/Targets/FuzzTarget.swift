public import MartletRouting

/// A decoder that is fed whatever there is. It must throw or succeed, never trap, and what it reads
/// must survive being written and read again.
public enum FuzzTarget: String, CaseIterable, Sendable {
    case frame, json, messagepack, cbor, cloudevents, expression, payloadpath, session, journal

    /// Feeds the decoder. It traps when a promise is broken.
    public func feed(_ input: Bytes) {
        switch self {
        case .frame: feedFrame(input)
        case .json: feed(input, JSONCodec())
        case .messagepack: feed(input, MessagePackCodec())
        case .cbor:
            feed(input, CBORCodec())
            feed(input, CBORCodec(deterministic: true))
        case .cloudevents: feedCloudEvents(input)
        case .expression: RoutingTargets.feedExpression(input)
        case .payloadpath: RoutingTargets.feedPayloadPath(input)
        case .session: SessionTarget.feed(input)
        case .journal: JournalTarget.feed(input)
        }
    }

    /// The checksum is waived: it would keep out all that is worth trying.
    private func feedFrame(_ input: Bytes) {
        _ = try? Frame(input)
        guard let frame = try? Frame(input, verifyingChecksum: false) else { return }
        var next = frame.header.firstSequence
        for event in frame {
            precondition(event.sequence >= next, "numbers do not rise")
            next = event.sequence + 1
            _ = (event.definition, event.source, event.id, event.key, event.attributes)
            precondition(event.payload.count == event.payloadByteCount)
            precondition(frame.event(numbered: event.sequence)?.payload == event.payload)
            _ = try? event.cloudEvent()
        }
        guard let slice = frame.slice(where: { $0.sequence.isMultiple(of: 2) }) else { return }
        guard let again = try? Frame(slice.bytes, verifyingChecksum: slice !== frame) else {
            preconditionFailure("a slice cannot be read")
        }
        precondition(
            again.map(\.payload) == frame.filter { $0.sequence.isMultiple(of: 2) }.map(\.payload))
    }

    private func feed(_ input: Bytes, _ codec: some Codec) {
        _ = try? codec.decode(Shape.self, from: input)
        _ = try? codec.decode(directly: Shape.self, from: input)
        guard let value = try? codec.decode(AnyValue.self, from: input) else { return }
        guard let written = try? codec.encode(value) else { return }
        guard let again = try? codec.decode(AnyValue.self, from: written) else {
            preconditionFailure("what was written cannot be read")
        }
        precondition(again == value, "what was written is not what was read")
    }

    private func feedCloudEvents(_ input: Bytes) {
        let batch = try? input.withBytes { (span) throws(MartletError) in
            try CloudEventsJSON.decodeBatch(from: span)
        }
        let single = try? input.withBytes { (span) throws(MartletError) in
            try CloudEventsJSON.decode(from: span)
        }
        for event in (batch ?? []) + [single].compactMap({ $0 }) {
            guard let written = try? CloudEventsJSON.encode(event) else { continue }
            let again = try? written.withBytes { (span) throws(MartletError) in
                try CloudEventsJSON.decode(from: span)
            }
            precondition(again?.eventID == event.eventID, "an event changed its identity")
            _ = try? CloudEventHeaders.event(
                headers: CloudEventHeaders.headers(of: event), data: nil)
        }
    }
}

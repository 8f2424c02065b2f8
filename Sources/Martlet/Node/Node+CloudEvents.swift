extension Node {
    /// Publishes an event of another system as it is: with its id, source, time, key and
    /// attributes. Its topic is its extension `topic`, or else its type.
    ///
    /// It suspends and throws as `Publisher.publish` does.
    @discardableResult
    public func publish(
        _ event: CloudEvent, until level: Receipt.Level = .queued
    ) async throws(MartletError) -> Receipt {
        let topic = try event.topic()
        let outlet = try outlet(to: topic.stream)
        if level == .stored { _ = try outlet.buffer.requireReceipts() }
        let kind = outlet.passingKind(
            try EventDefinition(
                topic: topic, contentType: event.contentType, type: event.type,
                schema: event.schema, source: event.source))
        var attributes = event.attributes
        try attributes.set(.topic, to: nil)
        try attributes.set(.partitionKey, to: nil)
        let fields = EventFields(
            time: event.time, key: event.key, id: event.id,
            attributes: attributes.isEmpty ? nil : attributes)
        let payload = event.data ?? Bytes()
        let appended = try await outlet.untilRoom { () throws(MartletError) in
            try payload.withBytes { (span) throws(MartletError) in
                try outlet.append(span, fields, kind)
            }
        }
        return try await Receipt(.queued, appended, in: outlet.buffer).reach(level)
    }
}

extension Node {
    /// Publishes an event of another system as it is: with its id, source, time, key and
    /// attributes. Its topic is its extension `topic`, or else its type.
    ///
    /// It suspends and throws as `Publisher.publish` does.
    @discardableResult
    public func publish(
        _ event: CloudEvent, until level: Receipt.Level = .queued
    ) async throws(MartletError) -> Receipt {
        let (definition, fields) = try event.parts()
        let outlet = try outlet(to: definition.stream)
        let kind = outlet.passingKind(definition)
        let payload = event.data ?? Bytes()
        return try await outlet.publish(until: level) { (group) throws(MartletError) in
            try payload.withBytes { (span) throws(MartletError) in
                try outlet.append(span, fields, kind, for: group)
            }
        }
    }
}

extension CloudEvent {
    /// What kind of event it is, and what it carries beside its payload.
    func parts() throws(MartletError) -> (EventDefinition, EventFields) {
        let definition = try EventDefinition(
            topic: topic(), contentType: contentType, type: type, schema: schema, source: source)
        var attributes = attributes
        try attributes.set(.topic, to: nil)
        try attributes.set(.partitionKey, to: nil)
        let fields = EventFields(
            time: time, key: key, id: id, attributes: attributes.isEmpty ? nil : attributes)
        return (definition, fields)
    }
}

public import Martlet
public import MartletCommandLine

/// What events that come from outside are kept in order with, as `--key` says.
public struct EventKeys: Sendable {
    private let partitioning: Partitioning?

    /// The option.
    public static let option = option(key: nil)

    static func option(key: String?) -> Command.Option {
        .value(
            "key", "KEY", "k", key: key,
            "Keep in order by this: an attribute, or a path as data.id.")
    }

    /// What the option says; without it events keep the keys that they have.
    public init(_ arguments: Arguments) throws(CommandFailure) {
        guard let text = arguments.value("key") else {
            partitioning = nil
            return
        }
        partitioning = try arguments.parsed("key", text) { (text) throws(MartletError) in
            try Partitioning(1, by: .init(text))
        }
    }

    /// The event with the key that is found in it.
    public func keyed(_ event: CloudEvent) throws(MartletError) -> CloudEvent {
        guard let partitioning else { return event }
        var attributes = event.attributes
        try attributes.set(.partitionKey, to: partitioning.key(of: event).map { .string($0) })
        return try event.with(attributes)
    }

    /// The key of a payload, which must be JSON.
    public func key(of payload: Bytes, on topic: Topic) throws(MartletError) -> String? {
        _ = try PayloadReader(payload, .json)
        guard let partitioning else { return nil }
        let event = try CloudEvent(
            id: "-", source: "-", type: topic.text, contentType: .json, data: payload)
        return partitioning.key(of: event)
    }
}

/// What identifies an event for ever and everywhere: its source, and its id there.
public struct EventID: Sendable, Hashable {
    /// Who produced the event, a URI reference.
    public let source: String
    /// A text that is unique to the event within its source.
    public let id: String

    /// The identity of an event.
    public init(source: String, id: String) {
        self.source = source
        self.id = id
    }
}

extension EventID: CustomStringConvertible {
    /// Source and id with a space between them.
    public var description: String { "\(source) \(id)" }
}

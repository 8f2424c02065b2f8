/// Reads values of one type from events, whatever their content types.
struct EventReader<E: Event>: Sendable {
    private let codecs: CodecSet
    private let onUnreadable: (@Sendable (RecordedEvent, MartletError) -> Void)?

    init(
        _ codecs: CodecSet, _ onUnreadable: (@Sendable (RecordedEvent, MartletError) -> Void)?
    ) {
        self.codecs = codecs
        self.onUnreadable = onUnreadable
    }

    /// The event's value; nil if it is unreadable and that has been said.
    func read(_ event: RecordedEvent) throws(MartletError) -> E? {
        do throws(MartletError) { return try decode(event) } catch {
            guard let onUnreadable else { throw error }
            onUnreadable(event, error)
            return nil
        }
    }

    private func decode(_ event: RecordedEvent) throws(MartletError) -> E {
        guard let direct = E.self as? any DirectlyCodable.Type else {
            return try event.decode(as: E.self, with: codecs)
        }
        guard let value = try event.decode(directly: direct, with: codecs) as? E else {
            preconditionFailure("a type that reads itself has made another one")
        }
        return value
    }
}

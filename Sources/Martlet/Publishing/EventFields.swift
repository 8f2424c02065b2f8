/// What an event carries beside its payload and its kind.
struct EventFields {
    /// When it happened; without it, when it is published.
    let time: Timestamp?
    let key: String?
    let id: String?
    let attributes: EventAttributes?

    /// Whether there is nothing, or only the time.
    var isPlain: Bool { key == nil && id == nil && attributes == nil }
}

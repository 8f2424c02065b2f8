/// What an event carries beside its payload and its kind.
struct EventFields {
    /// When it happened; nil for now.
    let time: Timestamp?
    let key: String?
    let id: String?
    let attributes: EventAttributes?

    /// Whether there is nothing, or only the time.
    var isPlain: Bool { key == nil && id == nil && attributes == nil }
}

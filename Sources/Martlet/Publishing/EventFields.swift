/// What an event carries beside its payload and its kind.
struct EventFields {
    let time: Timestamp
    let key: String?
    let id: String?
    let attributes: EventAttributes?

    /// Whether there is only the time.
    var isPlain: Bool { key == nil && id == nil && attributes == nil }
}

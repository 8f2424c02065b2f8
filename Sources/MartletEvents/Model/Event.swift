/// A fact that a program tells others: a value of yours, and where it is addressed to.
///
/// ```swift
/// struct OrderPlaced: Event {
///     static let topic: Topic = "orders.placed"
///     var id: String
///     var cents: Int
/// }
/// ```
public protocol Event: Codable, Sendable {
    /// Where events of this type are addressed to.
    static var topic: Topic { get }

    /// The CloudEvents `type`, for readers that choose by it. The topic, unless you say otherwise.
    static var eventType: String? { get }

    /// How events of this type are written. JSON, unless you say otherwise.
    static var contentType: ContentType { get }

    /// A URI of the schema that payloads of this type adhere to. None, unless you name one.
    static var schema: String? { get }
}

extension Event {
    /// The topic serves.
    public static var eventType: String? { nil }
    /// JSON.
    public static var contentType: ContentType { .json }
    /// None.
    public static var schema: String? { nil }
}

/// The name of an extension attribute: 1 to 32 lower-case letters and digits.
public struct AttributeName: Sendable, Hashable {
    /// The name.
    public let text: String

    /// The extension with this name, which must not be one that CloudEvents defines itself.
    public init(_ text: String) throws(MartletError) {
        guard AttributeName.isName(text.utf8) else {
            throw MartletError(
                .invalidAttribute,
                "`\(text.prefix(40))` cannot name an attribute. Use 1 to "
                    + "\(Limits.attributeNameBytesMax) lower-case letters and digits.")
        }
        guard !AttributeName.reserved.contains(text) else {
            throw MartletError(
                .invalidAttribute,
                "`\(text)` has its own place in an event and cannot name an extension.")
        }
        self.text = text
    }

    /// A name that has been checked.
    init(unchecked text: String) { self.text = text }

    static let reserved: Set<String> = [
        "id", "source", "type", "specversion", "time", "subject", "datacontenttype", "dataschema",
        "data",
    ]

    static func isName(_ bytes: some Collection<UInt8>) -> Bool {
        (1...Limits.attributeNameBytesMax).contains(bytes.count)
            && bytes.allSatisfy { byte in
                (byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "z"))
                    || (byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9"))
            }
    }
}

extension AttributeName: Comparable {
    /// Alphabetical order, digits before letters.
    public static func < (left: AttributeName, right: AttributeName) -> Bool {
        left.text < right.text
    }
}

extension AttributeName: ExpressibleByStringLiteral {
    /// A name written in code; it traps when it cannot name an extension.
    public init(stringLiteral text: String) {
        do { self = try AttributeName(text) } catch { preconditionFailure(error.message) }
    }
}

extension AttributeName: CustomStringConvertible {
    /// The name.
    public var description: String { text }
}

extension AttributeName {
    /// What must stay in order together; carried as the event's key.
    public static let partitionKey = AttributeName(unchecked: "partitionkey")
    /// The event's number within its source, as a text that sorts.
    public static let sequence = AttributeName(unchecked: "sequence")
    /// Where the trace that the event belongs to began (W3C Trace Context).
    public static let traceParent = AttributeName(unchecked: "traceparent")
    /// What vendors add to the trace.
    public static let traceState = AttributeName(unchecked: "tracestate")
    /// When the event stops being of use.
    public static let expiryTime = AttributeName(unchecked: "expirytime")
    /// What connects the events of one business transaction.
    public static let correlationID = AttributeName(unchecked: "correlationid")
    /// The id of the event that caused this one.
    public static let causationID = AttributeName(unchecked: "causationid")
    /// Where the payload lies, if it does not travel along.
    public static let dataReference = AttributeName(unchecked: "dataref")
    /// The topic, in the CloudEvents form of an event whose type is something else.
    public static let topic = AttributeName(unchecked: "topic")
}

/// A value that goes into a database, or comes out of one.
public enum SQLValue: Sendable, Hashable {
    case null
    case integer(Int64)
    case real(Double)
    case text(String)
    case blob(Bytes)
}

extension SQLValue: ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
    ExpressibleByStringLiteral, ExpressibleByNilLiteral
{
    /// An integer.
    public init(integerLiteral value: Int64) { self = .integer(value) }

    /// A number.
    public init(floatLiteral value: Double) { self = .real(value) }

    /// A text.
    public init(stringLiteral value: String) { self = .text(value) }

    /// Nothing.
    public init(nilLiteral: ()) { self = .null }
}

/// What a database can store as it is.
public protocol SQLStorable {
    /// The value that stands for it.
    var sqlValue: SQLValue { get }
}

extension SQLValue: SQLStorable {
    /// Itself.
    public var sqlValue: SQLValue { self }
}

extension Int: SQLStorable {
    /// An integer.
    public var sqlValue: SQLValue { .integer(Int64(self)) }
}

extension Int64: SQLStorable {
    /// An integer.
    public var sqlValue: SQLValue { .integer(self) }
}

extension Double: SQLStorable {
    /// A number.
    public var sqlValue: SQLValue { .real(self) }
}

extension Bool: SQLStorable {
    /// 1 or 0.
    public var sqlValue: SQLValue { .integer(self ? 1 : 0) }
}

extension String: SQLStorable {
    /// A text.
    public var sqlValue: SQLValue { .text(self) }
}

extension Bytes: SQLStorable {
    /// A blob.
    public var sqlValue: SQLValue { .blob(self) }
}

extension Optional: SQLStorable where Wrapped: SQLStorable {
    /// The value, or null.
    public var sqlValue: SQLValue { self?.sqlValue ?? .null }
}

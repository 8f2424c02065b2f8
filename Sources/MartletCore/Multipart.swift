/// A whole message: one part or several, which travel together or not at all.
///
/// Most messages have one part, and such a message costs no more than its `Bytes`.
public struct Multipart: Sendable, Hashable {
    /// The first part, which every message has.
    public var first: Bytes

    /// The parts after the first.
    public var rest: [Bytes]

    /// A message of one part or more.
    @inlinable
    public init(_ first: Bytes, _ rest: Bytes...) {
        self.init(first: first, rest: rest)
    }

    /// A message of one part.
    @inlinable
    public init(_ first: Bytes) { self.init(first: first, rest: []) }

    /// A message of its first part and those that follow.
    @inlinable
    public init(first: Bytes, rest: [Bytes]) {
        self.first = first
        self.rest = rest
    }

    /// The bytes of all parts together.
    @inlinable
    public var byteCount: Int {
        rest.isEmpty ? first.count : rest.reduce(first.count) { $0 + $1.count }
    }
}

extension Multipart: RandomAccessCollection {
    /// Where the first part stands.
    public var startIndex: Int { 0 }

    /// One beyond the last part.
    public var endIndex: Int { rest.count + 1 }

    /// One part, the first at 0.
    public subscript(position: Int) -> Bytes {
        position == 0 ? first : rest[position - 1]
    }
}

extension Multipart: CustomStringConvertible {
    /// The sizes of the parts: payloads belong in no log.
    public var description: String {
        "Multipart(\(map { String($0.count) }.joined(separator: " + ")) bytes)"
    }
}

/// The time between two starts of a node. A node and an epoch are an instance.
///
/// The high half counts the starts and the low half is random. Two epochs with one count and
/// different random halves mean that two owners share an identity, or that an old copy was
/// restored.
public struct Epoch: Sendable, Hashable {
    /// Both halves, as they stand in frames and positions.
    public let rawValue: UInt64

    /// The epoch with this value.
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// The epoch of a start.
    public init(start: UInt32, random: UInt32) {
        rawValue = UInt64(start) << 32 | UInt64(random)
    }

    /// How many times the node has started, the first being 1.
    public var start: UInt32 { UInt32(truncatingIfNeeded: rawValue >> 32) }

    /// The random half.
    public var random: UInt32 { UInt32(truncatingIfNeeded: rawValue) }
}

extension Epoch: Comparable {
    /// Whether the left one began earlier.
    public static func < (left: Epoch, right: Epoch) -> Bool { left.rawValue < right.rawValue }
}

extension Epoch: CustomStringConvertible {
    /// The value in decimal digits.
    public var description: String { String(rawValue) }
}

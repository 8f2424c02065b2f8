/// What a connection does to the bytes that go through it.
public struct NetworkFaults: Sendable, Hashable {
    /// Every piece waits so long.
    public var delay = Duration.zero
    /// Every piece waits up to so much longer. They keep their order.
    public var jitter = Duration.zero
    /// Nothing goes through, and nobody is told.
    public var isSilent = false
    /// Of so many pieces, 0 to 1, a bit is another.
    public var flippedShare = 0.0
    /// So many pieces change places with the next one.
    public var swappedShare = 0.0
    /// Behind a part of so many pieces the connection ends.
    public var cutShare = 0.0

    /// None.
    public init() {}

    /// A connection as it should be.
    public static let none = NetworkFaults()
}

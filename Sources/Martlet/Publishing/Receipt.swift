internal import MartletDelivery

/// What became of an event that was published.
public struct Receipt: Sendable {
    /// How far an event has come.
    public enum Level: Sendable, Hashable {
        /// It is numbered and on its way. Nothing is promised beyond this process.
        case queued
    }

    /// What is certain.
    public let level: Level
    /// The number of the event in its channel.
    public let sequence: UInt64
    @usableFromInline let buffer: StreamBuffer
    @usableFromInline let lane: Int

    // Inlined, so that a receipt that nobody looks at is never made.
    @inlinable
    init(_ level: Level, _ event: AppendedEvent, in buffer: StreamBuffer) {
        self.level = level
        sequence = event.sequence
        lane = event.lane
        self.buffer = buffer
    }

    /// Where the event stands.
    public var position: Position {
        Position(
            channel: Channel(
                node: buffer.instance.node, stream: buffer.definition.name, lane: lane),
            epoch: buffer.instance.epoch, sequence: sequence)
    }
}

extension Receipt: CustomStringConvertible {
    /// The level and the position.
    public var description: String { "\(level) \(position)" }
}

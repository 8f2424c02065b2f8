/// How many dead letters something was done about.
public struct LetterCount: Sendable, Hashable, Codable {
    /// Letters that it was done about.
    public var done = 0
    /// Letters that it could not be done about: their events are gone, or too many are tried again
    /// at once already.
    public var notDone = 0

    /// So many.
    public init(done: Int = 0, notDone: Int = 0) {
        self.done = done
        self.notDone = notDone
    }

    static func += (sum: inout LetterCount, count: LetterCount) {
        sum.done += count.done
        sum.notDone += count.notDone
    }
}

/// What can be done about events that groups have given up.
extension Node {
    /// The dead letters of this node that are open, the oldest first. It reads the whole stream
    /// `martlet` of the node.
    public func deadLetters(
        _ selection: LetterSelection = LetterSelection()
    ) async throws(MartletError) -> [DeadLetter] {
        guard let core else { throw mute }
        return try await core.openLetters(selection)
    }

    /// Lets groups try events again that they have given up. Each counts its attempts anew. Where
    /// all of a key was set aside, all of it is tried again, in its order, and the key goes on.
    ///
    /// It returns once that is on disk, where there is one.
    @discardableResult
    public func retryDeadLetters(
        _ selection: LetterSelection
    ) async throws(MartletError) -> LetterCount {
        guard let core else { throw mute }
        return try await core.retry(selection)
    }

    /// Closes dead letters: nothing more is done about their events. A key of which everything was
    /// set aside goes on when none of it is left.
    @discardableResult
    public func purgeDeadLetters(
        _ selection: LetterSelection
    ) async throws(MartletError) -> LetterCount {
        guard let core else { throw mute }
        return try await core.purge(selection)
    }

    /// Publishes another event in the place of one that was given up: with its topic, key and
    /// attributes, and another payload. It is a new event, for all groups and subscriptions. Its
    /// letter is closed.
    @discardableResult
    public func replaceDeadLetter(
        _ number: UInt64, by payload: Bytes
    ) async throws(MartletError) -> Receipt {
        guard let core else { throw mute }
        return try await core.replace(number, by: payload)
    }
}

extension Node {
    /// The positions of a cursor: how far the subscription that goes by it has handled each
    /// channel. Empty if there is none of this name.
    public func cursor(named name: String) throws(MartletError) -> [Position] {
        try requireJournal().storage.cursors[name] ?? []
    }

    /// The names of the cursors in the node's journal.
    public func cursorNames() throws(MartletError) -> [String] {
        try requireJournal().storage.cursors.keys.sorted()
    }

    /// Moves a cursor in the channels of these positions, and returns once that is on disk: for
    /// those who say by hand how far they have got, and begin with `.after(node.cursor(named:))`.
    public func move(
        cursor name: String, to positions: [Position]
    ) async throws(MartletError) {
        let journal = try requireJournal()
        try journal.check(cursor: name)
        guard positions.allSatisfy({ $0.sequence <= Limits.sequenceMax }) else {
            throw MartletError(
                .invalidArgument, "No event has a number above \(Limits.sequenceMax).")
        }
        try await journal.writer.store(cursor: name) { before in
            var all: [Channel: Position] = [:]
            for position in before + positions { all[position.channel] = position }
            return all.values.sorted { $0.description < $1.description }
        }
    }

    /// Forgets a cursor, and returns once that is on disk.
    public func forget(cursor name: String) async throws(MartletError) {
        let journal = try requireJournal()
        try journal.check(cursor: name)
        try await journal.writer.store(cursor: name) { _ in [] }
    }

    func requireJournal() throws(MartletError) -> NodeJournal {
        guard let journal else {
            throw MartletError(
                .wrongState,
                "Cursors are kept in a node's journal, and `\(self.name)` has none. Start it with "
                    + "`journal:`.")
        }
        return journal
    }
}

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
        var all: [Channel: Position] = [:]
        for position in try cursor(named: name) + positions { all[position.channel] = position }
        try await journal.writer.store(Array(all.values), asCursor: name)
    }

    /// Forgets a cursor, and returns once that is on disk.
    public func forget(cursor name: String) async throws(MartletError) {
        let journal = try requireJournal()
        try journal.check(cursor: name)
        try await journal.writer.store([], asCursor: name)
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

internal import MartletJournal

/// A transaction of a database, for as long as a handler runs: what the handler does in it, and how
/// far its subscription has got, are on the disk together or not at all.
public final class StateTransaction {
    /// Nil when the handler has returned.
    private var database: StateDatabase?

    init(_ database: StateDatabase) { self.database = database }

    /// The handler has returned.
    func end() { database = nil }

    /// Runs a statement: `try transaction.execute("INSERT INTO totals VALUES (?, ?)", id, cents)`.
    public func execute(
        _ sql: String, _ values: any SQLStorable...
    ) throws(MartletError) {
        _ = try run(sql, values.map(\.sqlValue))
    }

    /// Runs a statement, and returns its rows.
    public func query(
        _ sql: String, _ values: any SQLStorable...
    ) throws(MartletError) -> [[SQLValue]] {
        try run(sql, values.map(\.sqlValue))
    }

    private func run(_ sql: String, _ values: [SQLValue]) throws(MartletError) -> [[SQLValue]] {
        guard let database else {
            throw MartletError(
                .wrongState,
                "The transaction is over: it lasts for as long as its handler runs.")
        }
        return try database.run(sql, values)
    }
}

internal import MartletJournal

/// A transaction of a database, for as long as a handler runs: what the handler does in it, and how
/// far its subscription has got, are on the disk together or not at all.
public struct StateTransaction: ~Copyable {
    private let database: StateDatabase

    init(_ database: StateDatabase) { self.database = database }

    /// Runs a statement: `try transaction.execute("INSERT INTO totals VALUES (?, ?)", id, cents)`.
    public func execute(
        _ sql: String, _ values: any SQLStorable...
    ) throws(MartletError) {
        _ = try database.run(sql, values.map(\.sqlValue))
    }

    /// Runs a statement, and returns its rows.
    public func query(
        _ sql: String, _ values: any SQLStorable...
    ) throws(MartletError) -> [[SQLValue]] {
        try database.run(sql, values.map(\.sqlValue))
    }
}

import CSQLite
package import MartletCore

/// A SQLite database with one connection, which alone writes and checkpoints: two that do can
/// corrupt a write-ahead log in SQLite before 3.51.3.
///
/// Not for several threads at a time.
@safe
package final class StateDatabase {
    private let name: String
    // Sound: opened in `init`, closed in `deinit`, and used by one thread at a time.
    private let connection: OpaquePointer
    private var statements: [String: PreparedStatement] = [:]

    /// Statements that are kept prepared.
    private static let statementsMax = 128

    /// Opens a database, which is made if it is not there. What is committed is on the disk.
    package init(_ name: String) throws(MartletError) {
        self.name = name
        var opened: OpaquePointer?
        let flags =
            SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX
            | SQLITE_OPEN_EXRESCODE
        let result = unsafe sqlite3_open_v2(name, &opened, flags, nil)
        guard result == SQLITE_OK, let opened = unsafe opened else {
            let reason = unsafe String(cString: sqlite3_errstr(result))
            if let opened = unsafe opened { unsafe sqlite3_close_v2(opened) }
            throw MartletError(
                .failed, "The database \(name) cannot be opened: \(reason). Look at the file.")
        }
        unsafe connection = unsafe opened
        for setting in [
            "PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL",
            "PRAGMA locking_mode = EXCLUSIVE", "PRAGMA foreign_keys = ON",
        ] { _ = try run(setting, []) }
    }

    deinit {
        // Waits by itself for what is still prepared.
        unsafe sqlite3_close_v2(connection)
    }

    /// Runs a statement, and returns its rows.
    package func run(
        _ sql: String, _ values: [SQLValue]
    ) throws(MartletError) -> [[SQLValue]] {
        let statement = try prepare(sql)
        defer { statement.reset() }
        guard statement.parameterCount == values.count else {
            throw MartletError(
                .invalidArgument,
                "`\(sql.prefix(80))` takes \(statement.parameterCount) values, and "
                    + "\(values.count) are given.")
        }
        for (place, value) in values.enumerated() {
            try check(statement.bind(value, at: place + 1), sql)
        }
        var rows: [[SQLValue]] = []
        while true {
            let result = statement.step()
            if result == SQLITE_DONE { return rows }
            guard result == SQLITE_ROW else {
                try check(result, sql)
                return rows
            }
            rows.append(statement.row)
        }
    }

    private func prepare(_ sql: String) throws(MartletError) -> PreparedStatement {
        if let known = statements[sql] { return known }
        var prepared: OpaquePointer?
        try check(unsafe sqlite3_prepare_v2(connection, sql, -1, &prepared, nil), sql)
        guard let prepared = unsafe prepared else {
            throw MartletError(.invalidArgument, "`\(sql.prefix(80))` is no statement.")
        }
        let statement = unsafe PreparedStatement(prepared)
        if statements.count >= StateDatabase.statementsMax { statements = [:] }
        statements[sql] = statement
        return statement
    }

    private func check(_ result: Int32, _ sql: String) throws(MartletError) {
        guard result != SQLITE_OK else { return }
        let reason = unsafe String(cString: sqlite3_errmsg(connection))
        throw MartletError(
            result & 0xFF == SQLITE_FULL ? .resourceExhausted : .failed,
            "The database \(name) refuses `\(sql.prefix(80))`: \(reason). Mend the statement, or "
                + "look at the file.", isRetriable: result & 0xFF == SQLITE_BUSY)
    }
}

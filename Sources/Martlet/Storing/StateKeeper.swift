internal import MartletDelivery
internal import MartletJournal

// Sound to share: its one user, `keepState`, waits for each call before it makes the next, so that
// the database belongs to one thread at a time.
/// A database that keeps what a subscription makes of events, and how far it has got.
final class StateKeeper: @unchecked Sendable {
    private let database: StateDatabase
    private let cursor: String

    private init(_ database: StateDatabase, _ cursor: String) {
        self.database = database
        self.cursor = cursor
    }

    /// Opens a database, and lets `prepare` make what it needs there.
    static func open(
        _ file: String, cursor: String,
        _ prepare: (@Sendable (StateTransaction) throws -> Void)?
    ) async throws -> StateKeeper {
        try await call { () throws -> StateKeeper in
            let keeper = StateKeeper(try StateDatabase(file), cursor)
            try keeper.transact { transaction in
                try transaction.execute(
                    """
                    CREATE TABLE IF NOT EXISTS martlet_cursors (
                        name TEXT NOT NULL, node TEXT NOT NULL, stream TEXT NOT NULL,
                        lane INTEGER NOT NULL, position TEXT NOT NULL,
                        PRIMARY KEY (name, node, stream, lane)) WITHOUT ROWID
                    """)
                try prepare?(transaction)
            }
            return keeper
        }
    }

    /// Where the subscription stands.
    func positions() async throws -> [Position] {
        try await StateKeeper.call { [self] in
            try database.run(
                "SELECT position FROM martlet_cursors WHERE name = ?", [.text(cursor)]
            ).compactMap { row in
                guard case .text(let text)? = row.first else { return nil }
                return Position(text)
            }
        }
    }

    /// Does what `body` does, and moves the cursor to a position, or neither.
    func store(
        _ position: Position,
        _ body: @escaping @Sendable (StateTransaction) throws -> Void
    ) async throws {
        try await StateKeeper.call { [self] in
            try transact { transaction in
                try body(transaction)
                try transaction.execute(
                    """
                    INSERT INTO martlet_cursors VALUES (?, ?, ?, ?, ?)
                    ON CONFLICT DO UPDATE SET position = excluded.position
                    """,
                    cursor, position.channel.node.description, position.channel.stream.text,
                    position.channel.lane, position.description)
            }
        }
    }

    private func transact(_ body: (StateTransaction) throws -> Void) throws {
        _ = try database.run("BEGIN IMMEDIATE", [])
        let transaction = StateTransaction(database)
        defer { transaction.end() }
        do {
            try body(transaction)
            _ = try database.run("COMMIT", [])
        } catch {
            // A failure may have ended it already.
            _ = try? database.run("ROLLBACK", [])
            throw error
        }
    }

    /// Runs on a thread that may wait for the disk; what users throw comes back as it is.
    private static func call<Value: Sendable>(
        _ body: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        let outcome = try await BlockingCall.run { () throws(MartletError) in Result(catching: body)
        }
        return try outcome.get()
    }
}

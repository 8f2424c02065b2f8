import CSQLite
import MartletCore

/// A statement that SQLite has understood, used by its database's thread alone.
@safe
final class PreparedStatement {
    // Sound: this object's alone, and finalized with it.
    private let statement: OpaquePointer

    @unsafe
    init(_ statement: OpaquePointer) { unsafe self.statement = unsafe statement }

    deinit { unsafe sqlite3_finalize(statement) }

    /// How many values it takes.
    var parameterCount: Int { Int(unsafe sqlite3_bind_parameter_count(statement)) }

    /// Goes on, to the next row or to its end.
    func step() -> Int32 { unsafe sqlite3_step(statement) }

    /// Lets go of its rows and its values.
    func reset() {
        unsafe sqlite3_reset(statement)
        unsafe sqlite3_clear_bindings(statement)
    }

    /// Puts a copy of a value in a place, from 1.
    func bind(_ value: SQLValue, at place: Int) -> Int32 {
        let place = Int32(place)
        switch value {
        case .null: return unsafe sqlite3_bind_null(statement, place)
        case .integer(let value): return unsafe sqlite3_bind_int64(statement, place, value)
        case .real(let value): return unsafe sqlite3_bind_double(statement, place, value)
        case .text(var text):
            return text.withUTF8 { bytes in
                unsafe csqlite_bind_text(
                    statement, place, bytes.baseAddress, Int32(clamping: bytes.count))
            }
        case .blob(let bytes):
            return bytes.withBytes { span in
                unsafe span.withUnsafeBytes { memory in
                    unsafe csqlite_bind_blob(
                        statement, place, memory.baseAddress, Int32(clamping: memory.count))
                }
            }
        }
    }

    /// The row at hand.
    var row: [SQLValue] {
        (0..<(unsafe sqlite3_column_count(statement))).map { value(at: $0) }
    }

    private func value(at place: Int32) -> SQLValue {
        switch unsafe sqlite3_column_type(statement, place) {
        case SQLITE_INTEGER: .integer(unsafe sqlite3_column_int64(statement, place))
        case SQLITE_FLOAT: .real(unsafe sqlite3_column_double(statement, place))
        case SQLITE_TEXT: .text(String(decoding: bytes(at: place), as: UTF8.self))
        case SQLITE_BLOB: .blob(Bytes(bytes(at: place)))
        default: .null
        }
    }

    private func bytes(at place: Int32) -> [UInt8] {
        // Valid until the statement goes on, and copied before.
        let start = unsafe sqlite3_column_blob(statement, place)
        let count = Int(unsafe sqlite3_column_bytes(statement, place))
        return unsafe Array(UnsafeRawBufferPointer(start: start, count: count))
    }
}

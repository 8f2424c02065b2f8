// SQLite: the state that changes together with a cursor.

#ifndef MARTLET_CSQLITE_H
#define MARTLET_CSQLITE_H

#include <sqlite3.h>

#if SQLITE_VERSION_NUMBER < 3034000
#error "Martlet needs SQLite 3.34 or later: install libsqlite3-dev from Debian 12 or newer"
#endif

// The value copies what it is given: SQLITE_TRANSIENT, which Swift cannot spell.
static inline int csqlite_bind_text(sqlite3_stmt *statement, int place, const void *bytes,
                                    int count) {
    return sqlite3_bind_text(statement, place, count == 0 ? "" : bytes, count, SQLITE_TRANSIENT);
}

static inline int csqlite_bind_blob(sqlite3_stmt *statement, int place, const void *bytes,
                                    int count) {
    return count == 0 ? sqlite3_bind_zeroblob(statement, place, 0)
                      : sqlite3_bind_blob(statement, place, bytes, count, SQLITE_TRANSIENT);
}

#endif

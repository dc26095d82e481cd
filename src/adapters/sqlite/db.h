/* SQLite in our terms: statements that check, errors that say what to do. */
#ifndef TIDEMARK_ADAPTERS_SQLITE_DB_H
#define TIDEMARK_ADAPTERS_SQLITE_DB_H

#include <sqlite3.h>

#include "core/base/bytes.h"
#include "core/base/err.h"

/* A connection belongs to one thread at a time (SQLITE_OPEN_NOMUTEX). Errors everywhere: what
 * db_err() makes of SQLite's result codes. */

/* Makes the file, or opens it. Reading only: the file must be there and not change (immutable=1, so
 * no lock is taken and a write-ahead log is not looked for). */
MUST_CHECK bool db_create(const char *path, sqlite3 **ret_db, struct err *err);
MUST_CHECK bool db_create_by(const char *path, const char *vfs, sqlite3 **ret_db, struct err *err);
MUST_CHECK bool db_open_reading(const char *path, sqlite3 **ret_db, struct err *err);
MUST_CHECK bool db_open_writing(const char *path, sqlite3 **ret_db, struct err *err);
MUST_CHECK bool db_open_memory(sqlite3 **ret_db, struct err *err);
sqlite3 *db_close(sqlite3 *db); /* takes NULL; returns NULL; no statement may be open (CHECK) */
void db_auto(sqlite3 **db);

/* Loads an extension from its file into the connection. SETTINGS: it cannot be. */
MUST_CHECK bool db_load_extension(sqlite3 *db, const char *path, const char *entry,
                                  struct err *err);

MUST_CHECK bool db_run(sqlite3 *db, const char *sql, struct err *err);
/* One row's first column as an integer. */
MUST_CHECK bool db_run_i64(sqlite3 *db, const char *sql, int64_t *ret_value, struct err *err);

MUST_CHECK bool db_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **ret_statement,
                           struct err *err);
sqlite3_stmt *db_finalize(sqlite3_stmt *statement); /* takes NULL; returns NULL */
void db_statement_auto(sqlite3_stmt **statement);
/* *ret_row: there is a row to look at. */
MUST_CHECK bool db_step(sqlite3_stmt *statement, bool *ret_row, struct err *err);

/* Values are borrowed until the statement is stepped, reset or finalized. Columns count from 0,
 * parameters from 1. */
struct bytes db_blob(sqlite3_stmt *statement, int column);
const char *db_text(sqlite3_stmt *statement, int column); /* NULL for SQL NULL */
void db_bind_blob(sqlite3_stmt *statement, int parameter, struct bytes borrowed_value);
/* NULL binds SQL NULL. */
void db_bind_text(sqlite3_stmt *statement, int parameter, const char *borrowed_text);
void db_bind_i64(sqlite3_stmt *statement, int parameter, int64_t value);

/* The one translation: FULL -> LIMIT; CORRUPT, NOTADB -> CORRUPT; CANTOPEN -> MISSING; PERM,
 * READONLY, AUTH -> SETTINGS; INTERRUPT -> STOPPED; CONSTRAINT, TOOBIG, MISMATCH -> INPUT; the rest
 * TRANSIENT. Returns false. */
bool db_err(struct err *err, sqlite3 *db, int code, const char *doing);
enum err_kind db_err_kind(int code);

#endif

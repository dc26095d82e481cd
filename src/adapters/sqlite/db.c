/* SQLite in our terms. */
#include "adapters/sqlite/db.h"

#include <stdio.h>
#include <stdlib.h>

enum { CODE_MASK = 0xff }; /* extended result codes have the plain one in the low byte */

enum err_kind db_err_kind(int code)
{
    switch (code & CODE_MASK) {
    case SQLITE_FULL:
        return ERR_LIMIT;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return ERR_CORRUPT;
    case SQLITE_CANTOPEN:
        return ERR_MISSING;
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_AUTH:
        return ERR_SETTINGS;
    case SQLITE_INTERRUPT:
        return ERR_STOPPED;
    case SQLITE_CONSTRAINT:
    case SQLITE_TOOBIG:
    case SQLITE_MISMATCH:
        return ERR_INPUT;
    default:
        return ERR_TRANSIENT;
    }
}

bool db_err(struct err *err, sqlite3 *db, int code, const char *doing)
{
    const char *message = db != NULL ? sqlite3_errmsg(db) : sqlite3_errstr(code);
    return err_set_code(err, db_err_kind(code), code, "%s: %s", doing, message);
}

static bool open_with(const char *name, int flags, const char *vfs, sqlite3 **ret_db,
                      struct err *err)
{
    sqlite3 *db = NULL;
    int code = sqlite3_open_v2(name, &db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, vfs);
    if (code != SQLITE_OK) {
        (void)db_err(err, db, code, "open");
        sqlite3_close(db);
        return false;
    }
    *ret_db = db;
    return true;
}

bool db_create(const char *path, sqlite3 **ret_db, struct err *err)
{
    return db_create_by(path, NULL, ret_db, err);
}

bool db_create_by(const char *path, const char *vfs, sqlite3 **ret_db, struct err *err)
{
    return open_with(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, vfs, ret_db, err);
}

bool db_open_writing(const char *path, sqlite3 **ret_db, struct err *err)
{
    return open_with(path, SQLITE_OPEN_READWRITE, NULL, ret_db, err);
}

bool db_open_memory(sqlite3 **ret_db, struct err *err)
{
    return open_with(":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL, ret_db, err);
}

/* A path as a URI: what has a meaning there is written as %XX (https://sqlite.org/uri.html). */
static char *immutable_uri(const char *path)
{
    static const char head[] = "file:";
    static const char tail[] = "?immutable=1";
    char *uri = malloc(sizeof head + 3 * strlen(path) + sizeof tail);
    CHECK(uri != NULL);
    char *at = stpcpy(uri, head);
    for (const char *from = path; *from != '\0'; from++) {
        if (*from == '%' || *from == '?' || *from == '#') {
            at += sprintf(at, "%%%02X", (unsigned)(unsigned char)*from);
        } else {
            *at++ = *from;
        }
    }
    stpcpy(at, tail);
    return uri;
}

bool db_open_reading(const char *path, sqlite3 **ret_db, struct err *err)
{
    char *uri = immutable_uri(path);
    bool ok = open_with(uri, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, NULL, ret_db, err);
    free(uri);
    return ok;
}

sqlite3 *db_close(sqlite3 *db)
{
    if (db != NULL) {
        CHECK(sqlite3_close(db) == SQLITE_OK);
    }
    return NULL;
}

void db_auto(sqlite3 **db)
{
    *db = db_close(*db);
}

bool db_load_extension(sqlite3 *db, const char *path, const char *entry, struct err *err)
{
#ifdef SQLITE_OMIT_LOAD_EXTENSION
    (void)db;
    (void)entry;
    return err_set(err, ERR_SETTINGS, "this SQLite cannot load extensions: %.200s", path);
#else
    char *message = NULL;
    if (sqlite3_compileoption_used("OMIT_LOAD_EXTENSION") != 0 ||
        sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 1, NULL) != SQLITE_OK) {
        return err_set(err, ERR_SETTINGS, "SQLite %s cannot load extensions: %.200s",
                       sqlite3_libversion(), path);
    }
    int code = sqlite3_load_extension(db, path, entry, &message);
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
    if (code != SQLITE_OK) {
        err_set_code(err, ERR_SETTINGS, code, "%.200s: %.200s", path,
                     message == NULL ? sqlite3_errstr(code) : message);
    }
    sqlite3_free(message);
    return code == SQLITE_OK;
#endif
}

bool db_run(sqlite3 *db, const char *sql, struct err *err)
{
    int code = sqlite3_exec(db, sql, NULL, NULL, NULL);
    return code == SQLITE_OK || db_err(err, db, code, sql);
}

bool db_run_i64(sqlite3 *db, const char *sql, int64_t *ret_value, struct err *err)
{
    AUTO(db_statement) sqlite3_stmt *statement = NULL;
    bool row;
    TRY(db_prepare(db, sql, &statement, err));
    TRY(db_step(statement, &row, err));
    if (!row) {
        return err_set(err, ERR_CORRUPT, "%s: no row", sql);
    }
    *ret_value = sqlite3_column_int64(statement, 0);
    return true;
}

bool db_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **ret_statement, struct err *err)
{
    int code = sqlite3_prepare_v2(db, sql, -1, ret_statement, NULL);
    return code == SQLITE_OK || db_err(err, db, code, sql);
}

sqlite3_stmt *db_finalize(sqlite3_stmt *statement)
{
    /* It repeats the last step's error, which was reported then. */
    (void)sqlite3_finalize(statement);
    return NULL;
}

void db_statement_auto(sqlite3_stmt **statement)
{
    *statement = db_finalize(*statement);
}

bool db_step(sqlite3_stmt *statement, bool *ret_row, struct err *err)
{
    int code = sqlite3_step(statement);
    if (code != SQLITE_ROW && code != SQLITE_DONE) {
        return db_err(err, sqlite3_db_handle(statement), code, sqlite3_sql(statement));
    }
    *ret_row = code == SQLITE_ROW;
    return true;
}

struct bytes db_blob(sqlite3_stmt *statement, int column)
{
    const void *data = sqlite3_column_blob(statement, column);
    return bytes_of(data, (size_t)sqlite3_column_bytes(statement, column));
}

const char *db_text(sqlite3_stmt *statement, int column)
{
    return (const char *)sqlite3_column_text(statement, column);
}

/* Out of memory, or a parameter that the statement does not have: bugs, for us. */
static void check_bound(int code)
{
    CHECK(code == SQLITE_OK);
}

void db_bind_blob(sqlite3_stmt *statement, int parameter, struct bytes borrowed_value)
{
    /* A NULL pointer would bind SQL NULL, also with size 0. */
    const void *data = borrowed_value.size == 0 ? "" : (const void *)borrowed_value.data;
    check_bound(
        sqlite3_bind_blob64(statement, parameter, data, borrowed_value.size, SQLITE_STATIC));
}

void db_bind_text(sqlite3_stmt *statement, int parameter, const char *borrowed_text)
{
    check_bound(sqlite3_bind_text(statement, parameter, borrowed_text, -1, SQLITE_STATIC));
}

void db_bind_i64(sqlite3_stmt *statement, int parameter, int64_t value)
{
    check_bound(sqlite3_bind_int64(statement, parameter, value));
}

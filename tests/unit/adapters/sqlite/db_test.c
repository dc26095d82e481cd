/* Do SQLite's results become the kinds of errors that callers act on? */
#include "adapters/sqlite/db.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <unistd.h>

static const struct {
    int code;
    enum err_kind kind;
} kinds[] = {
    {SQLITE_FULL, ERR_LIMIT},
    {SQLITE_CORRUPT, ERR_CORRUPT},
    {SQLITE_CORRUPT_INDEX, ERR_CORRUPT},
    {SQLITE_NOTADB, ERR_CORRUPT},
    {SQLITE_CANTOPEN, ERR_MISSING},
    {SQLITE_READONLY, ERR_SETTINGS},
    {SQLITE_READONLY_DIRECTORY, ERR_SETTINGS},
    {SQLITE_PERM, ERR_SETTINGS},
    {SQLITE_INTERRUPT, ERR_STOPPED},
    {SQLITE_CONSTRAINT_PRIMARYKEY, ERR_INPUT},
    {SQLITE_TOOBIG, ERR_INPUT},
    {SQLITE_IOERR, ERR_TRANSIENT},
    {SQLITE_BUSY, ERR_TRANSIENT},
};

Test(db, kinds)
{
    for (size_t i = 0; i < LENGTH_OF(kinds); i++) {
        cr_assert_eq(db_err_kind(kinds[i].code), kinds[i].kind, "code %d", kinds[i].code);
    }
}

Test(db, statements_and_values)
{
    struct err err = {0};
    AUTO(db) sqlite3 *db = NULL;
    cr_assert(db_open_memory(&db, &err));
    cr_assert(db_run(db, "CREATE TABLE t (i INTEGER, b BLOB NOT NULL, s TEXT)", &err));
    AUTO(db_statement) sqlite3_stmt *insert = NULL;
    cr_assert(db_prepare(db, "INSERT INTO t VALUES (?, ?, ?)", &insert, &err));
    db_bind_i64(insert, 1, INT64_MIN);
    db_bind_blob(insert, 2, bytes_of(NULL, 0)); /* an empty blob, not NULL */
    db_bind_text(insert, 3, NULL);
    bool row = true;
    cr_assert(db_step(insert, &row, &err), "%s", err.message);
    cr_assert(!row);
    int64_t value;
    cr_assert(db_run_i64(db, "SELECT i FROM t WHERE s IS NULL AND length(b) = 0", &value, &err));
    cr_assert_eq(value, INT64_MIN);
    cr_assert(!db_run_i64(db, "SELECT i FROM t WHERE s IS NOT NULL", &value, &err));
    cr_assert_eq(err.kind, ERR_CORRUPT);
    cr_assert(!db_run(db, "SELECT nothing FROM t", &err));
    cr_assert_not_null(strstr(err.message, "nothing"), "%s", err.message);
}

Test(db, paths_that_look_like_uris)
{
    static const char *const names[] = {"plain", "a?mode=memory", "b#c",
                                        "d%41",  "e f",           "g&immutable=0"};
    char folder[] = "/tmp/tidemark-db-XXXXXX";
    cr_assert_not_null(mkdtemp(folder));
    struct err err = {0};
    for (size_t i = 0; i < LENGTH_OF(names); i++) {
        char path[200];
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        sqlite3 *db = NULL;
        cr_assert(!db_open_reading(path, &db, &err), "%s", path);
        cr_assert_eq(err.kind, ERR_MISSING);
        cr_assert(!db_open_writing(path, &db, &err));
        cr_assert_eq(err.kind, ERR_MISSING);
        cr_assert(db_create(path, &db, &err));
        cr_assert(db_run(db, "CREATE TABLE t (i); INSERT INTO t VALUES (7)", &err));
        db_close(db);
        cr_assert_eq(access(path, F_OK), 0);
        cr_assert(db_open_reading(path, &db, &err), "%s: %s", path, err.message);
        int64_t value;
        cr_assert(db_run_i64(db, "SELECT i FROM t", &value, &err), "%s: %s", path, err.message);
        cr_assert_eq(value, 7);
        cr_assert(!db_run(db, "INSERT INTO t VALUES (8)", &err));
        cr_assert_eq(err.kind, ERR_SETTINGS);
        db_close(db);
        cr_assert_eq(unlink(path), 0);
    }
    rmdir(folder);
}

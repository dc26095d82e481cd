/* A row_stream as a table that SQLite reads (https://sqlite.org/vtab.html). */
#include "adapters/sqlite/rows_vtab.h"

#include <stdlib.h>

enum { STOP_CHECK_ROWS = 1024, COLUMN_K = 0 };

struct table {
    sqlite3_vtab base;
    struct rows_vtab *state;
};

struct cursor {
    sqlite3_vtab_cursor base;
    struct rows_vtab *state;
    struct row row;
    bool ended;
};

static int connect(sqlite3 *db, void *context, int arg_count, const char *const *args,
                   sqlite3_vtab **ret_table, char **ret_message)
{
    (void)arg_count;
    (void)args;
    (void)ret_message;
    int code = sqlite3_declare_vtab(db, "CREATE TABLE rows_in (k BLOB, v BLOB)");
    if (code != SQLITE_OK) {
        return code;
    }
    struct table *table = calloc(1, sizeof *table);
    CHECK(table != NULL);
    table->state = context;
    *ret_table = &table->base;
    return SQLITE_OK;
}

static int disconnect(sqlite3_vtab *table)
{
    free(table);
    return SQLITE_OK;
}

/* There is one way to read it: from the first row to the last. */
static int best_index(sqlite3_vtab *table, sqlite3_index_info *info)
{
    (void)table;
    info->estimatedCost = 1.0;
    return SQLITE_OK;
}

static int open_cursor(sqlite3_vtab *table, sqlite3_vtab_cursor **ret_cursor)
{
    struct cursor *cursor = calloc(1, sizeof *cursor);
    CHECK(cursor != NULL);
    cursor->state = ((struct table *)table)->state;
    *ret_cursor = &cursor->base;
    return SQLITE_OK;
}

static int close_cursor(sqlite3_vtab_cursor *cursor)
{
    free(cursor);
    return SQLITE_OK;
}

static int fail(struct rows_vtab *state)
{
    state->failed = true;
    return SQLITE_ABORT;
}

static bool is_stopped(const struct rows_vtab *state)
{
    return state->rows % STOP_CHECK_ROWS == 0 && state->borrowed_stop != NULL &&
           atomic_load_explicit(state->borrowed_stop, memory_order_relaxed);
}

static void keep_key(struct buf *buf, struct bytes key)
{
    buf_clear(buf);
    buf_add_bytes(buf, key);
}

static int next(sqlite3_vtab_cursor *base)
{
    struct cursor *cursor = (struct cursor *)base;
    struct rows_vtab *state = cursor->state;
    bool more;
    if (is_stopped(state)) {
        (void)err_set(&state->err, ERR_STOPPED, "stopped while writing a shard file");
        return fail(state);
    }
    if (!row_stream_next(state->borrowed_rows, &cursor->row, &more, &state->err)) {
        return fail(state);
    }
    if (!more) {
        cursor->ended = true;
        return SQLITE_OK;
    }
    if (state->rows == 0) {
        keep_key(state->borrowed_key_min, cursor->row.key);
    }
    /* The last one is not known to be the last: its view ends with the next call. */
    keep_key(state->borrowed_key_max, cursor->row.key);
    state->rows++;
    state->key_bytes += cursor->row.key.size;
    state->value_bytes += cursor->row.value.size;
    uint64_t row_bytes = (uint64_t)cursor->row.key.size + cursor->row.value.size;
    state->row_bytes_max = row_bytes > state->row_bytes_max ? row_bytes : state->row_bytes_max;
    return SQLITE_OK;
}

static int filter(sqlite3_vtab_cursor *base, int index, const char *index_text, int arg_count,
                  sqlite3_value **args)
{
    (void)index;
    (void)index_text;
    (void)arg_count;
    (void)args;
    return next(base);
}

static int eof(sqlite3_vtab_cursor *base)
{
    return ((struct cursor *)base)->ended;
}

static int column(sqlite3_vtab_cursor *base, sqlite3_context *context, int number)
{
    const struct row *row = &((struct cursor *)base)->row;
    struct bytes value = number == COLUMN_K ? row->key : row->value;
    /* A NULL pointer would be SQL NULL, also with size 0. The row stays until the next one. */
    sqlite3_result_blob64(context, value.size == 0 ? "" : (const void *)value.data, value.size,
                          SQLITE_STATIC);
    return SQLITE_OK;
}

static int rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *ret_rowid)
{
    *ret_rowid = (sqlite3_int64)((struct cursor *)base)->state->rows;
    return SQLITE_OK;
}

static const sqlite3_module rows_module = {
    .xConnect = connect, /* no xCreate: it is there without CREATE VIRTUAL TABLE */
    .xBestIndex = best_index,
    .xDisconnect = disconnect,
    .xOpen = open_cursor,
    .xClose = close_cursor,
    .xFilter = filter,
    .xNext = next,
    .xEof = eof,
    .xColumn = column,
    .xRowid = rowid,
};

int rows_vtab_add(sqlite3 *db, struct rows_vtab *borrowed_state)
{
    return sqlite3_create_module(db, "rows_in", &rows_module, borrowed_state);
}

/* The database of a local checkpoint: what a member's spills hold, so that a restart goes on. */
#include "adapters/sqlite/sqlite_checkpoint.h"

#include <stdio.h>
#include <unistd.h>

#include "adapters/sqlite/db.h"
#include "core/spill/spill_format.h"

/* A rollback journal and full synchronous writes: it is small, and written rarely. */
static const char prepare_sql[] =
    "PRAGMA journal_mode=DELETE; PRAGMA synchronous=FULL;"
    "BEGIN IMMEDIATE;"
    "CREATE TABLE IF NOT EXISTS stamps (name TEXT PRIMARY KEY, value TEXT NOT NULL);"
    "CREATE TABLE IF NOT EXISTS partitions (topic TEXT NOT NULL, number INTEGER NOT NULL,"
    " first INTEGER NOT NULL, position INTEGER NOT NULL, leader_epoch INTEGER NOT NULL,"
    " event_time_max_us INTEGER NOT NULL, head_run TEXT NOT NULL, bytes INTEGER NOT NULL,"
    " tally BLOB NOT NULL, PRIMARY KEY (topic, number));"
    "CREATE TABLE IF NOT EXISTS spills (name TEXT PRIMARY KEY, bytes INTEGER NOT NULL,"
    " digest INTEGER NOT NULL, voided BLOB NOT NULL);";
/* Tables of their own: an older checkpoint is read as far as its stamps, which say that it is one.
 */
static const char later_sql[] =
    "CREATE TABLE IF NOT EXISTS witnesses (topic TEXT NOT NULL, number INTEGER NOT NULL,"
    " record INTEGER NOT NULL, hash INTEGER NOT NULL, PRIMARY KEY (topic, number, record));"
    "CREATE TABLE IF NOT EXISTS digests (name TEXT NOT NULL, number INTEGER NOT NULL,"
    " digest INTEGER NOT NULL, PRIMARY KEY (name, number));";
static const char clear_sql[] = "DELETE FROM stamps; DELETE FROM partitions; DELETE FROM spills;"
                                "DELETE FROM witnesses; DELETE FROM digests;";

static const char put_digest_sql[] = "INSERT OR REPLACE INTO digests VALUES (?,?,?)";

enum { SPILL_NUMBER = -1 }; /* of a spill in `digests`: no partition has it */

/* ---- digests: SQLite's pages have no checksums of their own ---- */

/* All that is on record of it but the head's run, which a COMMIT changes in place: that has a
 * digest of its own. */
static uint64_t digest_of_partition(const struct checkpoint_partition *partition)
{
    const int64_t numbers[] = {partition->number,
                               partition->from,
                               partition->position,
                               partition->leader_epoch,
                               partition->event_time_max_us,
                               (int64_t)partition->bytes};
    uint64_t digest = spill_checksum(bytes_of_text(partition->topic));
    for (size_t i = 0; i < LENGTH_OF(numbers); i++) {
        digest = spill_digest_add(digest, (uint64_t)numbers[i]);
    }
    for (size_t i = 0; i < partition->witness_count; i++) {
        digest = spill_digest_add(digest, (uint64_t)partition->witnesses[i].offset);
        digest = spill_digest_add(digest, partition->witnesses[i].hash);
    }
    return spill_digest_add(digest, spill_checksum(partition->tally));
}

enum { HEAD_NAME_MAX = 300 };

/* The name of the digest of the head's run; no topic's name has a blank. */
static const char *head_name(const char *topic, char name[HEAD_NAME_MAX])
{
    snprintf(name, HEAD_NAME_MAX, "head of %s", topic);
    return name;
}

static uint64_t digest_of_spill(const struct checkpoint_spill *spill)
{
    uint64_t digest = spill_checksum(bytes_of_text(spill->name));
    digest = spill_digest_add(digest, spill->bytes);
    digest = spill_digest_add(digest, spill->digest);
    return spill_digest_add(digest, spill_checksum(spill->voided));
}

static bool step_once(sqlite3_stmt *statement, struct err *err)
{
    bool row;
    TRY(db_step(statement, &row, err));
    sqlite3_reset(statement);
    return true;
}

static bool put_stamps(sqlite3 *db, const struct checkpoint_content *content, struct err *err)
{
    AUTO(db_statement) sqlite3_stmt *insert = NULL;
    TRY(db_prepare(db, "INSERT INTO stamps VALUES (?,?)", &insert, err));
    for (size_t i = 0; i < content->stamp_count; i++) {
        db_bind_text(insert, 1, content->stamps[i].name);
        db_bind_text(insert, 2, content->stamps[i].value);
        TRY(step_once(insert, err));
    }
    return true;
}

static bool put_partitions(sqlite3 *db, const struct checkpoint_content *content, struct err *err)
{
    AUTO(db_statement) sqlite3_stmt *insert = NULL;
    TRY(db_prepare(db, "INSERT INTO partitions VALUES (?,?,?,?,?,?,?,?,?)", &insert, err));
    for (size_t i = 0; i < content->partition_count; i++) {
        const struct checkpoint_partition *partition = &content->partitions[i];
        db_bind_text(insert, 1, partition->topic);
        db_bind_i64(insert, 2, partition->number);
        db_bind_i64(insert, 3, partition->from);
        db_bind_i64(insert, 4, partition->position);
        db_bind_i64(insert, 5, partition->leader_epoch);
        db_bind_i64(insert, 6, partition->event_time_max_us);
        db_bind_text(insert, 7, partition->head_run);
        db_bind_i64(insert, 8, (int64_t)partition->bytes);
        db_bind_blob(insert, 9, partition->tally);
        TRY(step_once(insert, err));
    }
    return true;
}

static bool put_witnesses(sqlite3 *db, const struct checkpoint_content *content, struct err *err)
{
    AUTO(db_statement) sqlite3_stmt *insert = NULL;
    TRY(db_prepare(db, "INSERT INTO witnesses VALUES (?,?,?,?)", &insert, err));
    for (size_t i = 0; i < content->partition_count; i++) {
        const struct checkpoint_partition *partition = &content->partitions[i];
        for (size_t k = 0; k < partition->witness_count; k++) {
            db_bind_text(insert, 1, partition->topic);
            db_bind_i64(insert, 2, partition->number);
            db_bind_i64(insert, 3, partition->witnesses[k].offset);
            db_bind_i64(insert, 4, (int64_t)partition->witnesses[k].hash);
            TRY(step_once(insert, err));
        }
    }
    return true;
}

static bool put_digest(sqlite3_stmt *insert, const char *name, int64_t number, uint64_t digest,
                       struct err *err)
{
    db_bind_text(insert, 1, name);
    db_bind_i64(insert, 2, number);
    db_bind_i64(insert, 3, (int64_t)digest);
    return step_once(insert, err);
}

static bool put_head_digest(sqlite3_stmt *insert, const struct checkpoint_partition *partition,
                            struct err *err)
{
    char name[HEAD_NAME_MAX];
    return put_digest(insert, head_name(partition->topic, name), partition->number,
                      spill_checksum(bytes_of_text(partition->head_run)), err);
}

static bool put_digests(sqlite3 *db, const struct checkpoint_content *content, struct err *err)
{
    AUTO(db_statement) sqlite3_stmt *insert = NULL;
    TRY(db_prepare(db, put_digest_sql, &insert, err));
    for (size_t i = 0; i < content->partition_count; i++) {
        const struct checkpoint_partition *partition = &content->partitions[i];
        TRY(put_digest(insert, partition->topic, partition->number, digest_of_partition(partition),
                       err));
        TRY(put_head_digest(insert, partition, err));
    }
    for (size_t i = 0; i < content->spill_count; i++) {
        const struct checkpoint_spill *spill = &content->spills[i];
        TRY(put_digest(insert, spill->name, SPILL_NUMBER, digest_of_spill(spill), err));
    }
    return true;
}

static bool put_spills(sqlite3 *db, const struct checkpoint_content *content, struct err *err)
{
    AUTO(db_statement) sqlite3_stmt *insert = NULL;
    TRY(db_prepare(db, "INSERT INTO spills VALUES (?,?,?,?)", &insert, err));
    for (size_t i = 0; i < content->spill_count; i++) {
        db_bind_text(insert, 1, content->spills[i].name);
        db_bind_i64(insert, 2, (int64_t)content->spills[i].bytes);
        db_bind_i64(insert, 3, (int64_t)content->spills[i].digest);
        db_bind_blob(insert, 4, content->spills[i].voided);
        TRY(step_once(insert, err));
    }
    return true;
}

static bool write_all(sqlite3 *db, const struct checkpoint_content *content, struct err *err)
{
    TRY(db_run(db, prepare_sql, err));
    TRY(db_run(db, later_sql, err));
    TRY(db_run(db, clear_sql, err));
    TRY(put_stamps(db, content, err));
    TRY(put_partitions(db, content, err));
    TRY(put_witnesses(db, content, err));
    TRY(put_spills(db, content, err));
    TRY(put_digests(db, content, err));
    return db_run(db, "COMMIT", err);
}

bool sqlite_checkpoint_write(const char *path, const struct checkpoint_content *content,
                             struct err *err)
{
    AUTO(db) sqlite3 *db = NULL;
    return db_create(path, &db, err) && write_all(db, content, err);
}

static bool forget_partitions(sqlite3 *db, const struct checkpoint_partition *partitions,
                              size_t count, struct err *err)
{
    AUTO(db_statement) sqlite3_stmt *update = NULL;
    AUTO(db_statement) sqlite3_stmt *drop = NULL;
    AUTO(db_statement) sqlite3_stmt *insert = NULL;
    TRY(db_prepare(db, put_digest_sql, &insert, err));
    TRY(db_prepare(db, "UPDATE partitions SET head_run=?3 WHERE topic=?1 AND number=?2", &update,
                   err));
    TRY(db_prepare(db, "DELETE FROM partitions WHERE topic=?1 AND number=?2", &drop, err));
    for (size_t i = 0; i < count; i++) {
        sqlite3_stmt *statement = partitions[i].head_run == NULL ? drop : update;
        db_bind_text(statement, 1, partitions[i].topic);
        db_bind_i64(statement, 2, partitions[i].number);
        if (statement == update) {
            db_bind_text(statement, 3, partitions[i].head_run);
            TRY(put_head_digest(insert, &partitions[i], err));
        }
        TRY(step_once(statement, err));
    }
    return true;
}

static bool forget_spills(sqlite3 *db, const char *const *names, size_t count, struct err *err)
{
    AUTO(db_statement) sqlite3_stmt *drop = NULL;
    TRY(db_prepare(db, "DELETE FROM spills WHERE name=?", &drop, err));
    for (size_t i = 0; i < count; i++) {
        db_bind_text(drop, 1, names[i]);
        TRY(step_once(drop, err));
    }
    return true;
}

bool sqlite_checkpoint_forget(const char *path, const struct checkpoint_partition *partitions,
                              size_t partition_count, const char *const *spills, size_t spill_count,
                              struct err *err)
{
    AUTO(db) sqlite3 *db = NULL;
    TRY(db_open_writing(path, &db, err));
    TRY(db_run(db, prepare_sql, err));
    TRY(forget_partitions(db, partitions, partition_count, err));
    TRY(forget_spills(db, spills, spill_count, err));
    return db_run(db, "COMMIT", err);
}

/* ---- reading ---- */

/* What is damaged may be NULL where the table allows none. */
static const char *known_text(sqlite3_stmt *statement, int column)
{
    const char *text = db_text(statement, column);
    return text == NULL ? "" : text;
}

static const char *text_at(sqlite3_stmt *statement, int column, struct arena *arena)
{
    return arena_text(arena, bytes_of_text(known_text(statement, column)));
}

/* The next one of the rows that were counted. */
static bool next_row(sqlite3_stmt *select, struct err *err)
{
    bool row = false;
    TRY(db_step(select, &row, err));
    return row || err_set(err, ERR_CORRUPT, "a table has fewer rows than were counted");
}

/* How many rows a table has, and its rows as a statement. */
static bool open_table(sqlite3 *db, const char *count_sql, const char *sql, size_t *ret_count,
                       sqlite3_stmt **ret_statement, struct err *err)
{
    int64_t count = 0;
    TRY(db_run_i64(db, count_sql, &count, err));
    *ret_count = (size_t)count;
    return db_prepare(db, sql, ret_statement, err);
}

static bool read_stamps(sqlite3 *db, struct arena *arena, struct checkpoint_content *to,
                        struct err *err)
{
    AUTO(db_statement) sqlite3_stmt *select = NULL;
    TRY(open_table(db, "SELECT count(*) FROM stamps",
                   "SELECT name, value FROM stamps ORDER BY name", &to->stamp_count, &select, err));
    struct checkpoint_stamp *list = arena_zero(arena, (to->stamp_count + 1) * sizeof *list);
    for (size_t i = 0; i < to->stamp_count; i++) {
        TRY(next_row(select, err));
        list[i] = (struct checkpoint_stamp){text_at(select, 0, arena), text_at(select, 1, arena)};
    }
    to->stamps = list;
    return true;
}

/* Both are in the same order; one whose partition is gone is passed over. */
static bool read_witnesses(sqlite3 *db, struct checkpoint_partition *partitions, size_t count,
                           struct err *err)
{
    AUTO(db_statement) sqlite3_stmt *select = NULL;
    TRY(db_prepare(db,
                   "SELECT topic, number, record, hash FROM witnesses"
                   " ORDER BY topic, number, record",
                   &select, err));
    size_t at = 0;
    bool row = true;
    while (true) {
        TRY(db_step(select, &row, err));
        if (!row) {
            return true;
        }
        size_t of = at;
        while (of < count && (strcmp(partitions[of].topic, known_text(select, 0)) != 0 ||
                              partitions[of].number != sqlite3_column_int(select, 1))) {
            of++;
        }
        if (of < count && partitions[of].witness_count < WITNESS_ENDS) {
            at = of;
            partitions[of].witnesses[partitions[of].witness_count++] =
                (struct witness){.offset = sqlite3_column_int64(select, 2),
                                 .hash = (uint64_t)sqlite3_column_int64(select, 3)};
        }
    }
}

static bool read_partitions(sqlite3 *db, struct arena *arena, struct checkpoint_content *to,
                            struct err *err)
{
    AUTO(db_statement) sqlite3_stmt *select = NULL;
    TRY(open_table(db, "SELECT count(*) FROM partitions",
                   "SELECT topic, number, first, position, leader_epoch, event_time_max_us,"
                   " head_run, bytes, tally FROM partitions ORDER BY topic, number",
                   &to->partition_count, &select, err));
    struct checkpoint_partition *list = arena_zero(arena, (to->partition_count + 1) * sizeof *list);
    for (size_t i = 0; i < to->partition_count; i++) {
        TRY(next_row(select, err));
        list[i] = (struct checkpoint_partition){
            .topic = text_at(select, 0, arena),
            .number = sqlite3_column_int(select, 1),
            .from = sqlite3_column_int64(select, 2),
            .position = sqlite3_column_int64(select, 3),
            .leader_epoch = sqlite3_column_int(select, 4),
            .event_time_max_us = sqlite3_column_int64(select, 5),
            .head_run = text_at(select, 6, arena),
            .bytes = (uint64_t)sqlite3_column_int64(select, 7),
            .tally = arena_copy(arena, db_blob(select, 8)),
        };
    }
    to->partitions = list;
    return read_witnesses(db, list, to->partition_count, err);
}

static bool read_spills(sqlite3 *db, struct arena *arena, struct checkpoint_content *to,
                        struct err *err)
{
    AUTO(db_statement) sqlite3_stmt *select = NULL;
    TRY(open_table(db, "SELECT count(*) FROM spills",
                   "SELECT name, bytes, digest, voided FROM spills ORDER BY name", &to->spill_count,
                   &select, err));
    struct checkpoint_spill *list = arena_zero(arena, (to->spill_count + 1) * sizeof *list);
    for (size_t i = 0; i < to->spill_count; i++) {
        TRY(next_row(select, err));
        list[i] = (struct checkpoint_spill){
            .name = text_at(select, 0, arena),
            .bytes = (uint64_t)sqlite3_column_int64(select, 1),
            .digest = (uint64_t)sqlite3_column_int64(select, 2),
            .voided = arena_copy(arena, db_blob(select, 3)),
        };
    }
    to->spills = list;
    return true;
}

/* *ret_same: what was read is what was written under this name. */
static bool check_digest(sqlite3_stmt *select, const char *name, int64_t number, uint64_t digest,
                         bool *ret_same, struct err *err)
{
    bool row = false;
    db_bind_text(select, 1, name);
    db_bind_i64(select, 2, number);
    TRY(db_step(select, &row, err));
    *ret_same = row && (uint64_t)sqlite3_column_int64(select, 0) == digest;
    sqlite3_reset(select);
    return true;
}

static bool check_digests(sqlite3 *db, struct checkpoint_content *content, struct err *err)
{
    AUTO(db_statement) sqlite3_stmt *select = NULL;
    TRY(db_prepare(db, "SELECT digest FROM digests WHERE name=? AND number=?", &select, err));
    bool same = true;
    for (size_t i = 0; same && i < content->partition_count; i++) {
        const struct checkpoint_partition *partition = &content->partitions[i];
        char name[HEAD_NAME_MAX];
        bool same_head = false;
        TRY(check_digest(select, partition->topic, partition->number,
                         digest_of_partition(partition), &same, err));
        TRY(check_digest(select, head_name(partition->topic, name), partition->number,
                         spill_checksum(bytes_of_text(partition->head_run)), &same_head, err));
        same = same && same_head;
        content->damaged = same ? NULL : partition->topic;
    }
    for (size_t i = 0; same && i < content->spill_count; i++) {
        const struct checkpoint_spill *spill = &content->spills[i];
        TRY(check_digest(select, spill->name, SPILL_NUMBER, digest_of_spill(spill), &same, err));
        content->damaged = same ? NULL : spill->name;
    }
    return true;
}

static bool read_all(sqlite3 *db, struct arena *arena, struct checkpoint_content *to,
                     struct err *err)
{
    TRY(db_run(db, later_sql, err));
    TRY(read_stamps(db, arena, to, err));
    TRY(read_partitions(db, arena, to, err));
    TRY(read_spills(db, arena, to, err));
    return check_digests(db, to, err);
}

bool sqlite_checkpoint_read(const char *path, struct arena *arena,
                            struct checkpoint_content *ret_content, struct err *err)
{
    AUTO(db) sqlite3 *db = NULL;
    struct checkpoint_content content = {0};
    if (access(path, F_OK) != 0) {
        return err_set(err, ERR_MISSING, "%s is not there", path);
    }
    /* for writing: a journal that a crash has left is rolled back */
    TRY(db_open_writing(path, &db, err));
    if (!db_run(db, "BEGIN", err) || !read_all(db, arena, &content, err)) {
        struct err why = *err; /* another schema is SQLite's "generic error" */
        return err_set(err, why.kind == ERR_TRANSIENT ? ERR_CORRUPT : why.kind,
                       "%s is not a checkpoint: %.300s", path, why.message);
    }
    *ret_content = content;
    return true;
}

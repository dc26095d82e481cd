/* Is a local checkpoint used exactly when all of it is there and fits? */
#include "consumer/rows/spill_writer.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <stdio.h>
#include <unistd.h>

#include "adapters/os/file.h"
#include "adapters/sqlite/db.h"
#include "checkpoint/spill/local_checkpoint.h"
#include "tests/support/test_set.h"

enum { ROWS = 3000 };

static char folder[] = "/tmp/local-checkpoint-XXXXXX";
static char database[100], spills[100], spill[120];
static struct checkpoint_stamp stamps[] = {{"fingerprint", "f1"}, {"group", "g"}};
static struct local_checkpoint_place place = {database, spills, stamps, 2};
static struct tally tally;
static struct buf tally_bytes;

static void must(bool ok, const struct err *err)
{
    cr_assert(ok, "%s", err->message);
}

/* One partition, whose rows are in one spill. */
static void set_up(void)
{
    struct err err;
    cr_assert(mkdtemp(folder) != NULL);
    snprintf(database, sizeof database, "%s/checkpoint.db", folder);
    snprintf(spills, sizeof spills, "%s/spills", folder);
    snprintf(spill, sizeof spill, "%s/a.spill", spills);
    must(file_make_folders(spills, &err), &err);
    struct test_rows_plan plan = {.count = ROWS, .keys = 500, .sources = 1, .value_bytes_max = 50};
    struct test_rows rows = test_rows_make(1, &plan);
    tally = (struct tally){0};
    for (int64_t i = 0; i < ROWS; i++) {
        cr_assert(tally_add_row(&tally, i, 0));
    }
    struct test_set *set = test_set_new(ROW_ORDER_OFFSET, 1);
    test_set_add(set, 0, 0, rows.rows, rows.count);
    struct spill_ref ref;
    must(spill_write(&set->set, spill, false, NULL, &ref, &err), &err);
    buf_init(&tally_bytes, 1 << 20);
    tally_encode(&tally, &tally_bytes);
    struct checkpoint_partition partition = {.topic = "topic",
                                             .from = 0,
                                             .position = ROWS,
                                             .leader_epoch = -1,
                                             .event_time_max_us = 77,
                                             .head_run = "r1",
                                             .bytes = 10,
                                             .tally = buf_bytes(&tally_bytes),
                                             .witnesses = {{0, 7}, {ROWS - 1, UINT64_MAX}},
                                             .witness_count = 2};
    struct checkpoint_spill named = {"a.spill", ref.bytes, ref.digest, {NULL, 0}};
    struct checkpoint_content content = {stamps, 2, &partition, 1, &named, 1, NULL};
    must(sqlite_checkpoint_write(database, &content, &err), &err);
    must(sqlite_checkpoint_write(database, &content, &err), &err); /* in place of the first */
    spill_ref_done(&ref);
    test_set_free(&set->set);
    test_rows_done(&rows);
}

static void tear_down(void)
{
    struct err err;
    must(file_remove_tree(folder, &err), &err);
    buf_done(&tally_bytes);
    tally_done(&tally);
}

TestSuite(local_checkpoint, .init = set_up, .fini = tear_down);

static struct local_checkpoint *open_it(void)
{
    struct local_checkpoint *checkpoint = NULL;
    struct err err;
    must(local_checkpoint_open(&place, &checkpoint, &err), &err);
    return checkpoint;
}

static void expect_thrown_away(void)
{
    cr_expect(open_it() == NULL);
    cr_expect_eq(access(database, F_OK), -1);
    cr_expect_eq(access(spill, F_OK), -1);
    cr_expect(open_it() == NULL, "and it stays so");
}

Test(local_checkpoint, what_was_saved_comes_back)
{
    struct err err;
    char stray[160];
    snprintf(stray, sizeof stray, "%s/b.spill", spills);
    must(file_write(stray, bytes_of_text("half a spill"), 0600, &err), &err);
    struct local_checkpoint *got = open_it();
    cr_assert(got != NULL);
    cr_assert_eq(got->partition_count, 1);
    cr_expect_eq(got->partitions[0].position, ROWS);
    cr_expect_str_eq(got->partitions[0].head_run, "r1");
    cr_expect_eq(got->partitions[0].event_time_max_us, 77);
    cr_assert_eq(got->partitions[0].witness_count, 2);
    cr_expect_eq(got->partitions[0].witnesses[0].hash, 7);
    cr_expect_eq(got->partitions[0].witnesses[1].offset, ROWS - 1);
    cr_expect_eq(got->partitions[0].witnesses[1].hash, UINT64_MAX);
    cr_expect_eq(tally_rows(&got->tallies[0]), ROWS);
    cr_assert_eq(got->spill_count, 1);
    cr_expect_eq(got->spills[0].set->index->rows, ROWS);
    cr_expect_not(got->spills[0].voided[0]);
    cr_expect_eq(access(stray, F_OK), -1, "what it does not name is swept");
    local_checkpoint_free(got);
    got = open_it(); /* and it is still there */
    cr_expect(got != NULL);
    local_checkpoint_free(got);
}

Test(local_checkpoint, another_stamp_voids_it)
{
    stamps[0].value = "f2";
    expect_thrown_away();
}

Test(local_checkpoint, a_stamp_more_voids_it)
{
    place.stamp_count = 1;
    expect_thrown_away();
}

Test(local_checkpoint, a_missing_spill_voids_it)
{
    cr_assert_eq(unlink(spill), 0);
    expect_thrown_away();
}

static void flip(const char *path, double at)
{
    struct err err;
    AUTO(buf) struct buf content;
    buf_init(&content, 1 << 24);
    must(file_read(path, &content, &err), &err);
    content.data[(size_t)((double)content.size * at)] ^= 0x10;
    must(file_write(path, buf_bytes(&content), 0600, &err), &err);
}

Test(local_checkpoint, a_damaged_block_voids_it)
{
    flip(spill, 0.5);
    expect_thrown_away();
}

Test(local_checkpoint, a_damaged_end_voids_it)
{
    flip(spill, 0.999);
    expect_thrown_away();
}

Test(local_checkpoint, a_file_that_is_no_database_voids_it)
{
    struct err err;
    must(file_write(database, bytes_of_text("this is not an SQLite database, is it?"), 0600, &err),
         &err);
    expect_thrown_away();
}

Test(local_checkpoint, another_schema_voids_it)
{
    struct err err;
    must(file_write(database, bytes_of(NULL, 0), 0600, &err), &err);
    expect_thrown_away();
}

static void change(const char *sql)
{
    struct err err;
    AUTO(db) sqlite3 *db = NULL;
    must(db_open_writing(database, &db, &err) && db_run(db, sql, &err), &err);
}

/* SQLite does not notice bytes that are others and make sense: records between two positions would
 * be in no snapshot, or rows twice. */
static const char *const damages[] = {
    "UPDATE partitions SET position = position - 1",
    "UPDATE partitions SET first = 1",
    "UPDATE partitions SET topic = 'topik'",
    "UPDATE partitions SET number = 1",
    "UPDATE partitions SET event_time_max_us = 76",
    "UPDATE partitions SET head_run = ''",
    "UPDATE partitions SET tally = CAST(substr(tally, 1, 40) || x'00' || substr(tally, 42) AS "
    "BLOB)",
    "UPDATE spills SET voided = x'01'",
    "UPDATE witnesses SET hash = 8 WHERE record = 0",
    "DELETE FROM witnesses WHERE record = 0",
    "UPDATE digests SET digest = digest + 1 WHERE number = 0",
    "DELETE FROM digests",
};

Test(local_checkpoint, what_was_not_written_so_voids_it)
{
    for (size_t i = 0; i < LENGTH_OF(damages); i++) {
        if (i > 0) {
            tear_down();
            memcpy(folder + sizeof folder - 7, "XXXXXX", 6);
            set_up();
        }
        change(damages[i]);
        cr_expect(open_it() == NULL, "%s", damages[i]);
        cr_expect_eq(access(database, F_OK), -1, "%s", damages[i]);
    }
}

/* A bit of a row's header makes NULL of a text, whatever the table says. */
Test(local_checkpoint, a_text_that_is_null_voids_it)
{
    static const char *const nulls[] = {
        "UPDATE stamps SET value = NULL", "UPDATE partitions SET topic = NULL",
        "UPDATE partitions SET head_run = NULL", "UPDATE witnesses SET topic = NULL",
        "UPDATE spills SET name = NULL"};
    for (size_t i = 0; i < LENGTH_OF(nulls); i++) {
        if (i > 0) {
            tear_down();
            memcpy(folder + sizeof folder - 7, "XXXXXX", 6);
            set_up();
        }
        change("PRAGMA writable_schema=ON;"
               "UPDATE sqlite_schema SET sql = replace(sql, ' NOT NULL', '')");
        change(nulls[i]);
        cr_expect(open_it() == NULL, "%s", nulls[i]);
    }
}

Test(local_checkpoint, a_commit_moves_the_head_and_drops_what_is_over)
{
    struct err err;
    struct checkpoint_partition moved = {.topic = "topic", .head_run = "r2"};
    must(sqlite_checkpoint_forget(database, &moved, 1, NULL, 0, &err), &err);
    struct local_checkpoint *got = open_it();
    cr_assert(got != NULL);
    cr_expect_str_eq(got->partitions[0].head_run, "r2");
    local_checkpoint_free(got);

    /* given up: another member owns it, and the rows that are still there must not count */
    moved.head_run = NULL;
    must(sqlite_checkpoint_forget(database, &moved, 1, NULL, 0, &err), &err);
    got = open_it();
    cr_assert(got != NULL);
    cr_expect_eq(got->partition_count, 0);
    cr_expect(got->spills[0].voided[0]);
    local_checkpoint_free(got);

    const char *over = "a.spill";
    must(sqlite_checkpoint_forget(database, NULL, 0, &over, 1, &err), &err);
    got = open_it();
    cr_assert(got != NULL);
    cr_expect_eq(got->spill_count, 0);
    cr_expect_eq(access(spill, F_OK), -1);
    local_checkpoint_free(got);
}

Test(local_checkpoint, without_one_a_commit_is_nothing)
{
    struct err err;
    must(local_checkpoint_discard(&place, &err), &err);
    cr_expect_not(sqlite_checkpoint_forget(database, NULL, 0, NULL, 0, &err));
    cr_expect_eq(err.kind, ERR_MISSING);
}

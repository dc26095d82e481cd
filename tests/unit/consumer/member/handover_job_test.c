/* Does what one member held come to another whole, or not at all? */
#include "consumer/member/handover_job.h"

#include <fcntl.h>
#include <string.h>

#include "adapters/file/file_store.h"
#include "tests/support/intake_world.h"

enum { HELD = 50 };

/* A member that has read some of a partition, and the object that it has handed over. */
static struct at {
    struct world *world;
    struct arena *arena;
    struct store *store;
    struct names names;
    const char *work; /* folder */
    const char *path; /* of the object */
    struct message_handover given;
} at;

static void must(bool ok, const struct err *err)
{
    cr_assert(ok, "%s", err->message);
}

static void give(void)
{
    struct err err;
    struct part_settings settings = {
        .store = at.store, .names = &at.names, .folder = at.work, .member = "m", .incarnation = 7};
    struct message_handover given = {.id = {"t", 0},
                                     .build = 1,
                                     .number = 3,
                                     .head = "",
                                     .url = "",
                                     .digest = "",
                                     .tally_digest = ""};
    struct bytes tally;
    struct contribution *rows = NULL;
    must(intake_give(at.world->intake, at.arena, &given, &tally, &rows, &err), &err);
    struct handover_job *job = handover_job_new(&settings, &given, tally, rows, 0);
    contribution_drop(rows);
    job->work.run(&job->work);
    must(job->ok, &job->err);
    at.given = job->given;
    at.given.url = arena_text(at.arena, bytes_of_text(job->given.url));
    at.given.digest = arena_text(at.arena, bytes_of_text(job->given.digest));
    at.given.tally_digest = arena_text(at.arena, bytes_of_text(job->given.tally_digest));
    at.given.head = "";
    at.given.id.topic = "t";
    at.given.witnesses = given.witnesses; /* of our arena, too */
    job->work.free(&job->work);
}

static void set_up(void)
{
    struct err err;
    at.arena = arena_new(4096);
    at.world = open_world(SHARDS, 64 << 20, LATE_NEXT, NULL);
    begin(at.world, (struct source_partition){0, 0}, 0, &NO_HEAD);
    for (int i = 0; i < HELD; i++) {
        add(at.world, 0, i, i % 2 == 0 ? "even" : "odd", i);
    }
    take(at.world, 1000);
    at.work = arena_format(at.arena, "%s/handover", at.world->folder);
    const char *url = arena_format(at.arena, "file://%s/store", at.world->folder);
    must(file_make_folders(at.work, &err), &err);
    must(file_store_new(url, &at.store, &err), &err);
    must(names_init(&at.names, url, "shards", "runs", "db={db_id:05d}", &err), &err);
    give();
    at.path = at.given.url + strlen("file://");
}

static void tear_down(void)
{
    store_free(at.store);
    close_world(at.world);
    arena_free(at.arena);
}

TestSuite(handover_job, .init = set_up, .fini = tear_down);

static struct adopt_job *adopt(const struct message_handover *handover)
{
    struct adopt_job *job =
        adopt_job_new(at.store, 9, handover, arena_format(at.arena, "%s/adopted.spill", at.work));
    job->work.run(&job->work);
    return job;
}

/* CORRUPT or MISSING, and nothing is left of it. */
static void refused(const struct message_handover *handover, enum err_kind kind, const char *words)
{
    struct adopt_job *job = adopt(handover);
    cr_assert_not(job->ok, "%s", words);
    cr_expect_eq(job->err.kind, kind, "%s", job->err.message);
    cr_expect_not_null(strstr(job->err.message, words), "%s", job->err.message);
    const char *path = arena_text(at.arena, bytes_of_text(job->path));
    job->work.free(&job->work);
    cr_expect_neq(access(path, F_OK), 0, "%s", words);
}

static void flip(uint64_t offset)
{
    int fd = open(at.path, O_RDWR);
    uint8_t byte;
    cr_assert(fd >= 0 && pread(fd, &byte, 1, (off_t)offset) == 1);
    byte ^= 1;
    cr_assert(pwrite(fd, &byte, 1, (off_t)offset) == 1);
    close(fd);
}

Test(handover_job, comes_whole)
{
    cr_assert_eq(at.given.rows, HELD);
    cr_assert_eq(at.given.to, HELD);
    struct adopt_job *job = adopt(&at.given);
    must(job->ok, &job->err);
    cr_expect_eq(job->set->index->rows, HELD);
    cr_assert_eq(job->handover.witness_count, 2); /* of what was read */
    cr_expect_eq(job->handover.witnesses[0].offset, 0);
    cr_expect_eq(job->handover.witnesses[1].offset, HELD - 1);

    /* and its next owner has it as if it had read it */
    struct world *heir = open_world(SHARDS, 64 << 20, LATE_NEXT, NULL);
    struct checkpoint_partition partition = {
        .topic = "t",
        .from = job->handover.from,
        .position = job->handover.to,
        .leader_epoch = -1,
        .event_time_max_us = job->handover.event_time_max_us,
        .head_run = "",
        .bytes = job->handover.bytes,
        .tally = job->tally,
        .witnesses = {job->handover.witnesses[0], job->handover.witnesses[1]},
        .witness_count = 2};
    struct err err;
    must(intake_adopt(heir->intake, &partition, TAKE(job->set), job->path, job->handover.bytes,
                      &err),
         &err);
    struct intake_counters counters;
    intake_counters(heir->intake, &counters);
    cr_expect_eq(counters.rows, HELD);
    struct member_reading *readings = NULL;
    size_t count = 0;
    struct intake_head goes_on = NO_HEAD;
    goes_on.goes_on = true;
    begin(heir, (struct source_partition){0, 0}, HELD, &goes_on);
    intake_readings(heir->intake, at.arena, &readings, &count);
    cr_assert_eq(count, 1);
    cr_expect_eq(readings[0].position, HELD);
    cr_expect(readings[0].has_witness && readings[0].witness.offset == HELD - 1);
    /* another record where the old owner had read one */
    add(heir, 0, HELD - 1, "another", 1);
    cr_assert_not(intake_take(heir->intake, heir->batch, 1000, &err));
    cr_expect_eq(err.kind, ERR_SETTINGS);
    close_world(heir);
    job->work.free(&job->work);
}

Test(handover_job, one_that_is_gone)
{
    cr_assert_eq(unlink(at.path), 0);
    refused(&at.given, ERR_MISSING, "");
}

Test(handover_job, one_that_is_cut_short_or_longer)
{
    cr_assert_eq(truncate(at.path, (off_t)(at.given.bytes + at.given.tally_bytes + 1)), 0);
    refused(&at.given, ERR_CORRUPT, "its HANDOVER says");
    cr_assert_eq(truncate(at.path, (off_t)at.given.bytes - 1), 0);
    refused(&at.given, ERR_CORRUPT, "its HANDOVER says");
}

Test(handover_job, one_that_is_changed)
{
    for (uint64_t offset = 0; offset < at.given.bytes; offset += 7) {
        flip(offset);
        refused(&at.given, ERR_CORRUPT, "");
        flip(offset);
    }
    flip(at.given.bytes);
    refused(&at.given, ERR_CORRUPT, "its account has digest");
}

/* The object is good, and not what its HANDOVER says. */
Test(handover_job, one_of_another_handover)
{
    struct message_handover other = at.given;
    other.digest = "0000000000000000";
    refused(&other, ERR_CORRUPT, at.given.url);
    other = at.given;
    other.id.number = 1;
    refused(&other, ERR_CORRUPT, "has rows of another partition");
    other = at.given;
    other.tally_bytes = UINT64_MAX;
    refused(&other, ERR_CORRUPT, "its HANDOVER says");
    other = at.given;
    other.bytes = UINT64_MAX;
    refused(&other, ERR_CORRUPT, "its HANDOVER says");
    other = at.given;
    other.url = "file:///elsewhere/parts/a";
    struct adopt_job *job = adopt(&other);
    cr_expect_not(job->ok);
    job->work.free(&job->work);
}

Test(handover_job, one_that_is_stopped)
{
    struct adopt_job *job =
        adopt_job_new(at.store, 9, &at.given, arena_format(at.arena, "%s/late.spill", at.work));
    atomic_store(&job->work.stop, true);
    job->work.run(&job->work);
    cr_expect_not(job->ok);
    cr_expect_eq(job->err.kind, ERR_STOPPED);
    job->work.free(&job->work);
}

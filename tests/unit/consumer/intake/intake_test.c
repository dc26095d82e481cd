/* Does a cut take exactly the rows it should, counted exactly, wherever they are held? */
#include <unistd.h>

#include "checkpoint/spill/spill_reader.h"
#include "tests/support/intake_world.h"

static struct cut_step step(uint64_t build, int64_t from_ms, int64_t to_ms, int64_t cut)
{
    return (struct cut_step){.build = build,
                             .from_us = from_ms < 0 ? EVENT_TIME_LOW : from_ms * 1000,
                             .to_us = to_ms == INT64_MAX ? EVENT_TIME_HIGH : to_ms * 1000,
                             .cut = cut,
                             .future_bound_us = 5000 * 1000};
}

Test(intake, a_cut_takes_its_windows_and_leaves_the_rest)
{
    struct world *world = open_world(SHARDS, 64 << 20, LATE_NEXT, NULL);
    struct err err;
    begin(world, (struct source_partition){0, 0}, 0, &NO_HEAD);
    add(world, 0, 0, "a", 1);
    add(world, 0, 1, "b", 12); /* the next window */
    add(world, 0, 2, "", -1);  /* rejected */
    add(world, 0, 3, "a", 5);
    add(world, 0, 7, "c", 3); /* above the cut */
    take(world, 100);
    struct cut_step first = step(1, -1, 10, 6);
    struct member_seal_partition of = {
        .id = {"t", 0}, .from = 0, .seen_end = 0, .to = 6, .steps = &first, .step_count = 1};
    struct intake_sealed sealed;
    cr_assert(intake_seal(world->intake, 1, &of, 1, world->arena, &sealed, &err), "%s",
              err.message);
    const struct ready_partition *ready = &sealed.partitions[0];
    cr_assert_eq(ready->read, 4);
    cr_assert_eq(ready->rows, 2);
    cr_assert_eq(ready->rejected, 1);
    cr_assert_eq(ready->carried_out, 1);
    cr_assert_eq(ready->carried_from, 1);
    struct dedupe_source counts = {0};
    const char *text = stored(world, SHARDS, sealed.contribution, &counts);
    cr_assert(strstr(text, ":a=0@3 ") != NULL && strlen(text) == strlen("0:a=0@3 "), "%s", text);
    cr_assert_eq(counts.superseded, 1);
    contribution_drop(sealed.contribution);

    /* its COMMIT; then the next window takes what was carried out, and the late row */
    struct member_forget forget = {
        .id = {"t", 0}, .tail_from = 1, .steps = &first, .step_count = 1};
    cr_assert(intake_forget(world->intake, &forget, 1, "r1", &err), "%s", err.message);
    struct cut_step both[] = {first, step(2, 10, 20, 8)};
    struct member_seal_partition next = {
        .id = {"t", 0}, .from = 1, .seen_end = 6, .to = 8, .steps = both, .step_count = 2};
    cr_assert(intake_seal(world->intake, 2, &next, 1, world->arena, &sealed, &err), "%s",
              err.message);
    cr_assert_eq(sealed.partitions[0].read, 1);
    cr_assert_eq(sealed.partitions[0].carried_in, 1);
    cr_assert_eq(sealed.partitions[0].rows, 2);
    memset(&counts, 0, sizeof counts);
    text = stored(world, SHARDS, sealed.contribution, &counts);
    cr_assert(strstr(text, ":b=0@1 ") != NULL && strstr(text, ":c=0@7 ") != NULL, "%s", text);
    cr_assert_eq(counts.stored, 2);
    contribution_drop(sealed.contribution);
    close_world(world);
}

Test(intake, late_and_future_rows_go_to_the_dead_letters)
{
    char path[] = "/tmp/letters-XXXXXX";
    close(mkstemp(path));
    struct world *world = open_world(SHARDS, 64 << 20, LATE_DEAD_LETTER, path);
    world->settings.window.future = FUTURE_DEAD_LETTER;
    struct err err;
    struct cut_step first = step(1, -1, 10, 2);
    begin(world, (struct source_partition){0, 0}, 2,
          &(struct intake_head){
              &first, 1, 2, EVENT_TIME_LOW, 2, "r1", false, false, false, {0, 0}, EVENT_TIME_HIGH});
    add(world, 0, 2, "late", 3);
    add(world, 0, 3, "future", 6000);
    add(world, 0, 4, "good", 15);
    add(world, 0, 5, "", -1);
    take(world, 100);
    struct cut_step both[] = {first, step(2, 10, 20, 6)};
    struct member_seal_partition of = {
        .id = {"t", 0}, .from = 2, .seen_end = 2, .to = 6, .steps = both, .step_count = 2};
    struct intake_sealed sealed;
    cr_assert(intake_seal(world->intake, 2, &of, 1, world->arena, &sealed, &err), "%s",
              err.message);
    const struct ready_partition *ready = &sealed.partitions[0];
    cr_assert_eq(ready->late, 1);
    cr_assert_eq(ready->future, 1);
    cr_assert_eq(ready->rejected, 1);
    cr_assert_eq(ready->rows, 1);
    cr_assert_eq(ready->carried_out, 0);
    cr_assert_eq(ready->read, ready->late + ready->future + ready->rejected + ready->rows);
    AUTO(buf) struct buf letters;
    buf_init(&letters, 1 << 20);
    cr_assert(file_read(path, &letters, &err));
    cr_assert(strstr(buf_text(&letters), "\"cause\":\"late\"") != NULL, "%s", buf_text(&letters));
    cr_assert(strstr(buf_text(&letters), "\"cause\":\"future\"") != NULL);
    cr_assert(strstr(buf_text(&letters), "\"cause\":\"no_key\"") != NULL);
    cr_assert(strstr(buf_text(&letters), "\"offset\":3,") != NULL);
    contribution_drop(sealed.contribution);
    close_world(world);
    unlink(path);
}

/* The same records through a small and a large memory, with a partition that comes back. */
static const char *run(unsigned seed, uint64_t memory, bool reread, struct arena *arena,
                       struct ready_partition ready[2])
{
    struct world *world = open_world(SHARDS, memory, LATE_NEXT, NULL);
    struct err err;
    srand(seed);
    for (int32_t partition = 0; partition < 2; partition++) {
        begin(world, (struct source_partition){0, partition}, 0, &NO_HEAD);
    }
    struct {
        char key[8];
        int64_t time_ms;
    } records[2][ROWS];
    for (int i = 0; i < ROWS; i++) {
        for (int p = 0; p < 2; p++) {
            snprintf(records[p][i].key, sizeof records[p][i].key, "k%d", rand() % 60);
            records[p][i].time_ms = rand() % 20 == 0 ? -1 : i / 10 + rand() % 30;
            add(world, p, i, records[p][i].key, records[p][i].time_ms);
        }
        if (rand() % 7 == 0) {
            take(world, 1000);
            if (memory < 1 << 20) {
                cr_assert(held_rows_spill(world->held, &err), "%s", err.message);
            }
        }
    }
    take(world, 1000);
    if (reread) {
        intake_stop(world->intake, (struct source_partition){0, 1});
        begin(world, (struct source_partition){0, 1}, 0, &NO_HEAD);
        for (int i = 0; i < ROWS; i++) {
            add(world, 1, i, records[1][i].key, records[1][i].time_ms);
        }
        take(world, 1000);
    }
    struct cut_step steps[2] = {step(1, -1, 40, ROWS - 40), step(1, -1, 40, ROWS - 10)};
    struct member_seal_partition of[2];
    for (int p = 0; p < 2; p++) {
        of[p] = (struct member_seal_partition){
            .id = {"t", p}, .to = steps[p].cut, .steps = &steps[p], .step_count = 1};
    }
    struct intake_sealed sealed;
    cr_assert(intake_seal(world->intake, 1, of, 2, world->arena, &sealed, &err), "%s", err.message);
    struct dedupe_source counts[2] = {0};
    const char *text = stored(world, SHARDS, sealed.contribution, counts);
    for (int p = 0; p < 2; p++) {
        ready[p] = sealed.partitions[p];
        cr_assert_eq(ready[p].rows, counts[p].stored + counts[p].superseded + counts[p].tombstones);
        cr_assert_eq(ready[p].read, ready[p].rows + ready[p].rejected + ready[p].carried_out);
    }
    contribution_drop(sealed.contribution);
    text = arena_text(arena, bytes_of_text(text));
    close_world(world);
    return text;
}

Test(intake, memory_spills_and_rereading_change_nothing)
{
    struct arena *arena = arena_new(1 << 16);
    for (unsigned seed = 1; seed <= 20; seed++) {
        struct ready_partition plain[2];
        struct ready_partition other[2];
        const char *expected = run(seed, 64 << 20, false, arena, plain);
        cr_assert(strlen(expected) > 100);
        for (int way = 1; way < 4; way++) {
            const char *got =
                run(seed, way & 1 ? 64 << 10 : 64 << 20, (way & 2) != 0, arena, other);
            cr_assert_str_eq(got, expected, "seed %u way %d", seed, way);
            for (int p = 0; p < 2; p++) {
                cr_assert_eq(other[p].read, plain[p].read);
                cr_assert_eq(other[p].rejected, plain[p].rejected);
                cr_assert_eq(other[p].carried_from, plain[p].carried_from);
            }
        }
    }
    arena_free(arena);
}

/* --from-here: rows of a build that was given up were forgotten, and are read again. */
Test(intake, a_head_that_went_back_voids_what_is_held)
{
    struct world *world = open_world(SHARDS, 64 << 20, LATE_NEXT, NULL);
    struct err err;
    struct source_partition id = {0, 0};
    begin(world, id, 0, &NO_HEAD);
    for (int o = 0; o < 10; o++) {
        add(world, 0, o, o % 2 == 0 ? "a" : "b", o < 5 ? 1 : 12);
    }
    take(world, 100);
    /* build 1 takes the first window; its set stays held for the second one */
    struct cut_step first = step(1, -1, 10, 8);
    struct member_forget forget = {
        .id = {"t", 0}, .tail_from = 5, .steps = &first, .step_count = 1};
    cr_assert(intake_forget(world->intake, &forget, 1, "r1", &err), "%s", err.message);
    /* it is given up: everything comes again */
    intake_stop(world->intake, id);
    begin(world, id, 0, &NO_HEAD);
    for (int o = 0; o < 10; o++) {
        add(world, 0, o, o % 2 == 0 ? "a" : "b", o < 5 ? 1 : 12);
    }
    take(world, 100);
    struct cut_step again = step(1, -1, 20, 10);
    struct member_seal_partition of = {
        .id = {"t", 0}, .from = 0, .seen_end = 0, .to = 10, .steps = &again, .step_count = 1};
    struct intake_sealed sealed;
    cr_assert(intake_seal(world->intake, 1, &of, 1, world->arena, &sealed, &err), "%s",
              err.message);
    cr_assert_eq(sealed.partitions[0].rows, 10);
    struct dedupe_source counts = {0};
    (void)stored(world, SHARDS, sealed.contribution, &counts);
    cr_assert_eq(counts.stored + counts.superseded, 10);
    contribution_drop(sealed.contribution);
    close_world(world);
}

/* A member begins before it knows the head that its group adopts: what it reads below tail_from
 * fills no disk, and no letter is sent twice. */
Test(intake, below_the_tail_of_a_head_nothing_is_held)
{
    struct world *world = open_world(SHARDS, 64 << 20, LATE_NEXT, NULL);
    struct err err;
    begin(world, (struct source_partition){0, 0}, 0, &NO_HEAD);
    add(world, 0, 0, "a", 1);
    take(world, 100);
    struct member_forget forget = {.id = {"t", 0}, .tail_from = 4, .cut = 4}; /* by offsets */
    cr_assert(intake_forget(world->intake, &forget, 1, "r1", &err), "%s", err.message);
    add(world, 0, 1, "b", 2);
    add(world, 0, 2, "", -1);
    add(world, 0, 3, "c", 3);
    add(world, 0, 4, "d", 4);
    take(world, 100);
    struct intake_counters counters;
    intake_counters(world->intake, &counters);
    cr_assert_eq(counters.records, 5);
    cr_assert_eq(counters.passed_over, 3);
    cr_assert_eq(counters.rejected[REJECT_NO_KEY], 0);
    struct cut_step next = step(2, -1, 10, 5);
    struct member_seal_partition of = {
        .id = {"t", 0}, .from = 4, .seen_end = 4, .to = 5, .steps = &next, .step_count = 1};
    struct intake_sealed sealed;
    cr_assert(intake_seal(world->intake, 2, &of, 1, world->arena, &sealed, &err), "%s",
              err.message);
    cr_assert_eq(sealed.partitions[0].read, 1);
    cr_assert_eq(sealed.partitions[0].rows, 1);
    contribution_drop(sealed.contribution);
    close_world(world);
}

/* Retention took more than what was closed: the other partitions are sealed, and an operator can
 * give this one's range up. */
Test(intake, a_range_that_is_lost_up_to_the_cut_does_not_stop_a_seal)
{
    struct world *world = open_world(SHARDS, 64 << 20, LATE_NEXT, NULL);
    struct err err;
    for (int32_t p = 0; p < 2; p++) {
        begin(world, (struct source_partition){0, p}, 0, &NO_HEAD);
        add(world, p, 0, "a", 1);
        add(world, p, 1, "b", 2);
    }
    take(world, 100);
    intake_start_behind_lost(world->intake, (struct source_partition){0, 1}, 7);
    struct cut_step first = step(1, -1, 10, 2);
    struct member_seal_partition of[2] = {
        {.id = {"t", 0}, .to = 2, .steps = &first, .step_count = 1},
        {.id = {"t", 1}, .from = 1, .seen_end = 1, .to = 2, .steps = &first, .step_count = 1}};
    struct intake_sealed sealed;
    cr_assert_not(intake_seal(world->intake, 1, of, 2, world->arena, &sealed, &err));
    of[1].from = of[1].seen_end = 2;
    cr_assert(intake_seal(world->intake, 1, of, 2, world->arena, &sealed, &err), "%s", err.message);
    cr_assert_eq(sealed.partitions[0].rows, 2);
    cr_assert_eq(sealed.partitions[1].from, 2);
    cr_assert_eq(sealed.partitions[1].to, 2);
    cr_assert_eq(sealed.partitions[1].read, 0);
    cr_assert_eq(sealed.partitions[1].rows, 0);
    contribution_drop(sealed.contribution);
    close_world(world);
}

/* Another process, later, with what this one had held: rows, counts, position. */
static struct world *start_again(struct world *world)
{
    struct err err;
    struct checkpoint_partition *saved = NULL;
    size_t count = 0;
    bool done = false;
    held_rows_freeze(world->held);
    cr_assert(intake_capture(world->intake, world->arena, &saved, &count, &err), "%s", err.message);
    size_t shares = held_rows_share_count(world->held);
    cr_assert(held_rows_to_disk(world->held, shares, true, &done, &err) && done, "%s", err.message);
    struct world *next = open_world(SHARDS, 64 << 20, LATE_NEXT, NULL);
    for (size_t i = 0; i < shares; i++) {
        const char *path = row_share_path(held_rows_shares(world->held)[i]);
        const char *copy = arena_format(next->arena, "%s/old-%zu.spill", next->folder, i);
        cr_assert_eq(link(path, copy), 0);
        struct row_set *set = NULL;
        cr_assert(spill_open_file(copy, &set, &err), "%s", err.message);
        held_rows_adopt(next->held, set, copy, 1, held_rows_voided(world->held)[i]);
    }
    for (size_t i = 0; i < count; i++) {
        struct tally tally;
        cr_assert(tally_decode(saved[i].tally, &tally, &err), "%s", err.message);
        intake_restore(next->intake, &saved[i], &tally);
    }
    close_world(world);
    return next;
}

/* Builds that were committed while the process was away are applied to what it brings back, also
 * to a row that the future bound of a build had decided (R24). */
Test(intake, a_checkpoint_goes_on_under_a_later_head)
{
    struct world *world = open_world(SHARDS, 64 << 20, LATE_NEXT, NULL);
    struct err err;
    struct source_partition id = {0, 0};
    begin(world, id, 0, &NO_HEAD);
    add(world, 0, 0, "a", 1);
    add(world, 0, 1, "b", 12);
    add(world, 0, 2, "c", 6000); /* beyond the bound of build 1 */
    add(world, 0, 3, "", -1);
    add(world, 0, 4, "d", 13);
    take(world, 100);
    world = start_again(world);
    struct cut_step first = step(1, -1, 10, 4);
    struct intake_head head = {&first, 1,     4,      EVENT_TIME_LOW, 1, "r1", true,
                               false,  false, {0, 0}, EVENT_TIME_HIGH};
    begin(world, id, 5, &head);
    add(world, 0, 4, "d", 13); /* not taken twice */
    add(world, 0, 5, "b", 14);
    take(world, 100);
    struct cut_step both[] = {first, step(2, 10, 20, 6)};
    struct member_seal_partition of = {
        .id = {"t", 0}, .from = 1, .seen_end = 4, .to = 6, .steps = both, .step_count = 2};
    struct intake_sealed sealed;
    cr_assert(intake_seal(world->intake, 2, &of, 1, world->arena, &sealed, &err), "%s",
              err.message);
    const struct ready_partition *ready = &sealed.partitions[0];
    cr_expect_eq(ready->read, 2);
    cr_expect_eq(ready->carried_in, 1);
    cr_expect_eq(ready->rows, 3);
    cr_expect_eq(ready->rejected, 0);
    cr_expect_eq(ready->carried_out, 0);
    struct dedupe_source counts = {0};
    const char *text = stored(world, SHARDS, sealed.contribution, &counts);
    cr_expect(strstr(text, ":b=0@5 ") != NULL && strstr(text, ":d=0@4 ") != NULL, "%s", text);
    cr_expect_eq(counts.stored, 2);
    cr_expect_eq(counts.superseded, 1);
    contribution_drop(sealed.contribution);
    close_world(world);
}

/* Whoever writes records names the windows: as many as there are records, and their counts fit into
 * no copy. Then there is no checkpoint and no handover, which is said, and the intake goes on. */
Test(intake, counts_that_are_too_large_for_a_copy)
{
    enum { WINDOWS = 10 * 1000 };
    struct world *world = open_world(1, 256 << 20, LATE_NEXT, NULL);
    struct checkpoint_partition *saved = NULL;
    size_t count = 0;
    struct err err;
    begin(world, (struct source_partition){0, 0}, 0, &NO_HEAD);
    for (int i = 0; i < WINDOWS; i++) {
        add(world, 0, i, "k", (int64_t)(WINDOWS - i) * WINDOW);
        if (world->batch->message_count == ROWS || i + 1 == WINDOWS) {
            take(world, (int64_t)WINDOWS * WINDOW);
        }
    }
    cr_assert_not(intake_capture(world->intake, world->arena, &saved, &count, &err));
    cr_assert_eq(err.kind, ERR_LIMIT);
    cr_assert_not_null(strstr(err.message, "t/0: counts of 10000 event windows"), "%s",
                       err.message);
    struct message_handover given = {.id = {"t", 0}, .build = 1};
    struct bytes counts;
    struct contribution *rows = NULL;
    cr_assert_not(intake_give(world->intake, world->arena, &given, &counts, &rows, &err));
    cr_assert_eq(err.kind, ERR_LIMIT);
    world->settings.limits.memory_budget = 256 << 20;
    cr_assert(intake_capture(world->intake, world->arena, &saved, &count, &err), "%s", err.message);
    cr_assert_eq(count, 1);
    close_world(world);
}

static int64_t watermark_now(struct world *world)
{
    struct member_reading *readings = NULL;
    size_t count = 0;
    intake_readings(world->intake, world->arena, &readings, &count);
    cr_assert_eq(count, 1);
    return readings[0].watermark_us;
}

/* A partition that comes back goes on where the member knew it to be; what was read above that is
 * not below its position, and its event times do not count (R4). */
Test(intake, a_watermark_goes_back_with_its_position)
{
    struct world *world = open_world(SHARDS, 64 << 20, LATE_NEXT, NULL);
    struct source_partition id = {0, 0};
    begin(world, id, 0, &NO_HEAD);
    add(world, 0, 0, "a", 5);
    take(world, 100);
    int64_t known_us = watermark_now(world);
    cr_assert_eq(known_us, 5000);
    add(world, 0, 1, "b", 50);
    take(world, 100);
    intake_stop(world->intake, id);
    struct intake_head head = {
        .closed_to_us = EVENT_TIME_LOW, .goes_on = true, .watermark_us = known_us};
    begin(world, id, 1, &head);
    cr_expect_eq(watermark_now(world), 5000);
    add(world, 0, 1, "b", 50);
    take(world, 100);
    cr_expect_eq(watermark_now(world), 50000);
    close_world(world);
}

/* Paused for memory nothing comes in any more: what is spilled must be let go all the same. */
Test(intake, memory_comes_back_while_nothing_comes_in)
{
    struct world *world = open_world(SHARDS, 1 << 20, LATE_NEXT, NULL);
    struct err err;
    begin(world, (struct source_partition){0, 0}, 0, &NO_HEAD);
    for (int round = 0; !budget_wants_pause(&world->budget); round++) {
        cr_assert_lt(round, 1000);
        for (int i = 0; i < ROWS; i++) {
            add(world, 0, (int64_t)round * ROWS + i, "some key", 1);
        }
        take(world, 100);
    }
    for (int i = 0; budget_wants_pause(&world->budget); i++) {
        cr_assert_lt(i, 5000, "%llu bytes are still held",
                     (unsigned long long)budget_used(&world->budget));
        cr_assert(intake_tend(world->intake, &err), "%s", err.message);
        usleep(1000);
    }
    close_world(world);
}

/* A topic that was made again has another record where the head has a witness; and so has what was
 * held in mind since. */
Test(intake, another_record_at_a_witness_ends_it)
{
    struct world *world = open_world(SHARDS, 64 << 20, LATE_NEXT, NULL);
    struct source_partition id = {0, 0};
    struct cut_step first = step(1, -1, EVENT_TIME_HIGH, 2);
    struct intake_head head = {&first, 1,    2,       EVENT_TIME_LOW, 2, "r1", false,
                               false,  true, {1, 99}, EVENT_TIME_HIGH};
    begin(world, id, 2, &head);
    struct err err;
    add(world, 0, 1, "another", 1);
    cr_assert_not(intake_take(world->intake, world->batch, 100, &err));
    cr_expect_eq(err.kind, ERR_SETTINGS);
    cr_expect_not_null(strstr(err.message, "t[0] has another record at offset 1 than the one on "
                                           "record by run r1"),
                       "%s", err.message);
    close_world(world);
}

/* The oldest record comes first, and after a COMMIT its witness is the oldest: whatever was read of
 * another log since is above it. */
Test(intake, a_seal_says_what_to_look_at_again)
{
    struct world *world = open_world(SHARDS, 64 << 20, LATE_NEXT, NULL);
    struct source_partition id = {0, 0};
    struct err err;
    begin(world, id, 0, &NO_HEAD);
    for (int round = 0; round < 3; round++) { /* of each batch the last one, and the first of all */
        add(world, 0, round * 2, "a", 1);
        add(world, 0, round * 2 + 1, "b", 1);
        take(world, 100);
    }
    struct cut_step first = step(1, -1, EVENT_TIME_HIGH, 4);
    struct member_seal_partition of = {.id = {"t", 0}, .to = 4, .steps = &first, .step_count = 1};
    struct intake_sealed sealed;
    cr_assert(intake_seal(world->intake, 1, &of, 1, world->arena, &sealed, &err), "%s",
              err.message);
    cr_assert_eq(sealed.look_count, 1);
    const struct intake_look *look = &sealed.looks[0];
    cr_assert_eq(look->witnesses.count, 4);
    cr_expect_eq(look->witnesses.list[0].offset, 0);
    cr_expect_eq(look->witnesses.list[1].offset, 1);
    cr_expect_eq(look->witnesses.list[3].offset, 5);
    cr_expect_str_eq(look->log.topic, "t");
    cr_expect_null(look->log.head_run);
    cr_assert(sealed.partitions[0].has_witness);
    struct witness at_cut = sealed.partitions[0].witness;
    cr_expect_eq(at_cut.offset, 3);
    contribution_drop(sealed.contribution);

    struct member_forget forget = {.id = {"t", 0},
                                   .tail_from = 4,
                                   .steps = &first,
                                   .step_count = 1,
                                   .cut = 4,
                                   .has_witness = true,
                                   .witness = at_cut};
    cr_assert(intake_forget(world->intake, &forget, 1, "r1", &err), "%s", err.message);
    struct cut_step both[] = {first, step(2, -1, EVENT_TIME_HIGH, 6)};
    struct member_seal_partition next = {
        .id = {"t", 0}, .from = 4, .seen_end = 4, .to = 6, .steps = both, .step_count = 2};
    cr_assert(intake_seal(world->intake, 2, &next, 1, world->arena, &sealed, &err), "%s",
              err.message);
    look = &sealed.looks[0];
    cr_assert_eq(look->witnesses.count, 2);
    cr_expect_eq(look->witnesses.list[0].offset, 3);
    cr_expect_eq(look->log.head_witness, 3);
    cr_expect_str_eq(look->log.head_run, "r1");
    contribution_drop(sealed.contribution);
    close_world(world);
}

static struct member_forget forget_of(const struct cut_step *step, int64_t tail_from,
                                      struct witness witness)
{
    return (struct member_forget){.id = {"t", 0},
                                  .tail_from = tail_from,
                                  .steps = step,
                                  .step_count = 1,
                                  .cut = step->cut,
                                  .has_witness = true,
                                  .witness = witness};
}

/* The head may have a record that another member has read, above what this one has: it is compared
 * when reading comes there, also as the last one of a batch, which is kept in mind. */
Test(intake, a_witness_ahead_is_compared_when_it_is_read)
{
    struct world *world = open_world(SHARDS, 64 << 20, LATE_NEXT, NULL);
    struct err err;
    begin(world, (struct source_partition){0, 0}, 0, &NO_HEAD);
    add(world, 0, 0, "a", 1);
    take(world, 100);
    struct cut_step first = step(1, -1, EVENT_TIME_HIGH, 4);
    struct member_forget forget = forget_of(&first, 0, (struct witness){3, 99});
    cr_assert(intake_forget(world->intake, &forget, 1, "r1", &err), "%s", err.message);
    add(world, 0, 3, "another", 1);
    cr_assert_not(intake_take(world->intake, world->batch, 100, &err));
    cr_expect_eq(err.kind, ERR_SETTINGS);
    cr_expect_not_null(strstr(err.message, "offset 3 than the one on record by run r1"), "%s",
                       err.message);
    close_world(world);
}

/* Rows below the cut that were carried over are still held: what tells of which log they are stays,
 * and comes first, beside what the head has on record. */
Test(intake, the_oldest_witness_of_what_is_held_stays)
{
    struct world *world = open_world(SHARDS, 64 << 20, LATE_NEXT, NULL);
    struct err err;
    begin(world, (struct source_partition){0, 0}, 0, &NO_HEAD);
    for (int64_t offset = 0; offset < 4; offset++) {
        add(world, 0, offset, "a", 12); /* of the next window */
        take(world, 100);
    }
    struct cut_step first = step(1, -1, 10, 4);
    struct member_forget forget = forget_of(&first, 2, (struct witness){3, 99});
    cr_assert(intake_forget(world->intake, &forget, 1, "r1", &err), "%s", err.message);
    struct cut_step both[] = {first, step(2, 10, 20, 4)};
    struct member_seal_partition next = {
        .id = {"t", 0}, .from = 2, .seen_end = 4, .to = 4, .steps = both, .step_count = 2};
    struct intake_sealed sealed;
    cr_assert(intake_seal(world->intake, 2, &next, 1, world->arena, &sealed, &err), "%s",
              err.message);
    const struct intake_look *look = &sealed.looks[0];
    cr_expect_eq(look->witnesses.list[0].offset, 1);
    cr_expect_eq(look->log.head_witness, 3);
    cr_expect_eq(look->log.head_hash, 99);
    contribution_drop(sealed.contribution);
    close_world(world);
}

/* After --from-here a partition is read again from below all that is kept in mind of it: the next
 * READY has a record below its cut all the same. */
Test(intake, what_is_read_again_from_below_is_kept_in_mind)
{
    struct world *world = open_world(SHARDS, 64 << 20, LATE_NEXT, NULL);
    struct source_partition id = {0, 0};
    struct err err;
    begin(world, id, 5, &NO_HEAD);
    add(world, 0, 5, "a", 1);
    take(world, 100);
    struct intake_head again = NO_HEAD;
    again.void_held = true;
    begin(world, id, 0, &again);
    add(world, 0, 0, "a", 1);
    add(world, 0, 1, "b", 1);
    take(world, 100);
    struct cut_step first = step(1, -1, EVENT_TIME_HIGH, 2);
    struct member_seal_partition of = {.id = {"t", 0}, .to = 2, .steps = &first, .step_count = 1};
    struct intake_sealed sealed;
    cr_assert(intake_seal(world->intake, 1, &of, 1, world->arena, &sealed, &err), "%s",
              err.message);
    cr_assert(sealed.partitions[0].has_witness);
    cr_expect_eq(sealed.partitions[0].witness.offset, 0);
    cr_expect_eq(sealed.looks[0].witnesses.list[1].offset, 5);
    contribution_drop(sealed.contribution);
    close_world(world);
}

/* Does a build get the same rows from a part, from ranges, and from rows that were regrouped? */
#include "tests/support/intake_world.h"

#include "checkpoint/spill/part_set.h"
#include "checkpoint/spill/range_set.h"
#include "checkpoint/spill/spill_reader.h"
#include "consumer/member/regroup_job.h"
#include "consumer/rows/spill_writer.h"

enum { PARTITIONS = 2 };

/* Random records of two partitions, sealed with an open window and a late one. */
static struct contribution *seal_random(struct world *world, unsigned seed, struct cut_step *steps)
{
    struct err err;
    srand(seed);
    for (int32_t p = 0; p < PARTITIONS; p++) {
        begin(world, (struct source_partition){0, p}, 0, &NO_HEAD);
    }
    for (int i = 0; i < ROWS; i++) {
        for (int p = 0; p < PARTITIONS; p++) {
            char key[8];
            snprintf(key, sizeof key, "k%d", rand() % 60);
            add(world, p, i, key, rand() % 20 == 0 ? -1 : i / 10 + rand() % 30);
        }
        if (rand() % 30 == 0 || world->batch->message_count + PARTITIONS > ROWS) {
            take(world, 1000);
            cr_assert(held_rows_spill(world->held, &err));
        }
    }
    take(world, 1000);
    struct member_seal_partition of[PARTITIONS];
    for (int p = 0; p < PARTITIONS; p++) {
        steps[p] = (struct cut_step){.build = 1,
                                     .from_us = EVENT_TIME_LOW,
                                     .to_us = 40 * 1000,
                                     .cut = ROWS - 20 - 10 * p,
                                     .future_bound_us = INT64_MAX};
        of[p] = (struct member_seal_partition){
            .id = {"t", p}, .to = steps[p].cut, .steps = &steps[p], .step_count = 1};
    }
    struct intake_sealed sealed;
    cr_assert(intake_seal(world->intake, 1, of, PARTITIONS, world->arena, &sealed, &err), "%s",
              err.message);
    return sealed.contribution;
}

/* A contribution over other sets, which end with it. */
static struct contribution *over(struct contribution *like, struct row_set **sets, size_t count)
{
    struct row_share *shares[1000];
    for (size_t i = 0; i < count; i++) {
        shares[i] = row_share_new(sets[i], NULL);
    }
    struct contribution *made = contribution_with(like, shares, count);
    for (size_t i = 0; i < count; i++) {
        row_share_drop(shares[i]);
    }
    return made;
}

static const char *stored_and_dropped(struct world *world, struct contribution *contribution,
                                      struct dedupe_source *counts)
{
    memset(counts, 0, PARTITIONS * sizeof *counts);
    const char *text = stored(world, SHARDS, contribution, counts);
    contribution_drop(contribution);
    return text;
}

Test(contribution_ways, a_part_has_the_rows_of_the_build_and_no_others)
{
    for (unsigned seed = 1; seed <= 10; seed++) {
        struct world *world = open_world(SHARDS, 64 << 20, LATE_NEXT, NULL);
        struct cut_step steps[PARTITIONS];
        struct dedupe_source counts[PARTITIONS] = {0};
        struct dedupe_source again[PARTITIONS];
        struct err err;
        struct contribution *own = seal_random(world, seed, steps);
        const char *expected = stored(world, SHARDS, own, counts);
        cr_assert(strlen(expected) > 100);
        struct row_set *set = NULL;
        const char *path = arena_format(world->arena, "%s/part", world->folder);
        cr_assert(part_set_new(own, path, NULL, &set, &err));
        struct spill_ref ref;
        cr_assert(spill_write(set, path, false, NULL, &ref, &err), "%s", err.message);
        uint64_t rows = 0;
        for (int p = 0; p < PARTITIONS; p++) {
            rows += counts[p].stored + counts[p].superseded + counts[p].tombstones;
        }
        cr_assert_eq(ref.rows, rows);
        row_set_free(set);
        cr_assert(spill_open_file(path, &set, &err), "%s", err.message);
        cr_assert_eq(spill_digest(set), ref.digest);
        const char *got = stored_and_dropped(world, over(own, &set, 1), again);
        cr_assert_str_eq(got, expected);
        cr_assert_eq(memcmp(counts, again, sizeof counts), 0);
        spill_ref_done(&ref);
        contribution_drop(own);
        close_world(world);
    }
}

Test(contribution_ways, ranges_side_by_side_are_the_whole)
{
    struct world *world = open_world(SHARDS, 64 << 20, LATE_NEXT, NULL);
    struct cut_step steps[PARTITIONS];
    struct dedupe_source counts[PARTITIONS] = {0};
    struct dedupe_source again[PARTITIONS];
    struct contribution *own = seal_random(world, 3, steps);
    const char *expected = stored(world, SHARDS, own, counts);
    struct plan_range low[] = {{.id = {"t", 0}, .from = 0, .to = 100}};
    struct plan_range high[] = {{.id = {"t", 0}, .from = 100, .to = steps[0].cut},
                                {.id = {"t", 1}, .from = 0, .to = steps[1].cut}};
    struct row_set *sets[1000];
    size_t count = 0;
    for (size_t i = 0; i < contribution_share_count(own); i++) {
        struct row_set *set = row_share_set(contribution_share(own, i));
        sets[count++] = range_set_new(set, low, 1, NULL);
        sets[count++] = range_set_new(set, high, 2, NULL);
    }
    const char *got = stored_and_dropped(world, over(own, sets, count), again);
    cr_assert_str_eq(got, expected);
    cr_assert_eq(memcmp(counts, again, sizeof counts), 0);
    contribution_drop(own);
    close_world(world);
}

Test(contribution_ways, a_count_known_at_the_close_groups_as_one_known_before)
{
    for (unsigned seed = 1; seed <= 10; seed++) {
        struct cut_step steps[PARTITIONS];
        struct dedupe_source counts[PARTITIONS] = {0};
        struct dedupe_source again[PARTITIONS];
        struct world *fixed = open_world(SHARDS, 64 << 20, LATE_NEXT, NULL);
        struct contribution *own = seal_random(fixed, seed, steps);
        const char *expected = stored(fixed, SHARDS, own, counts);
        struct world *open = open_world(0, seed % 2 == 0 ? 64 << 20 : 64 << 10, LATE_NEXT, NULL);
        struct contribution *ungrouped = seal_random(open, seed, steps);
        struct regroup_settings settings = {.router = &open->router,
                                            .key_encoding = KEY_ENCODING_RAW,
                                            .folder = open->folder,
                                            .budget = &open->budget};
        struct regroup_job *job = regroup_job_new(&settings, "run", ungrouped, SHARDS, NULL);
        job->work.run(&job->work);
        cr_assert(job->ok, "%s", job->err.message);
        const char *got =
            stored(open, SHARDS, job->result, (memset(again, 0, sizeof again), again));
        cr_assert_str_eq(got, expected);
        cr_assert_eq(memcmp(counts, again, sizeof counts), 0);
        work_free(&job->work);
        contribution_drop(ungrouped);
        contribution_drop(own);
        close_world(open);
        close_world(fixed);
    }
}

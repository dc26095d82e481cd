/* A row that is dated beyond the bound of a build is in it, whoever sealed that build. */
#include "tests/support/intake_world.h"

static struct cut_step step(uint64_t build, int64_t from_ms, int64_t to_ms, int64_t cut)
{
    return (struct cut_step){.build = build,
                             .from_us = from_ms < 0 ? EVENT_TIME_LOW : from_ms * 1000,
                             .to_us = to_ms * 1000,
                             .cut = cut,
                             .future_bound_us = 5000 * 1000};
}

/* A partition that another member has sealed is read again by this one before the build is
 * committed: a row that the bound of that build decided is in it all the same (R24). */
Test(intake_future, a_build_that_another_sealed)
{
    struct world *world = open_world(SHARDS, 64 << 20, LATE_NEXT, NULL);
    struct err err;
    begin(world, (struct source_partition){0, 0}, 0, &NO_HEAD);
    add(world, 0, 0, "a", 1);
    add(world, 0, 1, "b", 12);
    add(world, 0, 2, "c", 6000); /* beyond the bound of build 1 */
    add(world, 0, 3, "d", 13);
    add(world, 0, 4, "e", 6000); /* above its cut */
    take(world, 100);
    struct cut_step first = step(1, -1, 10, 4);
    struct member_forget forget = {
        .id = {"t", 0}, .tail_from = 1, .steps = &first, .step_count = 1, .cut = 4};
    cr_assert(intake_forget(world->intake, &forget, 1, "r1", &err), "%s", err.message);
    struct cut_step both[] = {first, step(2, 10, 20, 5)};
    struct member_seal_partition of = {
        .id = {"t", 0}, .from = 1, .seen_end = 4, .to = 5, .steps = both, .step_count = 2};
    struct intake_sealed sealed;
    cr_assert(intake_seal(world->intake, 2, &of, 1, world->arena, &sealed, &err), "%s",
              err.message);
    const struct ready_partition *ready = &sealed.partitions[0];
    cr_expect_eq(ready->carried_in, 2);
    cr_expect_eq(ready->read, 1);
    cr_expect_eq(ready->rows, 3);
    cr_expect_eq(ready->carried_out, 0);
    struct dedupe_source counts = {0};
    const char *text = stored(world, SHARDS, sealed.contribution, &counts);
    cr_expect(strstr(text, ":c=") == NULL && strstr(text, ":e=0@4 ") != NULL, "%s", text);
    contribution_drop(sealed.contribution);
    close_world(world);
}

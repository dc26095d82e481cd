/* Does what is read once more, and must not be used as it is held, take no room? */
#include "tests/support/intake_world.h"

static void begin_void(struct world *world, struct source_partition id)
{
    struct intake_head head = NO_HEAD;
    head.void_held = true;
    intake_stop(world->intake, id);
    begin(world, id, 0, &head);
}

/* Nothing may be read while the disk is nearly full (R29), so no COMMIT would let go of it. */
Test(intake_hold, what_is_void_is_let_go)
{
    struct world *world = open_world(SHARDS, 64 << 20, LATE_NEXT, NULL);
    struct source_partition first = {0, 0};
    struct source_partition second = {0, 1};
    begin(world, first, 0, &NO_HEAD);
    begin(world, second, 0, &NO_HEAD);
    add(world, 0, 0, "a", 1);
    add(world, 1, 0, "b", 2);
    take(world, 100);
    held_rows_freeze(world->held);
    cr_assert_eq(held_rows_share_count(world->held), 1);
    begin_void(world, first);
    cr_assert_eq(held_rows_share_count(world->held), 1, "it has rows of the other one, too");
    begin_void(world, second);
    cr_assert_eq(held_rows_share_count(world->held), 0);
    add(world, 0, 0, "a", 1);
    take(world, 100);
    held_rows_freeze(world->held);
    cr_assert_eq(held_rows_share_count(world->held), 1);
    close_world(world);
}

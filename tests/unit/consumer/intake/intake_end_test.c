/* Is it asked whether a log is the same one, when it ends below what the head has of it? */
#include "tests/support/intake_world.h"

enum { WITNESS = 7 };

static const struct cut_step FIRST = {
    .build = 1, .from_us = EVENT_TIME_LOW, .to_us = 10000, .cut = WITNESS + 1};

/* Its witness is offset 7; read again from `tail_from` on, because rows below were carried over. */
static struct intake_head head_from(int64_t tail_from)
{
    return (struct intake_head){.steps = &FIRST,
                                .step_count = 1,
                                .seen_end = WITNESS + 1,
                                .closed_to_us = EVENT_TIME_LOW,
                                .tail_from = tail_from,
                                .run = "r1",
                                .has_witness = true,
                                .witness = {WITNESS, 99},
                                .watermark_us = EVENT_TIME_HIGH};
}

static void ends(struct world *world, int64_t position, int64_t high)
{
    struct source_event *event = source_batch_add_event(world->batch, SOURCE_END);
    event->position = position;
    event->high = high;
    take(world, 100);
}

static const struct member_reading *reading(struct world *world)
{
    struct member_reading *readings = NULL;
    size_t count = 0;
    intake_readings(world->intake, world->arena, &readings, &count);
    cr_assert_eq(count, 1);
    return &readings[0];
}

Test(intake_end, below_the_record_that_the_head_has)
{
    struct world *world = open_world(SHARDS, 64 << 20, LATE_NEXT, NULL);
    struct source_partition id = {0, 0};
    struct intake_head head = head_from(2);
    begin(world, id, 2, &head);
    add(world, 0, 2, "a", 12);
    take(world, 100);
    cr_expect_eq(reading(world)->lost_to, 0); /* it is still read */
    ends(world, 3, 3);
    cr_expect_eq(reading(world)->lost_to, INTAKE_LOST);
    cr_expect_eq(reading(world)->position, 3);
    /* the brokers say that it has the record: it is read on, until an end is told once more */
    intake_read_on(world->intake, id);
    cr_expect_eq(reading(world)->lost_to, 0);
    ends(world, 3, WITNESS);
    cr_expect_eq(reading(world)->lost_to, INTAKE_LOST);
    intake_read_on(world->intake, id);
    ends(world, 3, WITNESS + 1); /* behind an open transaction */
    cr_expect_eq(reading(world)->lost_to, 0);
    close_world(world);
}

/* The end was told before; then a COMMIT says what another member has read of the partition. */
Test(intake_end, below_the_record_of_a_commit_that_comes_later)
{
    struct world *world = open_world(SHARDS, 64 << 20, LATE_NEXT, NULL);
    struct err err;
    begin(world, (struct source_partition){0, 0}, 0, &NO_HEAD);
    add(world, 0, 0, "a", 12);
    take(world, 100);
    ends(world, 1, 1);
    cr_expect_eq(reading(world)->lost_to, 0);
    struct member_forget forget = {.id = {"t", 0},
                                   .steps = &FIRST,
                                   .step_count = 1,
                                   .cut = FIRST.cut,
                                   .has_witness = true,
                                   .witness = {WITNESS, 99}};
    cr_assert(intake_forget(world->intake, &forget, 1, "r1", &err), "%s", err.message);
    cr_expect_eq(reading(world)->lost_to, INTAKE_LOST);
    close_world(world);
}

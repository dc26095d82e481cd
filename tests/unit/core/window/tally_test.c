/* Does the tally count what cut_judge says, row by row, for any history of cuts? */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "core/window/tally.h"

enum { ROWS = 300, BUILDS = 6, BOUND = 50 };

struct world {
    int64_t window[ROWS]; /* -1: rejected; -2: no such offset */
    int64_t event[ROWS];
};

static void draw(struct world *world)
{
    for (int i = 0; i < ROWS; i++) {
        int kind = rand() % 20;
        world->window[i] = kind == 0 ? -2 : kind == 1 ? -1 : i / 60 + rand() % 4 - 1;
        if (world->window[i] < -2) {
            world->window[i] = 0;
        }
        world->event[i] = world->window[i] * 10 + (rand() % 30 == 0 ? 1000 : 0);
        if (world->event[i] >= 1000) {
            world->window[i] = world->event[i] / 10;
        }
    }
}

/* One partition through several builds; the member may read ahead of each cut. */
static void run(unsigned seed)
{
    srand(seed);
    struct world world;
    draw(&world);
    struct tally tally = {0};
    struct cut_step steps[BUILDS];
    int64_t read_to = 0;
    int64_t seen_end = 0;
    int64_t tail_from = 0;
    uint64_t carried_out = 0;
    for (uint64_t build = 0; build < BUILDS; build++) {
        int64_t cut = seen_end + rand() % (ROWS / BUILDS + 1);
        int64_t ahead = cut + rand() % 40;
        for (; read_to < ahead && read_to < ROWS; read_to++) {
            if (world.window[read_to] == -1) {
                cr_assert(tally_add_rejected(&tally, read_to));
            } else if (world.window[read_to] >= 0) {
                cr_assert(tally_add_row(&tally, read_to, world.window[read_to] * 10));
            }
        }
        cut = cut < read_to ? cut : read_to;
        int64_t to_us = build == 0 ? 10 : steps[build - 1].to_us + 10 + 10 * (rand() % 2);
        steps[build] = (struct cut_step){
            .build = build + 1,
            .from_us = build == 0 ? EVENT_TIME_LOW : steps[build - 1].to_us,
            .to_us = to_us,
            .cut = cut,
            .future_bound_us = to_us - 10 + BOUND,
        };
        struct tally_account expected = {.carried_from = cut};
        struct tally_future futures[ROWS];
        size_t future_count = 0;
        for (int64_t o = 0; o < cut; o++) {
            if (world.window[o] == -2 || (world.window[o] == -1 && o < seen_end)) {
                continue;
            }
            expected.read += o >= seen_end;
            if (world.window[o] == -1) {
                expected.rejected++;
                continue;
            }
            struct cut_verdict before = cut_judge(steps, build, o, world.event[o]);
            struct cut_verdict now = cut_judge(steps, build + 1, o, world.event[o]);
            if (o < seen_end && before.class != CUT_OPEN) {
                continue;
            }
            expected.carried_in += o < seen_end;
            expected.on_time += now.class == CUT_ON_TIME;
            expected.late += now.class == CUT_LATE;
            if (now.class == CUT_FUTURE) {
                futures[future_count++] =
                    (struct tally_future){.window_us = world.window[o] * 10, .offset = o};
            }
            if (now.class == CUT_OPEN) {
                expected.carried_out++;
                expected.carried_from = o < expected.carried_from ? o : expected.carried_from;
            }
        }
        expected.future = future_count;
        struct tally_cut at = {.tail_from = tail_from,
                               .seen_end = seen_end,
                               .cut = cut,
                               .from_us = steps[build].from_us,
                               .to_us = to_us};
        struct tally_account got;
        tally_count(&tally, &at, futures, future_count, &got);
        cr_assert_eq(memcmp(&got, &expected, sizeof got), 0, "seed %u build %d", seed, (int)build);
        cr_assert_eq(got.carried_in, carried_out);
        cr_assert_eq(got.read + got.carried_in,
                     got.on_time + got.late + got.future + got.rejected + got.carried_out);
        tally_commit(&tally, &at, futures, future_count);
        carried_out = got.carried_out;
        tail_from = got.carried_from;
        seen_end = cut;
    }
    tally_done(&tally);
}

Test(tally, agrees_with_cut_judge)
{
    for (unsigned seed = 1; seed <= 500; seed++) {
        run(seed);
    }
}

Test(tally, low_window_and_rows)
{
    struct tally tally = {0};
    cr_assert_eq(tally_low_us(&tally), EVENT_TIME_HIGH);
    tally_add_row(&tally, 5, 7);
    cr_assert(tally_add_row(&tally, 6, 3));
    cr_assert_not(tally_add_row(&tally, 6, 3));
    cr_assert_eq(tally_low_us(&tally), 3);
    cr_assert_eq(tally_rows(&tally), 2);
    tally_done(&tally);
}

static void expect_decoded(const struct tally *tally)
{
    AUTO(buf) struct buf bytes;
    AUTO(buf) struct buf again;
    buf_init(&bytes, 1 << 24);
    buf_init(&again, 1 << 24);
    tally_encode(tally, &bytes);
    struct tally back;
    struct err err;
    cr_assert(tally_decode(buf_bytes(&bytes), &back, &err), "%s", err.message);
    cr_expect_eq(tally_rows(&back), tally_rows(tally));
    cr_expect_eq(tally_low_us(&back), tally_low_us(tally));
    tally_encode(&back, &again);
    cr_expect(bytes_equal(buf_bytes(&bytes), buf_bytes(&again)));
    /* what was decoded counts on */
    bool had_one = tally_rows(tally) > 0;
    cr_expect_eq(tally_add_row(&back, 5, 7), !had_one);
    tally_done(&back);
    for (size_t size = 0; size < bytes.size; size += 1 + size / 3) {
        cr_expect_not(tally_decode(bytes_of(bytes.data, size), &back, &err));
        cr_expect_eq(err.kind, ERR_CORRUPT);
    }
    buf_add_byte(&bytes, 0);
    cr_expect_not(tally_decode(buf_bytes(&bytes), &back, &err));
}

Test(tally, as_bytes_and_back)
{
    struct tally tally = {0};
    expect_decoded(&tally);
    cr_assert(tally_add_row(&tally, 5, 7));
    cr_assert(tally_add_rejected(&tally, 6));
    expect_decoded(&tally);
    for (int64_t offset = 10; offset < 20000; offset++) { /* full chunks and others */
        cr_assert(tally_add_row(&tally, offset, offset < 12000 ? 7 : -30));
    }
    for (int64_t offset = 30000; offset < 60000; offset += 7) {
        cr_assert(tally_add_row(&tally, offset, 1000));
    }
    expect_decoded(&tally);
    tally_done(&tally);
}

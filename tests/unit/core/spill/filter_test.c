/* Does a row belong to exactly the build that PROTOCOL R1, R2 and R24 say, whoever asks? */
#include "core/spill/filter.h"

#include <criterion/criterion.h>

#include "core/base/rng.h"

/* ---- stories, by hand ---- */

static const char *const verdict_names[] = {
    [FILTER_TAKE] = "take",           [FILTER_LATE] = "late",   [FILTER_FUTURE] = "future",
    [FILTER_PUBLISHED] = "published", [FILTER_LATER] = "later", [FILTER_OUTSIDE] = "outside",
    [FILTER_MIXED] = "mixed",
};

/* Builds 1, 2, 3 close windows 1, 2, 3 at the cuts 100, 110, 150; bounds 1000, 2000, 3000. */
static const struct filter_build three_builds[] = {{1, 1000}, {2, 2000}, {3, 3000}};
static const int64_t three_cuts[] = {100, 110, 150};

static const struct {
    const char *story;
    size_t build; /* asked for: 1, 2, 3 */
    int64_t tail_from;
    int64_t window;
    int64_t offset;
    int64_t event_time_us;
    enum filter_verdict wanted;
} stories[] = {
    {"in time", 1, 0, 1, 50, 10, FILTER_TAKE},
    {"of the next window", 1, 0, 2, 50, 10, FILTER_LATER},
    {"it was carried, and its turn comes", 2, 50, 2, 50, 10, FILTER_TAKE},
    {"a re-read of what is published", 2, 50, 1, 60, 10, FILTER_PUBLISHED},
    {"at the cut", 1, 0, 1, 100, 10, FILTER_OUTSIDE},
    {"the last one below the cut", 1, 0, 1, 99, 10, FILTER_TAKE},
    {"A2: window 1 behind cut 1 goes to build 2", 2, 50, 1, 105, 10, FILTER_LATE},
    {"A2: behind both cuts to build 3", 3, 50, 1, 120, 10, FILTER_LATE},
    {"A2: and build 2 does not take it", 2, 50, 1, 120, 10, FILTER_OUTSIDE},
    {"below tail_from", 2, 50, 2, 49, 10, FILTER_OUTSIDE},
    {"R24: too far ahead, judged by the first cut above it", 1, 0, 99, 50, 1001, FILTER_FUTURE},
    {"R24: the bound itself is not above it", 1, 0, 99, 50, 1000, FILTER_LATER},
    {"R24: a later, higher bound changes nothing", 2, 50, 99, 60, 1001, FILTER_PUBLISHED},
    {"R24: window in reach of build 2, but future for build 1", 2, 50, 2, 60, 1500,
     FILTER_PUBLISHED},
    {"R24: the same above cut 1", 2, 50, 2, 105, 1500, FILTER_TAKE},
    {"a window that nobody closes yet", 3, 50, 99, 120, 2500, FILTER_LATER},
};

Test(filter, stories)
{
    for (size_t i = 0; i < LENGTH_OF(stories); i++) {
        size_t build = stories[i].build;
        struct filter_source source = {
            .tail_from = stories[i].tail_from, .from = 0, .to = INT64_MAX, .cuts = three_cuts};
        struct filter filter = {
            .builds = three_builds,
            .build_count = build,
            .closed_before = build == 1 ? INT64_MIN : three_builds[build - 2].window,
            .sources = &source,
            .source_count = 1,
        };
        enum filter_verdict got =
            filter_row(&filter, stories[i].window, 0, stories[i].offset, stories[i].event_time_us);
        cr_expect_eq(got, stories[i].wanted, "%s: %s, wanted %s", stories[i].story,
                     verdict_names[got], verdict_names[stories[i].wanted]);
    }
}

Test(filter, a_partition_in_its_first_build_is_never_late)
{
    /* R7: it was in no build before, so all its rows are of windows that are closed already. */
    static const int64_t cuts[] = {0, 0, 150};
    struct filter_source source = {.from = 0, .to = INT64_MAX, .cuts = cuts, .first_build = true};
    struct filter filter = {.builds = three_builds,
                            .build_count = 3,
                            .closed_before = 2,
                            .sources = &source,
                            .source_count = 1};
    cr_assert_eq(filter_row(&filter, 1, 0, 20, 10), FILTER_TAKE);
    source.first_build = false;
    cr_assert_eq(filter_row(&filter, 1, 0, 20, 10), FILTER_LATE);
}

Test(filter, a_sub_range_of_the_plan)
{
    /* R8: two members have rows; PLAN gives [0, 40) to one, [40, 60) to this one. */
    struct filter_source source = {.from = 40, .to = 60, .cuts = three_cuts};
    struct filter filter = {.builds = three_builds,
                            .build_count = 1,
                            .closed_before = INT64_MIN,
                            .sources = &source,
                            .source_count = 1};
    cr_assert_eq(filter_row(&filter, 1, 0, 39, 0), FILTER_OUTSIDE);
    cr_assert_eq(filter_row(&filter, 1, 0, 40, 0), FILTER_TAKE);
    cr_assert_eq(filter_row(&filter, 1, 0, 59, 0), FILTER_TAKE);
    cr_assert_eq(filter_row(&filter, 1, 0, 60, 0), FILTER_OUTSIDE);
}

Test(filter, policies)
{
    struct filter filter = {0};
    for (int verdict = 0; verdict < FILTER_VERDICTS; verdict++) {
        cr_assert_eq(filter_takes(&filter, (enum filter_verdict)verdict), verdict == FILTER_TAKE);
    }
    filter.policy = (struct filter_policy){.take_late = true, .take_future = true};
    for (int verdict = 0; verdict < FILTER_VERDICTS; verdict++) {
        cr_assert_eq(filter_takes(&filter, (enum filter_verdict)verdict),
                     verdict == FILTER_TAKE || verdict == FILTER_LATE || verdict == FILTER_FUTURE);
    }
}

/* ---- against the definition ---- */

enum { SOURCES = 2, BUILDS = 5, OFFSETS = 24, WINDOWS = 7 };

/* A whole history: every row of every source, every build's window, cuts and bound. */
struct world {
    int64_t windows[SOURCES][OFFSETS]; /* of the row at that offset */
    int64_t times[SOURCES][OFFSETS];
    struct filter_build builds[BUILDS];
    int64_t cuts[SOURCES][BUILDS];
    size_t joined[SOURCES]; /* the first build that the source is in */
};

static void make_world(struct world *world, struct rng *rng)
{
    int64_t window = -1;
    int64_t bound = 0;
    for (size_t b = 0; b < BUILDS; b++) {
        window += 1 + (int64_t)rng_below(rng, 2);
        bound += (int64_t)rng_below(rng, 40);
        world->builds[b] = (struct filter_build){.window = window, .future_bound_us = bound};
    }
    for (size_t s = 0; s < SOURCES; s++) {
        world->joined[s] = s == 0 ? 0 : rng_below(rng, 3);
        int64_t cut = 0;
        for (size_t b = 0; b < BUILDS; b++) {
            cut += b < world->joined[s] ? 0 : (int64_t)rng_below(rng, 7);
            cut = cut > OFFSETS ? OFFSETS : cut;
            world->cuts[s][b] = cut;
        }
        for (size_t o = 0; o < OFFSETS; o++) {
            world->windows[s][o] = (int64_t)rng_below(rng, WINDOWS);
            world->times[s][o] = (int64_t)rng_below(rng, 120);
        }
    }
}

struct belongs {
    size_t build;                /* BUILDS: to none so far */
    enum filter_verdict verdict; /* there */
};

/* R2 and R24 as they are worded, over the whole history. */
static struct belongs where(const struct world *world, size_t s, size_t o)
{
    size_t first = 0;
    while (first < BUILDS && world->cuts[s][first] <= (int64_t)o) {
        first++;
    }
    if (first == BUILDS) {
        return (struct belongs){.build = BUILDS};
    }
    if (world->times[s][o] > world->builds[first].future_bound_us) {
        return (struct belongs){.build = first, .verdict = FILTER_FUTURE};
    }
    int64_t window = world->windows[s][o];
    for (size_t u = first; u < BUILDS; u++) {
        if (world->builds[u].window >= window) {
            bool late = u > 0 && world->builds[u - 1].window >= window && u != world->joined[s];
            return (struct belongs){.build = u, .verdict = late ? FILTER_LATE : FILTER_TAKE};
        }
    }
    return (struct belongs){.build = BUILDS};
}

/* The lowest offset below the last cut that is not published; else that cut. */
static int64_t tail_from(const struct world *world, size_t s, size_t build)
{
    int64_t seen_end = build == 0 ? 0 : world->cuts[s][build - 1];
    for (int64_t o = 0; o < seen_end; o++) {
        if (where(world, s, (size_t)o).build >= build) {
            return o;
        }
    }
    return seen_end;
}

/* The rule of build `build`, with no more of the history than the lineage has to keep. */
static void make_filter(const struct world *world, size_t build, struct filter *filter,
                        struct filter_source sources[SOURCES])
{
    size_t oldest = build;
    for (size_t s = 0; s < SOURCES; s++) {
        int64_t from = tail_from(world, s, build);
        while (oldest > 0 && world->cuts[s][oldest - 1] > from) {
            oldest--;
        }
        sources[s] = (struct filter_source){.tail_from = from,
                                            .from = 0,
                                            .to = INT64_MAX,
                                            .first_build = build == world->joined[s]};
    }
    for (size_t s = 0; s < SOURCES; s++) {
        sources[s].cuts = world->cuts[s] + oldest;
    }
    *filter = (struct filter){
        .builds = world->builds + oldest,
        .build_count = build - oldest + 1,
        .closed_before = build == 0 ? INT64_MIN : world->builds[build - 1].window,
        .sources = sources,
        .source_count = SOURCES,
    };
}

static enum filter_verdict wanted_verdict(const struct world *world, size_t build, size_t s,
                                          size_t o, int64_t from)
{
    if ((int64_t)o >= world->cuts[s][build] || (int64_t)o < from) {
        return FILTER_OUTSIDE;
    }
    struct belongs belongs = where(world, s, o);
    if (belongs.build == build) {
        return belongs.verdict;
    }
    return belongs.build < build ? FILTER_PUBLISHED : FILTER_LATER;
}

/* All rows of one window with offsets in [low, high], as the statistics of a section would be. */
static void check_section(const struct world *world, const struct filter *filter, int64_t window,
                          size_t low, size_t high)
{
    static const uint32_t map[SOURCES] = {0, 1};
    struct section_source parts[SOURCES];
    struct section section = {.window = window,
                              .sources = parts,
                              .event_time_min_us = INT64_MAX,
                              .event_time_max_us = INT64_MIN};
    enum filter_verdict one = FILTER_MIXED;
    bool same = true;
    for (uint32_t s = 0; s < SOURCES; s++) {
        struct section_source part = {.source = s, .offset_min = INT64_MAX};
        for (size_t o = low; o <= high; o++) {
            if (world->windows[s][o] != window) {
                continue;
            }
            int64_t time = world->times[s][o];
            enum filter_verdict verdict = filter_row(filter, window, s, (int64_t)o, time);
            same = same && (one == FILTER_MIXED || one == verdict);
            one = verdict;
            part.rows++;
            part.offset_min = (int64_t)o < part.offset_min ? (int64_t)o : part.offset_min;
            part.offset_max = (int64_t)o;
            section.event_time_min_us =
                time < section.event_time_min_us ? time : section.event_time_min_us;
            section.event_time_max_us =
                time > section.event_time_max_us ? time : section.event_time_max_us;
        }
        if (part.rows > 0) {
            parts[section.source_count++] = part;
        }
    }
    if (section.source_count > 0) {
        enum filter_verdict got = filter_section(filter, &section, map);
        cr_assert(got == FILTER_MIXED || (same && got == one), "%s", verdict_names[got]);
    }
}

Test(filter, every_row_is_in_exactly_the_build_of_the_definition)
{
    struct rng rng;
    rng_init(&rng, 24);
    uint64_t seen[FILTER_VERDICTS] = {0};
    for (int round = 0; round < 4000; round++) {
        struct world world;
        make_world(&world, &rng);
        unsigned taken[SOURCES][OFFSETS] = {0};
        for (size_t build = 0; build < BUILDS; build++) {
            struct filter filter;
            struct filter_source sources[SOURCES];
            make_filter(&world, build, &filter, sources);
            for (uint32_t s = 0; s < SOURCES; s++) {
                for (size_t o = 0; o < OFFSETS; o++) {
                    enum filter_verdict got =
                        filter_row(&filter, world.windows[s][o], s, (int64_t)o, world.times[s][o]);
                    enum filter_verdict wanted =
                        wanted_verdict(&world, build, s, o, sources[s].tail_from);
                    cr_assert_eq(got, wanted, "round %d, build %zu, offset %zu: %s, wanted %s",
                                 round, build, o, verdict_names[got], verdict_names[wanted]);
                    seen[got]++;
                    taken[s][o] += got == FILTER_TAKE || got == FILTER_LATE || got == FILTER_FUTURE;
                }
            }
            for (int64_t window = 0; window < WINDOWS; window++) {
                size_t low = rng_below(&rng, OFFSETS);
                check_section(&world, &filter, window, low, low + rng_below(&rng, OFFSETS - low));
            }
        }
        for (size_t s = 0; s < SOURCES; s++) {
            for (size_t o = 0; o < OFFSETS; o++) {
                cr_assert_eq(taken[s][o], where(&world, s, o).build < BUILDS ? 1 : 0);
            }
        }
    }
    for (int verdict = 0; verdict < FILTER_VERDICTS; verdict++) {
        cr_assert_gt(seen[verdict], 1000, "%s was hardly tried", verdict_names[verdict]);
    }
}

Test(filter, sections_mostly_need_no_look_at_their_rows)
{
    static const uint32_t map[] = {0};
    static const uint32_t unknown[] = {SOURCE_NONE};
    struct section_source part = {.rows = 1, .offset_min = 10, .offset_max = 90};
    struct section section = {.window = 1,
                              .source_count = 1,
                              .sources = &part,
                              .rows = 1,
                              .event_time_min_us = 5,
                              .event_time_max_us = 900};
    struct filter_source source = {.from = 0, .to = INT64_MAX, .cuts = three_cuts};
    struct filter filter = {.builds = three_builds,
                            .build_count = 1,
                            .closed_before = INT64_MIN,
                            .sources = &source,
                            .source_count = 1};
    cr_assert_eq(filter_section(&filter, &section, map), FILTER_TAKE);
    cr_assert_eq(filter_section(&filter, &section, unknown), FILTER_OUTSIDE);
    part.offset_max = 100;
    cr_assert_eq(filter_section(&filter, &section, map), FILTER_MIXED, "it straddles the cut");
    part.offset_min = 100;
    cr_assert_eq(filter_section(&filter, &section, map), FILTER_OUTSIDE);
    part = (struct section_source){.rows = 1, .offset_min = 10, .offset_max = 90};
    section.window = 2;
    cr_assert_eq(filter_section(&filter, &section, map), FILTER_LATER);
    section.event_time_max_us = 1001;
    cr_assert_eq(filter_section(&filter, &section, map), FILTER_MIXED, "the bound is inside");
    section.event_time_min_us = 1001;
    cr_assert_eq(filter_section(&filter, &section, map), FILTER_FUTURE);
}

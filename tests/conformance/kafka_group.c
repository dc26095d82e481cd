/* Do the members of a group share the partitions without a record lost or read twice, and does each
 * hear the truth about what is its own? */
#include <string.h>

#include "tests/conformance/kafka_bed.h"

/* New partitions are looked for every second instead of every half minute. */
static const struct cluster_property QUICK[] = {{"topic.metadata.refresh.interval.ms", "1000"}};

#define BOTH_UNTIL(a, b, condition)                                                                \
    do {                                                                                           \
        int64_t until_ = bed_now_ms() + 2 * BED_WAIT_MS;                                           \
        while (!(condition)) {                                                                     \
            bed_poll(a, 20);                                                                       \
            bed_poll(b, 20);                                                                       \
            if (bed_now_ms() > until_) {                                                           \
                fprintf(stderr, "%s:%d: never: %s\n", __FILE__, __LINE__, #condition);             \
                exit(1);                                                                           \
            }                                                                                      \
        }                                                                                          \
    } while (0)

static int assigned(const struct bed_source *bed)
{
    int count = 0;
    for (int p = 0; p < BED_PARTITIONS_MAX; p++) {
        count += bed->assigned[p] ? 1 : 0;
    }
    return count;
}

static bool are_disjoint(const struct bed_source *a, const struct bed_source *b)
{
    for (int p = 0; p < BED_PARTITIONS_MAX; p++) {
        if (a->assigned[p] && b->assigned[p]) {
            return false;
        }
    }
    return true;
}

/* The new owner starts where it is told, whatever the old one had prefetched. */
static void shares_and_hands_over(void)
{
    bed_topic("shares", 4, NULL);
    for (int p = 0; p < 4; p++) {
        bed_produce("shares", p, 0, 1000);
    }
    struct bed_source a;
    struct bed_source b;
    bed_open(&a, "g-shares", "m1", "shares", NULL, 0);
    bed_count(&a);
    BED_UNTIL(&a, a.end[0] == 1000 && a.end[1] == 1000 && a.end[2] == 1000 && a.end[3] == 1000);
    IS_NUMBER(assigned(&a), 4);

    bed_open(&b, "g-shares", "m2", "shares", NULL, 0);
    bed_count(&b);
    for (int p = 0; p < 4; p++) {
        b.starts[p] = 900; /* as if the head's tail_from were there */
        a.starts[p] = 1000;
    }
    BOTH_UNTIL(&a, &b, assigned(&a) == 2 && assigned(&b) == 2);
    IS(are_disjoint(&a, &b));
    IS(a.revokes >= 1);
    IS_NUMBER(a.losts, 0);
    for (int p = 0; p < 4; p++) {
        bed_produce("shares", p, 1000, 10);
    }
    BOTH_UNTIL(&a, &b,
               (a.assigned[0] ? a.end[0] : b.end[0]) == 1010 &&
                   (a.assigned[1] ? a.end[1] : b.end[1]) == 1010 &&
                   (a.assigned[2] ? a.end[2] : b.end[2]) == 1010 &&
                   (a.assigned[3] ? a.end[3] : b.end[3]) == 1010);
    for (int p = 0; p < 4; p++) {
        const struct bed_source *owner = a.assigned[p] ? &a : &b;
        for (int o = owner == &b ? 900 : 0; o < 1010; o++) {
            IS_NUMBER(owner->seen[p * BED_OFFSETS_MAX + o], 1);
        }
    }
    IS_NUMBER(b.seen[0] + b.seen[BED_OFFSETS_MAX] + b.seen[2 * BED_OFFSETS_MAX], 0);
    bed_close(&a);
    bed_close(&b);
}

/* A restart within the session timeout moves nothing: the other member hears nothing of it. */
static void restarts_unnoticed(void)
{
    bed_topic("static", 4, NULL);
    bed_produce("static", 0, 0, 10);
    struct bed_source a;
    struct bed_source b;
    bed_open(&a, "g-static", "m1", "static", NULL, 0);
    bed_open(&b, "g-static", "m2", "static", NULL, 0);
    BOTH_UNTIL(&a, &b, assigned(&a) == 2 && assigned(&b) == 2);
    bool before[BED_PARTITIONS_MAX];
    memcpy(before, a.assigned, sizeof(before));
    int events = b.assigns + b.revokes;
    bed_close(&a);
    bed_poll_for(&b, 2000);
    bed_open(&a, "g-static", "m1", "static", NULL, 0);
    BOTH_UNTIL(&a, &b, assigned(&a) == 2);
    IS(memcmp(before, a.assigned, sizeof(before)) == 0);
    bed_poll_for(&b, 1000);
    IS_NUMBER(b.assigns + b.revokes, events);
    bed_close(&a);

    /* and one that stays away is given up after the session timeout */
    BED_UNTIL(&b, assigned(&b) == 4);
    bed_close(&b);
}

/* Two processes with one member_id: the older one is told that it is over. */
static void fences_a_twin(void)
{
    bed_topic("twins", 1, NULL);
    struct bed_source a;
    struct bed_source b;
    struct err err;
    bed_open(&a, "g-twins", "m1", "twins", NULL, 0);
    BED_UNTIL(&a, assigned(&a) == 1);
    bed_open(&b, "g-twins", "m1", "twins", NULL, 0);
    int64_t deadline = bed_now_ms() + BED_WAIT_MS;
    while (a.fatals == 0) {
        bed_poll(&a, 20);
        bed_poll(&b, 20);
        IS(bed_now_ms() < deadline);
    }
    IS_NUMBER(a.fatals, 1);
    IS(!source_poll(a.source, 10, a.batch, &err));
    IS_NUMBER(err.kind, ERR_FENCED);
    BED_UNTIL(&b, assigned(&b) == 1);
    bed_close(&a);
    bed_close(&b);
}

static void sees_new_partitions(void)
{
    bed_topic("grows", 1, NULL);
    bed_produce("grows", 0, 0, 10);
    struct bed_source a;
    struct err err;
    bed_open(&a, "g-grows", "m1", "grows", QUICK, LENGTH_OF(QUICK));
    BED_UNTIL(&a, a.end[0] == 10);
    a.starts[0] = 10;
    bed_grow_topic("grows", 3);
    bed_produce("grows", 2, 0, 7);
    BED_UNTIL(&a, assigned(&a) == 3 && a.end[2] == 7 && a.end[0] == 10);
    IS_NUMBER(a.records[0], 10);
    IS_NUMBER(a.records[2], 7);

    const char *topic = "grows";
    struct source_settings settings = {.cluster = bed_settings(),
                                       .group = "g-grows",
                                       .member_id = "q",
                                       .topics = &topic,
                                       .topic_count = 1};
    struct source_query *query = NULL;
    WORKS(source_query_new(&settings, &query, &err));
    int32_t count = 0;
    WORKS(source_query_partitions(query, 20000, &count, &err));
    IS_NUMBER(count, 3);

    /* the mirror: ours only, forward only unless told */
    struct source_offset offsets[] = {{{0, 0}, 10}, {{0, 2}, 5}, {{0, 6}, 99}};
    WORKS(source_mirror_offsets(a.source, offsets, 3, false, &err));
    offsets[1].offset = 3;
    WORKS(source_mirror_offsets(a.source, &offsets[1], 1, false, &err));
    struct source_offset mirrored[] = {{{0, 0}, 0}, {{0, 1}, 0}, {{0, 2}, 0}};
    int64_t deadline = bed_now_ms() + BED_WAIT_MS;
    do {
        bed_poll(&a, 50);
        WORKS(source_query_mirrored(query, mirrored, 3, 20000, &err));
        IS(bed_now_ms() < deadline);
    } while (mirrored[2].offset != 5);
    IS_NUMBER(mirrored[0].offset, 10);
    IS_NUMBER(mirrored[1].offset, -1);
    WORKS(source_mirror_offsets(a.source, &offsets[1], 1, true, &err));
    do {
        bed_poll(&a, 50);
        WORKS(source_query_mirrored(query, mirrored, 3, 20000, &err));
        IS(bed_now_ms() < deadline);
    } while (mirrored[2].offset != 3);
    source_query_free(query);

    struct source_statistics statistics;
    source_statistics(a.source, &statistics);
    IS_NUMBER(statistics.messages, 17);
    IS_NUMBER(statistics.assigned, 3);
    IS_NUMBER(statistics.lag, 0);
    bed_close(&a);
}

/* Where to start is not known yet, and the topic grows: the group shares out anew without an
 * answer. What it gave before and gives on is read, too. */
static void grows_before_an_answer(void)
{
    bed_topic("early", 2, NULL);
    struct bed_source a;
    bed_open(&a, "g-early", "m1", "early", QUICK, LENGTH_OF(QUICK));
    a.answers = false;
    BED_UNTIL(&a, a.assigns == 1);
    a.answers = true; /* from the next one on */
    bed_grow_topic("early", 3);
    for (int p = 0; p < 3; p++) {
        bed_produce("early", p, 0, 10);
    }
    BED_UNTIL(&a, a.end[0] == 10 && a.end[1] == 10 && a.end[2] == 10);
    IS_NUMBER(assigned(&a), 3);
    bed_close(&a);
}

/* The same while another one joins, so that some of it is taken back. */
static void shares_before_an_answer(void)
{
    bed_topic("early2", 3, NULL);
    struct bed_source a;
    struct bed_source b;
    bed_open(&a, "g-early2", "m1", "early2", QUICK, LENGTH_OF(QUICK));
    a.answers = false;
    BED_UNTIL(&a, a.assigns == 1);
    a.answers = true;
    bed_open(&b, "g-early2", "m2", "early2", QUICK, LENGTH_OF(QUICK));
    bed_poll_for(&b, 500);
    bed_grow_topic("early2", 4);
    for (int p = 0; p < 4; p++) {
        bed_produce("early2", p, 0, 10);
    }
    BOTH_UNTIL(&a, &b, assigned(&a) == 2 && assigned(&b) == 2);
    IS(are_disjoint(&a, &b));
    for (int p = 0; p < 4; p++) {
        struct bed_source *owner = a.assigned[p] ? &a : &b;
        BOTH_UNTIL(&a, &b, owner->end[p] == 10);
    }
    bed_close(&a);
    bed_close(&b);
}

/* A member that is given nothing holds nobody up, and is there when it is needed. */
static void waits_without_partitions(void)
{
    bed_topic("few", 1, NULL);
    bed_produce("few", 0, 0, 10);
    struct bed_source a;
    struct bed_source b;
    bed_open(&a, "g-few", "m1", "few", NULL, 0);
    bed_open(&b, "g-few", "m2", "few", NULL, 0);
    BOTH_UNTIL(&a, &b, assigned(&a) + assigned(&b) == 1);
    struct bed_source *owner = assigned(&a) == 1 ? &a : &b;
    struct bed_source *idle = owner == &a ? &b : &a;
    bed_poll_for(idle, 1000);
    IS(!source_rebalancing(idle->source));
    BED_UNTIL(owner, owner->end[0] == 10);
    bed_close(owner);
    BED_UNTIL(idle, assigned(idle) == 1 && idle->end[0] == 10);
    bed_close(idle);
}

/* Closing in the middle of anything ends by its deadline. */
static void closes_in_time(void)
{
    bed_topic("closes", 2, NULL);
    bed_produce("closes", 0, 0, 5000);
    for (int moment = 0; moment < 4; moment++) {
        struct bed_source a;
        bed_open(&a, "g-closes", "m1", "closes", NULL, 0);
        a.answers = moment == 3;
        if (moment == 1) {
            bed_poll_for(&a, 300);
        } else if (moment == 2) {
            BED_UNTIL(&a, a.assigns == 1); /* and never answered */
        } else if (moment == 3) {
            BED_UNTIL(&a, a.records[0] > 0);
        }
        int64_t start = bed_now_ms();
        bed_close(&a);
        IS(bed_now_ms() - start < 12000);
    }
}

int main(void)
{
    bed_start(1, NULL);
    STORY(shares_and_hands_over);
    STORY(restarts_unnoticed);
    STORY(fences_a_twin);
    STORY(sees_new_partitions);
    STORY(grows_before_an_answer);
    STORY(shares_before_an_answer);
    STORY(waits_without_partitions);
    STORY(closes_in_time);
    return 0;
}

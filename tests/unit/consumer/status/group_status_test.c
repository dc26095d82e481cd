/* Is the status what ledger, pointer and brokers say, also with parts of it missing? */
#include "consumer/status/group_status.h"

#include "tests/support/ledger_says.h"

static const int64_t quiet_us = 30 * 1000000;

struct scene {
    struct ledger_says ledger;
    struct arena *arena;
    struct group_status_request request;
    struct source_ends ends[2];
    struct catalog_pointer pointer;
};

static const char *const topics[] = {"t"};

static void open_scene(struct scene *scene)
{
    *scene = (struct scene){.ledger = {.fold = fold_new(), .timestamp_us = 1000000},
                            .arena = arena_new(4096)};
    for (int i = 0; i < 2; i++) {
        scene->ends[i] = (struct source_ends){
            .partition = {.partition = i}, .low = 5, .stable = 100, .high = 101};
    }
    scene->pointer = (struct catalog_pointer){
        .valid = true, .pointer = {.run_id = "r1", .manifest_ref = "m", .updated_at_us = 7}};
    scene->request = (struct group_status_request){.fold = scene->ledger.fold,
                                                   .now_us = 2000000,
                                                   .quiet_us = quiet_us,
                                                   .topics = topics,
                                                   .ends = scene->ends,
                                                   .end_count = 2,
                                                   .pointer = &scene->pointer};
}

static struct group_status status_of(struct scene *scene)
{
    struct group_status status;
    group_status_fill(&scene->request, scene->arena, &status);
    return status;
}

static void close_scene(struct scene *scene)
{
    fold_free(scene->ledger.fold);
    arena_free(scene->arena);
}

Test(group_status, empty_ledger)
{
    struct scene scene;
    open_scene(&scene);
    struct group_status status = status_of(&scene);
    cr_assert_eq(status.phase, GROUP_STATUS_EMPTY);
    cr_assert_not(status.alive);
    cr_assert_null(status.leader);
    cr_assert_eq(status.term, -1);
    cr_assert_eq(status.partition_count, 2);
    cr_assert_null(status.partitions[1].owner);
    cr_assert_eq(status.lag, 190); /* from the first offset that is there */
    close_scene(&scene);
}

Test(group_status, a_working_member)
{
    struct scene scene;
    open_scene(&scene);
    ledger_says_leader(&scene.ledger, "m");
    ledger_says_commit(&scene.ledger, 1, COMMIT_BUILD, "r1", NULL, 0);
    ledger_says_published(&scene.ledger, 1, "r1");
    ledger_says_progress(&scene.ledger, "m", false, 90);
    struct group_status status = status_of(&scene);
    cr_assert_eq(status.phase, GROUP_STATUS_IDLE, "%s", status.doing);
    cr_assert(status.alive);
    cr_assert_str_eq(status.leader, "m");
    cr_assert(status.pointer_is_head);
    cr_assert_eq(status.member_count, 1);
    cr_assert(status.members[0].leads);
    cr_assert_eq(status.members[0].rows, 7);
    const struct group_status_partition *partition = &status.partitions[0];
    cr_assert_str_eq(partition->owner, "m");
    cr_assert_eq(partition->position, 90);
    cr_assert_eq(partition->lag, 10);
    cr_assert_eq(partition->cut, 10);
    cr_assert_eq(partition->margin, 5);
    cr_assert_eq(status.watermark_us, 5000000);
    cr_assert_eq(status.lag, 10 + 95);
    close_scene(&scene);
}

/* Long after the last word nobody owns anything, and lag counts from where a restart reads. */
Test(group_status, nobody_is_there)
{
    struct scene scene;
    open_scene(&scene);
    ledger_says_leader(&scene.ledger, "m");
    ledger_says_commit(&scene.ledger, 1, COMMIT_BUILD, "r1", NULL, 0);
    ledger_says_progress(&scene.ledger, "m", false, 90);
    scene.request.now_us += 10 * quiet_us;
    scene.ends[0].low = 12; /* retention went past the tail */
    struct group_status status = status_of(&scene);
    cr_assert_not(status.alive);
    cr_assert_null(status.leader);
    cr_assert(status.members[0].silent);
    cr_assert_null(status.partitions[0].owner);
    cr_assert_eq(status.partitions[0].lag, 90);
    cr_assert_eq(status.partitions[0].margin, -2);
    cr_assert_eq(status.phase, GROUP_STATUS_COMMITTED);
    close_scene(&scene);
}

Test(group_status, hold_and_resume)
{
    struct scene scene;
    open_scene(&scene);
    ledger_says_leader(&scene.ledger, "m");
    ledger_says_hold(&scene.ledger, MESSAGE_HOLD, "h1", "");
    struct group_status status = status_of(&scene);
    cr_assert_eq(status.phase, GROUP_STATUS_HOLDING);
    cr_assert_not(status.held);
    cr_assert_not_null(strstr(status.doing, "because"), "%s", status.doing);
    ledger_says_hold(&scene.ledger, MESSAGE_HELD, "h1", "");
    status = status_of(&scene);
    cr_assert(status.held);
    int64_t offset = ledger_says_resume(&scene.ledger, "x");
    status = status_of(&scene);
    cr_assert_eq(status.phase, GROUP_STATUS_RESUMING);
    ledger_says_commit(&scene.ledger, 1, COMMIT_RESUMED, "r1", NULL, (uint64_t)offset);
    ledger_says_published(&scene.ledger, 1, "r1");
    status = status_of(&scene);
    cr_assert_eq(status.phase, GROUP_STATUS_IDLE);
    close_scene(&scene);
}

static void say_close(struct scene *scene, uint64_t build, const char *parent)
{
    struct close_partition partition = {.id = {.topic = "t"}, .cut = 20};
    struct message_topic topic = {.name = "t", .id = ""};
    struct message message = {.kind = MESSAGE_CLOSE,
                              .close = {.term = ledger_term(&scene->ledger),
                                        .build = build,
                                        .parent = parent,
                                        .trigger = TRIGGER_MANUAL,
                                        .from_us = EVENT_TIME_LOW,
                                        .to_us = EVENT_TIME_HIGH,
                                        .closed_to_us = EVENT_TIME_LOW,
                                        .future_bound_us = INT64_MAX,
                                        .fingerprint = "f",
                                        .topics = &topic,
                                        .topic_count = 1,
                                        .partitions = &partition,
                                        .partition_count = 1}};
    ledger_says(&scene->ledger, &message);
}

static void say_plan(struct scene *scene, const char *run_id)
{
    const char *member = "m";
    struct plan_shard shards[] = {{0, 1}, {-1, 0}, {0, 2}, {0, 2}};
    struct plan_attempt slow = {.shard = 3, .attempt = 1, .since_us = 1};
    struct message message = {.kind = MESSAGE_PLAN,
                              .plan = {.term = ledger_term(&scene->ledger),
                                       .build = 1,
                                       .run_id = run_id,
                                       .members = &member,
                                       .member_count = 1,
                                       .began_us = 1,
                                       .shards = shards,
                                       .shard_count = LENGTH_OF(shards),
                                       .attempts = &slow,
                                       .attempt_count = 1}};
    ledger_says(&scene->ledger, &message);
}

static void say_attempt(struct scene *scene, uint32_t shard, uint32_t number, bool ok)
{
    struct message message = {.kind = MESSAGE_ATTEMPT,
                              .attempt = {.member = "m",
                                          .incarnation = 1,
                                          .build = 1,
                                          .run_id = "r1",
                                          .shard = shard,
                                          .attempt = number,
                                          .ok = ok,
                                          .error = ok ? "" : "disk full",
                                          .url = ok ? "u" : ""}};
    ledger_says(&scene->ledger, &message);
}

Test(group_status, an_open_build)
{
    struct scene scene;
    open_scene(&scene);
    ledger_says_leader(&scene.ledger, "m");
    say_close(&scene, 1, "");
    struct group_status status = status_of(&scene);
    cr_assert_eq(status.phase, GROUP_STATUS_CLOSED);
    say_plan(&scene, "r1");
    say_attempt(&scene, 0, 1, true);
    say_attempt(&scene, 2, 1, false);
    status = status_of(&scene);
    cr_assert_eq(status.phase, GROUP_STATUS_BUILDING);
    cr_assert_str_eq(status.open_run_id, "r1");
    cr_assert_eq(status.shards_planned, 3);
    cr_assert_eq(status.shards_built, 1);
    cr_assert_eq(status.attempts_planned, 5);
    cr_assert_eq(status.attempts_beside, 1);
    cr_assert_eq(status.attempts_failed, 1);
    cr_assert_eq(status.builder_count, 1);
    cr_assert_eq(status.builders[0].shards, 3);
    cr_assert_eq(status.builders[0].built, 1);
    cr_assert_not_null(strstr(status.doing, "m has 2 to do"), "%s", status.doing);
    cr_assert_not_null(strstr(status.doing, "1 have a second attempt beside a slow one"), "%s",
                       status.doing);
    cr_assert_not_null(strstr(status.doing, "disk full"), "%s", status.doing);
    say_attempt(&scene, 3, 1, false);
    status = status_of(&scene);
    cr_assert_eq(status.attempts_beside, 0);
    cr_assert_eq(status.attempts_failed, 2);
    close_scene(&scene);
}

/* Who keeps partition t/0 of build 1 (offsets 0 to 20) from being delivered. */
struct lack_row {
    const char *kind;
    const char *why;
    const char *owner; /* NULL: nobody */
    int64_t position;
    const char *fingerprint;
    bool leaving;
    bool silent;
    int64_t ready_from; /* READY from there; -1: none */
    bool refuses;
};

static const struct lack_row lacks[] = {
    {"no_owner", "nobody owns it", NULL, -1, NULL, false, false, -1, false},
    {"no_owner", "nobody owns it, and it was read up to 15 before", NULL, 15, "f", true, false, -1,
     false},
    {"reading", "m has read up to 15", "m", 15, "f", false, false, -1, false},
    {"sealing", "m has read it, and counts its rows", "m", 21, "f", false, false, -1, false},
    {"silent", "m owns it, and was not heard of for 61 s", "m", 21, "f", false, true, -1, false},
    {"other_settings", "m owns it, and runs with other settings than the leader", "m", -1, "g",
     false, false, -1, false},
    {"refused", "m refuses: no wish", "m", -1, "g", false, false, -1, true},
    {"lost_range",
     "m can deliver it from 5 on only: what is below is not in the topic any more, and `tidemark "
     "skip` would give it up",
     "m", 21, "f", false, false, 5, false},
};

static void say_member(struct scene *scene, const struct lack_row *row)
{
    struct progress_partition partition = {.id = {.topic = "t"},
                                           .owned = !row->leaving,
                                           .position = row->position < 0 ? 7 : row->position,
                                           .watermark_us = EVENT_TIME_LOW,
                                           .low_us = EVENT_TIME_HIGH};
    struct message message = {.kind = MESSAGE_PROGRESS,
                              .progress = {.member = "m",
                                           .incarnation = 1,
                                           .generation = 1,
                                           .fingerprint = row->fingerprint,
                                           .leaving = row->leaving,
                                           .doing = "sleeps",
                                           .paused = "it is hot",
                                           .leading = "waits for rain",
                                           .partitions = &partition,
                                           .partition_count = 1}};
    ledger_says(&scene->ledger, &message);
}

static void say_ready(struct scene *scene, int64_t from)
{
    struct ready_partition partition = {
        .id = {.topic = "t"}, .owned = true, .from = from, .to = 20, .carried_from = 20};
    struct message message = {.kind = MESSAGE_READY,
                              .ready = {.member = "m",
                                        .incarnation = 1,
                                        .generation = 1,
                                        .build = 1,
                                        .fingerprint = "f",
                                        .partitions = &partition,
                                        .partition_count = 1}};
    ledger_says(&scene->ledger, &message);
}

static void say_refused(struct scene *scene, const char *member)
{
    struct message message = {.kind = MESSAGE_REFUSED,
                              .refused = {.member = member,
                                          .incarnation = 1,
                                          .build = 1,
                                          .fingerprint = "g",
                                          .reason = "no wish"}};
    ledger_says(&scene->ledger, &message);
}

Test(group_status, what_a_closed_build_waits_for)
{
    for (size_t i = 0; i < LENGTH_OF(lacks); i++) {
        const struct lack_row *row = &lacks[i];
        struct scene scene;
        open_scene(&scene);
        ledger_says_leader(&scene.ledger, "m");
        say_close(&scene, 1, "");
        if (row->fingerprint != NULL) {
            say_member(&scene, row);
        }
        if (row->ready_from >= 0) {
            say_ready(&scene, row->ready_from);
        }
        if (row->refuses) {
            say_refused(&scene, "m");
        }
        scene.request.now_us = scene.ledger.timestamp_us + (row->silent ? 61 : 1) * 1000000;
        struct group_status status = status_of(&scene);
        cr_assert_eq(status.wait_count, 1, "%s", row->kind);
        const struct group_status_wait *wait = &status.waits[0];
        cr_expect_str_eq(wait->kind, row->kind);
        cr_expect_str_eq(wait->why, row->why);
        cr_expect_eq(wait->from, 0);
        cr_expect_eq(wait->cut, 20);
        cr_expect_eq(wait->position, row->position, "%s: %lld", row->kind,
                     (long long)wait->position);
        cr_expect_eq(wait->owner == NULL, row->owner == NULL, "%s", row->kind);
        cr_expect_not_null(strstr(status.doing, row->why), "%s", status.doing);
        cr_expect_not_null(strstr(status.doing, "build 1 waits for t/0 up to 20"), "%s",
                           status.doing);
        close_scene(&scene);
    }
}

/* READY of all that is wanted: nothing is waited for but the leader, who says why in its own words.
 */
Test(group_status, a_build_that_is_not_planned)
{
    struct scene scene;
    open_scene(&scene);
    ledger_says_leader(&scene.ledger, "m");
    say_close(&scene, 1, "");
    struct lack_row row = {.position = 21, .fingerprint = "f"};
    say_member(&scene, &row);
    say_ready(&scene, 0);
    say_refused(&scene, "n");
    struct group_status status = status_of(&scene);
    cr_assert_eq(status.wait_count, 0);
    cr_assert_eq(status.refused, 1);
    cr_assert_str_eq(status.refusals[0].member, "n");
    cr_assert_str_eq(status.doing,
                     "build 1 is not planned, though all its partitions are there; its leader "
                     "says: waits for rain; n refuses: no wish");
    cr_assert_str_eq(status.leading, "waits for rain");
    cr_assert_str_eq(status.members[0].doing, "sleeps");
    cr_assert_str_eq(status.members[0].paused, "it is hot");
    /* words of long ago are not shown */
    scene.request.now_us += 10 * quiet_us;
    status = status_of(&scene);
    cr_assert_str_eq(status.members[0].doing, "");
    cr_assert_str_eq(status.leading, "");
    close_scene(&scene);
}

/* The leader's words of before a hold, or of the hold when it is over, are not shown beside it. */
Test(group_status, words_of_before)
{
    struct scene scene;
    open_scene(&scene);
    struct lack_row row = {.position = 21, .fingerprint = "f"};
    ledger_says_leader(&scene.ledger, "m");
    ledger_says_commit(&scene.ledger, 1, COMMIT_BUILD, "r1", NULL, 0);
    ledger_says_published(&scene.ledger, 1, "r1");
    say_member(&scene, &row);
    cr_expect_str_eq(status_of(&scene).leading, "waits for rain");
    ledger_says_hold(&scene.ledger, MESSAGE_HOLD, "h", "");
    ledger_says_hold(&scene.ledger, MESSAGE_HELD, "h", "");
    cr_expect_str_eq(status_of(&scene).leading, "");
    cr_expect_str_eq(status_of(&scene).members[0].doing, "sleeps");
    say_member(&scene, &row);
    cr_expect_str_eq(status_of(&scene).leading, "waits for rain");
    int64_t resume = ledger_says_resume(&scene.ledger, "i");
    ledger_says_commit(&scene.ledger, 1, COMMIT_RESUMED, "r1", NULL, (uint64_t)resume);
    struct group_status status = status_of(&scene);
    cr_assert_eq(status.phase, GROUP_STATUS_IDLE, "%s", status.doing);
    cr_expect_str_eq(status.leading, "");
    say_member(&scene, &row);
    cr_expect_str_eq(status_of(&scene).leading, "waits for rain");
    close_scene(&scene);
}

Test(group_status, a_gate_refuses)
{
    struct scene scene;
    open_scene(&scene);
    ledger_says_leader(&scene.ledger, "m");
    say_close(&scene, 1, "");
    say_plan(&scene, "r1");
    const char *reasons[] = {"3 rows, at least 4 are wanted", "key a is not there"};
    struct message gated = {.kind = MESSAGE_GATED,
                            .gated = {.term = ledger_term(&scene.ledger),
                                      .build = 1,
                                      .run_id = "r1",
                                      .reasons = reasons,
                                      .reason_count = 2}};
    ledger_says(&scene.ledger, &gated);
    struct group_status status = status_of(&scene);
    cr_assert_eq(status.phase, GROUP_STATUS_GATED);
    cr_assert_str_eq(status.doing,
                     "build 1, run r1 is built and not published: 3 rows, at least 4 are wanted; "
                     "key a is not there");
    /* one for another run changes nothing */
    struct message accept = {
        .kind = MESSAGE_ACCEPT,
        .accept = {.id = "a", .who = "", .why = "", .build = 1, .run_id = "r0"}};
    ledger_says(&scene.ledger, &accept);
    cr_assert_eq(status_of(&scene).phase, GROUP_STATUS_GATED);
    accept.accept.id = "b";
    accept.accept.run_id = "r1";
    ledger_says(&scene.ledger, &accept);
    cr_assert_eq(status_of(&scene).phase, GROUP_STATUS_BUILDING);
    close_scene(&scene);
}

Test(group_status, without_store_and_brokers)
{
    struct scene scene;
    open_scene(&scene);
    ledger_says_leader(&scene.ledger, "m");
    ledger_says_commit(&scene.ledger, 1, COMMIT_BUILD, "r1", NULL, 0);
    scene.request.ends = NULL;
    scene.request.end_count = 0;
    scene.request.pointer = NULL;
    struct group_status status = status_of(&scene);
    cr_assert_not(status.pointer_known);
    cr_assert_eq(status.lag, -1);
    cr_assert_eq(status.partition_count, 1);
    cr_assert_eq(status.partitions[0].lag, -1);
    cr_assert_eq(status.partitions[0].cut, 10);
    close_scene(&scene);
}

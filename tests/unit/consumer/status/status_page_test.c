/* Health, JSON and metrics of a member, from what it and the ledger say. */
#include "consumer/status/status_page.h"

#include "consumer/status/status_health.h"
#include "tests/support/ledger_says.h"

static const int64_t second_us = 1000000;

struct scene {
    struct ledger_says ledger;
    struct arena *arena;
    struct settings settings;
    struct store_counters store;
    struct status_counts counts;
    struct status_standing standing;
    struct source_ends ends[1];
    struct group_status_request request;
    struct group_status group;
    struct status_view view;
    struct buf out;
};

static const char *const topics[] = {"t"};

/* A member "m" that leads, reads t/0 and has nothing to complain about. */
static void open_scene(struct scene *scene)
{
    *scene = (struct scene){.ledger = {.fold = fold_new(), .timestamp_us = 100 * second_us},
                            .arena = arena_new(4096)};
    buf_init(&scene->out, 1 << 20);
    scene->settings.group = "g";
    scene->settings.member_id = "m";
    scene->settings.status.overdue_after_us = 60 * second_us;
    scene->settings.s3.proxy = "http://user:hidden@proxy";
    scene->ends[0] = (struct source_ends){.low = 5, .stable = 100, .high = 103};
    scene->view = (struct status_view){
        .settings = &scene->settings,
        .version = "1",
        .client_version = "librdkafka 2",
        .now_us = 110 * second_us,
        .mono_us = 10 * second_us,
        .started_us = 90 * second_us,
        .member = {.caught_up = true, .incarnation = 1},
        .leader = {.phase = LEADER_ACTIVE, .term = 0, .doing = "waits for the trigger"},
        .source = {.assigned = 1},
        .store = &scene->store,
        .ledger_read = true,
        .request = &scene->request,
        .group = &scene->group,
        .counts = &scene->counts,
        .standing = &scene->standing,
    };
    for (size_t i = 0; i < STATUS_THREADS; i++) {
        scene->view.threads[i] = (struct status_view_thread){"poll", 1, 5 * second_us};
    }
    ledger_says_leader(&scene->ledger, "m");
    ledger_says_progress(&scene->ledger, "m", false, 90);
}

static void look(struct scene *scene)
{
    scene->request = (struct group_status_request){.fold = scene->ledger.fold,
                                                   .now_us = scene->view.now_us,
                                                   .quiet_us = 1000 * second_us,
                                                   .topics = topics,
                                                   .ends = scene->ends,
                                                   .end_count = 1};
    group_status_fill(&scene->request, scene->arena, &scene->group);
    scene->out.size = 0;
    buf_add_text(&scene->out, "");
}

static void close_scene(struct scene *scene)
{
    status_standing_done(&scene->standing);
    fold_free(scene->ledger.fold);
    arena_free(scene->arena);
    buf_done(&scene->out);
}

static bool is_ready(struct scene *scene)
{
    look(scene);
    return status_health_ready(&scene->view, &scene->out);
}

static void expect_not_ready(struct scene *scene, const char *reason)
{
    cr_expect_not(is_ready(scene), "%s", reason);
    cr_expect_not_null(strstr(buf_text(&scene->out), reason), "\"%s\" in \"%s\"", reason,
                       buf_text(&scene->out));
}

Test(status_health, a_stuck_thread)
{
    struct scene scene;
    open_scene(&scene);
    look(&scene);
    cr_assert(status_health_live(&scene.view, &scene.out));
    scene.view.threads[1] = (struct status_view_thread){"intake", 6 * second_us, 5 * second_us};
    cr_assert_not(status_health_live(&scene.view, &scene.out));
    cr_assert_not_null(strstr(buf_text(&scene.out), "the intake thread"));
    close_scene(&scene);
}

Test(status_health, what_makes_a_member_not_ready)
{
    struct scene scene;
    open_scene(&scene);
    cr_assert(is_ready(&scene), "%s", buf_text(&scene.out));
    scene.view.member.caught_up = false;
    expect_not_ready(&scene, "reads the ledger");
    scene.view.member.caught_up = true;
    scene.view.member.incarnation = 2; /* the one in the ledger died */
    expect_not_ready(&scene, "has not joined");
    scene.view.member.incarnation = 1;
    scene.view.stopping = true;
    expect_not_ready(&scene, "is stopping");
    scene.view.stopping = false;
    scene.view.ledger_age_us = 61 * second_us;
    expect_not_ready(&scene, "have not told the end of the ledger");
    scene.view.ledger_age_us = 0;
    scene.view.member.failed = true;
    err_set(&scene.view.member.err, ERR_LIMIT, "no room");
    expect_not_ready(&scene, "has failed: no room");
    close_scene(&scene);
}

Test(status_health, another_fingerprint_than_the_leader)
{
    struct scene scene;
    open_scene(&scene);
    ledger_says_progress(&scene.ledger, "n", false, -1);
    cr_assert(is_ready(&scene));
    struct message message = {
        .kind = MESSAGE_PROGRESS,
        .progress = {.member = "m", .incarnation = 1, .generation = 1, .fingerprint = "other"}};
    ledger_says(&scene.ledger, &message);
    ledger_says_leader(&scene.ledger, "n");
    expect_not_ready(&scene, "differ from those of the leader n");
    close_scene(&scene);
}

/* It counts from the start of the process, and a hold excuses it. */
Test(status_health, a_window_that_is_overdue)
{
    struct scene scene;
    open_scene(&scene);
    ledger_says_commit(&scene.ledger, 1, COMMIT_BUILD, "r1", NULL, 0);
    cr_assert(is_ready(&scene), "%s", buf_text(&scene.out));
    scene.view.now_us = 151 * second_us;
    expect_not_ready(&scene, "1 windows are overdue");
    cr_assert_eq(status_view_overdue(&scene.view), 1);
    ledger_says_hold(&scene.ledger, MESSAGE_HOLD, "h1", "");
    cr_assert(is_ready(&scene), "%s", buf_text(&scene.out));
    int64_t since_us = 0;
    cr_assert_eq(status_view_unpublished(&scene.view, &since_us), 1);
    close_scene(&scene);
}

Test(status_health, a_partition_that_stands_still)
{
    struct scene scene;
    open_scene(&scene);
    look(&scene);
    status_standing_look(&scene.standing, &scene.group, "m", 10 * second_us);
    status_standing_look(&scene.standing, &scene.group, "m", 11 * second_us);
    struct partition_id id = {.topic = "t"};
    cr_assert_eq(status_standing_us(&scene.standing, id, 20 * second_us), 9 * second_us);
    scene.view.mono_us = 72 * second_us;
    expect_not_ready(&scene, "t/0 has lag and stands still");
    ledger_says_progress(&scene.ledger, "m", false, 91);
    look(&scene);
    status_standing_look(&scene.standing, &scene.group, "m", 72 * second_us);
    cr_assert_eq(status_standing_us(&scene.standing, id, 80 * second_us), 0);
    cr_assert(is_ready(&scene), "%s", buf_text(&scene.out));
    close_scene(&scene);
}

Test(status_counts, a_build_is_counted_once_and_timed)
{
    struct status_counts counts = {0};
    struct message close = {.kind = MESSAGE_CLOSE, .close = {.build = 7}};
    struct message published = {.kind = MESSAGE_PUBLISHED, .published = {.build = 7}};
    struct message mine = {.kind = MESSAGE_ATTEMPT,
                           .attempt = {.member = "m", .ok = true, .duration_ms = 5}};
    struct message other = {.kind = MESSAGE_ATTEMPT, .attempt = {.member = "n", .ok = false}};
    status_counts_take(&counts, &published, second_us, "m", false); /* history */
    status_counts_take(&counts, &close, 2 * second_us, "m", false);
    status_counts_take(&counts, &close, 3 * second_us, "m", true); /* under another fingerprint */
    status_counts_take(&counts, &mine, 3 * second_us, "m", true);
    status_counts_take(&counts, &other, 3 * second_us, "m", true);
    status_counts_take(&counts, &published, 4 * second_us, "m", true);
    cr_assert_eq(counts.published, 1);
    cr_assert_eq(counts.records[MESSAGE_PUBLISHED], 2);
    cr_assert_eq(counts.close_to_publish.count, 1);
    cr_assert_eq(counts.close_to_publish.sum_us, 2 * second_us);
    cr_assert_eq(counts.attempts_ok, 1);
    cr_assert_eq(counts.attempts_failed, 0);
    cr_assert_eq(counts.attempts_us, 5000);
}

/* A run from its first PLAN on: shard 0 is slow, shard 1 fails, shard 2 has no rows. */
Test(status_counts, an_attempt_is_planned_once_and_for_a_reason)
{
    struct status_counts counts = {0};
    struct plan_shard shards[] = {{0, 1}, {1, 1}, {-1, 0}};
    struct plan_attempt older[] = {{.shard = 0, .attempt = 1, .since_us = 7},
                                   {.shard = 1, .attempt = 2, .since_us = 8}};
    struct message plan = {.kind = MESSAGE_PLAN,
                           .plan = {.shards = shards, .shard_count = LENGTH_OF(shards)}};
    status_counts_take(&counts, &plan, second_us, "m", false); /* history */
    status_counts_take(&counts, &plan, second_us, "m", true);
    cr_expect_eq(counts.planned[STATUS_PLANNED_FIRST], 2);
    plan.plan.began_us = 7;
    shards[1] = (struct plan_shard){0, 2};
    status_counts_take(&counts, &plan, second_us, "m", true);
    cr_expect_eq(counts.planned[STATUS_PLANNED_AGAIN], 1);
    cr_expect_eq(counts.planned[STATUS_PLANNED_BESIDE], 0);
    shards[0] = (struct plan_shard){1, 2};
    plan.plan.attempts = older;
    plan.plan.attempt_count = LENGTH_OF(older);
    status_counts_take(&counts, &plan, second_us, "m", true);
    cr_expect_eq(counts.planned[STATUS_PLANNED_FIRST], 2);
    cr_expect_eq(counts.planned[STATUS_PLANNED_AGAIN], 1);
    cr_expect_eq(counts.planned[STATUS_PLANNED_BESIDE], 1);
}

Test(status_page, what_is_waited_for)
{
    struct scene scene;
    open_scene(&scene);
    struct close_partition wanted = {.id = {.topic = "t"}, .cut = 95};
    struct message close = {.kind = MESSAGE_CLOSE,
                            .close = {.term = ledger_term(&scene.ledger),
                                      .build = 1,
                                      .parent = "",
                                      .fingerprint = "f",
                                      .partitions = &wanted,
                                      .partition_count = 1}};
    ledger_says(&scene.ledger, &close);
    look(&scene);
    status_page_json(&scene.view, &scene.out);
    const char *text = buf_text(&scene.out);
    cr_expect_not_null(strstr(text, "\"waits_for\":[{\"cut\":95,\"from\":0,\"kind\":\"reading\","
                                    "\"owner\":\"m\",\"partition\":0,\"position\":90,"
                                    "\"topic\":\"t\",\"why\":\"m has read up to 90\"}]"),
                       "%s", text);
    cr_expect_not_null(strstr(text, "\"refusals\":[]"), "%s", text);
    look(&scene);
    status_page_metrics(&scene.view, &scene.out);
    text = buf_text(&scene.out);
    cr_expect_not_null(strstr(text, "\ntidemark_open_build_waiting_partitions{group=\"g\"} 1\n"),
                       "%s", text);
    cr_expect_not_null(strstr(text, "\ntidemark_open_build_refusing_members{group=\"g\"} 0\n"));
    cr_expect_not_null(strstr(text, "\ntidemark_open_build_gated{group=\"g\"} 0\n"));
    close_scene(&scene);
}

Test(status_page, json_and_metrics_tell_the_same_and_no_secret)
{
    struct scene scene;
    open_scene(&scene);
    scene.view.member.counters.records = 12;
    scene.view.source.paused = 3;
    scene.view.member.alerts = 2;
    scene.view.leader.alerts = 5;
    scene.counts.planned[STATUS_PLANNED_BESIDE] = 4;
    scene.view.member.pauses.paused[PAUSE_ROOM] = 2;
    scene.view.member.counters.rejected[REJECT_NONE + 1] = 3;
    look(&scene);
    status_page_json(&scene.view, &scene.out);
    const char *text = buf_text(&scene.out);
    static const char *const fields[] = {"\"leads\":true",  "\"lag\":10",
                                         "\"ready\":true",  "\"read\":12",
                                         "\"term\":0",      "\"head\":null",
                                         "\"group\":\"g\"", "\"position\":90",
                                         "\"alerts\":7",    "\"paused_by\":\"limits.disk_budget\"",
                                         "\"beside\":4"};
    for (size_t i = 0; i < LENGTH_OF(fields); i++) {
        cr_expect_not_null(strstr(text, fields[i]), "%s in %s", fields[i], text);
    }
    cr_expect_null(strstr(text, "hidden"));
    look(&scene);
    status_page_metrics(&scene.view, &scene.out);
    text = buf_text(&scene.out);
    static const char *const samples[] = {
        "\ntidemark_records_read_total{group=\"g\"} 12\n",
        "\ntidemark_partition_lag_records{group=\"g\",topic=\"t\",partition=\"0\"} 10\n",
        "\ntidemark_partition_unstable_records{group=\"g\",topic=\"t\",partition=\"0\"} 3\n",
        "\ntidemark_partitions_paused{group=\"g\",reason=\"disk_budget\"} 2\n",
        "\ntidemark_partitions_paused{group=\"g\",reason=\"intake\"} 1\n",
        "\ntidemark_alerts_total{group=\"g\",of=\"leader\"} 5\n",
        "\ntidemark_attempts_planned_total{group=\"g\",why=\"beside\"} 4\n",
        "\ntidemark_leading{group=\"g\"} 1\n",
        "\ntidemark_ready{group=\"g\"} 1\n",
    };
    for (size_t i = 0; i < LENGTH_OF(samples); i++) {
        cr_expect_not_null(strstr(text, samples[i]), "%s in %s", samples[i], text);
    }
    cr_expect_null(strstr(text, "hidden"));
    close_scene(&scene);
}

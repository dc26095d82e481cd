/* A member that its own heartbeats fenced joins again; one that another process fenced ends. And a
 * group that does not wait for an answer takes back what it gave. */
#include <criterion/criterion.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include "adapters/kafka/kafka_source.h"
#include "adapters/os/clock.h"

enum {
    HEARTBEAT = 12,    /* of Kafka's requests */
    SESSION_MS = 3500, /* the mock cluster takes 3 s for a join, and forgets who is silent longer */
    PATIENCE_US = 30 * 1000 * 1000,
};

struct scene {
    rd_kafka_t *rk;
    rd_kafka_mock_cluster_t *mock;
    struct source_settings settings;
    struct source *source;
    struct source_batch *batch;
    struct err err;
};

static void open_scene(struct scene *scene)
{
    static const char *const topics[] = {"t"};
    static const struct cluster_property often = {"heartbeat.interval.ms", "100"};
    char words[256];
    *scene = (struct scene){.batch = source_batch_new(100)};
    scene->rk = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), words, sizeof(words));
    cr_assert_not_null(scene->rk, "%s", words);
    scene->mock = rd_kafka_mock_cluster_new(scene->rk, 1);
    cr_assert_eq(rd_kafka_mock_topic_create(scene->mock, "t", 2, 1), RD_KAFKA_RESP_ERR_NO_ERROR);
    scene->settings = (struct source_settings){
        .cluster = {.brokers = rd_kafka_mock_cluster_bootstraps(scene->mock),
                    .properties = &often,
                    .property_count = 1},
        .group = "g",
        .member_id = "m1",
        .topics = topics,
        .topic_count = 1,
        .queue_bytes_max = 1 << 20,
        .batch_bytes_max = 1 << 20,
        .session_timeout_ms = SESSION_MS,
    };
    cr_assert(source_new(&scene->settings, &scene->source, &scene->err), "%s", scene->err.message);
}

static void close_scene(struct scene *scene)
{
    source_free(scene->source, 5000);
    source_batch_free(scene->batch);
    rd_kafka_mock_cluster_destroy(scene->mock);
    rd_kafka_destroy(scene->rk);
}

/* Polls until an event of the kind is there; NULL: a fatal one came before it. */
static const struct source_event *wait_for(struct scene *scene, enum source_event_kind kind)
{
    int64_t end_us = clock_mono_us() + PATIENCE_US;
    while (clock_mono_us() < end_us) {
        bool ok = source_poll(scene->source, 100, scene->batch, &scene->err);
        for (size_t i = 0; i < scene->batch->event_count; i++) {
            const struct source_event *event = &scene->batch->events[i];
            if (event->kind == kind || event->kind == SOURCE_FATAL) {
                return event->kind == kind ? event : NULL;
            }
        }
        cr_assert(ok, "%s", scene->err.message);
    }
    cr_assert_fail("waited in vain for event %d", (int)kind);
    return NULL;
}

static void start_all(struct scene *scene)
{
    const struct source_event *event = wait_for(scene, SOURCE_ASSIGNED);
    cr_assert(event != NULL && event->partition_count == 2, "%s", scene->err.message);
    struct source_start starts[2];
    for (size_t i = 0; i < 2; i++) {
        starts[i] = (struct source_start){.partition = event->partitions[i], .leader_epoch = -1};
    }
    cr_assert(source_start(scene->source, starts, 2, &scene->err), "%s", scene->err.message);
}

static void fence_heartbeats(struct scene *scene)
{
    rd_kafka_mock_push_request_errors(
        scene->mock, HEARTBEAT, 3, RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID,
        RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID, RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID);
}

/* The coordinator answers too late, so the session ends by the client's own clock; heartbeats go on
 * while its partitions are given up, without a member id, and are refused by it when it is back. */
Test(kafka_rejoin, fenced_by_its_own_heartbeats)
{
    struct scene scene;
    open_scene(&scene);
    start_all(&scene);
    rd_kafka_mock_broker_set_rtt(scene.mock, 1, 3 * SESSION_MS);
    const struct source_event *event = wait_for(&scene, SOURCE_REVOKED);
    cr_assert(event != NULL && event->lost, "the session did not end");
    rd_kafka_mock_broker_set_rtt(scene.mock, 1, 0);
    fence_heartbeats(&scene);
    int64_t end_us = clock_mono_us() + PATIENCE_US;
    while (!scene.source->is_outdated && clock_mono_us() < end_us) { /* REVOKED is not answered */
        cr_assert(source_poll(scene.source, 100, scene.batch, &scene.err), "%s", scene.err.message);
    }
    cr_assert(scene.source->is_outdated, "its heartbeats did not fence it");
    cr_assert(source_stop(scene.source, &scene.err), "%s", scene.err.message);
    rd_kafka_mock_clear_request_errors(scene.mock, HEARTBEAT);
    start_all(&scene);
    close_scene(&scene);
}

Test(kafka_rejoin, fenced_by_another_process)
{
    struct scene scene;
    open_scene(&scene);
    start_all(&scene);
    fence_heartbeats(&scene);
    cr_assert_null(wait_for(&scene, SOURCE_REVOKED));
    cr_assert_not(source_poll(scene.source, 100, scene.batch, &scene.err));
    cr_assert_eq(scene.err.kind, ERR_FENCED, "%s", scene.err.message);
    close_scene(&scene);
}

/* ---- a group that does not wait ---- */

/* As librdkafka calls it: with `count` partitions of the topic, from `first` on. */
static void call_back(struct scene *scene, rd_kafka_resp_err_t code, int first, int count)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(2);
    for (int i = 0; i < count; i++) {
        rd_kafka_topic_partition_list_add(list, "t", first + i);
    }
    source_on_rebalance(scene->source->client->rk, code, list, scene->source->client);
    rd_kafka_topic_partition_list_destroy(list);
}

static const struct source_event *wait_for_some(struct scene *scene, enum source_event_kind kind,
                                                size_t count)
{
    const struct source_event *event = wait_for(scene, kind);
    cr_assert_not_null(event, "%s", scene->err.message);
    cr_assert_eq(event->partition_count, count, "%zu", event->partition_count);
    return event;
}

static bool is_started(const struct scene *scene, int32_t partition)
{
    return source_position(scene->source, (struct source_partition){0, partition}) >= 0;
}

/* The cooperative protocol says what is new alone: what it gave before is still to be started. */
Test(kafka_rejoin, an_assignment_is_overtaken)
{
    struct scene scene;
    open_scene(&scene);
    const struct source_event *event = wait_for_some(&scene, SOURCE_ASSIGNED, 2);
    struct source_start early[2] = {{.partition = event->partitions[0], .leader_epoch = -1},
                                    {.partition = event->partitions[1], .leader_epoch = -1}};
    call_back(&scene, RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS, 1, 1);
    /* an answer that was under way does not count, nor does one to what nobody has to answer */
    cr_assert_not(source_start(scene.source, early, 2, &scene.err));
    event = wait_for_some(&scene, SOURCE_REVOKED, 2);
    cr_assert(event->lost);
    cr_assert(source_stop(scene.source, &scene.err), "%s", scene.err.message);
    size_t count = client_settings_cooperative() ? 2 : 1;
    event = wait_for_some(&scene, SOURCE_ASSIGNED, count);
    struct source_start starts[2] = {{.partition = event->partitions[0], .leader_epoch = -1}};
    if (count == 2) {
        starts[1] = (struct source_start){.partition = event->partitions[1], .leader_epoch = -1};
    }
    cr_assert(source_start(scene.source, starts, count, &scene.err), "%s", scene.err.message);
    cr_expect(is_started(&scene, 1));
    cr_expect_eq(is_started(&scene, 0), count == 2);
    close_scene(&scene);
}

/* The answer came after librdkafka had joined again, and before it said what came of that. */
Test(kafka_rejoin, an_answer_is_overtaken)
{
    struct scene scene;
    open_scene(&scene);
    start_all(&scene);
    if (client_settings_cooperative()) { /* it takes back what is not ours, before it gives */
        call_back(&scene, RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS, 0, 1);
        (void)wait_for_some(&scene, SOURCE_REVOKED, 1);
        cr_assert(source_stop(scene.source, &scene.err), "%s", scene.err.message);
        cr_expect(is_started(&scene, 1));
    } else {
        call_back(&scene, RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS, 1, 1);
        (void)wait_for_some(&scene, SOURCE_REVOKED, 2);
        const struct source_event *event = wait_for_some(&scene, SOURCE_ASSIGNED, 1);
        struct source_start start = {.partition = event->partitions[0], .leader_epoch = -1};
        cr_assert(source_start(scene.source, &start, 1, &scene.err), "%s", scene.err.message);
        cr_expect(is_started(&scene, 1));
    }
    cr_expect_not(is_started(&scene, 0));
    close_scene(&scene);
}

/* Some of what waits for its answer is taken back: nothing of it can be answered any more. */
Test(kafka_rejoin, an_unanswered_assignment_is_revoked)
{
    struct scene scene;
    open_scene(&scene);
    (void)wait_for_some(&scene, SOURCE_ASSIGNED, 2);
    call_back(&scene, RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS, 0, 1);
    (void)wait_for_some(&scene, SOURCE_REVOKED, 2);
    cr_assert(source_stop(scene.source, &scene.err), "%s", scene.err.message);
    call_back(&scene, RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS, 1,
              client_settings_cooperative() ? 0 : 1);
    const struct source_event *event = wait_for_some(&scene, SOURCE_ASSIGNED, 1);
    cr_assert_eq(event->partitions[0].partition, 1);
    struct source_start start = {.partition = event->partitions[0], .leader_epoch = -1};
    cr_assert(source_start(scene.source, &start, 1, &scene.err), "%s", scene.err.message);
    cr_expect(is_started(&scene, 1) && !is_started(&scene, 0));
    close_scene(&scene);
}

/* Nobody has heard of it yet: nobody need hear that it is gone. */
Test(kafka_rejoin, what_was_not_announced_goes_unnoticed)
{
    struct scene scene;
    open_scene(&scene);
    call_back(&scene, RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS, 0, 2);
    call_back(&scene, RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS, 0, 2);
    cr_expect_not(source_rebalancing(scene.source));
    start_all(&scene);
    close_scene(&scene);
}

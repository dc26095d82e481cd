/* /metrics: the numbers of one moment, in the order of the table. */
#include <inttypes.h>
#include <stdio.h>

#include "consumer/status/status_health.h"
#include "consumer/status/status_page.h"

/* "ok" and "failed" where a bool decides. */
static const char *const outcomes[] = {"failed", "ok"};

/* What the machine pauses has its reasons; all the rest is held back at once. */
static void put_pauses(struct metric_writer *w, const struct status_view *view)
{
    const struct pause_moment *moment = &view->member.pauses;
    size_t told = 0;
    for (unsigned reason = PAUSE_NOT + 1; reason < PAUSE_REASONS; reason++) {
        told += moment->paused[reason];
        metric_u64(w, METRIC_PAUSED, moment->paused[reason], "reason",
                   member_pause_name((enum member_pause)reason), NULL);
    }
    uint64_t rest = view->source.paused > told ? view->source.paused - told : 0;
    metric_u64(w, METRIC_PAUSED, view->memory_paused ? rest : 0, "reason", "memory_budget", NULL);
    metric_u64(w, METRIC_PAUSED, view->memory_paused ? 0 : rest, "reason", "intake", NULL);
}

static void put_process(struct metric_writer *w, const struct status_view *view)
{
    AUTO(buf) struct buf reasons;
    buf_init(&reasons, 64 * 1024);
    metric_u64(w, METRIC_INFO, 1, "member", view->settings->member_id, "version", view->version,
               "librdkafka", view->client_version, NULL);
    metric_seconds(w, METRIC_START_TIME, view->started_us, NULL);
    metric_u64(w, METRIC_READY, status_health_ready(view, &reasons), NULL);
    metric_u64(w, METRIC_LIVE, status_health_live(view, &reasons), NULL);
    for (size_t i = 0; i < STATUS_THREADS; i++) {
        metric_seconds(w, METRIC_THREAD_AGE, view->threads[i].age_us, "thread",
                       view->threads[i].name, NULL);
    }
    metric_u64(w, METRIC_LEADING, view->leader.phase == LEADER_ACTIVE, NULL);
    metric_i64(w, METRIC_TERM, view->group->term, NULL);
    metric_u64(w, METRIC_TERM_CHANGES, view->counts->terms, NULL);
    metric_u64(w, METRIC_ALERTS, view->member.alerts, "of", "member", NULL);
    metric_u64(w, METRIC_ALERTS, view->leader.alerts, "of", "leader", NULL);
    metric_u64(w, METRIC_REBALANCES, view->source.rebalances, NULL);
    metric_u64(w, METRIC_ASSIGNED, view->source.assigned, NULL);
    put_pauses(w, view);
}

static void put_records(struct metric_writer *w, const struct status_view *view)
{
    const struct intake_counters *counters = &view->member.counters;
    metric_u64(w, METRIC_RECORDS, counters->records, NULL);
    metric_u64(w, METRIC_BYTES, counters->bytes, NULL);
    for (int cause = REJECT_NONE + 1; cause < REJECT_CAUSES; cause++) {
        metric_u64(w, METRIC_REJECTED, counters->rejected[cause], "cause",
                   reject_cause_name((enum reject_cause)cause), NULL);
    }
    metric_u64(w, METRIC_FUTURE, counters->future_seen, NULL);
    metric_u64(w, METRIC_PASSED_OVER, counters->passed_over, NULL);
    metric_u64(w, METRIC_STALE, view->source.stale, NULL);
    metric_u64(w, METRIC_ROWS_HELD, counters->rows, NULL);
    metric_u64(w, METRIC_SPILLS, counters->spills, NULL);
    metric_u64(w, METRIC_MEMORY_USED, view->memory_used, NULL);
    metric_u64(w, METRIC_MEMORY_PEAK, view->memory_peak, NULL);
    metric_u64(w, METRIC_MEMORY_BUDGET, view->memory_budget, NULL);
    metric_u64(w, METRIC_DISK_USED, counters->disk_bytes, NULL);
    metric_u64(w, METRIC_DISK_BUDGET, view->settings->limits.disk_budget, NULL);
    metric_u64(w, METRIC_QUEUE, view->source.queue_bytes, NULL);
}

static bool is_ours(const struct status_view *view, const struct group_status_partition *partition)
{
    return partition->owner != NULL && strcmp(partition->owner, view->settings->member_id) == 0;
}

/* One metric over all partitions of ours; what is not known has no sample. */
static void put_partition(struct metric_writer *w, const struct status_view *view,
                          const struct group_status_partition *partition, enum metric metric)
{
    char number[16];
    const char *topic = partition->id.topic;
    snprintf(number, sizeof number, "%" PRId32, partition->id.number);
    if (metric == METRIC_LAG && partition->lag >= 0) {
        metric_i64(w, metric, partition->lag, "topic", topic, "partition", number, NULL);
    } else if (metric == METRIC_POSITION && partition->position >= 0) {
        metric_i64(w, metric, partition->position, "topic", topic, "partition", number, NULL);
    } else if (metric == METRIC_WATERMARK && partition->watermark_us > EVENT_TIME_LOW &&
               partition->watermark_us < EVENT_TIME_HIGH) {
        metric_seconds(w, metric, partition->watermark_us, "topic", topic, "partition", number,
                       NULL);
    } else if (metric == METRIC_STANDING) {
        metric_seconds(w, metric, status_standing_us(view->standing, partition->id, view->mono_us),
                       "topic", topic, "partition", number, NULL);
    } else if (metric == METRIC_LSO_GAP && partition->stable >= 0) {
        metric_i64(w, metric, partition->high - partition->stable, "topic", topic, "partition",
                   number, NULL);
    } else if (metric == METRIC_TAIL_MARGIN && partition->tail_from >= 0 && partition->low >= 0) {
        metric_i64(w, metric, partition->margin, "topic", topic, "partition", number, NULL);
    }
}

static void put_partitions(struct metric_writer *w, const struct status_view *view)
{
    for (int metric = METRIC_LAG; metric <= METRIC_TAIL_MARGIN; metric++) {
        for (size_t i = 0; i < view->group->partition_count; i++) {
            if (is_ours(view, &view->group->partitions[i])) {
                put_partition(w, view, &view->group->partitions[i], (enum metric)metric);
            }
        }
    }
}

static void put_group(struct metric_writer *w, const struct status_view *view)
{
    const struct group_status *group = view->group;
    size_t alive = 0;
    for (size_t i = 0; i < group->member_count; i++) {
        alive += !group->members[i].leaving && !group->members[i].silent;
    }
    metric_u64(w, METRIC_GROUP_MEMBERS, alive, NULL);
    if (group->lag >= 0) {
        metric_i64(w, METRIC_GROUP_LAG, group->lag, NULL);
    }
    if (group->watermark_us > EVENT_TIME_LOW && group->watermark_us < EVENT_TIME_HIGH) {
        metric_seconds(w, METRIC_GROUP_WATERMARK, group->watermark_us, NULL);
    }
    metric_u64(w, METRIC_HEAD_BUILD, group->head == NULL ? 0 : group->head->build, NULL);
    if (group->published_us > 0) {
        metric_seconds(w, METRIC_PUBLISH_AGE, view->now_us - group->published_us, NULL);
    }
    int64_t since_us = 0;
    size_t unpublished = status_view_unpublished(view, &since_us);
    metric_u64(w, METRIC_UNPUBLISHED, unpublished, NULL);
    metric_u64(w, METRIC_OVERDUE, status_view_overdue(view), NULL);
    int64_t waiting_us = unpublished == 0 ? 0 : view->now_us - since_us;
    metric_seconds(w, METRIC_WAITING, waiting_us < 0 ? 0 : waiting_us, NULL);
    metric_u64(w, METRIC_HOLD, group->hold != NULL, NULL);
    metric_u64(w, METRIC_WAITING_PARTITIONS, group->wait_count, NULL);
    metric_u64(w, METRIC_WAITING_SHARDS, group->shards_planned - group->shards_built, NULL);
    metric_u64(w, METRIC_REFUSING, group->refused, NULL);
    metric_u64(w, METRIC_GATED, group->gated != NULL, NULL);
}

static void put_builds(struct metric_writer *w, const struct status_counts *counts)
{
    static const char *const kinds[STATUS_COMMIT_KINDS] = {
        [COMMIT_BUILD] = "build",
        [COMMIT_EMPTY] = "empty",
        [COMMIT_ADOPTED] = "adopted",
        [COMMIT_RESUMED] = "resumed",
    };
    metric_u64(w, METRIC_PUBLISHED, counts->published, NULL);
    metric_u64(w, METRIC_ABORTED, counts->aborted, NULL);
    metric_u64(w, METRIC_REFUSED, counts->refused, NULL);
    for (size_t i = 0; i < STATUS_COMMIT_KINDS; i++) {
        metric_u64(w, METRIC_COMMITTED, counts->committed[i], "kind", kinds[i], NULL);
    }
    const struct account *account = &counts->account;
    const struct {
        const char *outcome;
        uint64_t count;
    } records[] = {
        {"read", account->read},
        {"stored", account->stored},
        {"superseded", account->superseded},
        {"tombstone", account->tombstones},
        {"late", account->late},
        {"future", account->future},
        {"rejected", account->rejected},
        {"filtered", account->filtered},
        {"skipped", account->skipped},
    };
    for (size_t i = 0; i < LENGTH_OF(records); i++) {
        metric_u64(w, METRIC_BUILT_RECORDS, records[i].count, "outcome", records[i].outcome, NULL);
    }
    metric_print_histogram(w, METRIC_CLOSE_TO_PUBLISH, &counts->close_to_publish);
    for (int why = 0; why < STATUS_PLANNED_KINDS; why++) {
        metric_u64(w, METRIC_PLANNED, counts->planned[why], "why",
                   status_planned_name((enum status_planned)why), NULL);
    }
    metric_u64(w, METRIC_ATTEMPTS, counts->attempts_failed, "outcome", outcomes[false], NULL);
    metric_u64(w, METRIC_ATTEMPTS, counts->attempts_ok, "outcome", outcomes[true], NULL);
    metric_seconds(w, METRIC_ATTEMPT_SECONDS, counts->attempts_us, NULL);
    for (int kind = 0; kind < MESSAGE_KINDS; kind++) {
        metric_u64(w, METRIC_LEDGER_RECORDS, counts->records[kind], "kind",
                   message_kind_name((enum message_kind)kind), NULL);
    }
    metric_u64(w, METRIC_LEDGER_FOREIGN, counts->foreign, NULL);
}

static void put_store(struct metric_writer *w, const struct store_counters *store)
{
    for (int metric = METRIC_STORE_CALLS; metric <= METRIC_STORE_SECONDS; metric++) {
        for (int i = 0; i < STORE_OPERATIONS; i++) {
            const struct store_operation_counters *of = &store->of[i];
            const char *name = store_operation_name((enum store_operation)i);
            uint64_t failures = atomic_load(&of->failures);
            uint64_t calls = atomic_load(&of->calls);
            if (metric == METRIC_STORE_CALLS) {
                metric_u64(w, METRIC_STORE_CALLS, failures, "operation", name, "outcome",
                           outcomes[false], NULL);
                metric_u64(w, METRIC_STORE_CALLS, calls < failures ? 0 : calls - failures,
                           "operation", name, "outcome", outcomes[true], NULL);
            } else if (metric == METRIC_STORE_REQUESTS) {
                metric_u64(w, METRIC_STORE_REQUESTS, atomic_load(&of->requests), "operation", name,
                           NULL);
            } else if (metric == METRIC_STORE_RETRIES) {
                metric_u64(w, METRIC_STORE_RETRIES, atomic_load(&of->retries), "operation", name,
                           NULL);
            } else if (metric == METRIC_STORE_BYTES) {
                metric_u64(w, METRIC_STORE_BYTES, atomic_load(&of->bytes_sent), "operation", name,
                           "direction", "sent", NULL);
                metric_u64(w, METRIC_STORE_BYTES, atomic_load(&of->bytes_received), "operation",
                           name, "direction", "received", NULL);
            } else {
                metric_seconds(w, METRIC_STORE_SECONDS, (int64_t)atomic_load(&of->time_us),
                               "operation", name, NULL);
            }
        }
    }
}

void status_page_metrics(const struct status_view *view, struct buf *out)
{
    struct metric_writer writer = {
        .borrowed_out = out, .borrowed_group = view->settings->group, .last = -1};
    put_process(&writer, view);
    put_records(&writer, view);
    put_partitions(&writer, view);
    put_group(&writer, view);
    put_builds(&writer, view->counts);
    metric_seconds(&writer, METRIC_LEDGER_AGE, view->ledger_age_us, NULL);
    put_store(&writer, view->store);
}

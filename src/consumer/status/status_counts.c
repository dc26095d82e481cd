/* What the status server counts while it reads the ledger: builds, attempts, terms. */
#include "consumer/status/status_counts.h"

#include <string.h>

static void add_accounts(struct account *sum, const struct message_commit *commit)
{
    for (size_t i = 0; i < commit->partition_count; i++) {
        const struct account *account = &commit->partitions[i].account;
        sum->read += account->read;
        sum->stored += account->stored;
        sum->superseded += account->superseded;
        sum->tombstones += account->tombstones;
        sum->late += account->late;
        sum->future += account->future;
        sum->rejected += account->rejected;
        sum->filtered += account->filtered;
        sum->skipped += account->skipped;
    }
}

/* A CLOSE that is repeated under another fingerprint keeps its first time: that is what people wait
 * for. */
static void note_close(struct status_counts *counts, uint64_t build, int64_t timestamp_us)
{
    for (size_t i = 0; i < STATUS_COUNTS_OPEN; i++) {
        if (counts->open[i].build == build) {
            return;
        }
    }
    counts->open[counts->next_open].build = build;
    counts->open[counts->next_open].closed_us = timestamp_us;
    counts->next_open = (counts->next_open + 1) % STATUS_COUNTS_OPEN;
}

static void note_published(struct status_counts *counts, uint64_t build, int64_t timestamp_us)
{
    counts->published++;
    for (size_t i = 0; i < STATUS_COUNTS_OPEN; i++) {
        if (counts->open[i].build == build) {
            metric_observe(&counts->close_to_publish, timestamp_us - counts->open[i].closed_us);
            counts->open[i].build = 0;
        }
    }
}

static void note_attempt(struct status_counts *counts, const struct message_attempt *attempt,
                         const char *member)
{
    if (strcmp(attempt->member, member) != 0) {
        return;
    }
    counts->attempts_ok += attempt->ok;
    counts->attempts_failed += !attempt->ok;
    counts->attempts_us += (int64_t)attempt->duration_ms * 1000;
}

const char *status_planned_name(enum status_planned why)
{
    static const char *const names[STATUS_PLANNED_KINDS] = {
        [STATUS_PLANNED_FIRST] = "first",
        [STATUS_PLANNED_AGAIN] = "again",
        [STATUS_PLANNED_BESIDE] = "beside",
    };
    CHECK(why < STATUS_PLANNED_KINDS);
    return names[why];
}

/* A PLAN that is written again has all shards; only what it gives out itself counts. */
static void note_plan(struct status_counts *counts, const struct message_plan *plan)
{
    const int64_t this_one = INT64_MAX;
    for (uint32_t i = 0; i < plan->shard_count; i++) {
        struct plan_attempt open[PLAN_ATTEMPTS_MAX];
        size_t count = message_plan_attempts(plan, i, this_one, open);
        if (count == 0 || open[count - 1].since_us != this_one) {
            continue;
        }
        enum status_planned why = count > 1                     ? STATUS_PLANNED_BESIDE
                                  : open[count - 1].attempt > 1 ? STATUS_PLANNED_AGAIN
                                                                : STATUS_PLANNED_FIRST;
        counts->planned[why]++;
    }
}

void status_counts_take(struct status_counts *counts, const struct message *message,
                        int64_t timestamp_us, const char *member, bool since_start)
{
    CHECK(message->kind < MESSAGE_KINDS);
    counts->records[message->kind]++;
    if (message->kind == MESSAGE_CLOSE) {
        note_close(counts, message->close.build, timestamp_us);
    }
    if (!since_start) {
        return;
    }
    counts->terms += message->kind == MESSAGE_LEADER;
    counts->aborted += message->kind == MESSAGE_ABORTED;
    counts->refused += message->kind == MESSAGE_REFUSED;
    if (message->kind == MESSAGE_COMMIT) {
        counts->committed[message->commit.kind]++;
        add_accounts(&counts->account, &message->commit);
    } else if (message->kind == MESSAGE_PUBLISHED) {
        note_published(counts, message->published.build, timestamp_us);
    } else if (message->kind == MESSAGE_PLAN) {
        note_plan(counts, &message->plan);
    } else if (message->kind == MESSAGE_ATTEMPT) {
        note_attempt(counts, &message->attempt, member);
    }
}

/* Records of a ledger, said one after the other into a fold. For tests; failures end the test. */
#ifndef TIDEMARK_TESTS_SUPPORT_LEDGER_SAYS_H
#define TIDEMARK_TESTS_SUPPORT_LEDGER_SAYS_H

#include <criterion/criterion.h>

#include "core/coord/fold.h"

struct ledger_says {
    struct fold *fold;
    int64_t offset;       /* of the next record */
    int64_t timestamp_us; /* of the next record */
};

/* The broker appends it: encoded and decoded, as from Kafka. Returns its offset. */
static inline int64_t ledger_says(struct ledger_says *ledger, const struct message *message)
{
    struct buf key;
    struct buf value;
    struct err err = {0};
    buf_init(&key, 4096);
    buf_init(&value, 1024 * 1024);
    message_key(message, &key);
    message_encode(message, &value);
    cr_assert(fold_apply(ledger->fold, ledger->offset, ledger->timestamp_us, buf_bytes(&key),
                         buf_bytes(&value), &err),
              "%s: %s", buf_text(&key), err.message);
    buf_done(&key);
    buf_done(&value);
    return ledger->offset++;
}

/* A tombstone. */
static inline void ledger_forgets(struct ledger_says *ledger, const char *key)
{
    struct err err = {0};
    cr_assert(fold_apply(ledger->fold, ledger->offset++, ledger->timestamp_us, bytes_of_text(key),
                         bytes_of(NULL, 0), &err),
              "%s", err.message);
}

static inline void ledger_says_leader(struct ledger_says *ledger, const char *member)
{
    struct message message = {.kind = MESSAGE_LEADER, .leader = {.member = member, .nonce = "n"}};
    ledger_says(ledger, &message);
}

static inline uint64_t ledger_term(const struct ledger_says *ledger)
{
    const struct fold_entry *leader = fold_leader(ledger->fold);
    cr_assert_not_null(leader);
    return (uint64_t)leader->offset;
}

/* Of the topic "t"; a position below 0: no partitions. */
static inline void ledger_says_progress(struct ledger_says *ledger, const char *member,
                                        bool leaving, int64_t position)
{
    struct progress_partition partition = {.id = {.topic = "t", .number = 0},
                                           .owned = !leaving,
                                           .position = position,
                                           .watermark_us = 5000000,
                                           .low_us = EVENT_TIME_HIGH,
                                           .rows = 7,
                                           .bytes = 700};
    struct message_topic topic = {.name = "t", .id = ""};
    struct message message = {.kind = MESSAGE_PROGRESS,
                              .progress = {.member = member,
                                           .incarnation = 1,
                                           .generation = 1,
                                           .fingerprint = "f",
                                           .leaving = leaving,
                                           .topics = &topic,
                                           .topic_count = 1,
                                           .partitions = &partition,
                                           .partition_count = position < 0 ? 0 : 1}};
    ledger_says(ledger, &message);
}

/* A COMMIT of the topic "t", cut at 10 * build; `used` NULL: none. */
static inline void ledger_says_commit(struct ledger_says *ledger, uint64_t build,
                                      enum commit_kind kind, const char *run_id, const char *used,
                                      uint64_t resume_offset)
{
    struct commit_partition partition = {.id = {.topic = "t", .number = 0},
                                         .tail_from = (int64_t)build * 10,
                                         .cut = (int64_t)build * 10};
    struct message_topic topic = {.name = "t", .id = ""};
    struct message message = {.kind = MESSAGE_COMMIT,
                              .commit = {.term = ledger_term(ledger),
                                         .build = build,
                                         .kind = kind,
                                         .run_id = run_id,
                                         .parent = "",
                                         .closed_to_us = EVENT_TIME_LOW,
                                         .future_bound_us = INT64_MAX,
                                         .fingerprint = "f",
                                         .topics = &topic,
                                         .topic_count = 1,
                                         .partitions = &partition,
                                         .partition_count = 1,
                                         .has_snapshot = kind != COMMIT_EMPTY,
                                         .snapshot = {.run_id = run_id,
                                                      .build = build,
                                                      .num_dbs = 1,
                                                      .staged_url = "s",
                                                      .manifest_ref = "m",
                                                      .sha256 = "h",
                                                      .pointer = "p"},
                                         .used = &used,
                                         .used_count = used == NULL ? 0 : 1,
                                         .resume_offset = resume_offset}};
    ledger_says(ledger, &message);
}

static inline void ledger_says_published(struct ledger_says *ledger, uint64_t build,
                                         const char *run_id)
{
    struct message message = {
        .kind = MESSAGE_PUBLISHED,
        .published = {.term = ledger_term(ledger), .build = build, .run_id = run_id}};
    ledger_says(ledger, &message);
}

static inline int64_t ledger_says_hold(struct ledger_says *ledger, enum message_kind kind,
                                       const char *id, const char *may_appear)
{
    struct message message = {.kind = kind,
                              .hold = {.id = id,
                                       .who = "ann@host",
                                       .why = "because",
                                       .target = "",
                                       .term = kind == MESSAGE_HELD ? ledger_term(ledger) : 0,
                                       .may_appear = may_appear}};
    return ledger_says(ledger, &message);
}

static inline int64_t ledger_says_resume(struct ledger_says *ledger, const char *id)
{
    struct message message = {
        .kind = MESSAGE_RESUME,
        .resume = {.id = id, .who = "bob@host", .why = "enough", .pointer = "p"}};
    return ledger_says(ledger, &message);
}

#endif

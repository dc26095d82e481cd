/* What a topic must be like to be a ledger (PROTOCOL R17). */
#include "adapters/ledger.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *ledger_topic_name(struct arena *arena, const char *group)
{
    return arena_format(arena, "%s.coordination", group);
}

static void add_wrong(struct buf *wrong, const char *setting, const char *is, const char *want)
{
    buf_add_format(wrong, "%s%s is %s, must be %s", wrong->size == 0 ? "" : "; ", setting, is,
                   want);
}

static void add_wrong_number(struct buf *wrong, const char *setting, int32_t is, const char *want)
{
    char text[16];
    snprintf(text, sizeof(text), "%" PRId32, is);
    add_wrong(wrong, setting, text, want);
}

bool ledger_check_description(const char *name, const struct cluster_topic *topic, struct err *err)
{
    AUTO(buf) struct buf wrong;
    buf_init(&wrong, ERR_MESSAGE_MAX);
    if (topic->partitions != 1) {
        add_wrong_number(&wrong, "partitions", topic->partitions, "1 (make the topic again)");
    }
    if (strcmp(topic->cleanup_policy, "compact") != 0) {
        add_wrong(&wrong, "cleanup.policy", topic->cleanup_policy, "compact alone");
    }
    if (strcmp(topic->timestamp_type, "LogAppendTime") != 0) {
        add_wrong(&wrong, "message.timestamp.type", topic->timestamp_type, "LogAppendTime");
    }
    if (topic->unclean_leader_election) {
        add_wrong(&wrong, "unclean.leader.election.enable", "true", "false");
    }
    if (topic->replicas >= 3 && topic->min_insync_replicas < 2) {
        add_wrong_number(&wrong, "min.insync.replicas", topic->min_insync_replicas,
                         "at least 2 with 3 replicas");
    }
    if (topic->min_insync_replicas > topic->replicas) {
        add_wrong_number(&wrong, "min.insync.replicas", topic->min_insync_replicas,
                         "at most the number of replicas");
    }
    if (wrong.size == 0) {
        return true;
    }
    return err_set(err, ERR_SETTINGS, "topic %s cannot be the ledger: %s", name, buf_text(&wrong));
}

enum {
    HOUR_MS = 3600 * 1000,
    SEGMENT_BYTES = 16 << 20,
    PLENTY = 4, /* so many times what we choose is no difference worth a word */
};

static void advise(struct buf *out, const char *setting, int64_t is, const char *want)
{
    buf_add_format(out, "%s%s is %" PRId64 ", better %s", out->size == 0 ? "" : "; ", setting, is,
                   want);
}

bool ledger_advice(const struct cluster_topic *topic, struct buf *out)
{
    size_t before = out->size;
    if (topic->segment_ms > (int64_t)PLENTY * HOUR_MS) {
        advise(out, "segment.ms", topic->segment_ms, "3600000");
    }
    if (topic->segment_bytes > (int64_t)PLENTY * SEGMENT_BYTES) {
        advise(out, "segment.bytes", topic->segment_bytes, "16777216");
    }
    if (topic->dirty_ratio > PLENTY * 0.1) {
        buf_add_format(out, "%smin.cleanable.dirty.ratio is %.2f, better 0.1",
                       out->size == 0 ? "" : "; ", topic->dirty_ratio);
    }
    if (topic->delete_retention_ms > 0 && topic->delete_retention_ms < HOUR_MS) {
        advise(out, "delete.retention.ms", topic->delete_retention_ms, "86400000");
    }
    if (topic->max_message_bytes > 0 && topic->max_message_bytes < LEDGER_RECORD_BYTES_MAX / 8) {
        advise(out, "max.message.bytes", topic->max_message_bytes, LEDGER_MESSAGE_BYTES);
    }
    return out->size > before;
}

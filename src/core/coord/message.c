/* The records of the ledger: keys, encoding, decoding. */
#include "core/coord/message.h"

#include <stdio.h>

#include "core/coord/message_check.h"
#include "core/coord/message_schema.h"

static const char *const kind_names[MESSAGE_KINDS] = {
    [MESSAGE_PROGRESS] = "PROGRESS",   [MESSAGE_LEADER] = "LEADER",
    [MESSAGE_CLOSE] = "CLOSE",         [MESSAGE_READY] = "READY",
    [MESSAGE_REFUSED] = "REFUSED",     [MESSAGE_PLAN] = "PLAN",
    [MESSAGE_HANDOVER] = "HANDOVER",   [MESSAGE_PART] = "PART",
    [MESSAGE_ATTEMPT] = "ATTEMPT",     [MESSAGE_COMMIT] = "COMMIT",
    [MESSAGE_PUBLISHED] = "PUBLISHED", [MESSAGE_ABORTED] = "ABORTED",
    [MESSAGE_HOLD] = "HOLD",           [MESSAGE_HELD] = "HELD",
    [MESSAGE_RESUME] = "RESUME",       [MESSAGE_TRIGGER] = "TRIGGER",
    [MESSAGE_GATED] = "GATED",         [MESSAGE_ACCEPT] = "ACCEPT",
    [MESSAGE_SKIP] = "SKIP",           [MESSAGE_CONDEMN] = "CONDEMN",
    [MESSAGE_SPARE] = "SPARE",
};

const char *message_kind_name(enum message_kind kind)
{
    CHECK(kind < MESSAGE_KINDS);
    return kind_names[kind];
}

bool message_plan_carries(const struct message_plan *plan, uint32_t shard)
{
    size_t low = 0;
    size_t high = plan->carried_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (plan->carried[middle] < shard) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < plan->carried_count && plan->carried[low] == shard;
}

/* Index of the first entry of `attempts` at or above the shard. */
static size_t first_attempt(const struct message_plan *plan, uint32_t shard)
{
    size_t low = 0;
    size_t high = plan->attempt_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (plan->attempts[middle].shard < shard) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

size_t message_plan_attempts(const struct message_plan *plan, uint32_t shard, int64_t stamp_us,
                             struct plan_attempt attempts[PLAN_ATTEMPTS_MAX])
{
    const struct plan_shard *newest = &plan->shards[shard];
    size_t count = 0;
    if (newest->builder < 0) {
        return 0;
    }
    for (size_t i = first_attempt(plan, shard);
         i < plan->attempt_count && plan->attempts[i].shard == shard && count < PLAN_ATTEMPTS_MAX;
         i++) {
        attempts[count++] = plan->attempts[i];
    }
    if (count == 0 || attempts[count - 1].attempt != newest->attempt) {
        /* first attempts are given out by the first PLAN alone */
        bool first = newest->attempt == 1 && plan->began_us != 0;
        CHECK(count < PLAN_ATTEMPTS_MAX);
        attempts[count++] = (struct plan_attempt){.shard = shard,
                                                  .attempt = newest->attempt,
                                                  .builder = newest->builder,
                                                  .since_us = first ? plan->began_us : stamp_us};
    }
    return count;
}

bool message_name_ok(const char *name)
{
    return codec_name_ok(name, MESSAGE_NAME_MAX);
}

static void owed_key(const char *prefix, uint64_t build, const char *member, uint64_t incarnation,
                     struct buf *out)
{
    buf_add_format(out, "%s/%llu/%s/%llu", prefix, (unsigned long long)build, member,
                   (unsigned long long)incarnation);
}

void message_key(const struct message *message, struct buf *out)
{
    switch (message->kind) {
    case MESSAGE_PROGRESS:
        buf_add_format(out, "progress/%s", message->progress.member);
        break;
    case MESSAGE_LEADER:
        buf_add_text(out, "leader");
        break;
    case MESSAGE_CLOSE:
        buf_add_format(out, "close/%llu", (unsigned long long)message->close.build);
        break;
    case MESSAGE_READY:
        owed_key("ready", message->ready.build, message->ready.member, message->ready.incarnation,
                 out);
        break;
    case MESSAGE_REFUSED:
        owed_key("ready", message->refused.build, message->refused.member,
                 message->refused.incarnation, out);
        break;
    case MESSAGE_PLAN:
        buf_add_format(out, "plan/%s", message->plan.run_id);
        break;
    case MESSAGE_PART:
        owed_key("part", message->part.build, message->part.member, message->part.incarnation, out);
        break;
    case MESSAGE_HANDOVER:
        owed_key("handover", message->handover.build, message->handover.member,
                 message->handover.incarnation, out);
        buf_add_format(out, "/%llu", (unsigned long long)message->handover.number);
        break;
    case MESSAGE_ATTEMPT:
        buf_add_format(out, "attempt/%s/%u/%u", message->attempt.run_id, message->attempt.shard,
                       message->attempt.attempt);
        break;
    case MESSAGE_COMMIT:
        buf_add_text(out, "commit");
        break;
    case MESSAGE_PUBLISHED:
        buf_add_text(out, "published");
        break;
    case MESSAGE_ABORTED:
        buf_add_format(out, "aborted/%s", message->aborted.run_id);
        break;
    case MESSAGE_HOLD:
    case MESSAGE_HELD:
    case MESSAGE_RESUME:
        buf_add_text(out, "hold");
        break;
    case MESSAGE_TRIGGER:
        buf_add_format(out, "trigger/%s", message->trigger.id);
        break;
    case MESSAGE_SKIP:
        buf_add_format(out, "skip/%s", message->skip.id);
        break;
    case MESSAGE_GATED:
        buf_add_format(out, "gate/%s", message->gated.run_id);
        break;
    case MESSAGE_ACCEPT:
        buf_add_format(out, "accept/%s", message->accept.id);
        break;
    case MESSAGE_CONDEMN:
    case MESSAGE_SPARE:
        buf_add_format(out, "condemn/%s", message->condemn.run_id);
        break;
    case MESSAGE_KINDS:
        CHECK(false);
    }
}

/* The struct of the message's kind: all members of the union begin at the same place. */
static void *body(struct message *message)
{
    return &message->progress;
}

static const void *body_const(const struct message *message)
{
    return &message->progress;
}

bool message_fits(const struct message *message, struct err *err)
{
    return codec_fits(message_schema(message->kind), body_const(message), err) ||
           err_wrap(err, "%s", message_kind_name(message->kind));
}

void message_encode(const struct message *message, struct buf *out)
{
    cJSON *object = json_new_object();
    json_put_text(object, "kind", message_kind_name(message->kind));
    json_put_i64(object, "v", MESSAGE_VERSION);
    codec_encode(message_schema(message->kind), body_const(message), object);
    json_print(object, out);
    json_free(object);
}

static bool decode_kind(const struct json *at, enum message_kind *out, struct err *err)
{
    int64_t version = 0;
    TRY(json_i64(at, "v", 1, INT32_MAX, &version, err));
    if (version != MESSAGE_VERSION) {
        return json_refuse(at, "v", err,
                           "version %lld of the ledger's records; this program knows %d",
                           (long long)version, MESSAGE_VERSION);
    }
    const char *text = NULL;
    TRY(json_text(at, "kind", MESSAGE_NAME_MAX, &text, err));
    for (unsigned kind = 0; kind < MESSAGE_KINDS; kind++) {
        if (strcmp(text, kind_names[kind]) == 0) {
            *out = (enum message_kind)kind;
            return true;
        }
    }
    return json_refuse(at, "kind", err, "unknown: %.40s", text);
}

bool message_decode(struct bytes key, struct bytes value, struct arena *arena, struct message *out,
                    struct err *err)
{
    AUTO(json) cJSON *root = NULL;
    TRY(json_parse(value, &root, err));
    struct json at = json_root(root);
    struct message message = {0};
    TRY(decode_kind(&at, &message.kind, err));
    if (!codec_decode(message_schema(message.kind), &at, arena, body(&message), err) ||
        !message_check(&message, err)) {
        return err_wrap(err, "%s", message_kind_name(message.kind));
    }
    AUTO(buf) struct buf own_key;
    buf_init(&own_key, 4 * MESSAGE_NAME_MAX);
    message_key(&message, &own_key);
    if (!bytes_equal(buf_bytes(&own_key), key)) {
        return err_set(err, ERR_INPUT, "%s: its key would be %s", message_kind_name(message.kind),
                       buf_text(&own_key));
    }
    *out = message;
    return true;
}

const struct close_partition *message_close_partition(const struct message_close *close,
                                                      struct partition_id id)
{
    for (size_t i = 0; close != NULL && i < close->partition_count; i++) {
        if (partition_id_compare(close->partitions[i].id, id) == 0) {
            return &close->partitions[i];
        }
    }
    return NULL;
}

const struct commit_partition *message_commit_partition(const struct message_commit *commit,
                                                        struct partition_id id)
{
    size_t low = 0;
    size_t high = commit == NULL ? 0 : commit->partition_count; /* they ascend: the schema says so
                                                                 */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = partition_id_compare(commit->partitions[middle].id, id);
        if (order == 0) {
            return &commit->partitions[middle];
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

const struct commit_partition *message_commit_witness(const struct message_commit *commit,
                                                      const char *topic)
{
    const struct commit_partition *found = NULL;
    for (size_t i = 0; commit != NULL && i < commit->partition_count; i++) {
        const struct commit_partition *said = &commit->partitions[i];
        if (said->has_witness && strcmp(said->id.topic, topic) == 0 &&
            (found == NULL || said->account.read > found->account.read)) {
            found = said;
        }
    }
    return found;
}

void message_lineage_encode(const struct message_commit *commit, const char *ledger_id,
                            struct buf *out)
{
    CHECK(commit->has_snapshot);
    cJSON *object = json_new_object();
    json_put_i64(object, "v", MESSAGE_VERSION);
    json_put_text(object, "ledger", ledger_id);
    codec_encode(message_lineage_schema(), commit, object);
    json_print(object, out);
    json_free(object);
}

bool message_lineage_decode(struct bytes lineage, struct arena *arena, struct message_commit *out,
                            const char **out_ledger_id, struct err *err)
{
    AUTO(json) cJSON *root = NULL;
    TRY(json_parse(lineage, &root, err));
    struct json at = json_root(root);
    int64_t version = 0;
    const char *ledger = NULL;
    TRY(json_i64(&at, "v", MESSAGE_VERSION, MESSAGE_VERSION, &version, err));
    TRY(json_text(&at, "ledger", MESSAGE_NAME_MAX, &ledger, err));
    struct message message = {.kind = MESSAGE_COMMIT};
    struct message_commit *commit = &message.commit;
    TRY(codec_decode(message_lineage_schema(), &at, arena, commit, err));
    commit->kind = COMMIT_ADOPTED;
    commit->has_snapshot = true;
    commit->snapshot.staged_url = "";
    commit->snapshot.manifest_ref = "";
    commit->snapshot.sha256 = "";
    commit->snapshot.pointer = "";
    TRY(message_check(&message, err));
    *out_ledger_id = arena_text(arena, bytes_of_text(ledger));
    *out = *commit;
    return true;
}

/* What is left in the ledger when all is done: the same, however many builds and members there
 * were. */
#include "tests/sim/audit.h"

enum { CONDEMN_MOST = 6 }; /* in their grace, or just to be deleted */

/* A SKIP of a range that a build may still ask for. */
static bool may_be_used(const struct fold *fold, const struct plan_range *range)
{
    const struct message_commit *head = fold_head(fold);
    for (size_t i = 0; head != NULL && i < head->partition_count; i++) {
        if (partition_id_compare(head->partitions[i].id, range->id) == 0) {
            return head->partitions[i].tail_from < range->to;
        }
    }
    return true;
}

/* What belongs to the build that is open, or to the next one. */
static bool is_of_open_build(const struct fold *fold, const struct message *message)
{
    if (message->kind == MESSAGE_SKIP) {
        return may_be_used(fold, &message->skip.range);
    }
    uint64_t build = message->kind == MESSAGE_CLOSE      ? message->close.build
                     : message->kind == MESSAGE_READY    ? message->ready.build
                     : message->kind == MESSAGE_REFUSED  ? message->refused.build
                     : message->kind == MESSAGE_PLAN     ? message->plan.build
                     : message->kind == MESSAGE_PART     ? message->part.build
                     : message->kind == MESSAGE_HANDOVER ? message->handover.build
                     : message->kind == MESSAGE_ATTEMPT  ? message->attempt.build
                     : message->kind == MESSAGE_ABORTED  ? message->aborted.build
                     : message->kind == MESSAGE_GATED    ? message->gated.build
                     : message->kind == MESSAGE_ACCEPT   ? message->accept.build
                                                         : 0;
    return build == fold_next_build(fold);
}

/* Records of a kind that may stay. */
static size_t most_of(const struct world *world, enum message_kind kind)
{
    switch (kind) {
    case MESSAGE_PROGRESS:
        return 2 * (size_t)world->process_count; /* of other settings: until a COMMIT covers it */
    case MESSAGE_LEADER:
    case MESSAGE_COMMIT:
    case MESSAGE_PUBLISHED:
    case MESSAGE_HOLD:
    case MESSAGE_HELD:
    case MESSAGE_RESUME:
        return 1;
    case MESSAGE_CONDEMN:
        return CONDEMN_MOST;
    case MESSAGE_CLOSE:
    case MESSAGE_READY:
    case MESSAGE_REFUSED:
    case MESSAGE_PLAN:
    case MESSAGE_PART:
    case MESSAGE_HANDOVER:
    case MESSAGE_ATTEMPT:
    case MESSAGE_ABORTED:
    case MESSAGE_TRIGGER:
    case MESSAGE_SKIP:
    case MESSAGE_GATED:
    case MESSAGE_ACCEPT:
    case MESSAGE_SPARE:
    case MESSAGE_KINDS:
        break;
    }
    return 0;
}

const char *audit_unbounded(const struct world *world)
{
    static char text[128];
    const struct fold *fold = audit_fold(world);
    for (unsigned kind = 0; kind < MESSAGE_KINDS; kind++) {
        size_t count = 0;
        const char *key = "";
        size_t at = 0;
        for (const struct fold_entry *entry = fold_next(fold, (enum message_kind)kind, &at);
             entry != NULL; entry = fold_next(fold, (enum message_kind)kind, &at)) {
            if (!is_of_open_build(fold, &entry->message)) {
                count++;
                key = entry->key;
            }
        }
        if (count > most_of(world, (enum message_kind)kind)) {
            snprintf(text, sizeof text, "%zu %s are left, as %.60s", count,
                     message_kind_name((enum message_kind)kind), key);
            return text;
        }
    }
    return NULL;
}

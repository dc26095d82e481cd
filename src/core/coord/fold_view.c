/* The state of the ledger: what its records mean beside each other. */
#include <stdio.h>

#include "core/coord/fold.h"
#include "core/coord/rules.h"

enum { KEY_MAX = 4 * MESSAGE_NAME_MAX };

/* LEADER, COMMIT, PUBLISHED have one key each, so there is one of a kind, or none. */
static const struct fold_entry *the_only(const struct fold *fold, enum message_kind kind)
{
    size_t at = 0;
    return fold_next(fold, kind, &at);
}

const struct fold_entry *fold_leader(const struct fold *fold)
{
    return the_only(fold, MESSAGE_LEADER);
}

const struct message_commit *fold_head(const struct fold *fold)
{
    const struct fold_entry *entry = the_only(fold, MESSAGE_COMMIT);
    return entry == NULL ? NULL : &entry->message.commit;
}

bool fold_head_published(const struct fold *fold)
{
    const struct message_commit *head = fold_head(fold);
    if (head == NULL || !head->has_snapshot) {
        return true;
    }
    const struct fold_entry *entry = the_only(fold, MESSAGE_PUBLISHED);
    return entry != NULL && strcmp(entry->message.published.run_id, head->snapshot.run_id) == 0;
}

const struct fold_entry *fold_hold(const struct fold *fold)
{
    const struct fold_entry *entry = fold_find(fold, "hold");
    return entry != NULL && entry->message.kind != MESSAGE_RESUME ? entry : NULL;
}

const struct fold_entry *fold_resume(const struct fold *fold)
{
    const struct fold_entry *entry = fold_find(fold, "hold");
    if (entry == NULL || entry->message.kind != MESSAGE_RESUME) {
        return NULL;
    }
    const struct message_commit *head = fold_head(fold);
    bool answered = head != NULL && head->resume_offset >= (uint64_t)entry->offset;
    return answered ? NULL : entry;
}

uint64_t fold_next_build(const struct fold *fold)
{
    const struct message_commit *head = fold_head(fold);
    return head == NULL ? 1 : head->build + 1;
}

bool fold_first_build(const struct fold *fold)
{
    const struct message_commit *head = fold_head(fold);
    return head == NULL || head->partition_count == 0;
}

const struct fold_entry *fold_open_close(const struct fold *fold)
{
    const struct message_commit *head = fold_head(fold);
    uint64_t next = fold_next_build(fold);
    size_t at = 0;
    const struct fold_entry *entry = fold_next(fold, MESSAGE_CLOSE, &at);
    while (entry != NULL && entry->message.close.build != next) {
        entry = fold_next(fold, MESSAGE_CLOSE, &at);
    }
    if (entry == NULL ||
        strcmp(entry->message.close.parent, head == NULL ? "" : head->run_id) != 0) {
        return NULL;
    }
    return entry;
}

const struct message_condemn *fold_condemned(const struct fold *fold, const char *run_id)
{
    char key[KEY_MAX];
    snprintf(key, sizeof key, "condemn/%s", run_id);
    const struct fold_entry *entry = fold_find(fold, key);
    return entry != NULL && entry->message.kind == MESSAGE_CONDEMN ? &entry->message.condemn : NULL;
}

const struct fold_entry *fold_open_plan(const struct fold *fold)
{
    const struct fold_entry *close = fold_open_close(fold);
    if (close == NULL) {
        return NULL;
    }
    const struct fold_entry *newest = NULL;
    size_t at = 0;
    for (const struct fold_entry *entry = fold_next(fold, MESSAGE_PLAN, &at); entry != NULL;
         entry = fold_next(fold, MESSAGE_PLAN, &at)) {
        char key[KEY_MAX];
        if (entry->message.plan.build != close->message.close.build) {
            continue;
        }
        snprintf(key, sizeof key, "aborted/%s", entry->message.plan.run_id);
        newest = fold_find(fold, key) == NULL ? entry : newest;
    }
    return newest;
}

static bool is_accepted(const struct fold *fold, const char *run_id)
{
    size_t at = 0;
    const struct fold_entry *entry = fold_next(fold, MESSAGE_ACCEPT, &at);
    while (entry != NULL && strcmp(entry->message.accept.run_id, run_id) != 0) {
        entry = fold_next(fold, MESSAGE_ACCEPT, &at);
    }
    return entry != NULL;
}

const struct message_gated *fold_gated(const struct fold *fold)
{
    const struct fold_entry *plan = fold_open_plan(fold);
    if (plan == NULL || is_accepted(fold, plan->message.plan.run_id)) {
        return NULL;
    }
    char key[KEY_MAX];
    snprintf(key, sizeof key, "gate/%s", plan->message.plan.run_id);
    const struct fold_entry *entry = fold_find(fold, key);
    return entry == NULL ? NULL : &entry->message.gated;
}

const struct fold_entry *fold_attempt(const struct fold *fold, const char *run_id, uint32_t shard,
                                      uint32_t attempt)
{
    char key[KEY_MAX];
    snprintf(key, sizeof key, "attempt/%s/%u/%u", run_id, shard, attempt);
    return fold_find(fold, key);
}

static bool part_covers(const struct message_part *part, const struct plan_range *range)
{
    for (size_t i = 0; i < part->range_count; i++) {
        const struct plan_range *said = &part->ranges[i];
        if (partition_id_compare(said->id, range->id) == 0 && said->from <= range->from &&
            said->to >= range->to) {
            return true;
        }
    }
    return range->from == range->to;
}

const struct fold_entry *fold_part(const struct fold *fold, uint64_t build, const char *member,
                                   uint64_t incarnation, const struct plan_range *ranges,
                                   size_t range_count)
{
    char key[KEY_MAX];
    snprintf(key, sizeof key, "part/%llu/%s/%llu", (unsigned long long)build, member,
             (unsigned long long)incarnation);
    const struct fold_entry *entry = fold_find(fold, key);
    for (size_t i = 0; entry != NULL && i < range_count; i++) {
        if (!part_covers(&entry->message.part, &ranges[i])) {
            return NULL; /* of an earlier assignment; a newer one will come */
        }
    }
    return entry;
}

static const struct progress_partition *find_partition(const struct message_progress *progress,
                                                       struct partition_id id)
{
    size_t low = 0;
    size_t high = progress->partition_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = partition_id_compare(progress->partitions[middle].id, id);
        if (order == 0) {
            return &progress->partitions[middle];
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

/* Entries come in ledger order, so the newest of equals stays. */
static bool speaks_for_it(const struct fold_entry *entry, const struct progress_partition *said,
                          const struct fold_entry *before)
{
    const struct message_progress *progress = &entry->message.progress;
    return said->owned && !progress->leaving &&
           (before == NULL || before->message.progress.generation <= progress->generation);
}

bool fold_pair(const struct fold *fold, const char *fingerprint, struct partition_id id,
               struct fold_pair *out)
{
    struct fold_pair pair = {.from = INT64_MAX,
                             .position = -1,
                             .watermark_us = EVENT_TIME_LOW,
                             .low_us = EVENT_TIME_HIGH,
                             .state = PROGRESS_READING};
    int64_t owner_low_us = EVENT_TIME_HIGH;
    size_t at = 0;
    for (const struct fold_entry *entry = fold_next(fold, MESSAGE_PROGRESS, &at); entry != NULL;
         entry = fold_next(fold, MESSAGE_PROGRESS, &at)) {
        const struct message_progress *progress = &entry->message.progress;
        const struct progress_partition *said = find_partition(progress, id);
        if (said == NULL || strcmp(progress->fingerprint, fingerprint) != 0) {
            continue;
        }
        if (speaks_for_it(entry, said, pair.owner)) {
            pair.owner = entry;
            pair.owner_position = said->position;
            pair.state = said->state;
            owner_low_us = said->low_us;
        }
        pair.from = said->from < pair.from ? said->from : pair.from;
        pair.low_us = said->low_us < pair.low_us ? said->low_us : pair.low_us;
        pair.position = said->position > pair.position ? said->position : pair.position;
        pair.watermark_us = said->watermark_us > pair.watermark_us ? said->watermark_us
                                                                   : pair.watermark_us;
    }
    if (RULE_OFF(4) && pair.owner != NULL) {
        pair.position = pair.owner_position;
    }
    if (pair.position < 0) {
        return false;
    }
    if (pair.owner != NULL && pair.owner_position == pair.position) {
        pair.low_us = owner_low_us; /* nothing that others read is missing in what it read */
    }
    *out = pair;
    return true;
}

size_t fold_steps(const struct message_commit *head, const struct message_close *close,
                  struct partition_id id, struct arena *arena, struct cut_step **out)
{
    size_t history = head == NULL ? 0 : head->history_count;
    struct cut_step *steps = arena_zero(arena, (history + 1) * sizeof *steps);
    size_t count = 0;
    for (size_t i = 0; i < history; i++) {
        const struct history_step *step = &head->history[i];
        for (size_t j = 0; j < step->cut_count; j++) {
            const struct history_cut *cut = &step->cuts[j];
            if (partition_id_compare(head->partitions[cut->partition].id, id) == 0) {
                steps[count++] = (struct cut_step){
                    .build = step->build,
                    .from_us = cut->joined ? EVENT_TIME_LOW : step->from_us,
                    .to_us = step->to_us,
                    .cut = cut->cut,
                    .future_bound_us = step->future_bound_us,
                };
            }
        }
    }
    const struct close_partition *open = message_close_partition(close, id);
    if (open != NULL) {
        steps[count++] = (struct cut_step){
            .build = close->build,
            .from_us = open->joined ? EVENT_TIME_LOW : close->from_us,
            .to_us = close->to_us,
            .cut = open->cut,
            .future_bound_us = close->future_bound_us,
        };
    }
    *out = steps;
    return count;
}

const struct fold_entry *fold_any_owner(const struct fold *fold, struct partition_id id)
{
    const struct fold_entry *owner = NULL;
    size_t at = 0;
    for (const struct fold_entry *entry = fold_next(fold, MESSAGE_PROGRESS, &at); entry != NULL;
         entry = fold_next(fold, MESSAGE_PROGRESS, &at)) {
        const struct message_progress *progress = &entry->message.progress;
        for (size_t i = 0; !progress->leaving && i < progress->partition_count; i++) {
            if (progress->partitions[i].owned &&
                partition_id_compare(progress->partitions[i].id, id) == 0) {
                owner = entry;
            }
        }
    }
    return owner;
}

/* The open build of a group's status, by the leader's own rules: what covers a partition, and what
 * a missing one lacks, is asked of the same functions. */
#include "consumer/status/group_status_open.h"

#include <inttypes.h>

#include "core/coord/leader_lack.h"

enum {
    WAITS_TOLD = 3,
    WHY_MAX = 2 * MESSAGE_TEXT_MAX
}; /* of all that are waited for, in one line */

static void fill_waits(const struct group_status_request *request, struct arena *arena,
                       struct group_status *status)
{
    const struct message_close *close = status->open_close;
    status->waits = arena_zero(arena, (close->partition_count + 1) * sizeof *status->waits);
    struct leader_look look = {.fold = request->fold,
                               .fingerprint = close->fingerprint,
                               .now_us = request->now_us,
                               .quiet_us = request->quiet_us};
    AUTO(buf) struct buf why;
    buf_init(&why, WHY_MAX);
    for (size_t i = 0; i < close->partition_count; i++) {
        const struct close_partition *partition = &close->partitions[i];
        struct leader_share share;
        if (leader_look_cover(&look, close, partition, &share)) {
            continue;
        }
        struct leader_lack lack = leader_lack_find(&look, close, partition);
        buf_clear(&why);
        leader_lack_print(&lack, &why);
        status->waits[status->wait_count++] =
            (struct group_status_wait){.id = partition->id,
                                       .from = partition->tail_from,
                                       .cut = partition->cut,
                                       .position = lack.position,
                                       .owner = lack.owner,
                                       .kind = leader_lack_name(lack.kind),
                                       .why = arena_text(arena, buf_bytes(&why))};
    }
}

static void fill_answers(const struct group_status_request *request, struct arena *arena,
                         struct group_status *status)
{
    const struct fold *fold = request->fold;
    uint64_t build = status->open_close->build;
    size_t at = 0;
    for (const struct fold_entry *entry = fold_next(fold, MESSAGE_READY, &at); entry != NULL;
         entry = fold_next(fold, MESSAGE_READY, &at)) {
        status->ready += entry->message.ready.build == build;
    }
    at = 0;
    size_t count = 0;
    while (fold_next(fold, MESSAGE_REFUSED, &at) != NULL) {
        count++;
    }
    status->refusals = arena_zero(arena, (count + 1) * sizeof *status->refusals);
    at = 0;
    for (const struct fold_entry *entry = fold_next(fold, MESSAGE_REFUSED, &at); entry != NULL;
         entry = fold_next(fold, MESSAGE_REFUSED, &at)) {
        const struct message_refused *refused = &entry->message.refused;
        if (refused->build == build) {
            status->refusals[status->refused++] =
                (struct group_status_refusal){.member = refused->member, .reason = refused->reason};
            status->refusal = refused->reason;
        }
    }
}

/* True: some attempt at the shard is good. Counts and keeps what failed. */
static bool look_at_attempts(const struct fold *fold, const struct message_plan *plan,
                             uint32_t shard, struct group_status *status)
{
    bool built = false;
    for (uint32_t number = 1; number <= plan->shards[shard].attempt; number++) {
        const struct fold_entry *entry = fold_attempt(fold, plan->run_id, shard, number);
        if (entry == NULL) {
            continue;
        }
        built |= entry->message.attempt.ok;
        if (!entry->message.attempt.ok) {
            status->attempts_failed++;
            status->failure = entry->message.attempt.error;
        }
    }
    return built;
}

/* True: a slow attempt and the one beside it, and neither has ended. */
static bool has_two(const struct fold *fold, const struct message_plan *plan, uint32_t shard)
{
    struct plan_attempt open[PLAN_ATTEMPTS_MAX];
    size_t count = message_plan_attempts(plan, shard, 0, open);
    size_t running = 0;
    for (size_t i = 0; i < count; i++) {
        running += fold_attempt(fold, plan->run_id, shard, open[i].attempt) == NULL;
    }
    return running > 1;
}

static void fill_plan(const struct group_status_request *request, const struct message_plan *plan,
                      struct arena *arena, struct group_status *status)
{
    status->open_run_id = plan->run_id;
    status->builders = arena_zero(arena, (plan->member_count + 1) * sizeof *status->builders);
    status->builder_count = plan->member_count;
    for (size_t i = 0; i < plan->member_count; i++) {
        status->builders[i].member = plan->members[i];
    }
    for (uint32_t i = 0; i < plan->shard_count; i++) {
        if (plan->shards[i].builder < 0) {
            continue;
        }
        bool built = look_at_attempts(request->fold, plan, i, status);
        struct group_status_builder *builder = &status->builders[plan->shards[i].builder];
        status->attempts_planned += plan->shards[i].attempt;
        status->attempts_beside += has_two(request->fold, plan, i);
        status->shards_planned++;
        status->shards_built += built;
        builder->shards++;
        builder->built += built;
    }
}

void group_status_fill_open(const struct group_status_request *request, struct arena *arena,
                            struct group_status *status)
{
    fill_answers(request, arena, status);
    const struct fold_entry *plan = fold_open_plan(request->fold);
    if (plan == NULL) {
        fill_waits(request, arena, status);
        return;
    }
    fill_plan(request, &plan->message.plan, arena, status);
    status->gated = fold_gated(request->fold);
}

static void print_waits(const struct group_status *status, struct buf *out)
{
    if (status->wait_count == 0) {
        buf_add_text(out, "is not planned, though all its partitions are there");
        if (status->leading[0] != '\0') {
            buf_add_format(out, "; its leader says: %s", status->leading);
        }
        return;
    }
    buf_add_text(out, "waits for ");
    for (size_t i = 0; i < status->wait_count && i < WAITS_TOLD; i++) {
        const struct group_status_wait *wait = &status->waits[i];
        buf_add_format(out, "%s%s/%" PRId32 " up to %" PRId64 " (%s)", i == 0 ? "" : ", ",
                       wait->id.topic, wait->id.number, wait->cut, wait->why);
    }
    if (status->wait_count > WAITS_TOLD) {
        buf_add_format(out, ", and %zu more partitions", status->wait_count - WAITS_TOLD);
    }
}

/* The refusals of members that own nothing that is waited for; the others are among the waits. */
static void print_refusals(const struct group_status *status, struct buf *out)
{
    for (size_t i = 0; i < status->refused; i++) {
        bool told = false;
        for (size_t k = 0; k < status->wait_count && k < WAITS_TOLD; k++) {
            told |= status->waits[k].owner != NULL &&
                    strcmp(status->waits[k].owner, status->refusals[i].member) == 0;
        }
        if (!told) {
            buf_add_format(out, "; %s refuses: %s", status->refusals[i].member,
                           status->refusals[i].reason);
        }
    }
}

static void print_builders(const struct group_status *status, struct buf *out)
{
    bool first = true;
    for (size_t i = 0; i < status->builder_count; i++) {
        const struct group_status_builder *builder = &status->builders[i];
        if (builder->built < builder->shards) {
            buf_add_format(out, "%s%s has %zu to do", first ? "; " : ", ", builder->member,
                           builder->shards - builder->built);
            first = false;
        }
    }
}

const char *group_status_open_text(const struct group_status *status, struct arena *arena)
{
    AUTO(buf) struct buf text;
    buf_init(&text, 64 * MESSAGE_TEXT_MAX);
    buf_add_format(&text, "build %" PRIu64, status->open_close->build);
    if (status->open_run_id == NULL) {
        buf_add_text(&text, " ");
        print_waits(status, &text);
        print_refusals(status, &text);
    } else {
        buf_add_format(&text, ", run %s: %zu of %zu shards are built", status->open_run_id,
                       status->shards_built, status->shards_planned);
        print_builders(status, &text);
        if (status->attempts_beside > 0) {
            buf_add_format(&text, "; %zu have a second attempt beside a slow one",
                           status->attempts_beside);
        }
        if (status->failure != NULL) {
            buf_add_format(&text, "; an attempt failed: %s", status->failure);
        }
    }
    return arena_text(arena, buf_bytes(&text));
}

/* The fold of the ledger, put beside the pointer and the ends of the partitions. */
#include "consumer/status/group_status.h"

#include <inttypes.h>
#include <stdlib.h>

#include "consumer/status/group_status_open.h"
#include "consumer/operator/operator_watch.h"

const char *group_status_phase_name(enum group_status_phase phase)
{
    switch (phase) {
    case GROUP_STATUS_EMPTY:
        return "empty";
    case GROUP_STATUS_IDLE:
        return "idle";
    case GROUP_STATUS_CLOSED:
        return "closed";
    case GROUP_STATUS_BUILDING:
        return "building";
    case GROUP_STATUS_GATED:
        return "gated";
    case GROUP_STATUS_COMMITTED:
        return "committed";
    case GROUP_STATUS_HOLDING:
        return "holding";
    case GROUP_STATUS_RESUMING:
        return "resuming";
    }
    return "unknown";
}

const char *group_status_state_name(enum progress_state state)
{
    switch (state) {
    case PROGRESS_READING:
        return "reading";
    case PROGRESS_IDLE:
        return "idle";
    case PROGRESS_BLOCKED:
        return "blocked";
    }
    return "unknown";
}

/* ---- members ---- */

static int by_name(const void *left, const void *right)
{
    const struct group_status_member *a = left;
    const struct group_status_member *b = right;
    return strcmp(a->name, b->name);
}

static size_t count_kind(const struct fold *fold, enum message_kind kind)
{
    size_t at = 0;
    size_t count = 0;
    while (fold_next(fold, kind, &at) != NULL) {
        count++;
    }
    return count;
}

bool group_status_is_there(const struct group_status_request *request,
                           const struct fold_entry *entry)
{
    return !entry->message.progress.leaving &&
           request->now_us - entry->timestamp_us <= request->quiet_us;
}

/* What a leader said of itself before a hold, or before a hold's end, is of another time: beside
 * what the ledger says now it would be wrong. New words come with its next PROGRESS. -1: none is.
 */
static int64_t words_are_old_below(const struct fold *fold)
{
    const struct fold_entry *hold = fold_hold(fold);
    if (hold != NULL) {
        return hold->message.kind == MESSAGE_HELD ? hold->offset : -1;
    }
    size_t at = 0;
    const struct fold_entry *head = fold_next(fold, MESSAGE_COMMIT, &at);
    return head != NULL && head->message.commit.kind == COMMIT_RESUMED ? head->offset : -1;
}

static void fill_members(const struct group_status_request *request, struct arena *arena,
                         struct group_status *status)
{
    const struct fold *fold = request->fold;
    status->members =
        arena_zero(arena, (count_kind(fold, MESSAGE_PROGRESS) + 1) * sizeof *status->members);
    const struct fold_entry *leader = fold_leader(fold);
    int64_t old_below = words_are_old_below(fold);
    size_t at = 0;
    for (const struct fold_entry *entry = fold_next(fold, MESSAGE_PROGRESS, &at); entry != NULL;
         entry = fold_next(fold, MESSAGE_PROGRESS, &at)) {
        const struct message_progress *progress = &entry->message.progress;
        struct group_status_member *member = &status->members[status->member_count++];
        *member = (struct group_status_member){
            .name = progress->member,
            .incarnation = progress->incarnation,
            .heard_us = entry->timestamp_us,
            .leaving = progress->leaving,
            .silent = !progress->leaving && !group_status_is_there(request, entry),
            .doing = group_status_is_there(request, entry) ? progress->doing : "",
            .paused = group_status_is_there(request, entry) ? progress->paused : "",
            .leading = group_status_is_there(request, entry) && entry->offset > old_below
                           ? progress->leading
                           : "",
        };
        member->leads = leader != NULL && group_status_is_there(request, entry) &&
                        strcmp(leader->message.leader.member, progress->member) == 0;
        for (size_t i = 0; i < progress->partition_count; i++) {
            member->partitions += progress->partitions[i].owned;
            member->rows += progress->partitions[i].rows;
            member->bytes += progress->partitions[i].bytes;
        }
    }
    qsort(status->members, status->member_count, sizeof *status->members, by_name);
}

static void fill_leader(const struct group_status_request *request, struct arena *arena,
                        struct group_status *status)
{
    char silence[ERR_MESSAGE_MAX];
    status->alive =
        !operator_watch_silent(request->fold, request->now_us, request->quiet_us, silence);
    status->silence = status->alive ? NULL : arena_text(arena, bytes_of_text(silence));
    const struct fold_entry *leader = fold_leader(request->fold);
    status->term = leader == NULL ? -1 : leader->offset;
    status->leader_since_us = leader == NULL ? EVENT_TIME_LOW : leader->timestamp_us;
    status->leader = leader != NULL && status->alive ? leader->message.leader.member : NULL;
    status->leading = "";
    for (size_t i = 0; i < status->member_count; i++) {
        status->leading = status->members[i].leads ? status->members[i].leading : status->leading;
    }
}

/* ---- partitions ---- */

static int by_id(const void *left, const void *right)
{
    const struct group_status_partition *a = left;
    const struct group_status_partition *b = right;
    return partition_id_compare(a->id, b->id);
}

static struct group_status_partition *partition_of(struct group_status *status,
                                                   struct partition_id id)
{
    for (size_t i = 0; i < status->partition_count; i++) {
        if (partition_id_compare(status->partitions[i].id, id) == 0) {
            return &status->partitions[i];
        }
    }
    struct group_status_partition *partition = &status->partitions[status->partition_count++];
    *partition = (struct group_status_partition){.id = id,
                                                 .position = -1,
                                                 .watermark_us = EVENT_TIME_LOW,
                                                 .cut = -1,
                                                 .tail_from = -1,
                                                 .low = -1,
                                                 .stable = -1,
                                                 .high = -1,
                                                 .lag = -1};
    return partition;
}

/* What one member said; the owner of the highest generation, then the newest, speaks for it. */
static void take_progress(const struct group_status_request *request, struct group_status *status,
                          const struct fold_entry *entry, int64_t *generations)
{
    const struct message_progress *progress = &entry->message.progress;
    for (size_t i = 0; i < progress->partition_count; i++) {
        const struct progress_partition *said = &progress->partitions[i];
        struct group_status_partition *partition = partition_of(status, said->id);
        int64_t *generation = &generations[partition - status->partitions];
        if (said->owned && group_status_is_there(request, entry) &&
            (partition->owner == NULL || progress->generation >= *generation)) {
            *generation = progress->generation;
            partition->owner = progress->member;
            partition->state = said->state;
            partition->position = said->position;
            partition->watermark_us = said->watermark_us;
        } else if (partition->owner == NULL && said->position > partition->position) {
            partition->position = said->position;
            partition->watermark_us = said->watermark_us;
        }
    }
}

static size_t partitions_said(const struct group_status_request *request)
{
    const struct message_commit *head = fold_head(request->fold);
    size_t count = request->end_count + (head == NULL ? 0 : head->partition_count);
    size_t at = 0;
    for (const struct fold_entry *entry = fold_next(request->fold, MESSAGE_PROGRESS, &at);
         entry != NULL; entry = fold_next(request->fold, MESSAGE_PROGRESS, &at)) {
        count += entry->message.progress.partition_count;
    }
    return count;
}

static void fill_partitions(const struct group_status_request *request, struct arena *arena,
                            struct group_status *status)
{
    size_t most = partitions_said(request) + 1;
    status->partitions = arena_zero(arena, most * sizeof *status->partitions);
    int64_t *generations = arena_zero(arena, most * sizeof *generations);
    for (size_t i = 0; i < request->end_count; i++) {
        const struct source_ends *ends = &request->ends[i];
        struct partition_id id = {.topic = request->topics[ends->partition.topic],
                                  .number = ends->partition.partition};
        struct group_status_partition *partition = partition_of(status, id);
        partition->low = ends->low;
        partition->stable = ends->stable;
        partition->high = ends->high;
    }
    const struct message_commit *head = fold_head(request->fold);
    for (size_t i = 0; head != NULL && i < head->partition_count; i++) {
        struct group_status_partition *partition = partition_of(status, head->partitions[i].id);
        partition->cut = head->partitions[i].cut;
        partition->tail_from = head->partitions[i].tail_from;
    }
    size_t at = 0;
    for (const struct fold_entry *entry = fold_next(request->fold, MESSAGE_PROGRESS, &at);
         entry != NULL; entry = fold_next(request->fold, MESSAGE_PROGRESS, &at)) {
        take_progress(request, status, entry, generations);
    }
    qsort(status->partitions, status->partition_count, sizeof *status->partitions, by_id);
}

/* Lag, margin and the group's watermark: from the numbers of each partition. */
static void sum_up(const struct group_status_request *request, struct group_status *status)
{
    status->lag = request->ends == NULL ? -1 : 0;
    status->watermark_us = EVENT_TIME_HIGH;
    for (size_t i = 0; i < status->partition_count; i++) {
        struct group_status_partition *partition = &status->partitions[i];
        /* what nobody reads now is read from the tail when somebody comes */
        int64_t from = partition->owner != NULL ? partition->position : partition->tail_from;
        from = from < 0 ? partition->low : from;
        if (partition->stable >= 0) {
            partition->lag = partition->stable > from ? partition->stable - from : 0;
            status->lag += partition->lag;
        }
        partition->margin = partition->tail_from < 0 || partition->low < 0
                                ? 0
                                : partition->tail_from - partition->low;
        bool votes = partition->owner != NULL && partition->state != PROGRESS_IDLE;
        if (votes && partition->watermark_us < status->watermark_us) {
            status->watermark_us = partition->watermark_us;
        }
    }
    if (status->watermark_us == EVENT_TIME_HIGH) {
        status->watermark_us = EVENT_TIME_LOW;
    }
}

/* ---- the builds ---- */

static const char *gated_text(const struct group_status *status, struct arena *arena)
{
    AUTO(buf) struct buf text;
    buf_init(&text, 16 * MESSAGE_TEXT_MAX);
    buf_add_format(&text, "build %" PRIu64 ", run %s is built and not published: ",
                   status->open_close->build, status->open_run_id);
    for (size_t i = 0; i < status->gated->reason_count; i++) {
        buf_add_format(&text, "%s%s", i == 0 ? "" : "; ", status->gated->reasons[i]);
    }
    return arena_text(arena, buf_bytes(&text));
}

static void fill_build(const struct group_status_request *request, struct arena *arena,
                       struct group_status *status)
{
    const struct fold *fold = request->fold;
    const struct fold_entry *close = fold_open_close(fold);
    status->head = fold_head(fold);
    status->head_published = fold_head_published(fold);
    const struct fold_entry *published = fold_find(fold, "published");
    status->published_us = published == NULL ? EVENT_TIME_LOW : published->timestamp_us;
    status->published_run_id = published == NULL ? NULL : published->message.published.run_id;
    if (close != NULL) {
        status->open_close = &close->message.close;
        group_status_fill_open(request, arena, status);
    }
    const struct fold_entry *hold = fold_hold(fold);
    if (hold != NULL) {
        status->hold = &hold->message.hold;
        status->held = hold->message.kind == MESSAGE_HELD;
        status->hold_us = hold->timestamp_us;
    }
    status->triggers_waiting = count_kind(fold, MESSAGE_TRIGGER);
    status->skips_waiting = count_kind(fold, MESSAGE_SKIP);
    status->pointer_known = request->pointer != NULL;
    status->pointer_is_head =
        request->pointer != NULL && request->pointer->valid && status->head != NULL &&
        status->head->has_snapshot &&
        strcmp(request->pointer->pointer.run_id, status->head->snapshot.run_id) == 0;
}

static const char *doing_text(const struct group_status *status, struct arena *arena)
{
    switch (status->phase) {
    case GROUP_STATUS_EMPTY:
        return "nothing was ever built";
    case GROUP_STATUS_IDLE:
        return "no build is open";
    case GROUP_STATUS_CLOSED:
    case GROUP_STATUS_BUILDING:
        return group_status_open_text(status, arena);
    case GROUP_STATUS_GATED:
        return gated_text(status, arena);
    case GROUP_STATUS_COMMITTED:
        return arena_format(arena,
                            "build %" PRIu64 ", run %s is committed; the pointer follows%s%s",
                            status->head->build, status->head->snapshot.run_id,
                            status->leading[0] == '\0' ? "" : "; its leader ", status->leading);
    case GROUP_STATUS_HOLDING:
        return arena_format(arena, "%s by %s: %s", status->held ? "held" : "a hold is wished",
                            status->hold->who, status->hold->why);
    case GROUP_STATUS_RESUMING:
        return "a RESUME waits for the leader";
    }
    return "";
}

static void fill_phase(const struct fold *fold, struct arena *arena, struct group_status *status)
{
    if (status->hold != NULL) {
        status->phase = GROUP_STATUS_HOLDING;
    } else if (fold_resume(fold) != NULL) {
        status->phase = GROUP_STATUS_RESUMING;
    } else if (!status->head_published) {
        status->phase = GROUP_STATUS_COMMITTED;
    } else if (status->open_close != NULL) {
        status->phase = status->open_run_id == NULL ? GROUP_STATUS_CLOSED
                        : status->gated != NULL     ? GROUP_STATUS_GATED
                                                    : GROUP_STATUS_BUILDING;
    } else if (status->head == NULL) {
        status->phase = GROUP_STATUS_EMPTY;
    } else {
        status->phase = GROUP_STATUS_IDLE;
    }
    status->doing = doing_text(status, arena);
}

static void fill_condemned(const struct group_status_request *request, struct arena *arena,
                           struct group_status *status)
{
    const struct fold *fold = request->fold;
    status->condemned =
        arena_zero(arena, (count_kind(fold, MESSAGE_CONDEMN) + 1) * sizeof *status->condemned);
    size_t at = 0;
    for (const struct fold_entry *entry = fold_next(fold, MESSAGE_CONDEMN, &at); entry != NULL;
         entry = fold_next(fold, MESSAGE_CONDEMN, &at)) {
        const struct message_condemn *condemn = &entry->message.condemn;
        if (!condemn->whole_run) {
            continue;
        }
        status->condemned[status->condemned_count++] = (struct group_status_condemned){
            .run_id = condemn->run_id,
            .reason = condemn->reason,
            .since_us = condemn->time_us,
            .due_us = condemn->time_us + (condemn->at_once ? 0 : request->cleanup_grace_us),
        };
    }
}

void group_status_fill(const struct group_status_request *request, struct arena *arena,
                       struct group_status *ret_status)
{
    struct group_status status = {0};
    fill_members(request, arena, &status);
    fill_leader(request, arena, &status);
    fill_partitions(request, arena, &status);
    sum_up(request, &status);
    fill_build(request, arena, &status);
    fill_phase(request->fold, arena, &status);
    fill_condemned(request, arena, &status);
    *ret_status = status;
}

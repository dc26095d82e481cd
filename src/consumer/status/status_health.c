/* Is this member alive, and is it ready? */
#include "consumer/status/status_health.h"

#include <inttypes.h>
#include <string.h>

enum { SECOND_US = 1000 * 1000, LEDGER_SILENT_S = 60 };

static long long seconds(int64_t time_us)
{
    return (long long)(time_us / SECOND_US);
}

bool status_health_live(const struct status_view *view, struct buf *reasons)
{
    size_t before = reasons->size;
    for (size_t i = 0; i < STATUS_THREADS; i++) {
        const struct status_view_thread *thread = &view->threads[i];
        if (thread->age_us > thread->limit_us) {
            buf_add_format(reasons,
                           "the %s thread has made no progress for %lld s (limit %lld s)\n",
                           thread->name, seconds(thread->age_us), seconds(thread->limit_us));
        }
    }
    return reasons->size == before;
}

size_t status_view_unpublished(const struct status_view *view, int64_t *ret_since_us)
{
    const struct group_status *group = view->group;
    size_t count = 0;
    int64_t since_us = 0;
    if (group->open_close != NULL) {
        count++;
        since_us = group->open_close->time_us;
    }
    if (group->head != NULL && !group->head_published) {
        count += 1 + group->head->pending_count;
        since_us = group->head->close_us;
    }
    *ret_since_us = since_us;
    return count;
}

size_t status_view_overdue(const struct status_view *view)
{
    int64_t since_us = 0;
    size_t count = status_view_unpublished(view, &since_us);
    if (count == 0 || view->group->hold != NULL) {
        return 0;
    }
    since_us = since_us > view->started_us ? since_us : view->started_us;
    return view->now_us - since_us > view->settings->status.overdue_after_us ? count : 0;
}

static const struct message_progress *progress_of(const struct fold *fold, const char *member)
{
    size_t at = 0;
    for (const struct fold_entry *entry = fold_next(fold, MESSAGE_PROGRESS, &at); entry != NULL;
         entry = fold_next(fold, MESSAGE_PROGRESS, &at)) {
        if (strcmp(entry->message.progress.member, member) == 0) {
            return &entry->message.progress;
        }
    }
    return NULL;
}

static bool is_me(const struct status_view *view, const char *member, uint64_t incarnation)
{
    return strcmp(member, view->settings->member_id) == 0 &&
           incarnation == view->member.incarnation;
}

/* R9: members whose settings decode or route otherwise do not count for the leader. */
static void look_at_settings(const struct status_view *view, const struct message_progress *mine,
                             struct buf *reasons)
{
    const char *leader = view->group->leader;
    const struct message_progress *theirs =
        leader == NULL ? NULL : progress_of(view->request->fold, leader);
    if (theirs != NULL && strcmp(theirs->fingerprint, mine->fingerprint) != 0) {
        buf_add_format(
            reasons,
            "the settings differ from those of the leader %s in what decides about rows: "
            "fingerprint %.16s here, %.16s there\n",
            leader, mine->fingerprint, theirs->fingerprint);
    }
}

static void look_at_refusal(const struct status_view *view, struct buf *reasons)
{
    const struct message_close *close = view->group->open_close;
    size_t at = 0;
    for (const struct fold_entry *entry = fold_next(view->request->fold, MESSAGE_REFUSED, &at);
         entry != NULL; entry = fold_next(view->request->fold, MESSAGE_REFUSED, &at)) {
        const struct message_refused *refused = &entry->message.refused;
        if (close != NULL && refused->build == close->build &&
            is_me(view, refused->member, refused->incarnation)) {
            buf_add_format(reasons, "refuses build %" PRIu64 ": %s\n", refused->build,
                           refused->reason);
        }
    }
}

/* What the member's own ledger reader and ours say. */
static void look_at_group(const struct status_view *view, struct buf *reasons)
{
    const struct message_progress *mine =
        progress_of(view->request->fold, view->settings->member_id);
    if (mine == NULL || !is_me(view, mine->member, mine->incarnation)) {
        buf_add_text(reasons, "has not joined: nothing of it is in the ledger yet\n");
    } else {
        look_at_settings(view, mine, reasons);
    }
    look_at_refusal(view, reasons);
    if (view->ledger_age_us > (int64_t)LEDGER_SILENT_S * SECOND_US) {
        buf_add_format(reasons, "the brokers have not told the end of the ledger for %lld s\n",
                       seconds(view->ledger_age_us));
    }
    int64_t since_us = 0;
    size_t overdue = status_view_overdue(view);
    if (overdue > 0) {
        status_view_unpublished(view, &since_us);
        buf_add_format(reasons, "%zu windows are overdue, the oldest is closed for %lld s: %s\n",
                       overdue, seconds(view->now_us - since_us), view->group->doing);
    }
    for (size_t i = 0; view->group->hold == NULL && i < view->group->partition_count; i++) {
        struct partition_id id = view->group->partitions[i].id;
        int64_t standing = status_standing_us(view->standing, id, view->mono_us);
        if (standing > view->settings->status.overdue_after_us) {
            buf_add_format(reasons, "%s/%d has lag and stands still for %lld s\n", id.topic,
                           id.number, seconds(standing));
        }
    }
}

bool status_health_ready(const struct status_view *view, struct buf *reasons)
{
    size_t before = reasons->size;
    if (view->member.failed) {
        buf_add_format(reasons, "has failed: %s\n", view->member.err.message);
    }
    if (view->stopping) {
        buf_add_text(reasons, "is stopping\n");
    }
    if (view->ledger_problem != NULL) {
        buf_add_format(reasons, "the status server cannot read the ledger: %s\n",
                       view->ledger_problem);
    }
    if (!view->member.caught_up || !view->ledger_read) {
        buf_add_format(reasons, "reads the ledger: %lld records of it so far\n",
                       (long long)(view->member.ledger_next < 0 ? 0 : view->member.ledger_next));
        return false;
    }
    look_at_group(view, reasons);
    return reasons->size == before;
}

/* Waiting is looking at the same few keys of the ledger's state after every record. */
#include "consumer/operator/operator_watch.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

static void copy_name(char to[MESSAGE_NAME_MAX + 1], const char *name)
{
    snprintf(to, MESSAGE_NAME_MAX + 1, "%s", name);
}

static void settle(struct operator_watch *watch, enum operator_state state, const char *format, ...)
    PRINTF_LIKE(3, 4);
static void settle(struct operator_watch *watch, enum operator_state state, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(watch->text, sizeof watch->text, format, args);
    va_end(args);
    watch->state = state;
}

void operator_watch_init(struct operator_watch *watch, enum message_kind kind, const char *id)
{
    *watch = (struct operator_watch){.kind = kind, .offset = -1};
    copy_name(watch->id, id);
}

static bool is_in(const char *const *ids, size_t count, const char *id)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(ids[i], id) == 0) {
            return true;
        }
    }
    return false;
}

/* ---- HOLD ---- */

static void look_for_held(struct operator_watch *watch, const struct fold *fold)
{
    const struct fold_entry *entry = fold_find(fold, "hold");
    if (entry == NULL) {
        settle(watch, OPERATOR_REFUSED, "the hold is gone from the ledger");
        return;
    }
    if (entry->message.kind == MESSAGE_RESUME) {
        settle(watch, OPERATOR_REFUSED, "%s resumed the service meanwhile (%s)",
               entry->message.resume.who, entry->message.resume.why);
        return;
    }
    const struct message_hold *hold = &entry->message.hold;
    if (strcmp(hold->id, watch->id) != 0) {
        settle(watch, OPERATOR_REFUSED, "another hold took the place of this one: by %s (%s)",
               hold->who, hold->why);
        return;
    }
    if (entry->message.kind == MESSAGE_HELD) {
        copy_name(watch->run_id, hold->may_appear);
        if (watch->run_id[0] == '\0') {
            settle(watch, OPERATOR_DONE, "held: the pointer stays where it is");
        } else {
            settle(watch, OPERATOR_DONE,
                   "held; the pointer write of run %s was under way and may "
                   "still land",
                   watch->run_id);
        }
    }
}

/* ---- RESUME ---- */

static void look_for_resumed(struct operator_watch *watch, const struct fold *fold)
{
    const struct message_commit *head = fold_head(fold);
    if (head != NULL && watch->offset >= 0 && head->resume_offset >= (uint64_t)watch->offset) {
        const char *run_id = head->has_snapshot ? head->snapshot.run_id : head->run_id;
        watch->build = head->build;
        copy_name(watch->run_id, run_id);
        settle(watch, OPERATOR_DONE, "resumed: the next build stands on build %" PRIu64 ", run %s",
               head->build, run_id);
        return;
    }
    const struct fold_entry *entry = fold_find(fold, "hold");
    if (entry != NULL && entry->message.kind != MESSAGE_RESUME && entry->offset > watch->offset) {
        settle(watch, OPERATOR_REFUSED, "the service holds again: %s (%s)", entry->message.hold.why,
               entry->message.hold.who);
    }
}

/* ---- TRIGGER, SKIP, ACCEPT ---- */

/* The COMMIT that used the record up. Only the newest is kept, so it is looked at after each
 * record. */
static void look_for_commit(struct operator_watch *watch, const struct fold *fold)
{
    const struct message_commit *head = fold_head(fold);
    if (head == NULL || !is_in(head->used, head->used_count, watch->id)) {
        return;
    }
    watch->build = head->build;
    watch->empty = head->kind == COMMIT_EMPTY;
    copy_name(watch->run_id, head->kind == COMMIT_EMPTY ? "" : head->run_id);
    if (watch->kind == MESSAGE_SKIP) {
        settle(watch, OPERATOR_DONE, "build %" PRIu64 " went past the range", head->build);
    } else if (watch->empty) {
        settle(watch, OPERATOR_DONE, "build %" PRIu64 " has no rows: no snapshot came of it",
               head->build);
    } else {
        settle(watch, OPERATOR_WAITING, "build %" PRIu64 " is committed as run %s", head->build,
               watch->run_id);
    }
}

static void look_for_close(struct operator_watch *watch, const struct fold *fold)
{
    size_t at = 0;
    for (const struct fold_entry *entry = fold_next(fold, MESSAGE_CLOSE, &at); entry != NULL;
         entry = fold_next(fold, MESSAGE_CLOSE, &at)) {
        const struct message_close *close = &entry->message.close;
        if (is_in(close->triggers, close->trigger_count, watch->id)) {
            watch->build = close->build;
            settle(watch, OPERATOR_WAITING, "build %" PRIu64 " was begun for it", close->build);
        }
    }
}

static void look_for_published(struct operator_watch *watch, const struct fold *fold)
{
    const struct fold_entry *entry = fold_find(fold, "published");
    if (watch->run_id[0] != '\0' && entry != NULL &&
        entry->message.published.build >= watch->build) {
        settle(watch, OPERATOR_DONE, "build %" PRIu64 " is published as run %s", watch->build,
               watch->run_id);
    }
}

void operator_watch_look(struct operator_watch *watch, const struct fold *fold)
{
    if (watch->state != OPERATOR_WAITING || watch->offset < 0) {
        return;
    }
    if (watch->kind == MESSAGE_HOLD) {
        look_for_held(watch, fold);
        return;
    }
    if (watch->kind == MESSAGE_RESUME) {
        look_for_resumed(watch, fold);
        return;
    }
    if (watch->run_id[0] == '\0') {
        look_for_close(watch, fold);
        look_for_commit(watch, fold);
    }
    if (watch->state == OPERATOR_WAITING) {
        look_for_published(watch, fold);
    }
}

/* ---- is anybody there ---- */

bool operator_watch_silent(const struct fold *fold, int64_t now_us, int64_t quiet_us,
                           char ret_text[ERR_MESSAGE_MAX])
{
    const struct fold_entry *last = NULL;
    size_t at = 0;
    size_t members = 0;
    for (const struct fold_entry *entry = fold_next(fold, MESSAGE_PROGRESS, &at); entry != NULL;
         entry = fold_next(fold, MESSAGE_PROGRESS, &at)) {
        members++;
        if (!entry->message.progress.leaving &&
            (last == NULL || entry->timestamp_us > last->timestamp_us)) {
            last = entry;
        }
    }
    /* what a leader wrote is a sign of life, too, before its first PROGRESS */
    const struct fold_entry *leader = fold_leader(fold);
    int64_t heard_us = last == NULL ? INT64_MIN : last->timestamp_us;
    const char *who = last == NULL ? "" : last->message.progress.member;
    if (leader != NULL && leader->timestamp_us > heard_us && (members == 0 || last != NULL)) {
        heard_us = leader->timestamp_us;
        who = leader->message.leader.member;
    }
    if (heard_us == INT64_MIN) {
        snprintf(ret_text, ERR_MESSAGE_MAX, "%s",
                 members > 0 ? "all members have left" : "no member was ever here");
        return true;
    }
    int64_t age_s = (now_us - heard_us) / 1000000;
    snprintf(ret_text, ERR_MESSAGE_MAX, "member %s was last heard of %" PRId64 " s ago", who,
             age_s < 0 ? 0 : age_s);
    return now_us - heard_us > quiet_us;
}

const char *operator_watch_may_appear(const struct fold *fold)
{
    const struct message_commit *head = fold_head(fold);
    return head == NULL || fold_head_published(fold) ? NULL : head->snapshot.run_id;
}

/* The leader cleans up: tombstones for what is published (R17), CONDEMN before any delete (R10,
 * R15). */
#include <stdio.h>
#include <stdlib.h>

#include "core/coord/leader_state.h"

/* The build a record belongs to; 0: none. */
static uint64_t build_of(const struct message *message)
{
    switch (message->kind) {
    case MESSAGE_CLOSE:
        return message->close.build;
    case MESSAGE_READY:
        return message->ready.build;
    case MESSAGE_REFUSED:
        return message->refused.build;
    case MESSAGE_PLAN:
        return message->plan.build;
    case MESSAGE_PART:
        return message->part.build;
    case MESSAGE_ATTEMPT:
        return message->attempt.build;
    case MESSAGE_ABORTED:
        return message->aborted.build;
    case MESSAGE_GATED:
        return message->gated.build;
    case MESSAGE_ACCEPT:
        return message->accept.build;
    case MESSAGE_PROGRESS:
    case MESSAGE_LEADER:
    case MESSAGE_COMMIT:
    case MESSAGE_PUBLISHED:
    case MESSAGE_HOLD:
    case MESSAGE_HELD:
    case MESSAGE_RESUME:
    case MESSAGE_TRIGGER:
    case MESSAGE_SKIP:
    case MESSAGE_CONDEMN:
    case MESSAGE_SPARE:
    case MESSAGE_HANDOVER: /* its tombstone comes with its CONDEMN, or the object would be lost */
    case MESSAGE_KINDS:
        break;
    }
    return 0;
}

const struct message_commit *leader_settled_head(const struct leader *leader)
{
    const struct message_commit *head = fold_head(leader->fold);
    if (head == NULL || !fold_head_published(leader->fold) || fold_hold(leader->fold) != NULL ||
        fold_resume(leader->fold) != NULL) {
        return NULL;
    }
    return head;
}

bool leader_needs_run(const struct leader *leader, const char *run_id)
{
    const struct message_commit *head = fold_head(leader->fold);
    const struct fold_entry *plan = fold_open_plan(leader->fold);
    const struct fold_entry *hold = fold_find(leader->fold, "hold");
    if (plan != NULL && strcmp(plan->message.plan.run_id, run_id) == 0) {
        return true;
    }
    if (hold != NULL && hold->message.kind != MESSAGE_RESUME &&
        strcmp(hold->message.hold.target, run_id) == 0) {
        return true;
    }
    if (leader->pointer.known && !leader->pointer.value.missing &&
        strcmp(leader->pointer.value.run_id, run_id) == 0) {
        return true;
    }
    if (head == NULL) {
        return false;
    }
    for (size_t i = 0; i < head->pending_count; i++) {
        if (strcmp(head->pending[i].run_id, run_id) == 0) {
            return true;
        }
    }
    return head->has_snapshot && strcmp(head->snapshot.run_id, run_id) == 0;
}

static bool was_committed(const struct message_commit *head, const char *run_id)
{
    return head != NULL && (strcmp(head->run_id, run_id) == 0 ||
                            (head->has_snapshot && strcmp(head->snapshot.run_id, run_id) == 0) ||
                            leader_has_text(head->ancestors, head->ancestor_count, run_id) ||
                            leader_has_text(head->given_up, head->given_up_count, run_id));
}

struct message leader_condemn_of(const struct leader *leader, const char *run_id,
                                 const char **objects, size_t object_count, const char *reason)
{
    return (struct message){.kind = MESSAGE_CONDEMN,
                            .condemn = {.term = (uint64_t)leader->term,
                                        .run_id = run_id,
                                        .time_us = leader->now_us,
                                        .whole_run = object_count == 0,
                                        .at_once = true,
                                        .objects = objects,
                                        .object_count = object_count,
                                        .reason = reason}};
}

/* A run that was planned and can never be committed: it was aborted, or its build has another
 * winner. */
static bool condemn_dead_run(struct leader *leader)
{
    const struct message_commit *head = fold_head(leader->fold);
    size_t at = 0;
    for (const struct fold_entry *entry = fold_next(leader->fold, MESSAGE_PLAN, &at); entry != NULL;
         entry = fold_next(leader->fold, MESSAGE_PLAN, &at)) {
        const struct message_plan *plan = &entry->message.plan;
        char key[KEY_TEXT_MAX];
        snprintf(key, sizeof key, "aborted/%s", plan->run_id);
        bool aborted = fold_find(leader->fold, key) != NULL;
        bool over = head != NULL && plan->build <= head->build;
        snprintf(key, sizeof key, "condemn/%s", plan->run_id);
        if ((aborted || over) && !was_committed(head, plan->run_id) &&
            !leader_needs_run(leader, plan->run_id) && fold_find(leader->fold, key) == NULL) {
            struct message message = leader_condemn_of(leader, plan->run_id, NULL, 0, "a dead run");
            leader_append_one(leader, &message);
            return true;
        }
    }
    return false;
}

static size_t find_losers(struct leader *leader, const struct message_commit *head,
                          const char **objects)
{
    size_t count = 0;
    size_t at = 0;
    for (const struct fold_entry *entry = fold_next(leader->fold, MESSAGE_ATTEMPT, &at);
         entry != NULL && count < OBJECTS_A_TIME;
         entry = fold_next(leader->fold, MESSAGE_ATTEMPT, &at)) {
        const struct message_attempt *attempt = &entry->message.attempt;
        if (strcmp(attempt->run_id, head->run_id) == 0 && attempt->url[0] != '\0' &&
            attempt->shard < head->winner_count &&
            (head->winners[attempt->shard] != attempt->attempt || RULE_OFF(16))) {
            objects[count++] = attempt->url;
        }
    }
    at = 0;
    for (const struct fold_entry *entry = fold_next(leader->fold, MESSAGE_PART, &at);
         entry != NULL && count < OBJECTS_A_TIME;
         entry = fold_next(leader->fold, MESSAGE_PART, &at)) {
        if (entry->message.part.build <= head->build) {
            objects[count++] = entry->message.part.url; /* parts outlive runs, not their build (R8)
                                                         */
        }
    }
    return count;
}

/* Attempts that were planned and of which no record tells: their members may have died, or been cut
 * off, between the upload and the ATTEMPT. */
static size_t find_untold(struct leader *leader, const struct message_commit *head,
                          struct leader_stray **ret_attempts)
{
    char key[KEY_TEXT_MAX];
    snprintf(key, sizeof key, "plan/%s", head->run_id);
    const struct fold_entry *entry = fold_find(leader->fold, key);
    const struct message_plan *plan = entry == NULL ? NULL : &entry->message.plan;
    size_t most = 0;
    for (size_t i = 0; plan != NULL && i < plan->shard_count; i++) {
        most += plan->shards[i].builder < 0 ? 0 : plan->shards[i].attempt;
    }
    *ret_attempts = arena_zero(leader->out->arena, (most + 1) * sizeof **ret_attempts);
    size_t count = 0;
    for (uint32_t i = 0; most > 0 && i < plan->shard_count && i < head->winner_count; i++) {
        for (uint32_t k = 1; plan->shards[i].builder >= 0 && k <= plan->shards[i].attempt; k++) {
            const struct fold_entry *told = fold_attempt(leader->fold, plan->run_id, i, k);
            bool named = told != NULL && told->message.attempt.url[0] != '\0';
            if (k != head->winners[i] && !named) {
                (*ret_attempts)[count++] = (struct leader_stray){.shard = i, .attempt = k};
            }
        }
    }
    return count;
}

/* Where one member alone was ever heard of, nobody needed a part. */
static bool has_others(const struct leader *leader)
{
    size_t at = 0;
    return leader->had_others || (fold_next(leader->fold, MESSAGE_PROGRESS, &at) != NULL &&
                                  fold_next(leader->fold, MESSAGE_PROGRESS, &at) != NULL);
}

/* False: there is nothing to look for in the store. */
static bool ask_strays(struct leader *leader, const struct message_commit *head)
{
    struct leader_stray *attempts = NULL;
    size_t count = find_untold(leader, head, &attempts);
    if (count == 0 && !has_others(leader)) {
        return false;
    }
    struct leader_command *command = leader_ask(leader, LEADER_LIST_STRAYS, FOR_STRAYS);
    command->strays.build = head->build;
    command->strays.run_id = arena_text(leader->out->arena, bytes_of_text(head->run_id));
    command->strays.attempts = attempts;
    command->strays.attempt_count = count;
    return true;
}

/* Losers, parts, and what nobody told of, of the build that was just published. All of it can be
 * named by nobody any more: the winners are what COMMIT says (R16), and parts outlive runs, but not
 * their build. */
static bool condemn_strays(struct leader *leader, const struct message_commit *head,
                           const char *const *urls, size_t count)
{
    leader_set_name(leader->strays_of, head->run_id);
    const char **objects = arena_alloc(leader->out->arena, OBJECTS_A_TIME * sizeof(char *));
    size_t total = find_losers(leader, head, objects);
    for (size_t i = 0; i < count && total < OBJECTS_A_TIME; i++) {
        if (!leader_has_text(objects, total, urls[i])) {
            objects[total++] = urls[i];
        }
    }
    const char **keys = arena_alloc(leader->out->arena, OBJECTS_A_TIME * sizeof(char *));
    size_t key_count = leader_find_handovers(leader, head, objects, &total, keys);
    if (total > 0) {
        struct message message =
            leader_condemn_of(leader, head->run_id, objects, total, "losers and parts");
        leader_append(leader, FOR_RECORDS, &message, 1, keys, key_count);
    }
    return total > 0;
}

void leader_strays(struct leader *leader, const char *const *urls, size_t count)
{
    const struct message_commit *head = leader_settled_head(leader);
    if (head != NULL) { /* else it is asked again, when it is settled again */
        (void)condemn_strays(leader, head, urls, count);
    }
}

/* Planted: what has lost so far goes while the run is open, and not after PUBLISHED (R28). */
static bool condemn_early(struct leader *leader, const struct fold_entry *open)
{
    size_t at = 0;
    for (const struct fold_entry *entry = fold_next(leader->fold, MESSAGE_ATTEMPT, &at);
         open != NULL && entry != NULL; entry = fold_next(leader->fold, MESSAGE_ATTEMPT, &at)) {
        const struct message_plan *plan = &open->message.plan;
        const struct message_attempt *attempt = &entry->message.attempt;
        if (strcmp(attempt->run_id, plan->run_id) == 0 && attempt->ok &&
            leader_winner(leader, plan, attempt->shard) != attempt) {
            struct message message = leader_condemn_of(
                leader, plan->run_id, (const char *[]){attempt->url}, 1, "planted");
            leader_append_one(leader, &message);
            return true;
        }
    }
    return false;
}

/* Losers and parts of the build that was just published, and runs that are dead. */
bool leader_duty_condemn(struct leader *leader)
{
    if (fold_hold(leader->fold) != NULL || fold_resume(leader->fold) != NULL) {
        return false;
    }
    if (condemn_dead_run(leader)) {
        return true;
    }
    if (RULE_OFF(283)) {
        return condemn_early(leader, fold_open_plan(leader->fold));
    }
    const struct message_commit *head = leader_settled_head(leader);
    if (head == NULL || head->kind != COMMIT_BUILD) {
        return false;
    }
    char key[KEY_TEXT_MAX];
    snprintf(key, sizeof key, "condemn/%s", head->run_id);
    if (fold_find(leader->fold, key) != NULL || strcmp(leader->strays_of, head->run_id) == 0) {
        return false;
    }
    return ask_strays(leader, head) || condemn_strays(leader, head, NULL, 0);
}

/* A SKIP of what no build will ask for again: it was not needed, and cannot be any more. */
static bool is_passed(const struct message_commit *head, const struct plan_range *range)
{
    const struct commit_partition *in_head = message_commit_partition(head, range->id);
    return in_head != NULL && in_head->tail_from >= range->to;
}

static bool is_settled(const struct message_commit *head, const struct fold_entry *entry)
{
    const struct message *message = &entry->message;
    if (message->kind == MESSAGE_TRIGGER) {
        return leader_has_text(head->used, head->used_count, message->trigger.id);
    }
    if (message->kind == MESSAGE_SKIP) {
        return leader_has_text(head->used, head->used_count, message->skip.id) ||
               is_passed(head, &message->skip.range);
    }
    if (message->kind == MESSAGE_SPARE) {
        return true; /* as if it had never been condemned */
    }
    uint64_t build = build_of(message);
    /* planted: what is open goes, too; the next leader does not know its cuts (R17) */
    return build != 0 && build <= head->build + (RULE_OFF(17) ? 1 : 0);
}

bool leader_duty_tidy(struct leader *leader)
{
    const struct message_commit *head = leader_settled_head(leader);
    if (head == NULL) {
        return false;
    }
    const char **keys = arena_alloc(leader->out->arena, TOMBSTONES_A_TIME * sizeof(char *));
    size_t count = 0;
    for (unsigned kind = 0; kind < MESSAGE_KINDS; kind++) {
        size_t at = 0;
        for (const struct fold_entry *entry = fold_next(leader->fold, (enum message_kind)kind, &at);
             entry != NULL && count < TOMBSTONES_A_TIME;
             entry = fold_next(leader->fold, (enum message_kind)kind, &at)) {
            if (is_settled(head, entry)) {
                keys[count++] = entry->key;
            }
        }
    }
    if (count == 0) {
        return false;
    }
    leader_append(leader, FOR_RECORDS, NULL, 0, keys, count);
    return true;
}

/* What is condemned may go: it was read back (it is in the fold), its grace is over, and the
 * pointer was looked at since (R15). */
static bool may_delete(struct leader *leader, const struct fold_entry *entry, bool *out_wait)
{
    const struct message_condemn *condemn = &entry->message.condemn;
    *out_wait = false;
    if (!condemn->whole_run) {
        return true;
    }
    int64_t grace = condemn->at_once || RULE_OFF(15) ? 0 : leader->settings->cleanup_grace_us;
    if (leader->now_us - condemn->time_us < grace) {
        return false;
    }
    if (!leader->pointer.known || leader->pointer.asked_end <= entry->offset ||
        leader->pointer.asked_us < condemn->time_us + grace) {
        leader_ask_pointer(leader);
        *out_wait = true;
        return false;
    }
    return true;
}

static void spare(struct leader *leader, const struct message_condemn *condemn)
{
    struct message message = {.kind = MESSAGE_SPARE, .condemn = *condemn};
    message.condemn.term = (uint64_t)leader->term;
    leader_append_one(leader, &message);
}

static void send_delete(struct leader *leader, const struct message_condemn *condemn)
{
    struct arena *arena = leader->out->arena;
    leader_set_name(leader->deleting_run, condemn->run_id);
    leader->deleted_whole = condemn->whole_run;
    leader_trace(leader, "delete %s%s", condemn->whole_run ? "" : "objects of ", condemn->run_id);
    if (condemn->whole_run) {
        struct leader_command *command = leader_ask(leader, LEADER_DELETE_RUN, FOR_DELETE);
        command->delete_run.run_id = arena_text(arena, bytes_of_text(condemn->run_id));
        return;
    }
    struct leader_command *command = leader_ask(leader, LEADER_DELETE_OBJECTS, FOR_DELETE);
    const char **urls = arena_zero(arena, (condemn->object_count + 1) * sizeof(char *));
    for (size_t i = 0; i < condemn->object_count; i++) {
        urls[i] = arena_text(arena, bytes_of_text(condemn->objects[i]));
    }
    command->delete_objects.urls = urls;
    command->delete_objects.count = condemn->object_count;
}

void leader_delete_unasked(struct leader *leader, const char *run_id)
{
    send_delete(leader, &(struct message_condemn){.run_id = run_id, .whole_run = true});
}

bool leader_duty_delete(struct leader *leader)
{
    if (leader->now_us < leader->delete_retry_us || fold_hold(leader->fold) != NULL ||
        fold_resume(leader->fold) != NULL) {
        return false;
    }
    size_t at = 0;
    for (const struct fold_entry *entry = fold_next(leader->fold, MESSAGE_CONDEMN, &at);
         entry != NULL; entry = fold_next(leader->fold, MESSAGE_CONDEMN, &at)) {
        bool wait = false;
        if (!may_delete(leader, entry, &wait)) {
            if (wait) {
                return true;
            }
            continue;
        }
        const struct message_condemn *condemn = &entry->message.condemn;
        if (condemn->whole_run && leader_needs_run(leader, condemn->run_id) && !RULE_OFF(15)) {
            spare(leader, condemn);
        } else {
            send_delete(leader, condemn);
        }
        return true;
    }
    return false;
}

void leader_deleted(struct leader *leader, bool ok)
{
    if (!ok) {
        leader->delete_retry_us = leader->now_us + leader->settings->retry_max_us;
        return;
    }
    /* with what would have it condemned again */
    static const char *const prefixes[] = {"condemn", "plan", "aborted"};
    const char *keys[LENGTH_OF(prefixes)];
    size_t count = 0;
    for (size_t i = 0; i < LENGTH_OF(prefixes); i++) {
        const char *key = leader_text(leader, "%s/%s", prefixes[i], leader->deleting_run);
        if (i == 0 || (leader->deleted_whole && fold_find(leader->fold, key) != NULL)) {
            keys[count++] = key;
        }
    }
    leader_append(leader, FOR_RECORDS, NULL, 0, keys, count);
}

/* Once for every snapshot that was published, and again when that came to nothing. */
bool leader_duty_old_runs(struct leader *leader)
{
    const struct message_commit *head = leader_settled_head(leader);
    if ((leader->settings->keep_last == 0 && leader->settings->keep_for_us == 0) || head == NULL ||
        !head->has_snapshot || strcmp(leader->old_runs_of, head->snapshot.run_id) == 0 ||
        leader->now_us < leader->old_runs_retry_us) {
        return false;
    }
    if (!leader->pointer.known) {
        leader_ask_pointer(leader);
        return true;
    }
    leader_set_name(leader->old_runs_of, head->snapshot.run_id);
    leader_ask(leader, LEADER_LIST_OLD_RUNS, FOR_OLD_RUNS);
    return true;
}

void leader_old_runs_failed(struct leader *leader)
{
    leader->old_runs_of[0] = '\0';
    leader->old_runs_retry_us = leader->now_us + leader->settings->retry_max_us;
}

void leader_condemn_failed(struct leader *leader)
{
    leader->old_runs_of[0] = '\0';
    leader->strays_of[0] = '\0';
}

void leader_old_runs(struct leader *leader, const struct leader_old_run *runs, size_t count)
{
    const struct coord_settings *settings = leader->settings;
    struct message *messages = arena_zero(leader->out->arena, TOMBSTONES_A_TIME * sizeof *messages);
    size_t condemned = 0;
    for (size_t i = 0; i < count && condemned < TOMBSTONES_A_TIME; i++) {
        char key[KEY_TEXT_MAX];
        bool many = settings->keep_last == 0 || i >= settings->keep_last;
        bool old = settings->keep_for_us == 0 ||
                   leader->now_us - runs[i].time_us > settings->keep_for_us;
        if (!many || !old || !message_name_ok(runs[i].run_id) ||
            leader_needs_run(leader, runs[i].run_id)) {
            continue;
        }
        snprintf(key, sizeof key, "condemn/%s", runs[i].run_id);
        if (fold_find(leader->fold, key) != NULL) {
            continue;
        }
        messages[condemned++] = (struct message){.kind = MESSAGE_CONDEMN,
                                                 .condemn = {.term = (uint64_t)leader->term,
                                                             .run_id = runs[i].run_id,
                                                             .time_us = leader->now_us,
                                                             .whole_run = true,
                                                             .reason = "too old"}};
    }
    if (condemned > 0) {
        leader_append(leader, FOR_RECORDS, messages, condemned, NULL, 0);
    }
}

/* The leader and the operator: HOLD is obeyed and answered (R20), RESUME is answered with a head
 * (R5). */
#include <stdio.h>

#include "core/coord/leader_state.h"

enum { ID_DIGITS = 32 };

void leader_hold(struct leader *leader, const char *why)
{
    char id[ID_DIGITS + 1];
    rng_hex(&leader->rng, id, ID_DIGITS);
    leader_alert(leader, "holds: %s", why);
    struct message message = {.kind = MESSAGE_HOLD,
                              .hold = {.id = id,
                                       .who = "leader",
                                       .why = why,
                                       .target = "",
                                       .term = (uint64_t)leader->term,
                                       .may_appear = ""}};
    leader_append_one(leader, &message);
}

/* HOLD is answered by HELD, which names what may still appear; a HOLD on a condemned run also by
 * SPARE. */
bool leader_duty_hold(struct leader *leader)
{
    const struct fold_entry *entry = fold_hold(leader->fold);
    if (entry == NULL) {
        return false;
    }
    leader_does(leader, "holds, until an operator resumes");
    if (entry->message.kind == MESSAGE_HELD) {
        return false;
    }
    const struct message_commit *head = fold_head(leader->fold);
    struct message messages[2] = {{.kind = MESSAGE_HELD, .hold = entry->message.hold}};
    size_t count = 1;
    messages[0].hold.term = (uint64_t)leader->term;
    messages[0].hold.may_appear =
        fold_head_published(leader->fold) ? "" : head->snapshot.run_id; /* its write may be under
                                                                           way */
    const char *target = entry->message.hold.target;
    const struct message_condemn *condemned =
        target[0] == '\0' ? NULL : fold_condemned(leader->fold, target);
    if (condemned != NULL && condemned->whole_run) {
        messages[1] = (struct message){.kind = MESSAGE_SPARE, .condemn = *condemned};
        messages[1].condemn.term = (uint64_t)leader->term;
        count = 2;
    }
    leader_append(leader, FOR_RECORDS, messages, count, NULL, 0);
    return true;
}

static void refuse_resume(struct leader *leader, const char *why)
{
    leader_hold(leader, leader_text(leader, "the RESUME is void: %s", why));
}

/* Runs that were committed above `run`, newest first: given up by --from-here. */
static void give_up_above(struct leader *leader, const struct message_commit *head, const char *run,
                          struct message_commit *commit)
{
    const char **runs = arena_zero(leader->out->arena, (ANCESTORS_MAX + 1) * sizeof(char *));
    size_t count = 0;
    if (head != NULL && head->has_snapshot && strcmp(head->snapshot.run_id, run) != 0) {
        runs[count++] = head->snapshot.run_id;
        for (size_t i = 0; i < head->ancestor_count && strcmp(head->ancestors[i], run) != 0; i++) {
            runs[count++] = head->ancestors[i];
        }
    }
    commit->given_up = runs;
    commit->given_up_count = count > PENDING_MAX ? PENDING_MAX : count;
}

/* The end of the ledger is lost: the snapshot that the operator adopts is newer than the head
 * (R21). */
static bool is_beyond_head(struct leader *leader)
{
    const struct message_commit *head = fold_head(leader->fold);
    struct message_commit adopted;
    return leader_adopt(leader, &adopted) && (head == NULL || leader_descends(head, &adopted));
}

/* --adopt: the head stays, and stands on the pointer that the operator left. */
static void answer_adopt(struct leader *leader, const struct fold_entry *resume)
{
    const struct message_commit *head = fold_head(leader->fold);
    struct message message = {.kind = MESSAGE_COMMIT};
    struct message_commit *commit = &message.commit;
    if (head != NULL) {
        *commit = *head;
    } else {
        commit->trigger = leader->settings->trigger;
        commit->build = 1; /* it takes a number, so that records of a build 1 before it are void */
        commit->run_id = leader_text(leader, "b1-t%lld-resumed", (long long)leader->term);
        commit->parent = "";
        commit->closed_to_us = EVENT_TIME_LOW;
        commit->future_bound_us = INT64_MAX;
        commit->time_us = leader->now_us;
        commit->close_us = leader->now_us;
        commit->fingerprint = leader->settings->fingerprint;
    }
    commit->kind = COMMIT_RESUMED;
    commit->term = (uint64_t)leader->term;
    commit->resume_offset = (uint64_t)resume->offset;
    if (head != NULL && !fold_head_published(leader->fold)) {
        commit->snapshot.base = resume->message.resume.pointer;
    } else {
        commit->pointer_now = resume->message.resume.pointer;
    }
    leader_append_one(leader, &message);
}

/* --from-here: the snapshot that the pointer names becomes the head. */
static bool answer_from_here(struct leader *leader, const struct fold_entry *resume)
{
    const struct message_commit *head = fold_head(leader->fold);
    struct message messages[2] = {{.kind = MESSAGE_COMMIT}, {.kind = MESSAGE_PUBLISHED}};
    struct message_commit *commit = &messages[0].commit;
    if (!leader_adopt(leader, commit)) {
        refuse_resume(leader, "the pointer names no snapshot of ours to go on from");
        return true;
    }
    if (!leader->ends.known || leader->ends.asked_end <= resume->offset) {
        leader_ask_ends(leader);
        return true;
    }
    for (size_t i = 0; i < commit->partition_count; i++) {
        for (size_t j = 0; j < leader->ends.count; j++) {
            const struct coord_ends *ends = &leader->ends.list[j];
            if (partition_id_compare(ends->id, commit->partitions[i].id) == 0 &&
                ends->low > commit->partitions[i].tail_from &&
                leader_look_skip(leader->fold, ends->id, commit->partitions[i].tail_from,
                                 ends->low) == NULL) {
                refuse_resume(leader,
                              leader_text(leader,
                                          "%s/%d is gone below offset %lld, and needed from %lld: "
                                          "tidemark skip",
                                          ends->id.topic, ends->id.number, (long long)ends->low,
                                          (long long)commit->partitions[i].tail_from));
                return true;
            }
        }
    }
    uint64_t build = head == NULL ? commit->build : head->build;
    const struct fold_entry *close = fold_open_close(leader->fold);
    if (close != NULL) {
        build = close->message.close.build; /* its number is used up: READYs for it are void */
    }
    commit->kind = COMMIT_RESUMED;
    commit->build = build > commit->build ? build : commit->build;
    commit->resume_offset = (uint64_t)resume->offset;
    give_up_above(leader, head, commit->snapshot.run_id, commit);
    messages[1].published = (struct message_published){.term = (uint64_t)leader->term,
                                                       .build = commit->snapshot.build,
                                                       .run_id = commit->snapshot.run_id,
                                                       .time_us = leader->now_us};
    leader_append(leader, FOR_RECORDS, messages, 2, NULL, 0);
    return true;
}

bool leader_duty_resume(struct leader *leader)
{
    const struct fold_entry *entry = fold_resume(leader->fold);
    if (entry == NULL) {
        return false;
    }
    leader_does(leader, "answers RESUME");
    const struct message_resume *resume = &entry->message.resume;
    if (!leader->pointer.known || leader->pointer.asked_end <= entry->offset) {
        leader_ask_pointer(leader);
        return true;
    }
    if (!leader_pointer_is(leader, resume->pointer)) {
        refuse_resume(leader, "the pointer is not what the operator saw");
        return true;
    }
    leader->compared = true; /* the operator has looked */
    if (resume->mode == RESUME_FROM_HERE || is_beyond_head(leader)) {
        return answer_from_here(leader, entry);
    }
    answer_adopt(leader, entry);
    return true;
}

/* The leader and the pointer: start-up comparison (R21), the swap (R11, R12), the watch without CAS
 * (R14). */
#include <stdio.h>

#include "core/coord/leader_state.h"

const char *leader_expected_pointer(const struct message_commit *head, bool published)
{
    if (head == NULL) {
        return NULL;
    }
    if (head->has_snapshot && !published) {
        return head->snapshot.base;
    }
    return head->pointer_now != NULL || !head->has_snapshot ? head->pointer_now
                                                            : head->snapshot.pointer;
}

static bool is_earlier(const struct leader *leader, const struct message_commit *head)
{
    for (size_t i = 0; head != NULL && i < head->earlier_pointer_count; i++) {
        if (leader_pointer_is(leader, head->earlier_pointers[i])) {
            return true;
        }
    }
    return false;
}

static void append_adopted(struct leader *leader, const struct message_commit *commit)
{
    struct message messages[2] = {
        {.kind = MESSAGE_COMMIT, .commit = *commit},
        {.kind = MESSAGE_PUBLISHED,
         .published = {.term = (uint64_t)leader->term,
                       .build = commit->snapshot.build,
                       .run_id = commit->snapshot.run_id,
                       .time_us = leader->now_us}},
    };
    leader_alert(leader, "the ledger does not know the published %s: goes on from its manifest",
                 commit->snapshot.run_id);
    leader_append(leader, FOR_RECORDS, messages, 2, NULL, 0);
}

/* What the pointer holds is neither of the head nor its base. */
static void explain_foreign(struct leader *leader, const struct message_commit *head)
{
    const struct leader_pointer *pointer = &leader->pointer.value;
    const char *other = leader_other_group(leader);
    if (other != NULL && !RULE_OFF(210)) {
        leader_hold(leader,
                    leader_text(leader,
                                "_CURRENT names %s of group %s, and this is group %s: set "
                                "another snapshot.store, or end group %s and take over with "
                                "`tidemark resume --adopt`",
                                pointer->run_id, other, leader->settings->group, other));
        return;
    }
    struct message_commit adopted;
    bool readable = leader_adopt(leader, &adopted);
    if (readable && !pointer->newer_manifest && (head == NULL || leader_descends(head, &adopted))) {
        append_adopted(leader, &adopted);
        return;
    }
    if (head == NULL && pointer->newer_manifest) {
        leader_hold(
            leader,
            leader_text(leader, "the ledger is empty, the pointer names %s, and %s is newer",
                        pointer->missing ? "nothing" : pointer->run_id, pointer->newer_run_id));
        return;
    }
    leader_hold(leader,
                leader_text(leader, "the ledger says %s, the pointer names %s",
                            head == NULL || !head->has_snapshot ? "nothing" : head->snapshot.run_id,
                            pointer->missing ? "nothing" : pointer->run_id));
}

/* Once a term, before anything is decided. */
bool leader_duty_compare(struct leader *leader)
{
    if (leader->compared) {
        return false;
    }
    if (!leader->pointer.known) {
        leader_does(leader, "looks at the pointer");
        leader_ask_pointer(leader);
        return true;
    }
    if (fold_hold(leader->fold) != NULL || fold_resume(leader->fold) != NULL) {
        leader->compared = true; /* a person has the word */
        return false;
    }
    const struct message_commit *head = fold_head(leader->fold);
    bool published = fold_head_published(leader->fold);
    bool agrees = false;
    if (head == NULL) {
        agrees = leader->pointer.value.missing && !leader->pointer.value.newer_manifest;
    } else {
        agrees = leader_pointer_is(leader, leader_expected_pointer(head, published)) ||
                 (!published && leader_pointer_is(leader, head->snapshot.pointer)) ||
                 (!leader->settings->store_cas && is_earlier(leader, head));
    }
    if (agrees || RULE_OFF(21)) {
        leader->compared = true;
        return false;
    }
    /* what this appends is on record when the duty comes again, and then they agree, or a person
     * has the word */
    explain_foreign(leader, head);
    return true;
}

static void append_published(struct leader *leader, const struct message_commit *head)
{
    struct message message = {.kind = MESSAGE_PUBLISHED,
                              .published = {.term = (uint64_t)leader->term,
                                            .build = head->snapshot.build,
                                            .run_id = head->snapshot.run_id,
                                            .time_us = leader->now_us}};
    leader_append_one(leader, &message);
    if (head->snapshot.manifest_ref[0] != '\0') { /* else it was adopted: whoever made it said so */
        leader_run_record(leader, head->snapshot.run_id, RUN_SUCCEEDED, head->snapshot.manifest_ref,
                          "");
    }
    leader->failures = 0;
}

static void swap(struct leader *leader, const struct message_commit *head)
{
    struct leader_command *command = leader_ask(leader, LEADER_SWAP_POINTER, FOR_SWAP);
    struct arena *arena = leader->out->arena;
    const struct leader_pointer *pointer = &leader->pointer.value;
    command->swap.bytes = arena_copy(arena, bytes_of_text(head->snapshot.pointer));
    command->swap.create_only = pointer->missing && leader->settings->store_cas;
    command->swap.if_match = pointer->missing || !leader->settings->store_cas
                                 ? NULL
                                 : arena_text(arena, bytes_of_text(pointer->etag));
    leader_trace(leader, "swap to %s if %s", head->snapshot.run_id,
                 command->swap.if_match == NULL ? "missing" : command->swap.if_match);
    leader->pointer.known = false; /* whatever the answer: look again (R12) */
}

/* Of the committed chain, oldest first; the last is the head's. */
static struct commit_pending manifest_at(const struct message_commit *head, size_t index)
{
    return index < head->pending_count
               ? head->pending[index]
               : (struct commit_pending){.run_id = head->snapshot.run_id,
                                         .staged_url = head->snapshot.staged_url,
                                         .manifest_ref = head->snapshot.manifest_ref,
                                         .sha256 = head->snapshot.sha256};
}

/* The next manifest of the committed chain that is not known to be listed. */
static bool put_next_manifest(struct leader *leader, const struct message_commit *head)
{
    if (strcmp(leader->manifests_of, head->snapshot.run_id) != 0) {
        leader_set_name(leader->manifests_of, head->snapshot.run_id);
        leader->manifests_put = 0;
        leader->pointer.known = false;
    }
    struct commit_pending manifest = manifest_at(head, leader->manifests_put);
    /* one that was adopted has none to be put: the pointer named it, so its manifest is listed, and
     * only its PUBLISHED was lost with the end of the ledger (R21) */
    while (leader->manifests_put <= head->pending_count && manifest.staged_url[0] == '\0') {
        leader->manifests_put++;
        manifest = manifest_at(head, leader->manifests_put);
    }
    if (leader->manifests_put > head->pending_count) {
        return false;
    }
    struct arena *arena = leader->out->arena;
    struct leader_command *command = leader_ask(leader, LEADER_PUT_MANIFEST, FOR_MANIFEST);
    command->manifest = (struct commit_pending){
        .run_id = arena_text(arena, bytes_of_text(manifest.run_id)),
        .staged_url = arena_text(arena, bytes_of_text(manifest.staged_url)),
        .manifest_ref = arena_text(arena, bytes_of_text(manifest.manifest_ref)),
        .sha256 = arena_text(arena, bytes_of_text(manifest.sha256))};
    return true;
}

/* Only what the ledger says, read back, and only without a HOLD below it (R20). Manifests first,
 * then the pointer, in a loop: GET; our bytes: done; the base: PUT; anything else: a person (R12).
 */
bool leader_duty_publish(struct leader *leader)
{
    const struct message_commit *head = fold_head(leader->fold);
    if (fold_head_published(leader->fold) || (fold_hold(leader->fold) != NULL && !RULE_OFF(20)) ||
        fold_resume(leader->fold) != NULL) {
        return false;
    }
    leader_does(leader, "publishes");
    if (put_next_manifest(leader, head)) {
        return true;
    }
    if (!leader->pointer.known) {
        leader_ask_pointer(leader);
        return true;
    }
    if (leader_pointer_is(leader, head->snapshot.pointer)) {
        append_published(leader, head);
    } else if (leader_pointer_is(leader, head->snapshot.base) || RULE_OFF(12) ||
               (!leader->settings->store_cas && is_earlier(leader, head) && !RULE_OFF(14))) {
        swap(leader, head);
    } else {
        leader_hold(
            leader,
            leader_text(leader, "the pointer names %s, which %s does not stand on",
                        leader->pointer.value.missing ? "nothing" : leader->pointer.value.run_id,
                        head->snapshot.run_id));
    }
    return true;
}

/* Without conditional writes a late write of a leader long gone can put the pointer back (R14). */
bool leader_duty_watch(struct leader *leader)
{
    const struct message_commit *head = fold_head(leader->fold);
    if (leader->settings->store_cas || head == NULL || !head->has_snapshot ||
        !fold_head_published(leader->fold) || fold_hold(leader->fold) != NULL ||
        fold_resume(leader->fold) != NULL) {
        return false;
    }
    if (!leader->pointer.known ||
        leader->now_us - leader->pointer.asked_us >= leader->settings->pointer_check_us) {
        leader_ask_pointer(leader);
        return true;
    }
    if (leader_pointer_is(leader, leader_expected_pointer(head, true))) {
        return false;
    }
    if (is_earlier(leader, head) && head->pointer_now == NULL && !RULE_OFF(14)) {
        leader_trace(leader, "repairs the pointer");
        swap(leader, head);
    } else {
        leader_hold(
            leader,
            leader_text(leader, "the pointer names %s, and %s was published",
                        leader->pointer.value.missing ? "nothing" : leader->pointer.value.run_id,
                        head->snapshot.run_id));
    }
    return true;
}

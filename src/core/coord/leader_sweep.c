/* What landed in the store when nobody looked for it any more. */
#include <stdio.h>

#include "core/coord/leader_state.h"
#include "core/snapshot/names.h"

/* What happens: a member sleeps, or its network does; its build is committed without it, or given
 * up; the run is cleaned up; then it wakes, and an upload that was under way lands. No record names
 * it, and nobody will ever ask for it. So the whole folder of the runs is listed now and then,
 * which the usual clean-up after each build spares.
 *
 * Why it is safe: a run whose build is not above the head's can only be read when a manifest names
 * it, and all manifests up to a head that is settled are listed (R11). What was built beside a
 * manifest's winners is read by nobody (R16). As all deletes it is condemned first, and looked at
 * again then (R10, R15). */

enum {
    FIRST_US = 600 * 1000 * 1000, /* of a term, at the latest: terms may be short */
    CONDEMNED_A_TIME = 200,
};

bool leader_duty_sweep(struct leader *leader)
{
    int64_t every = leader->settings->sweep_every_us;
    if (leader->sweep_due_us == 0) {
        leader->sweep_due_us = leader->now_us + (every < FIRST_US ? every : FIRST_US);
    }
    const struct message_commit *head = leader_settled_head(leader);
    if (leader->now_us < leader->sweep_due_us || head == NULL || !head->has_snapshot) {
        return false;
    }
    if (!leader->pointer.known) {
        leader_ask_pointer(leader);
        return true;
    }
    leader->sweep_due_us = leader->now_us + every;
    leader_ask(leader, LEADER_LIST_LEFTOVERS, FOR_LEFTOVERS)->leftovers.build = head->build;
    return true;
}

/* A run of the open build, or one that a record still names, has its own clean-up. */
static bool may_go(const struct leader *leader, const struct message_commit *head,
                   const struct leader_leftover *left)
{
    char key[KEY_TEXT_MAX];
    if (!message_name_ok(left->run_id)) {
        return false;
    }
    uint64_t build = names_build_of_run(left->run_id);
    snprintf(key, sizeof key, "condemn/%s", left->run_id);
    if (build == 0 || build > head->build || fold_find(leader->fold, key) != NULL) {
        return false;
    }
    snprintf(key, sizeof key, "plan/%s", left->run_id);
    return left->url != NULL ||
           (fold_find(leader->fold, key) == NULL && !leader_needs_run(leader, left->run_id));
}

void leader_leftovers(struct leader *leader, const struct leader_leftover *list, size_t count)
{
    const struct message_commit *head = leader_settled_head(leader);
    if (head == NULL) {
        return; /* somebody holds meanwhile; the next time */
    }
    struct message *messages = arena_zero(leader->out->arena, CONDEMNED_A_TIME * sizeof *messages);
    size_t condemned = 0;
    for (size_t i = 0, end = 0; i < count && condemned < CONDEMNED_A_TIME; i = end) {
        const struct leader_leftover *left = &list[i];
        const char **objects = arena_alloc(leader->out->arena, OBJECTS_A_TIME * sizeof(char *));
        size_t object_count = 0;
        for (end = i; end < count && strcmp(list[end].run_id, left->run_id) == 0; end++) {
            if (list[end].url != NULL && object_count < OBJECTS_A_TIME) {
                objects[object_count++] = list[end].url;
            }
        }
        if (may_go(leader, head, left)) {
            messages[condemned++] = leader_condemn_of(leader, left->run_id, objects, object_count,
                                                      "left over by somebody who came too late");
        }
    }
    if (condemned > 0) {
        leader_append(leader, FOR_RECORDS, messages, condemned, NULL, 0);
    }
}

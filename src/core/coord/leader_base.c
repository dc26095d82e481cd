/* What a state is made on: the head's snapshot, and whether its shards can be taken over (R6). */
#include "core/coord/leader_state.h"

static bool are_integers(const char *keys)
{
    return strcmp(keys, "u64be") == 0 || strcmp(keys, "u32be") == 0;
}

/* "dim 3" of "dim 3, cosine"; "none". */
static bool same_dim(const char *a, const char *b)
{
    size_t size = strcspn(a, ",");
    return size == strcspn(b, ",") && strncmp(a, b, size) == 0;
}

static bool has_vectors(const struct state_shape *shape)
{
    return shape->vectors != NULL && strcmp(shape->vectors, "none") != 0;
}

/* Rows keep their vectors, and lose them where there are to be none; nobody can give them others.
 */
static bool vectors_fit(const struct state_shape *mine, const struct state_shape *theirs)
{
    return theirs->vectors == NULL || !has_vectors(mine) ||
           same_dim(mine->vectors, theirs->vectors);
}

/* A state has the keys of all that was ever read, and of older rows there are only key and value.
 */
static const char *unfit(struct leader *leader, const struct commit_snapshot *snapshot)
{
    const struct state_shape *mine = &leader->settings->shape;
    const struct state_shape *theirs = &snapshot->state;
    if (!snapshot->is_state) {
        return leader_text(leader,
                           "snapshot %s holds a window, and no state can be made of it: begin a "
                           "new one with another group and another snapshot.store, or set "
                           "snapshot.contents to \"window\" again",
                           snapshot->run_id);
    }
    if (are_integers(mine->keys) != are_integers(theirs->keys)) {
        return leader_text(leader,
                           "the keys of snapshot %s are %s and cannot become %s: begin a new one "
                           "with another group and another snapshot.store",
                           snapshot->run_id, theirs->keys, mine->keys);
    }
    if (strcmp(mine->routing, theirs->routing) != 0 && !leader->settings->routes_by_key) {
        return leader_text(leader,
                           "snapshot %s is divided by %s, and its rows have no columns to divide "
                           "them by %s: begin a new one with another group and another "
                           "snapshot.store",
                           snapshot->run_id, theirs->routing, mine->routing);
    }
    if (!vectors_fit(mine, theirs)) {
        return leader_text(leader,
                           "the vectors of snapshot %s are %s, and its rows cannot be given any of "
                           "%s: begin a new one with another group and another snapshot.store",
                           snapshot->run_id, theirs->vectors, mine->vectors);
    }
    return NULL;
}

bool leader_base_fits(struct leader *leader, const char **out_why)
{
    const struct message_commit *head = fold_head(leader->fold);
    if (leader->settings->contents != CONTENTS_STATE || head == NULL || !head->has_snapshot) {
        return true;
    }
    *out_why = unfit(leader, &head->snapshot);
    return *out_why == NULL;
}

/* R5, R6: never what the pointer names: an operator may have left it anywhere. */
static void fill_base(const struct leader *leader, const struct commit_snapshot *snapshot,
                      struct plan_base *base)
{
    *base = (struct plan_base){.run_id = snapshot->run_id,
                               .time_us = snapshot->time_us,
                               .staged_url = snapshot->staged_url,
                               .num_dbs = snapshot->num_dbs};
    if (RULE_OFF(60) && leader->pointer.known && leader->pointer.value.run_id[0] != '\0') {
        base->run_id = leader->pointer.value.run_id;
        base->time_us = leader->pointer.value.manifest_time_us;
        base->staged_url = "";
    }
}

void leader_base(struct leader *leader, struct message_plan *plan)
{
    const struct message_commit *head = fold_head(leader->fold);
    if (leader->settings->contents != CONTENTS_STATE || head == NULL || !head->has_snapshot ||
        RULE_OFF(6)) {
        return;
    }
    const struct state_shape *mine = &leader->settings->shape;
    const struct state_shape *theirs = &head->snapshot.state;
    plan->has_base = true;
    fill_base(leader, &head->snapshot, &plan->base);
    plan->base.whole =
        plan->shard_count != head->snapshot.num_dbs || strcmp(mine->keys, theirs->keys) != 0 ||
        strcmp(mine->routing, theirs->routing) != 0 || strcmp(mine->files, theirs->files) != 0 ||
        strcmp(mine->order, theirs->order) != 0 ||
        (mine->vectors != NULL && theirs->vectors != NULL &&
         strcmp(mine->vectors, theirs->vectors) != 0);
}

static const char *shape_words(struct leader *leader, const struct state_shape *shape,
                               size_t shards)
{
    return leader_text(
        leader, "%zu shards, %s, %s, %s, %s%s%s", shards, shape->keys, shape->routing, shape->files,
        shape->order[0] == '\0' ? "order by build" : "exact order",
        shape->vectors == NULL ? "" : ", vectors: ", shape->vectors == NULL ? "" : shape->vectors);
}

void leader_tell_base(struct leader *leader, const struct message_plan *plan)
{
    const struct message_commit *head = fold_head(leader->fold);
    if (!plan->has_base || !plan->base.whole) {
        return;
    }
    leader_alert(leader,
                 "build %llu makes the whole state anew: snapshot %s has %s; now they are %s",
                 (unsigned long long)plan->build, head->snapshot.run_id,
                 shape_words(leader, &head->snapshot.state, head->snapshot.num_dbs),
                 shape_words(leader, &leader->settings->shape, plan->shard_count));
}

/* The pointer as it was seen last: what it holds, and the snapshot of ours that it names. */
#include "core/coord/leader_state.h"
#include "core/snapshot/lineage.h"

bool leader_pointer_is(const struct leader *leader, const char *bytes)
{
    const struct leader_pointer *pointer = &leader->pointer.value;
    if (bytes == NULL || pointer->missing) {
        return bytes == NULL && pointer->missing;
    }
    return bytes_equal(pointer->bytes, bytes_of_text(bytes));
}

bool leader_adopt(struct leader *leader, struct message_commit *out)
{
    const struct leader_pointer *pointer = &leader->pointer.value;
    if (pointer->missing || pointer->lineage.size == 0) {
        return false;
    }
    struct arena *arena = leader->out->arena;
    const char *ledger = "";
    struct err err = {0};
    if (!message_lineage_decode(pointer->lineage, arena, out, &ledger, &err)) {
        leader_trace(leader, "lineage: %s", err.message);
        return false;
    }
    const struct message_commit *head = fold_head(leader->fold);
    out->term = (uint64_t)leader->term;
    out->snapshot.pointer = arena_text(arena, pointer->bytes);
    out->resume_offset = head == NULL ? 0 : head->resume_offset;
    return true;
}

const char *leader_other_group(struct leader *leader)
{
    const struct leader_pointer *pointer = &leader->pointer.value;
    struct lineage_maker maker;
    struct err err = {0};
    if (leader->settings->group[0] == '\0' || pointer->missing || pointer->lineage.size == 0) {
        return NULL;
    }
    if (!lineage_maker(pointer->lineage, leader->out->arena, &maker, &err)) {
        leader_trace(leader, "lineage: %s", err.message);
        return NULL;
    }
    bool other = maker.group[0] != '\0' && strcmp(maker.group, leader->settings->group) != 0;
    return other ? maker.group : NULL;
}

bool leader_descends(const struct message_commit *head, const struct message_commit *adopted)
{
    if (adopted->build <= head->build) {
        return false;
    }
    if (strcmp(adopted->parent, head->run_id) == 0) {
        return true;
    }
    return head->has_snapshot &&
           leader_has_text(adopted->ancestors, adopted->ancestor_count, head->snapshot.run_id);
}

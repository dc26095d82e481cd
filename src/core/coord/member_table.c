/* The partitions that a member has something to do with, sorted. */
#include <stdlib.h>

#include "core/coord/member_state.h"

struct held_partition *member_find(struct member *member, struct partition_id id)
{
    for (size_t i = 0; i < member->partition_count; i++) {
        if (partition_id_compare(member->partitions[i].id, id) == 0) {
            return &member->partitions[i];
        }
    }
    return NULL;
}

static struct held_partition *add_partition(struct member *member, struct partition_id id)
{
    if (member->partition_count == member->partition_capacity) {
        member->partition_capacity =
            member->partition_capacity == 0 ? 8 : member->partition_capacity * 2;
        member->partitions =
            realloc(member->partitions, member->partition_capacity * sizeof *member->partitions);
        CHECK(member->partitions != NULL);
    }
    size_t at = member->partition_count;
    while (at > 0 && partition_id_compare(member->partitions[at - 1].id, id) > 0) {
        member->partitions[at] = member->partitions[at - 1];
        at--;
    }
    member->partition_count++;
    char *topic = strdup(id.topic);
    CHECK(topic != NULL);
    member->partitions[at] = (struct held_partition){
        .id = {.topic = topic, .number = id.number}, .adopting = -1, .adopted_up_to = -1};
    return &member->partitions[at];
}

struct held_partition *member_find_or_add(struct member *member, struct partition_id id)
{
    struct held_partition *partition = member_find(member, id);
    if (partition == NULL && member->partition_count == PARTITIONS_MAX) {
        if (!member->full_said) {
            member->full_said = true;
            member_alert(member, "%s/%d is not read: a member has at most %d partitions", id.topic,
                         id.number, PARTITIONS_MAX);
        }
        return NULL;
    }
    return partition == NULL ? add_partition(member, id) : partition;
}

void member_remove(struct member *member, size_t index)
{
    free((char *)member->partitions[index].id.topic); /* our own copy */
    member->partition_count--;
    memmove(&member->partitions[index], &member->partitions[index + 1],
            (member->partition_count - index) * sizeof *member->partitions);
}

void member_partitions_done(struct member *member)
{
    while (member->partition_count > 0) {
        member_remove(member, member->partition_count - 1);
    }
    free(member->partitions);
}

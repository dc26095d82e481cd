/* For how long partitions of ours have had something to read and stood still. */
#include "consumer/status/status_standing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct status_standing_partition *find(const struct status_standing *standing,
                                              struct partition_id id)
{
    for (size_t i = 0; i < standing->count; i++) {
        if (standing->list[i].number == id.number &&
            strcmp(standing->list[i].topic, id.topic) == 0) {
            return &standing->list[i];
        }
    }
    return NULL;
}

void status_standing_done(struct status_standing *standing)
{
    free(standing->list);
    *standing = (struct status_standing){0};
}

static struct status_standing_partition *add(struct status_standing *standing,
                                             struct partition_id id)
{
    standing->list = realloc(standing->list, (standing->count + 1) * sizeof *standing->list);
    CHECK(standing->list != NULL);
    struct status_standing_partition *partition = &standing->list[standing->count++];
    *partition = (struct status_standing_partition){.number = id.number, .position = -1};
    snprintf(partition->topic, sizeof partition->topic, "%s", id.topic);
    return partition;
}

void status_standing_look(struct status_standing *standing, const struct group_status *group,
                          const char *member, int64_t now_us)
{
    for (size_t i = 0; i < group->partition_count; i++) {
        const struct group_status_partition *seen = &group->partitions[i];
        struct status_standing_partition *partition = find(standing, seen->id);
        if (partition == NULL) {
            partition = add(standing, seen->id);
        }
        bool ours = seen->owner != NULL && strcmp(seen->owner, member) == 0;
        if (!ours || seen->lag <= 0 || seen->position != partition->position) {
            partition->since_us = 0;
        } else if (partition->since_us == 0) {
            partition->since_us = now_us;
        }
        partition->position = seen->position;
    }
}

int64_t status_standing_us(const struct status_standing *standing, struct partition_id id,
                           int64_t now_us)
{
    const struct status_standing_partition *partition = find(standing, id);
    return partition == NULL || partition->since_us == 0 ? 0 : now_us - partition->since_us;
}

/* Who can build: members that live and have the settings of the build, whether they hold rows of it
 * or not. */
#include <stdlib.h>

#include "core/coord/leader_state.h"

static int compare_builders(const void *a, const void *b)
{
    return strcmp(((const struct leader_builder *)a)->name,
                  ((const struct leader_builder *)b)->name);
}

size_t leader_builders(const struct leader *leader, const char *fingerprint,
                       struct leader_builder *builders)
{
    size_t count = 0;
    size_t at = 0;
    const struct fold_entry *entry = NULL;
    while (count < MEMBERS_MAX &&
           (entry = fold_next(leader->fold, MESSAGE_PROGRESS, &at)) != NULL) {
        const struct message_progress *progress = &entry->message.progress;
        if (leader_is_alive(leader, progress->member, 0) &&
            strcmp(progress->fingerprint, fingerprint) == 0) {
            builders[count++] = (struct leader_builder){.name = progress->member,
                                                        .incarnation = progress->incarnation};
        }
    }
    qsort(builders, count, sizeof *builders, compare_builders);
    return count;
}

bool leader_can_gather(const struct leader *leader, const struct message_plan *plan,
                       const struct leader_builder *builder)
{
    for (size_t i = 0; i < plan->contribution_count; i++) {
        const struct plan_contribution *from = &plan->contributions[i];
        bool own = strcmp(from->member, builder->name) == 0 &&
                   from->incarnation == builder->incarnation;
        if (!own && fold_part(leader->fold, plan->build, from->member, from->incarnation,
                              from->ranges, from->range_count) == NULL) {
            return false;
        }
    }
    return true;
}

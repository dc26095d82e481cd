/* Rows that were handed over from member to member: when nobody wants them any more. */
#include "core/coord/leader_state.h"

size_t leader_find_handovers(struct leader *leader, const struct message_commit *head,
                             const char **objects, size_t *count, const char **keys)
{
    size_t key_count = 0;
    size_t at = 0;
    for (const struct fold_entry *entry = fold_next(leader->fold, MESSAGE_HANDOVER, &at);
         entry != NULL && *count < OBJECTS_A_TIME && key_count < OBJECTS_A_TIME;
         entry = fold_next(leader->fold, MESSAGE_HANDOVER, &at)) {
        if (entry->message.handover.build <= head->build) {
            const char *url = entry->message.handover.url;
            if (!leader_has_text(objects, *count, url)) {
                objects[(*count)++] = url;
            }
            keys[key_count++] = entry->key;
        }
    }
    return key_count;
}

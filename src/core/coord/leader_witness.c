/* The leader names a record of each topic in its CLOSE, so that all READYs are of one log (R9). */
#include "core/coord/leader_state.h"

/* Before the head has one: what was said last, because those who live say it again and again. */
static const struct topic_witness *said_of(const struct leader *leader, const char *topic)
{
    const struct topic_witness *found = NULL;
    size_t at = 0;
    for (const struct fold_entry *entry = fold_next(leader->fold, MESSAGE_PROGRESS, &at);
         entry != NULL; entry = fold_next(leader->fold, MESSAGE_PROGRESS, &at)) {
        const struct message_progress *progress = &entry->message.progress;
        bool counts = strcmp(progress->fingerprint, leader->settings->fingerprint) == 0;
        for (size_t i = 0; counts && i < progress->witness_count; i++) {
            if (strcmp(progress->witnesses[i].id.topic, topic) == 0) {
                found = &progress->witnesses[i];
            }
        }
    }
    return found;
}

const struct topic_witness *leader_witnesses(struct leader *leader,
                                             const struct message_close *close, size_t *out_count)
{
    struct topic_witness *list =
        arena_zero(leader->out->arena, (close->topic_count + 1) * sizeof *list);
    size_t count = 0;
    for (size_t i = 0; i < close->topic_count && !RULE_OFF(98); i++) {
        const char *topic = close->topics[i].name;
        const struct commit_partition *head =
            message_commit_witness(fold_head(leader->fold), topic);
        const struct topic_witness *said = head == NULL ? said_of(leader, topic) : NULL;
        if (head != NULL) {
            list[count++] = (struct topic_witness){head->id, head->witness};
        } else if (said != NULL) {
            list[count++] = *said;
        }
    }
    *out_count = count;
    return list;
}

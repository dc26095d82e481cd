/* A few records are kept in mind, so that a topic which was made again is noticed. */
#include <stdlib.h>
#include <string.h>

#include "consumer/intake_state.h"

static struct witness witness_of(const struct source_message *message)
{
    static const uint8_t nothing[1] = {0};
    struct bytes key =
        bytes_of(message->key.size == 0 ? nothing : message->key.data, message->key.size);
    struct bytes value =
        bytes_of(message->value.size == 0 ? nothing : message->value.data, message->value.size);
    return (struct witness){
        .offset = message->offset,
        .hash = witness_hash(message->timestamp_ms, message->has_key ? key : bytes_of(NULL, 0),
                             message->has_value ? value : bytes_of(NULL, 0)),
    };
}

static bool made_again(const struct intake_partition *partition, int64_t offset, struct err *err)
{
    bool head = offset == partition->head_witness && partition->head_witness_run != NULL;
    return err_set(err, ERR_SETTINGS,
                   "%s[%d] has another record at offset %lld than %s%s: the topic was deleted and "
                   "made again, or the log was truncated. Nothing of it is used; go on with "
                   "another `group`",
                   partition->topic, (int)partition->number, (long long)offset,
                   head ? "the one on record by run " : "the one that this member has read",
                   head ? partition->head_witness_run : "");
}

bool intake_compare(const struct intake_partition *partition, const struct source_message *message,
                    struct err *err)
{
    const struct witness *known = witness_at(&partition->witnesses, message->offset);
    return known == NULL || known->hash == witness_of(message).hash ||
           made_again(partition, message->offset, err);
}

void intake_keep_witness(struct intake_partition *partition, const struct source_message *message)
{
    if (partition->owned && partition->number == message->partition &&
        partition->topic_index == message->topic && message->offset >= partition->compare_below &&
        message->offset < partition->position) {
        bool kept = witness_add(&partition->witnesses, witness_of(message));
        CHECK(kept); /* it is above all that are known */
        partition->compare_below = message->offset + 1;
    }
}

bool intake_start_witnesses(struct intake_partition *partition, const struct intake_head *head,
                            struct err *err)
{
    free(partition->head_witness_run);
    partition->head_witness_run = NULL;
    partition->head_witness = -1;
    if (head->has_witness) {
        partition->head_witness = head->witness.offset;
        partition->head_witness_run = head->run == NULL ? NULL : strdup(head->run);
        if (!witness_add(&partition->witnesses, head->witness)) {
            return made_again(partition, head->witness.offset, err);
        }
    }
    partition->compare_below = intake_witness_below(partition, INT64_MAX) + 1;
    return true;
}

int64_t intake_witness_below(const struct intake_partition *partition, int64_t offset)
{
    const struct witness *found = witness_below(&partition->witnesses, offset);
    return found == NULL ? -1 : found->offset;
}

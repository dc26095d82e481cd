/* A few records are kept in mind, so that a topic which was made again is noticed. */
#include <stdlib.h>
#include <string.h>

#include "consumer/intake/intake_state.h"

struct made_again_log intake_log_of(const struct intake_partition *partition)
{
    return (struct made_again_log){.topic = partition->topic,
                                   .number = partition->number,
                                   .head_witness = partition->head_witness,
                                   .head_hash = partition->head_hash,
                                   .head_run = partition->head_witness_run};
}

bool intake_compare(const struct intake_partition *partition, const struct source_message *message,
                    struct err *err)
{
    const struct witness *known = witness_at(&partition->witnesses, message->offset);
    struct made_again_log log = intake_log_of(partition);
    return known == NULL || made_again_compare(&log, *known, message, err);
}

void intake_keep_witness(struct intake_partition *partition, const struct source_message *message)
{
    bool outside = message->offset >= partition->compare_below ||
                   witness_is_first(&partition->witnesses, message->offset);
    if (outside && partition->owned && partition->number == message->partition &&
        partition->topic_index == message->topic && message->offset < partition->position) {
        bool kept = witness_add(&partition->witnesses, made_again_witness(message));
        CHECK(kept); /* it is above or below all that are known */
        if (partition->compare_below <= message->offset) {
            partition->compare_below = message->offset + 1;
        }
    }
}

static void set_head(struct intake_partition *partition, const struct witness *witness,
                     const char *run)
{
    free(partition->head_witness_run);
    partition->head_witness = witness == NULL ? -1 : witness->offset;
    partition->head_hash = witness == NULL ? 0 : witness->hash;
    partition->head_witness_run = witness == NULL || run == NULL ? NULL : strdup(run);
}

void intake_forget_witnesses(struct intake_partition *partition, const struct member_forget *forget,
                             const char *run)
{
    if (forget->has_witness) {
        /* What is held begins at tail_from: the oldest must stay that tells of what log it is. */
        witness_forget_below(&partition->witnesses, forget->tail_from);
        /* One that another member has read. If it is another one than ours, one of us has read
         * another log: the next look, which compares both, says so. */
        (void)witness_add(&partition->witnesses, forget->witness);
        set_head(partition, &forget->witness, run);
        if (partition->compare_below <= forget->witness.offset) { /* we are not there yet */
            partition->compare_below = forget->witness.offset + 1;
        }
    }
}

bool intake_start_witnesses(struct intake_partition *partition, const struct intake_head *head,
                            struct err *err)
{
    set_head(partition, head->has_witness ? &head->witness : NULL, head->run);
    if (head->has_witness) {
        if (!witness_add(&partition->witnesses, head->witness)) {
            struct made_again_log log = intake_log_of(partition);
            return made_again_differ(&log, head->witness.offset, err);
        }
    }
    const struct witness *newest = witness_below(&partition->witnesses, INT64_MAX);
    partition->compare_below = newest == NULL ? 0 : newest->offset + 1;
    return true;
}

bool intake_is_too_short(const struct intake_partition *partition)
{
    return partition->state != DATA_READING && partition->position <= partition->head_witness &&
           partition->high <= partition->head_witness;
}

/* The account of a build: every record of every partition is somewhere, or the build stops (R1). */
#include "core/coord/leader_state.h"

static struct commit_partition *find_mine(struct commit_partition *list, size_t count,
                                          struct partition_id id)
{
    size_t low = 0;
    size_t high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = partition_id_compare(list[middle].id, id);
        if (order == 0) {
            return &list[middle];
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

/* What the winners stored, by partition. False: one names a partition that the build does not have.
 */
static bool add_winners(struct leader *leader, const struct message_plan *plan,
                        struct commit_partition *list, size_t count, const char **out_why)
{
    for (uint32_t i = 0; plan != NULL && i < plan->shard_count; i++) {
        const struct message_attempt *winner =
            plan->shards[i].builder < 0 ? NULL : leader_winner(leader, plan, i);
        for (size_t j = 0; winner != NULL && j < winner->partition_count; j++) {
            const struct attempt_partition *said = &winner->partitions[j];
            struct commit_partition *mine = find_mine(list, count, said->id);
            if (mine == NULL && said->stored + said->superseded + said->tombstones == 0) {
                continue;
            }
            if (mine == NULL) {
                *out_why =
                    leader_text(leader, "shard %u has rows of %s/%d, which is not in the build", i,
                                said->id.topic, said->id.number);
                return false;
            }
            mine->account.stored += said->stored;
            mine->account.superseded += said->superseded;
            mine->account.tombstones += said->tombstones;
        }
    }
    return true;
}

static uint64_t right_side(const struct account *account)
{
    return account->stored + account->superseded + account->tombstones + account->late +
           account->future + account->rejected + account->filtered + account->carried_out;
}

/* carried_in of a build equals carried_out of the head, but for what a SKIP lost, and for what
 * other settings make of the same records: that is for an operator to decide. */
static bool check_balance(struct leader *leader, const struct leader_share *share,
                          struct commit_partition *mine, const struct message_commit *head,
                          bool same_settings, struct leader_accounting *said)
{
    const struct commit_partition *before = message_commit_partition(head, mine->id);
    uint64_t head_carried_out = before == NULL ? 0 : before->account.carried_out;
    struct account *account = &mine->account;
    if (account->read + account->carried_in != right_side(account)) {
        said->why = leader_text(
            leader, "%s/%d: %llu read and %llu carried in, but %llu accounted for", mine->id.topic,
            mine->id.number, (unsigned long long)account->read,
            (unsigned long long)account->carried_in, (unsigned long long)right_side(account));
        return false;
    }
    if (share->skip != NULL && account->carried_in < head_carried_out) {
        account->skipped = head_carried_out - account->carried_in;
    }
    if (account->carried_in + account->skipped == head_carried_out) {
        return true;
    }
    const char *text =
        leader_text(leader, "%s/%d: %llu carried in, and the head carried out %llu", mine->id.topic,
                    mine->id.number, (unsigned long long)account->carried_in,
                    (unsigned long long)head_carried_out);
    if (same_settings) {
        said->why = text;
        return false;
    }
    if (said->changed == NULL) {
        said->changed = leader_text(
            leader, "the settings changed, and with them what is made of records that wait: %s",
            text);
    }
    return true;
}

bool leader_accounts(struct leader *leader, const struct message_close *close,
                     const struct leader_share *shares, const struct message_plan *plan,
                     struct commit_partition *out, struct leader_accounting *said_of)
{
    const struct message_commit *head = fold_head(leader->fold);
    *said_of = (struct leader_accounting){0};
    for (size_t i = 0; i < close->partition_count; i++) {
        const struct close_partition *partition = &close->partitions[i];
        const struct ready_partition *said = shares[i].partition;
        out[i] = (struct commit_partition){
            .id = partition->id, .tail_from = partition->cut, .cut = partition->cut};
        if (said != NULL) {
            out[i].tail_from = said->carried_out == 0 ? partition->cut : said->carried_from;
            out[i].account = (struct account){.read = said->read,
                                              .carried_in = said->carried_in,
                                              .late = said->late,
                                              .future = said->future,
                                              .rejected = said->rejected,
                                              .filtered = said->filtered,
                                              .carried_out = said->carried_out};
            out[i].has_witness = said->has_witness && !RULE_OFF(92);
            out[i].witness = said->witness;
        }
        const struct commit_partition *before = message_commit_partition(head, partition->id);
        if (!out[i].has_witness && before != NULL) {
            out[i].has_witness = before->has_witness;
            out[i].witness = before->witness;
        }
    }
    TRY(add_winners(leader, plan, out, close->partition_count, &said_of->why));
    bool same = head == NULL || strcmp(head->fingerprint, close->fingerprint) == 0;
    for (size_t i = 0; i < close->partition_count; i++) {
        if (!check_balance(leader, &shares[i], &out[i], head, same, said_of) && !RULE_OFF(11)) {
            return false;
        }
    }
    return true;
}

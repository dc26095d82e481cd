/* The member answers a CLOSE: SEAL when its positions have passed the cut, then READY; or REFUSED
 * (R8, R9). */
#include <stdio.h>

#include "core/coord/member_state.h"

static const struct close_partition *find_close(const struct message_close *close,
                                                struct partition_id id)
{
    for (size_t i = 0; i < close->partition_count; i++) {
        if (partition_id_compare(close->partitions[i].id, id) == 0) {
            return &close->partitions[i];
        }
    }
    return NULL;
}

/* The topic whose id in the CLOSE is another one than at the start of this member: "". */
static const char *made_again(const struct member *member, const struct message_close *close)
{
    for (size_t i = 0; i < close->topic_count; i++) {
        for (size_t j = 0; j < member->settings->topic_count; j++) {
            const struct message_topic *theirs = &close->topics[i];
            const struct message_topic *mine = &member->settings->topics[j];
            if (strcmp(theirs->name, mine->name) == 0 && theirs->id[0] != '\0' &&
                mine->id[0] != '\0' && strcmp(theirs->id, mine->id) != 0) {
                return mine->name;
            }
        }
    }
    return "";
}

static void refuse(struct member *member, const struct fold_entry *entry, const char *reason)
{
    if (member->refused_offset == entry->offset) {
        return;
    }
    member->refused_offset = entry->offset;
    member_alert(member, "refuses build %llu: %s", (unsigned long long)entry->message.close.build,
                 reason);
    member_does(member, "refuses build %llu: %s", (unsigned long long)entry->message.close.build,
                reason);
    struct message message = {.kind = MESSAGE_REFUSED,
                              .refused = {.member = member->name,
                                          .incarnation = member->incarnation,
                                          .build = entry->message.close.build,
                                          .fingerprint = member->settings->fingerprint,
                                          .reason = reason}};
    (void)member_send(member, &message);
}

/* Everything owned has come to its cut; and what was promised from an earlier assignment stays
 * promised, because a PLAN may name it. */
static bool choose(struct member *member, const struct message_close *close, bool again,
                   struct member_seal_partition *list, size_t *out_count)
{
    const struct message_commit *head = fold_head(member->fold);
    size_t count = 0;
    for (size_t i = 0; i < member->partition_count; i++) {
        struct held_partition *partition = &member->partitions[i];
        const struct close_partition *asked = find_close(close, partition->id);
        bool kept = again && partition->sealed;
        if (asked == NULL || asked->tail_from == asked->cut || (!partition->owned && !kept) ||
            partition->dropped) {
            continue;
        }
        if (!kept && (!partition->has_reading || partition->reading.position < asked->cut)) {
            member_does(member, "reads on to the cut of build %llu in %s/%d, %lld",
                        (unsigned long long)close->build, partition->id.topic, partition->id.number,
                        (long long)asked->cut);
            return false;
        }
        int64_t from = asked->tail_from;
        if (partition->reading.lost_to > from) {
            from = partition->reading.lost_to < asked->cut ? partition->reading.lost_to
                                                           : asked->cut;
        }
        struct cut_step *steps = NULL;
        size_t step_count = fold_steps(head, close, partition->id, member->out->arena, &steps);
        if (RULE_OFF(2) && step_count > 1) { /* planted: judged by the open CLOSE alone */
            steps = &steps[step_count - 1];
            step_count = 1;
        }
        list[count++] = (struct member_seal_partition){
            .id = partition->id,
            .from = from,
            .seen_end = asked->seen_end > from ? asked->seen_end : from,
            .to = asked->cut,
            .steps = steps,
            .step_count = step_count};
    }
    *out_count = count;
    return count > 0;
}

/* What the CLOSE names of the topics of these partitions. */
static const struct topic_witness *choose_witnesses(struct member *member,
                                                    const struct message_close *close,
                                                    const struct member_seal_partition *list,
                                                    size_t count, size_t *out_count)
{
    struct topic_witness *chosen =
        arena_zero(member->out->arena, (close->witness_count + 1) * sizeof *chosen);
    size_t found = 0;
    for (size_t i = 0; i < close->witness_count; i++) {
        size_t k = 0;
        while (k < count && strcmp(list[k].id.topic, close->witnesses[i].id.topic) != 0) {
            k++;
        }
        if (k < count) {
            chosen[found++] = close->witnesses[i];
        }
    }
    *out_count = found;
    return chosen;
}

static void mark_sealed(struct member *member, const struct member_seal_partition *list,
                        size_t count)
{
    for (size_t i = 0; i < member->partition_count; i++) {
        member->partitions[i].sealed = false;
    }
    for (size_t i = 0; i < count; i++) {
        member_find(member, list[i].id)->sealed = true;
    }
}

/* READY is owed for every open CLOSE on every assignment, until COMMIT (R8). */
void member_seal(struct member *member)
{
    const struct fold_entry *entry = fold_open_close(member->fold);
    if (entry == NULL || !member->caught_up || member->stopping) {
        return;
    }
    const struct message_close *close = &entry->message.close;
    if (strcmp(close->fingerprint, member->settings->fingerprint) != 0 && !RULE_OFF(9)) {
        refuse(member, entry, "its settings differ in what shapes content");
        return;
    }
    const char *topic = made_again(member, close);
    if (topic[0] != '\0') {
        refuse(member, entry, "a topic was deleted and made again");
        member_end(member,
                   "topic %s was deleted and made again: it is not the one that build %llu was "
                   "closed for. Nothing of it is used: go on with another `group` and "
                   "`snapshot.store`",
                   topic, (unsigned long long)close->build);
        return;
    }
    struct seal *seal = &member->seal;
    bool same_close = seal->close_offset == entry->offset;
    if (same_close && seal->assignment == member->assignment && (seal->asked || seal->done)) {
        return;
    }
    if (same_close && (seal->asked || member->now_us < seal->retry_us)) {
        return; /* the answer first; another CLOSE need not wait for the failure of this one */
    }
    struct member_seal_partition *list =
        arena_zero(member->out->arena, (member->partition_count + 1) * sizeof *list);
    size_t count = 0;
    bool again = seal->promised_offset == entry->offset && !(RULE_OFF(80) && !seal->done);
    if (!choose(member, close, again, list, &count)) {
        return;
    }
    seal->close_offset = entry->offset;
    seal->build = close->build;
    seal->number = ++member->seals;
    seal->assignment = member->assignment;
    seal->asked = true;
    mark_sealed(member, list, count);
    struct member_command *command = member_command(member, MEMBER_SEAL);
    command->seal.build = close->build;
    command->seal.seal = seal->number;
    command->seal.contents = close->contents;
    command->seal.partitions = list;
    command->seal.count = count;
    command->seal.witnesses =
        choose_witnesses(member, close, list, count, &command->seal.witness_count);
    member_trace(member, "seal build %llu, %zu partitions", (unsigned long long)close->build,
                 count);
    member_does(member, "seals build %llu", (unsigned long long)close->build);
}

/* What SEALED said, kept: READY may have to be said again. */
static void keep(struct member *member, const struct member_event *event)
{
    struct seal *seal = &member->seal;
    struct arena *arena = arena_new(4096);
    struct ready_partition *partitions =
        arena_zero(arena, (event->sealed.partition_count + 1) * sizeof *partitions);
    struct shard_size *shards = arena_zero(arena, (event->sealed.shard_count + 1) * sizeof *shards);
    struct token_size *tokens = arena_zero(arena, (event->sealed.token_count + 1) * sizeof *tokens);
    for (size_t i = 0; i < event->sealed.partition_count; i++) {
        partitions[i] = event->sealed.partitions[i];
        partitions[i].id.topic =
            arena_text(arena, bytes_of_text(event->sealed.partitions[i].id.topic));
        const struct held_partition *held = member_find(member, partitions[i].id);
        partitions[i].owned = held != NULL && held->owned;
    }
    if (event->sealed.shard_count > 0) {
        memcpy(shards, event->sealed.shards, event->sealed.shard_count * sizeof *shards);
    }
    for (size_t i = 0; i < event->sealed.token_count; i++) {
        tokens[i] = event->sealed.tokens[i];
        tokens[i].token = arena_text(arena, bytes_of_text(event->sealed.tokens[i].token));
    }
    arena_free(seal->arena);
    seal->arena = arena;
    seal->promised_offset = seal->close_offset;
    seal->partitions = partitions;
    seal->partition_count = event->sealed.partition_count;
    seal->shards = shards;
    seal->shard_count = event->sealed.shard_count;
    seal->tokens = tokens;
    seal->token_count = event->sealed.token_count;
}

static void say_ready(struct member *member)
{
    const struct seal *seal = &member->seal;
    struct message message = {.kind = MESSAGE_READY,
                              .ready = {.member = member->name,
                                        .incarnation = member->incarnation,
                                        .generation = member->generation,
                                        .build = seal->build,
                                        .fingerprint = member->settings->fingerprint,
                                        .partitions = seal->partitions,
                                        .partition_count = seal->partition_count,
                                        .shards = seal->shards,
                                        .shard_count = seal->shard_count,
                                        .tokens = seal->tokens,
                                        .token_count = seal->token_count}};
    for (size_t i = 0; i < seal->partition_count; i++) {
        message.ready.rows += seal->partitions[i].rows;
    }
    for (size_t i = 0; i < seal->shard_count; i++) {
        message.ready.bytes += seal->shards[i].bytes;
    }
    (void)member_send(member, &message);
    member_does(member, "is ready for build %llu", (unsigned long long)seal->build);
}

void member_sealed(struct member *member, const struct member_event *event)
{
    struct seal *seal = &member->seal;
    if (!seal->asked || event->sealed.seal != seal->number) {
        return;
    }
    seal->asked = false;
    if (!event->sealed.ok) {
        member_alert(member, "build %llu cannot be sealed: %s", (unsigned long long)seal->build,
                     event->sealed.error);
        member_does(member, "cannot seal build %llu, and tries again: %s",
                    (unsigned long long)seal->build, event->sealed.error);
        seal->done = false;
        seal->retry_us = member->now_us + member_backoff(member, &seal->failures);
        return;
    }
    keep(member, event);
    seal->done = true;
    seal->failures = 0;
    const struct fold_entry *entry = fold_open_close(member->fold);
    if (entry != NULL && entry->offset == seal->close_offset) {
        say_ready(member);
    }
}

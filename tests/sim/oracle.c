/* Which rows a build has, told row by row from the source and the cuts alone. */
#include <stdlib.h>

#include "tests/sim/audit.h"

/* A row of the log that the chain's partition is of. */
static const struct sim_row *row_of(const struct world *world, const struct chain *chain, int32_t p,
                                    int64_t offset)
{
    return row_at(world, p, chain->again[p] ? offset + SIM_ROWS_MAX : offset);
}

void oracle_find_log(struct world *world, const struct commit_partition *said, int32_t p)
{
    struct chain *head = world->audit->head;
    if (!said->has_witness) {
        return;
    }
    bool again = witness_of(world, p, said->witness.offset).hash != said->witness.hash;
    if (head->has_log[p] && again != head->again[p]) {
        world_fail(world, "partition %d of a build is of another topic than those before", p);
    }
    head->has_log[p] = true;
    head->again[p] = again;
}

void oracle_compare_logs(struct world *world, const char *topic)
{
    const struct chain *head = world->audit->head;
    int32_t first = -1;
    for (int32_t p = 0; p < world->partition_count; p++) {
        if (!head->has_log[p] || strcmp(world->partitions[p].id.topic, topic) != 0) {
            continue;
        }
        first = first < 0 ? p : first;
        if (head->again[p] != head->again[first]) {
            world_fail(world, "partitions %d and %d of a build are of two topics of one name",
                       first, p);
        }
    }
}

size_t oracle_take_partition(struct world *world, const struct message_close *close,
                             const struct close_partition *asked, int32_t p)
{
    struct chain *head = world->audit->head;
    size_t stored = 0;
    for (int64_t o = 0; o < asked->cut; o++) {
        const struct sim_row *row = row_of(world, head, p, o);
        if (!row->exists || row->rejected || head->taken[p][o] != 0) {
            continue;
        }
        bool first = !head->judged[p][o];
        head->judged[p][o] = true;
        bool future = first && row->event_us > close->future_bound_us;
        bool closed = row->event_us < close->to_us || close->to_us == EVENT_TIME_HIGH;
        if (!future && !closed) {
            continue;
        }
        head->taken[p][o] = (uint16_t)close->build;
        bool late = !future && row->event_us < close->from_us && head->known[p];
        if (!late || world->settings.late == LATE_NEXT) {
            head->stored[p][o] = true;
            stored++;
        }
    }
    return stored;
}

/* Rows beat SKIP: it counts up to where the contribution that was taken begins. */
static int64_t skipped_to(const struct world *world, const struct message_commit *commit,
                          const struct close_partition *asked, const struct account *account)
{
    if (commit->kind == COMMIT_BUILD) {
        const struct fold_entry *plan = fold_open_plan(world->audit->fold);
        size_t count = plan == NULL ? 0 : plan->message.plan.skip_count;
        for (size_t i = 0; i < count; i++) {
            const struct plan_range *range = &plan->message.plan.skips[i].range;
            if (partition_id_compare(range->id, asked->id) == 0) {
                return range->to;
            }
        }
        return asked->tail_from;
    }
    size_t at = 0;
    int64_t to = asked->cut;
    bool found = false;
    const struct fold_entry *entry = fold_next(world->audit->fold, MESSAGE_READY, &at);
    for (; entry != NULL; entry = fold_next(world->audit->fold, MESSAGE_READY, &at)) {
        const struct message_ready *ready = &entry->message.ready;
        for (size_t i = 0; i < ready->partition_count && ready->build == commit->build; i++) {
            const struct ready_partition *said = &ready->partitions[i];
            if (partition_id_compare(said->id, asked->id) == 0 && said->to == asked->cut &&
                said->carried_in == account->carried_in && said->read == account->read &&
                said->carried_out == account->carried_out) {
                to = said->from < to ? said->from : to; /* the one that was taken, or as good */
                found = true;
            }
        }
    }
    return found ? to : asked->tail_from;
}

void oracle_skip(struct world *world, const struct message_commit *commit,
                 const struct close_partition *asked, const struct account *account, int32_t p)
{
    struct chain *head = world->audit->head;
    int64_t to = skipped_to(world, commit, asked, account);
    memset(head->skipped[p], 0, sizeof head->skipped[p]);
    /* the first build begins where the setting `start` said, when somebody looked first */
    for (int64_t o = fold_first_build(world->audit->fold) ? 0 : asked->tail_from; o < to; o++) {
        if (head->taken[p][o] == 0) {
            head->taken[p][o] = (uint16_t)commit->build;
            head->skipped[p][o] = true;
        }
    }
}

int64_t oracle_tail_of(const struct world *world, int32_t p, int64_t cut)
{
    return oracle_tail_in(world, world->audit->head, p, cut);
}

int64_t oracle_tail_in(const struct world *world, const struct chain *head, int32_t p, int64_t cut)
{
    for (int64_t o = 0; o < cut; o++) {
        const struct sim_row *row = row_of(world, head, p, o);
        if (row->exists && !row->rejected && head->taken[p][o] == 0) {
            return o;
        }
    }
    return cut;
}

/* What the newest snapshot of the chain must have: the rows of its build, and for a state (R6)
 * those of all builds before it, along this chain and no other. Marked in head->stored. */
static size_t expect_rows(struct world *world, size_t of_build)
{
    struct chain *head = world->audit->head;
    size_t expected = 0;
    for (int32_t p = 0; p < world->partition_count; p++) {
        for (int64_t o = 0; o < SIM_ROWS_MAX; o++) {
            head->state[p][o] = head->state[p][o] || head->stored[p][o];
            expected += head->state[p][o];
        }
    }
    if (world->settings.contents == CONTENTS_WINDOW) {
        return of_build;
    }
    memcpy(head->stored, head->state, sizeof head->stored);
    return expected;
}

/* Exactly the rows that the oracle stored, each once, are in the shards that the manifest names. */
void oracle_check_content(struct world *world, const struct message_commit *commit, size_t expected)
{
    const char *manifest = store_get(&world->store, commit->snapshot.staged_url);
    if (manifest == NULL) {
        world_fail(world, "COMMIT %s names a manifest that is not staged", commit->run_id);
        return;
    }
    struct chain *head = world->audit->head;
    expected = expect_rows(world, expected);
    size_t found = 0;
    const char *line = strchr(strchr(manifest, '\n') + 1, '\n') + 1;
    while (*line != '\0') {
        char url[200];
        snprintf(url, sizeof url, "%.*s", (int)strcspn(line, "\n"), line);
        line += strcspn(line, "\n") + 1;
        const char *text = store_get(&world->store, url);
        if (text == NULL) {
            world_fail(world, "COMMIT %s names %s, which is not there", commit->run_id, url);
            return;
        }
        while (*text != '\0') {
            char *end = NULL;
            long p = strtol(text, &end, 10);
            long o = strtol(end + 1, &end, 10);
            text = end + 1;
            if ((o >= SIM_ROWS_MAX) != head->again[p]) {
                world_fail(world, "%s has row %ld:%ld of another topic", commit->run_id, p,
                           o % SIM_ROWS_MAX);
                return;
            }
            o %= SIM_ROWS_MAX;
            if (!head->stored[p][o]) {
                world_fail(world,
                           "%s has row %ld:%ld, which is not of it or is there twice (build %u)",
                           commit->run_id, p, o, head->taken[p][o]);
                return;
            }
            head->stored[p][o] = false;
            found++;
        }
    }
    if (found != expected) {
        world_fail(world, "%s has %zu rows instead of %zu", commit->run_id, found, expected);
    }
}

void oracle_check_account(struct world *world, const struct commit_partition *said, int32_t p,
                          int64_t seen_end)
{
    uint64_t read = 0;
    for (int64_t o = seen_end; o < said->cut; o++) {
        read += row_of(world, world->audit->head, p, o)->exists &&
                !world->audit->head->skipped[p][o];
    }
    const struct account *account = &said->account;
    if (account->read != read) {
        world_fail(world, "partition %d: %llu records read instead of %llu", p,
                   (unsigned long long)account->read, (unsigned long long)read);
    }
    if (account->read + account->carried_in !=
        account->stored + account->superseded + account->tombstones + account->late +
            account->future + account->rejected + account->filtered + account->carried_out) {
        world_fail(world, "partition %d: the account does not balance", p);
    }
}

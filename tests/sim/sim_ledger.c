/* The ledger of the simulated world: transactions, fencing, markers that come late, compaction. */
#include <stdlib.h>

#include "tests/sim/world.h"

static struct sim_record *add_record(struct world *world, const char *key, const char *value,
                                     int txn)
{
    struct sim_ledger *ledger = &world->ledger;
    if (ledger->count == ledger->capacity) {
        ledger->capacity = ledger->capacity == 0 ? 256 : ledger->capacity * 2;
        ledger->records = realloc(ledger->records, ledger->capacity * sizeof *ledger->records);
        CHECK(ledger->records != NULL);
    }
    struct sim_record *record = &ledger->records[ledger->count++];
    *record = (struct sim_record){.offset = ledger->end++,
                                  .timestamp_us = world->now_us + world->broker_ahead_us,
                                  .key = strdup(key),
                                  .value = value == NULL ? NULL : strdup(value),
                                  .txn = txn,
                                  .decoded = value == NULL ? NULL : decoded_new(ledger)};
    return record;
}

int64_t ledger_append(struct world *world, const char *key, const char *value)
{
    return add_record(world, key, value, -1)->offset;
}

int64_t ledger_lso(const struct sim_ledger *ledger)
{
    /* only the newest transaction of the one id can be open */
    const struct sim_txn *txn = ledger->txn < 0 ? NULL : &ledger->txns[ledger->txn];
    bool open = txn != NULL && (txn->state == TXN_OPEN || txn->state == TXN_PREPARED);
    return open && txn->first < ledger->end ? txn->first : ledger->end;
}

static void end_txn(struct sim_ledger *ledger, struct sim_txn *txn, bool commit)
{
    txn->state = commit ? TXN_COMMITTED : TXN_ABORTED;
    ledger->end++; /* the marker */
}

static int new_txn(struct sim_ledger *ledger)
{
    if (ledger->txn_count == ledger->txn_capacity) {
        ledger->txn_capacity = ledger->txn_capacity == 0 ? 64 : ledger->txn_capacity * 2;
        ledger->txns = realloc(ledger->txns, ledger->txn_capacity * sizeof *ledger->txns);
        CHECK(ledger->txns != NULL);
    }
    ledger->txns[ledger->txn_count] = (struct sim_txn){.first = ledger->end};
    return (int)ledger->txn_count++;
}

bool ledger_init_transactions(struct world *world, struct sim_process *process)
{
    struct sim_ledger *ledger = &world->ledger;
    if (ledger->txn >= 0) {
        struct sim_txn *txn = &ledger->txns[ledger->txn];
        if (txn->state == TXN_PREPARED) {
            return false; /* decided: the broker finishes it first */
        }
        if (txn->state == TXN_OPEN) {
            end_txn(ledger, txn, false);
        }
    }
    process->epoch = ++ledger->epoch;
    return true;
}

static bool has_key(const struct world *world, const struct coord_record *records, size_t count)
{
    size_t size = strlen(world->story.append_key);
    for (size_t i = 0; i < count; i++) {
        if (records[i].key.size >= size &&
            memcmp(records[i].key.data, world->story.append_key, size) == 0) {
            return true;
        }
    }
    return false;
}

enum err_kind ledger_append_txn(struct world *world, struct sim_process *process,
                                const struct coord_record *records, size_t count,
                                int64_t *out_offset)
{
    struct sim_ledger *ledger = &world->ledger;
    if (process->epoch != ledger->epoch && !ledger->no_fence) {
        return ERR_FENCED;
    }
    if (world_chance(world, world->faults.append_fails)) {
        return ERR_TRANSIENT;
    }
    if (ledger->txn >= 0 && (ledger->txns[ledger->txn].state == TXN_OPEN ||
                             ledger->txns[ledger->txn].state == TXN_PREPARED)) {
        if (!ledger->no_fence) {
            return ERR_TRANSIENT; /* concurrent transactions */
        }
        end_txn(ledger, &ledger->txns[ledger->txn],
                ledger->txns[ledger->txn].state == TXN_PREPARED);
    }
    int index = new_txn(ledger);
    ledger->txn = index;
    for (size_t i = 0; i < count; i++) {
        AUTO(buf) struct buf key;
        AUTO(buf) struct buf value;
        buf_init(&key, 4096);
        buf_init(&value, 16 << 20);
        buf_add_bytes(&key, records[i].key);
        buf_add_bytes(&value, records[i].value);
        *out_offset =
            add_record(world, buf_text(&key), records[i].tombstone ? NULL : buf_text(&value), index)
                ->offset;
    }
    struct sim_txn *txn = &ledger->txns[index];
    if (world->story.append != APPEND_AS_IT_COMES && has_key(world, records, count)) {
        enum sim_append_plan plan = world->story.append;
        world->story.append = APPEND_AS_IT_COMES;
        txn->marker_at_us = world->now_us + 1500000;
        txn->state = plan == APPEND_PREPARED ? TXN_PREPARED : TXN_OPEN;
        if (plan == APPEND_DONE_UNTOLD) {
            end_txn(ledger, txn, true);
        }
        return ERR_AMBIGUOUS;
    }
    if (world_chance(world, world->faults.append_unknown)) {
        uint64_t what = rng_below(&world->rng, 3);
        if (what == 0) {
            end_txn(ledger, txn, true); /* done, and nobody was told */
        } else {
            txn->state = what == 1 ? TXN_PREPARED : TXN_OPEN;
            txn->marker_at_us = world->now_us + world_between(world, 100000, 2000000);
        }
        return ERR_AMBIGUOUS;
    }
    end_txn(ledger, txn, true);
    return ERR_NONE;
}

void ledger_step(struct world *world)
{
    struct sim_ledger *ledger = &world->ledger;
    if (ledger->txn >= 0) {
        struct sim_txn *txn = &ledger->txns[ledger->txn];
        if (txn->state == TXN_PREPARED && world->now_us >= txn->marker_at_us) {
            end_txn(ledger, txn, true);
        } else if (txn->state == TXN_OPEN && world->now_us >= txn->marker_at_us) {
            end_txn(ledger, txn, false); /* transaction.timeout.ms; the broker raises the epoch, too
                                          */
            ledger->epoch++;
        }
    }
    if (world_chance(world, world->faults.compaction)) {
        ledger_compact(world);
    }
}

const struct sim_record *ledger_read(const struct sim_ledger *ledger, int64_t from)
{
    int64_t lso = ledger_lso(ledger);
    size_t low = 0;
    size_t high = ledger->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (ledger->records[middle].offset < from) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    for (size_t i = low; i < ledger->count && ledger->records[i].offset < lso; i++) {
        const struct sim_record *record = &ledger->records[i];
        if (!record->compacted &&
            (record->txn < 0 || ledger->txns[record->txn].state == TXN_COMMITTED)) {
            decode_reads(record);
            return record;
        }
    }
    return NULL;
}

/* Keeps the last visible record of every key below a random point; aborted ones go, too. */
void ledger_compact(struct world *world)
{
    struct sim_ledger *ledger = &world->ledger;
    int64_t limit = ledger_lso(ledger);
    if (limit == 0) {
        return;
    }
    limit = world_between(world, 0, limit);
    coverage_chance(CHANCE_COMPACTION);
    for (size_t i = 0; i < ledger->count && ledger->records[i].offset < limit; i++) {
        struct sim_record *record = &ledger->records[i];
        bool visible = record->txn < 0 || ledger->txns[record->txn].state == TXN_COMMITTED;
        for (size_t j = i + 1; j < ledger->count && visible; j++) {
            const struct sim_record *later = &ledger->records[j];
            if (later->offset >= limit) {
                break;
            }
            bool counts = !later->compacted &&
                          (later->txn < 0 || ledger->txns[later->txn].state == TXN_COMMITTED);
            visible = !(counts && strcmp(later->key, record->key) == 0);
        }
        record->compacted = record->compacted || !visible;
    }
}

void ledger_lose(struct world *world, int64_t from)
{
    struct sim_ledger *ledger = &world->ledger;
    while (ledger->count > 0 && ledger->records[ledger->count - 1].offset >= from) {
        struct sim_record *record = &ledger->records[--ledger->count];
        free(record->key);
        free(record->value);
    }
    if (ledger->txn >= 0 && (ledger->txns[ledger->txn].state == TXN_OPEN ||
                             ledger->txns[ledger->txn].state == TXN_PREPARED)) {
        ledger->txns[ledger->txn].state = TXN_ABORTED;
    }
    ledger->end = from;
}

void ledger_done(struct sim_ledger *ledger)
{
    for (size_t i = 0; i < ledger->count; i++) {
        free(ledger->records[i].key);
        free(ledger->records[i].value);
    }
    free(ledger->records);
    free(ledger->txns);
    decoded_done(ledger);
}

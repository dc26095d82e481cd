/* The lineage of a manifest, decoded and summed up. */
#include "cli/commands/command_lineage.h"

#include "core/base/json.h"
#include "core/base/utc.h"

static void add_account(struct account *sum, const struct account *account)
{
    sum->read += account->read;
    sum->carried_in += account->carried_in;
    sum->stored += account->stored;
    sum->superseded += account->superseded;
    sum->tombstones += account->tombstones;
    sum->late += account->late;
    sum->future += account->future;
    sum->rejected += account->rejected;
    sum->filtered += account->filtered;
    sum->carried_out += account->carried_out;
    sum->skipped += account->skipped;
}

void command_lineage_read(const struct manifest *manifest, struct arena *arena,
                          struct command_lineage *ret_lineage)
{
    struct command_lineage lineage = {.window_from_us = EVENT_TIME_LOW,
                                      .window_to_us = EVENT_TIME_HIGH};
    struct err err = {0};
    const char *ledger_id = NULL;
    if (manifest->lineage.size > 0) {
        lineage.there =
            message_lineage_decode(manifest->lineage, arena, &lineage.commit, &ledger_id, &err);
        lineage.problem = lineage.there ? NULL : arena_text(arena, bytes_of_text(err.message));
    }
    for (size_t i = 0; lineage.there && i < lineage.commit.history_count; i++) {
        const struct history_step *step = &lineage.commit.history[i];
        if (step->build == lineage.commit.build) {
            lineage.window_from_us = step->from_us;
            lineage.window_to_us = step->to_us;
        }
    }
    for (size_t i = 0; lineage.there && i < lineage.commit.partition_count; i++) {
        add_account(&lineage.sum, &lineage.commit.partitions[i].account);
    }
    *ret_lineage = lineage;
}

uint64_t command_lineage_not_stored(const struct account *account)
{
    return account->late + account->future + account->rejected + account->filtered;
}

const char *command_event_time(int64_t time_us, struct arena *arena)
{
    if (!utc_in_range(time_us)) {
        return "-";
    }
    char text[UTC_TEXT_SIZE];
    utc_format_json(time_us, text);
    return arena_text(arena, bytes_of_text(text));
}

void command_account_json(cJSON *object, const struct account *account)
{
    json_put_u64(object, "read", account->read);
    json_put_u64(object, "carried_in", account->carried_in);
    json_put_u64(object, "stored", account->stored);
    json_put_u64(object, "superseded", account->superseded);
    json_put_u64(object, "tombstones", account->tombstones);
    json_put_u64(object, "late", account->late);
    json_put_u64(object, "future", account->future);
    json_put_u64(object, "rejected", account->rejected);
    json_put_u64(object, "filtered", account->filtered);
    json_put_u64(object, "carried_out", account->carried_out);
    json_put_u64(object, "skipped", account->skipped);
}

/* Where a snapshot of ours comes from, for the commands that show it. */
#ifndef TIDEMARK_CLI_COMMANDS_COMMAND_LINEAGE_H
#define TIDEMARK_CLI_COMMANDS_COMMAND_LINEAGE_H

#include "core/base/json.h"
#include "core/coord/message.h"
#include "core/snapshot/manifest.h"

struct command_lineage {
    bool there;          /* else the snapshot was not made by Tidemark, or `problem` is set */
    const char *problem; /* why it does not read; NULL */
    struct message_commit commit;
    int64_t window_from_us; /* event times of the window; EVENT_TIME_LOW: not closed by event time,
                               or */
    int64_t window_to_us;   /* the first; EVENT_TIME_HIGH: not closed by event time */
    struct account sum;     /* over all partitions */
};

void command_lineage_read(const struct manifest *manifest, struct arena *arena,
                          struct command_lineage *ret_lineage);

/* Records that were read and are in no row: late, future, rejected, filtered. */
uint64_t command_lineage_not_stored(const struct account *account);

/* "2026-03-14T10:30:00Z", or "-" for a time that is none. */
const char *command_event_time(int64_t time_us, struct arena *arena);

void command_account_json(cJSON *object, const struct account *account);

#endif

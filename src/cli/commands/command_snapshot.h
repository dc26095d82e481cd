/* The snapshot that a command was pointed at: with --snapshot URL, or by the settings file. */
#ifndef TIDEMARK_CLI_COMMANDS_COMMAND_SNAPSHOT_H
#define TIDEMARK_CLI_COMMANDS_COMMAND_SNAPSHOT_H

#include "checkpoint/reading/snapshot_reader.h"
#include "cli/commands/command.h"
#include "core/settings.h"

#define COMMAND_OPTION_RELOCATED                                                                   \
    {                                                                                              \
        "relocated", 0, NULL, "The snapshots were copied here: read below this URL.", false        \
    }
#define COMMAND_OPTION_RUN                                                                         \
    {                                                                                              \
        "run", 0, "RUN_ID", "Open the snapshot of this run instead of the current one.", false     \
    }
#define COMMAND_OPTION_MANIFEST                                                                    \
    {                                                                                              \
        "manifest", 0, "REF", "Open the snapshot of this manifest: its URL, or its name.", false   \
    }
#define COMMAND_OPTION_CACHE                                                                       \
    {                                                                                              \
        "cache", 0, "FOLDER", "Where downloads are kept; ~/.cache/tidemark/shards without it.",    \
            false                                                                                  \
    }
#define COMMAND_OPTION_CACHE_SIZE                                                                  \
    {                                                                                              \
        "cache-size", 0, "SIZE", "Delete the oldest downloads above it; 2GiB without it.", false   \
    }

#define COMMAND_OPTION_READING                                                                     \
    {                                                                                              \
        "reading", 0, "HOW", "auto, range (only the pages needed) or download (whole files).",     \
            false                                                                                  \
    }
#define COMMAND_OPTION_RANGE_FROM                                                                  \
    {                                                                                              \
        "range-from", 0, "SIZE", "auto: shards of that size are read by range; 16MiB without it.", \
            false                                                                                  \
    }

/* Options of every command that looks at a store … */
#define COMMAND_OPTIONS_STORE                                                                      \
    COMMAND_OPTION_SNAPSHOT, COMMAND_OPTION_FILE, COMMAND_OPTION_SET, COMMAND_OPTION_JSON,         \
        COMMAND_OPTION_RELOCATED
/* … of those that open one snapshot of it … */
#define COMMAND_OPTIONS_SNAPSHOT COMMAND_OPTIONS_STORE, COMMAND_OPTION_RUN, COMMAND_OPTION_MANIFEST
/* … and of those that read shard files. */
#define COMMAND_OPTIONS_READER                                                                     \
    COMMAND_OPTIONS_SNAPSHOT, COMMAND_OPTION_CACHE, COMMAND_OPTION_CACHE_SIZE,                     \
        COMMAND_OPTION_READING, COMMAND_OPTION_RANGE_FROM

/* For keys that an expression divides by more than the key. */
#define COMMAND_OPTION_COLUMN                                                                      \
    {                                                                                              \
        "column", 0, "NAME=VALUE", "A column that the snapshot is divided by, of these keys.",     \
            true                                                                                   \
    }

/* Zero it, then open; command_snapshot_auto ends it. */
struct command_snapshot {
    struct settings *settings; /* NULL with --snapshot */
    struct arena *arena;
    struct store *store;
    struct catalog catalog;
    struct catalog_choice choice;
    struct store *cache_files;
    struct shard_cache cache;
    struct kv *kv;                  /* one with vectors; NULL: the ordinary one */
    struct snapshot_reader *reader; /* command_snapshot_open_keys, …_vectors */
};

/* Opens the store. On failure the error is printed and *ret_code says how to end, here and below.
 */
MUST_CHECK bool command_snapshot_open_store(struct command_call *call,
                                            struct command_snapshot *snapshot,
                                            enum exit_code *ret_code);
/* The store, and the manifest: *ret_found lives as long as `snapshot`. */
MUST_CHECK bool command_snapshot_open(struct command_call *call, struct command_snapshot *snapshot,
                                      struct catalog_snapshot *ret_found, enum exit_code *ret_code);
/* The store, the manifest, and a reader: for a command with COMMAND_OPTION_COLUMN. */
MUST_CHECK bool command_snapshot_open_keys(struct command_call *call,
                                           struct command_snapshot *snapshot,
                                           enum exit_code *ret_code);
/* The same for a search among vectors: with a driver that has sqlite-vec loaded (option
 * `extension`, or the settings'). */
MUST_CHECK bool command_snapshot_open_vectors(struct command_call *call,
                                              struct command_snapshot *snapshot,
                                              enum exit_code *ret_code);
/* Another reader, of a store that is open already: of the run, NULL: the current snapshot. Whole
 * files are downloaded. It is freed before `snapshot` ends. */
MUST_CHECK bool command_snapshot_open_run(struct command_call *call,
                                          struct command_snapshot *snapshot, const char *run_id,
                                          struct snapshot_reader **ret_reader,
                                          enum exit_code *ret_code);
/* The columns that were given; *ret_count of them, in the arena of `snapshot`. INPUT. */
MUST_CHECK bool command_snapshot_columns(const struct command_call *call,
                                         struct command_snapshot *snapshot,
                                         const struct route_column **ret_columns, size_t *ret_count,
                                         struct err *err);
void command_snapshot_auto(struct command_snapshot *snapshot);

/* Prints an error that came from the store; transient ones end with EXIT_CODE_STORE. */
enum exit_code command_snapshot_fail(struct command_call *call, const struct err *err);

/* A key of the command line or of standard input, in the manifest's encoding. INPUT. */
MUST_CHECK bool command_snapshot_key(const struct manifest *manifest, const char *text,
                                     struct arena *arena, struct logical_key *ret_key,
                                     struct err *err);

/* "2026-03-14T10:30:00.123456Z" as JSON and people are given times; in the arena. */
const char *command_time(int64_t time_us, struct arena *arena);
/* "1.4 MiB"; in the arena. */
const char *command_bytes(uint64_t bytes, struct arena *arena);
/* The shards' rows and bytes of a manifest. */
void command_snapshot_sums(const struct manifest *manifest, uint64_t *ret_rows,
                           uint64_t *ret_bytes);

#endif

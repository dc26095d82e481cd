/* Where a snapshot comes from: our member of a manifest's `custom`, enough to go on from after any loss. */
#ifndef TIDEMARK_CORE_SNAPSHOT_LINEAGE_H
#define TIDEMARK_CORE_SNAPSHOT_LINEAGE_H

#include "core/base/arena.h"
#include "core/base/json.h"

enum {
    LINEAGE_VERSION = 1,
    LINEAGE_TOPICS_MAX = 256,
    LINEAGE_PARTITIONS_MAX = 20000, /* of all topics together */
    LINEAGE_HISTORY_MAX = 4096,
    LINEAGE_SKIPS_MAX = 4096,
};

/* No event time, watermark or tick. */
#define LINEAGE_NO_TIME INT64_MIN

/* PROTOCOL R1: the records of [new_from, seen_end) of a partition, and what became of them:
 * read + carried_in = stored + superseded + tombstones + late + future + rejected + filtered
 *                     + carried_out. */
struct lineage_account {
    uint64_t read;
    uint64_t carried_in;
    uint64_t stored;
    uint64_t superseded;
    uint64_t tombstones;
    uint64_t late;   /* dropped or dead-lettered, not those that went into a later window */
    uint64_t future;
    uint64_t rejected;
    uint64_t filtered;
    uint64_t carried_out;
};

bool lineage_account_balances(const struct lineage_account *account);
void lineage_account_add(struct lineage_account *sum, const struct lineage_account *account);

/* One partition. A reader that follows the live topic starts at `tail_from`. */
struct lineage_partition {
    uint32_t topic; /* index in lineage.topics */
    int32_t partition;
    int64_t read_from;     /* `tail_from` of the parent: the build covers [read_from, seen_end) */
    int64_t new_from;      /* `seen_end` of the parent: first read by this build from here on */
    int64_t seen_end;      /* the cut: all below was read and accounted for */
    int64_t tail_from;     /* the lowest offset that was read and not published; else seen_end */
    int64_t watermark_us;  /* LINEAGE_NO_TIME: none */
    int32_t leader_epoch;  /* of the source partition; -1: not known */
    struct lineage_account account;
};

struct lineage_topic {
    const char *name;
    const char *id; /* Kafka's topic id; "": the broker or client tells none */
};

/* A build whose cut is above some partition's tail_from: what decides a re-read row's window (R2, R24). */
struct lineage_history_cut {
    uint32_t topic;
    int32_t partition;
    int64_t cut;
};

struct lineage_history {
    uint64_t build;
    int64_t window;          /* as lineage.window.index */
    int64_t future_bound_us; /* LINEAGE_NO_TIME: none */
    const struct lineage_history_cut *cuts; /* of the partitions with cut > tail_from */
    size_t cut_count;
};

/* A range an operator gave up (R25). */
struct lineage_skip {
    uint32_t topic;
    int32_t partition;
    int64_t from;
    int64_t to; /* [from, to) */
    const char *who;
    const char *why;
};

struct lineage_window {
    int64_t index;    /* number of the window, ascending */
    int64_t start_us; /* [start, end) in event time; LINEAGE_NO_TIME: not closed by event time */
    int64_t end_us;
    int64_t watermark_us; /* the group's, when it closed; LINEAGE_NO_TIME: none */
    int64_t tick_us;      /* the schedule's time that CLOSE answers; LINEAGE_NO_TIME: none */
};

/* All texts and arrays are the arena's of whoever made it. */
struct lineage {
    const char *group;
    const char *software;       /* "tidemark 0.1.0" */
    const char *sqlite_version; /* it is in the header of every shard file */
    const char *fingerprint;    /* of all settings that shape content (R9) */
    const char *contents;       /* "window", "state" */
    const char *order;          /* "offset", "event_time" */
    const char *trigger;        /* "event_time", "schedule", "offsets", "manual" */
    uint64_t build;
    const char *ledger_topic_id; /* with term_offset: the term */
    int64_t term_offset;
    const char *parent_run_id; /* NULL: the first */
    const char *pointer_base;  /* the exact bytes of `_CURRENT` it stands on; NULL: there was none */
    int64_t future_bound_us;   /* LINEAGE_NO_TIME: none */
    struct lineage_window window;
    const struct lineage_topic *topics; /* by name */
    size_t topic_count;
    const struct lineage_partition *partitions; /* by (topic, partition) */
    size_t partition_count;
    const struct lineage_history *history; /* by build, this one last */
    size_t history_count;
    const struct lineage_skip *skips; /* used up by this build */
    size_t skip_count;
    const char *const *given_up_runs; /* committed above the parent, given up by --from-here (R5) */
    size_t given_up_run_count;
};

/* `tidemark` of `custom`. Times are RFC 3339 text, counts and offsets integers. */
cJSON *lineage_to_json(const struct lineage *lineage);

/* Into `arena`. ERR_INPUT with the path: a member missing or of the wrong type, a version that is not
 * ours, partitions out of order or given twice, an account that does not balance, offsets out of
 * order (0 <= read_from <= new_from <= seen_end, read_from <= tail_from <= seen_end). */
MUST_CHECK bool lineage_from_json(const struct json *at, struct arena *arena,
                                  struct lineage **ret_lineage, struct err *err);

/* The same rules for one that we are about to publish. */
MUST_CHECK bool lineage_check(const struct lineage *lineage, struct err *err);

/* NULL when there is none. */
const struct lineage_partition *lineage_find(const struct lineage *lineage, const char *topic,
                                             int32_t partition);

#endif

/* What the invariants remember of the past. */
#ifndef TIDEMARK_TESTS_SIM_AUDIT_H
#define TIDEMARK_TESTS_SIM_AUDIT_H

#include "core/coord/fold.h"
#include "tests/sim/world.h"

enum { RUNS_MAX = 512, BUILDS_ASKED = 1024 };

/* Which build every row is in, along one chain of builds: told row by row from the cuts alone,
 * build after build, so that it shares nothing with cut_judge's history. */
struct chain {
    char run_id[128];
    char snapshot[128];
    uint64_t build;
    int64_t cut[SIM_PARTITIONS_MAX];
    bool known[SIM_PARTITIONS_MAX];
    bool again[SIM_PARTITIONS_MAX];                   /* it is of the log that was made again */
    bool has_log[SIM_PARTITIONS_MAX];                 /* else nothing of it was read yet */
    uint16_t taken[SIM_PARTITIONS_MAX][SIM_ROWS_MAX]; /* build; 0: none yet */
    bool judged[SIM_PARTITIONS_MAX][SIM_ROWS_MAX];    /* by a future bound */
    bool skipped[SIM_PARTITIONS_MAX][SIM_ROWS_MAX];   /* scratch: given up by the newest build */
    bool stored[SIM_PARTITIONS_MAX][SIM_ROWS_MAX];    /* scratch: in the newest build */
    bool state[SIM_PARTITIONS_MAX][SIM_ROWS_MAX]; /* in any build of the chain: what a state has */
};

struct run {
    char run_id[128];
    uint64_t build;
    bool snapshot;
    bool published; /* PUBLISHED, or the pointer was seen to name it */
    struct chain *after;
};

struct condemned {
    char *name;      /* a run or an object */
    int64_t from_us; /* not to be deleted before */
};

struct audit {
    struct fold *fold;
    int64_t next;
    struct chain *head;
    struct run runs[RUNS_MAX];
    size_t run_count;
    uint64_t moves;
    char closed_parent[128]; /* the newest CLOSE, whatever became of its record (R3) */
    uint64_t closed_build;
    bool closed_again[SIM_PARTITIONS_MAX]; /* its parent has read the log that is gone */
    int64_t closed_cut[SIM_PARTITIONS_MAX];
    uint64_t commits;
    bool went_back; /* a head below the one before it, and the group offsets may follow */
    bool adopted;   /* --adopt: the head replaces what the operator left, whichever is newer (R5) */
    bool must_compare; /* the ledger was lost, and nobody has said yet what the pointer means */
    int64_t idle_said_us[SIM_PARTITIONS_MAX][SIM_ROWS_MAX + 1]; /* when idle was said at an offset
                                                                 */
    bool needed[BUILDS_ASKED];   /* somebody has asked for that build (R29) */
    struct condemned *condemned; /* all that ever was */
    size_t condemned_count;
    size_t condemned_capacity;
};

void audit_read(struct world *world); /* the ledger, up to what is visible now */

/* ---- audit_records.c ---- */
void audit_record(struct world *world, const struct message *message);    /* before it is folded */
void audit_close(struct world *world, const struct message_close *close); /* on the present head */
void audit_compare_lost(struct world *world);

/* ---- audit_deletes.c ---- */
void audit_condemned(struct world *world, const struct message_condemn *condemn);
void audit_condemned_done(struct audit *audit);

/* ---- oracle.c ---- */

/* Of which log a partition is, says the witness of the COMMIT; all of a chain must be of one (R9).
 */
void oracle_find_log(struct world *world, const struct commit_partition *said, int32_t p);
/* All partitions of the topic are of one log (R9): its CLOSE names a record of it. */
void oracle_compare_logs(struct world *world, const char *topic);
/* Gives the rows of one partition to a build. Returns how many it stores. */
size_t oracle_take_partition(struct world *world, const struct message_close *close,
                             const struct close_partition *asked, int32_t p);
/* What a SKIP gave up of one partition is taken, and in no snapshot (R25). */
void oracle_skip(struct world *world, const struct message_commit *commit,
                 const struct close_partition *asked, const struct account *account, int32_t p);
int64_t oracle_tail_in(const struct world *world, const struct chain *chain, int32_t p,
                       int64_t cut);
int64_t oracle_tail_of(const struct world *world, int32_t p, int64_t cut);
void oracle_check_content(struct world *world, const struct message_commit *commit,
                          size_t expected);
void oracle_check_account(struct world *world, const struct commit_partition *said, int32_t p,
                          int64_t seen_end);

#endif

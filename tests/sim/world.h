/* A small world for the machines: time, a source, a ledger, a store, processes, faults; all from
 * one seed. */
#ifndef TIDEMARK_TESTS_SIM_WORLD_H
#define TIDEMARK_TESTS_SIM_WORLD_H

#include <stdio.h>

#include "core/base/rng.h"
#include "core/coord/leader.h"
#include "core/coord/member.h"
#include "core/window/witness.h"

enum {
    SIM_PARTITIONS_MAX = 4,
    SIM_PROCESSES_MAX = 7,
    SIM_ROWS_MAX = 4096, /* offsets of one partition */
    SIM_TOKENS = 4,      /* of categorical routing */
    SIM_CANARIES = 2,
    SIM_SHARDS_MANY = 8, /* where their number follows from the rows; more are rare */
    SIM_STEP_US = 50000,
    SIM_CALM_ROWS = 40, /* a partition is read by so many rows a step when there are no faults */
    SIM_OPERATOR_US = 500000, /* what an operator takes for a step when there are no faults */
    SIM_SESSION_US = 1500000, /* a process that is silent for longer is out of its groups */
    SIM_STORE_DEADLINE_US = 3000000, /* a request lands within it, or never */
};

#define SIM_EPOCH_US INT64_C(1767225600000000) /* where time begins */

/* ---- the source ---- */

struct sim_row {
    int64_t event_us;
    int64_t added_us;
    int64_t readable_us; /* when the last stable offset passed it */
    uint32_t key;
    bool exists;   /* false: a gap (aborted, or a transaction marker) */
    bool rejected; /* cannot be decoded */
    bool tombstone;
};

struct sim_partition {
    struct partition_id id;
    struct sim_row rows[SIM_ROWS_MAX];
    struct sim_row *before; /* of the log that was deleted, before it was made again; NULL: none */
    int64_t low;
    int64_t lso;
    int64_t high;
    int64_t open_until_us; /* a transaction is open from lso on; 0: none */
    bool open_commits;
    int64_t silent_until_us;
};

/* ---- the ledger: one partition of a real broker, with transactions ---- */

enum sim_txn_state { TXN_OPEN, TXN_PREPARED, TXN_COMMITTED, TXN_ABORTED };

struct sim_txn {
    enum sim_txn_state state;
    int64_t first;
    int64_t marker_at_us; /* PREPARED: becomes visible then. OPEN: the broker aborts it then */
};

struct sim_decoded; /* sim_decode.c */

struct sim_record {
    int64_t offset;
    int64_t timestamp_us;
    char *key;
    char *value; /* NULL: tombstone */
    int txn;     /* -1: none */
    bool compacted;
    struct sim_decoded *decoded;
};

struct sim_ledger {
    struct sim_record *records;
    size_t count;
    size_t capacity;
    int64_t end;
    struct sim_txn *txns;
    size_t txn_count;
    size_t txn_capacity;
    int epoch;                   /* of the transactional id */
    int txn;                     /* its newest; -1: none */
    bool no_fence;               /* planted: a broker that does not fence */
    struct sim_decoded *decoded; /* of all records there ever were */
};

/* ---- the store: whole objects by name; the ETag is the content, which is the worst case ---- */

struct sim_object {
    char *name;
    char *content;
    struct sim_object *next;
};

struct sim_put { /* sent, and not landed yet */
    char *bytes;
    char *name;     /* of a staged manifest; NULL: the pointer */
    char *if_match; /* NULL: see create_only */
    bool create_only;
    bool unconditional;
    int64_t land_us;
    bool done;
};

enum { SIM_BUCKETS = 256, SIM_PUTS_MAX = 64 };

struct sim_store {
    struct sim_object *buckets[SIM_BUCKETS];
    struct sim_put puts[SIM_PUTS_MAX];
    size_t put_count;
};

/* ---- a process: both machines, their shells, a data plane ---- */

struct sim_reading { /* the data plane of one partition */
    bool started;
    bool paused;
    int64_t from;
    int64_t position;
    int64_t lost_to;
    int64_t highest_us;
    char head[128]; /* run of the head whose FORGET it has seen */
    bool given_up;  /* forgotten whole, because another process owns it */
    bool has_again;
    int64_t again_from; /* has_again: from here on it was read from the log that was made again */
    struct witness_list witnesses;
    bool has_head;
    struct witness head_witness; /* has_head: what the head has on record */
    int64_t compare_below;       /* a record below it may be a witness */
    int64_t look_from;           /* a start: what lies between here and the position is compared */
    bool brought; /* by a checkpoint or a handover: its newest witness is compared, too */
    bool held[SIM_ROWS_MAX]; /* rows in memory or in spills */
    int64_t held_low;        /* none is held below it */
};

/* A process's disk: a copy of what it held once, for its next start. */
struct sim_checkpoint {
    bool used; /* false: there is none */
    struct sim_reading readings[SIM_PARTITIONS_MAX];
};

struct sim_row_ref {
    int32_t partition;
    int32_t offset; /* a number, as row_at takes it */
};

/* A record of a topic, as a CLOSE names it. */
struct sim_record_known {
    int32_t partition;
    struct witness witness;
};
enum { SIM_TOPICS = 2 };

/* What a SEAL gave, until its logs were looked at. */
struct sim_sealed {
    struct member_event event;
    struct ready_partition partitions[SIM_PARTITIONS_MAX];
    struct shard_size shards[16];
    struct token_size tokens[SIM_TOKENS];
    struct witness_list witnesses[SIM_PARTITIONS_MAX];
    struct witness heads[SIM_PARTITIONS_MAX]; /* offset -1: none */
    struct sim_record_known records[SIM_TOPICS];
    size_t record_count;
};

struct sim_job { /* something a member shell was asked for, with its time */
    struct sim_job *next;
    enum member_command_kind kind;
    int64_t due_us;
    bool hangs; /* a build that is not done in time */
    uint64_t id;
    char **keys;
    char **values;
    size_t count;
    uint64_t build;
    char run_id[128];
    uint32_t shard;
    uint32_t attempt;
    uint32_t num_dbs;
    uint32_t tokens[SIM_TOKENS]; /* routing values, in shard order */
    size_t token_count;
    struct {
        bool own;
        char url[200];
        struct {
            int32_t partition;
            int64_t from, to;
        } ranges[SIM_PARTITIONS_MAX];
        size_t range_count;
    } contributions[SIM_PROCESSES_MAX * 2];
    size_t contribution_count;
    bool has_base;
    bool carry;
    bool whole;
    char base_run[128];
    char base_staged[200];
    int64_t base_time_us;
    struct {
        int32_t partition;
        int64_t from, seen_end, to;
        struct cut_step *steps;
        size_t step_count;
    } seal[SIM_PARTITIONS_MAX];
    struct sim_record_known records[SIM_TOPICS]; /* of a SEAL */
    size_t record_count;
    struct sim_sealed *look;                /* of a SEAL that is done: looked at when it is due */
    struct witness witnesses[WITNESS_ENDS]; /* of an ADOPT */
    size_t witness_count;
};

/* A copy of one leader command: the shell works on it while the machine goes on. */
struct sim_command {
    enum leader_command_kind kind;
    uint64_t id;
    const struct coord_record *records;
    size_t count;
    const char *run_id;
    const char *text; /* STAGE: the manifest; SWAP: the pointer */
    const char *staged_url;
    const char *manifest_ref;
    const char *sha256;
    const char *if_match;
    bool create_only;
    const char **urls; /* of LIST_STRAYS: the attempts */
    size_t url_count;
    int64_t time_us;
    uint64_t build; /* LIST_STRAYS */
};

struct sim_process {
    int index;
    char name[16];
    uint32_t starts; /* with names that change: each start has its own */
    bool alive;
    int64_t stalled_until_us;
    int64_t slept_us[2]; /* when it fell asleep the last two times */
    int64_t restart_us;
    int64_t heard_us; /* when its groups last heard of it */

    struct leader *leader;
    struct leader_out leader_out;
    struct member *member;
    struct member_out member_out;
    int64_t leader_next; /* ledger offsets to be read */
    int64_t member_next;
    bool leader_at_end;
    bool member_at_end;
    bool believes_leader;
    bool in_leader_group;
    int64_t leader_group_from_us;
    bool owns[SIM_PARTITIONS_MAX];
    bool short_of_room;
    int64_t generation;
    int epoch; /* of its transactional producer */

    bool command_out; /* the leader shell works on one command at a time */
    struct sim_command command;
    struct arena *command_arena;
    int64_t command_due_us;

    struct sim_job *jobs;
    struct sim_reading readings[SIM_PARTITIONS_MAX];
    struct sim_checkpoint *disk; /* NULL: it never wrote any */
    struct sim_row_ref *sealed;
    size_t sealed_count;
    uint64_t sealed_build;
    int64_t clock_ahead_us;
    bool broken;                    /* the store does nothing for it */
    int unsaid_steps;               /* of its data plane */
    bool lied;                      /* a SEAL of this incarnation lost a row and did not say so */
    char sleep_before[24];          /* falls asleep when the leader shell is about to do this */
    struct coord_settings settings; /* its own, where a story gives it others */
    bool own_settings;
    int disk_fingerprint; /* of its last start */
    bool refuses;         /* a topic was made again: it ends after this step */
};

/* ---- an operator ---- */

enum sim_operator_state { OP_NONE, OP_HOLDING, OP_HELD };

struct sim_operator {
    enum sim_operator_state state;
    bool rollback; /* moves the pointer once it is HELD */
    bool moved;    /* the pointer is an operator's, and no RESUME was answered */
    int64_t next_us;
    int64_t hold_offset;
    int64_t waits_until_us;
    char *pointer; /* bytes the operator left */
};

/* What is counted, so that nobody believes in a case that never came. */
enum sim_chance {
    CHANCE_CRASH,
    CHANCE_ZOMBIE,
    CHANCE_WRONG_LEADER,
    CHANCE_REBALANCE,
    CHANCE_COMPACTION,
    CHANCE_LEDGER_LOST,
    CHANCE_LEDGER_END_LOST,
    CHANCE_LATE_PUT,
    CHANCE_RETENTION,
    CHANCE_SETTINGS,
    CHANCE_CLOCK,
    CHANCE_GROWTH,
    CHANCE_ROLLBACK,
    CHANCE_CUTS,
    CHANCE_TRANSACTION,
    CHANCE_MIRROR,
    CHANCE_MIRROR_BACK,
    CHANCE_HANGS,
    CHANCE_TOPICS,
    CHANCE_TOPIC_ADDED,
    CHANCE_STATE,
    CHANCE_CARRIED,
    CHANCE_ADOPTED,
    CHANCE_FEW_ROWS,
    CHANCE_ROW_CHANGE,
    CHANCE_EMPTY_SHARDS,
    CHANCE_CANARY,
    CHANCE_LIES,
    CHANCE_BROKEN,
    CHANCE_PUBLISHED,
    CHANCE_ROWS,
    CHANCE_TOKENS,
    CHANCE_TOKEN_IDS,
    CHANCE_NEW_NAME,
    CHANCE_RETIRED,
    CHANCE_BESIDE,
    CHANCE_BESIDE_WINS,
    CHANCE_BESIDE_LOSES,
    CHANCE_STANDBY_BUILDS,
    CHANCE_ROOM,
    CHANCE_EARLY,
    CHANCE_LATE_STAGE,
    CHANCE_TOPIC_COMES,
    CHANCE_RESHAPED,
    CHANCE_AGAIN_FEWER,
    CHANCE_AGAIN_AS_MANY,
    CHANCE_AGAIN_MORE,
    CHANCE_AGAIN_AT_START,
    CHANCE_AGAIN_AT_LOOK,
    CHANCE_AGAIN_OF_CLOSE,
    CHANCE_AGAIN_AT_END,
    CHANCE_AGAIN_TOO_SHORT,
    CHANCE_LOOK_UNANSWERED,
    CHANCE_KINDS,
};

struct sim_faults { /* per million, each time there is a chance */
    uint32_t crash;
    uint32_t stall;
    uint32_t wrong_leader;
    uint32_t rebalance;
    uint32_t append_unknown;
    uint32_t append_fails;
    uint32_t store_fails;
    uint32_t answer_lost;
    uint32_t put_again;
    uint32_t build_fails;
    uint32_t build_hangs;
    uint32_t seal_lies;
    uint32_t compaction;
    uint32_t operators;
    uint32_t ledger_lost;
    uint32_t settings;
    uint32_t retention;
    uint32_t clock;
    uint32_t growth;
    uint32_t source_txn;
};

/* What a story plants; one shot each. */
enum sim_append_plan { APPEND_AS_IT_COMES, APPEND_DONE_UNTOLD, APPEND_PREPARED, APPEND_LEFT_OPEN };
enum sim_put_plan { PUT_AS_IT_COMES, PUT_DONE_UNTOLD, PUT_LATE, PUT_TWICE };

struct sim_story {
    bool on; /* the groups are as the story says, and nothing is by chance but delays */
    enum sim_append_plan append;
    char append_key[32]; /* of a transaction with a record whose key begins so */
    enum sim_put_plan put;
    int64_t put_after_us;
    uint64_t step;     /* counts what the shells carry out, before and after */
    uint64_t crash_at; /* the process is gone at this one; 0: never */
    char crashed_at[64];
    uint32_t seal_lies; /* SEALs that lose a row and do not say so */
    uint32_t seal_fails;
    int slow;                /* partition that nobody reads on; -1: none */
    uint32_t attempt_fails;  /* shards whose next BUILD fails */
    uint32_t attempt_sleeps; /* BUILDs that end only after attempt_until_us */
    struct buf events;       /* decisions and pointer moves, a line each */
};

struct audit; /* what the invariants remember */

/* How long something that is due has been waited for, since the faults stopped. */
struct sim_liveness {
    bool on;
    bool recovers; /* nothing was committed yet since the faults stopped */
    int64_t since_us;
    int64_t recovery_us; /* what the state that the faults left may cost, once */
    uint64_t done;       /* commits and pointer moves, as of since_us */
    const char *due;     /* NULL: nothing */
};

struct world {
    uint64_t seed;
    struct rng rng;
    struct rng disk_rng; /* of checkpoints alone: the rest of a seed's world stays what it was */
    struct rng log_rng;  /* of topics that are made again, and of looks, the same */
    int64_t now_us;
    int64_t broker_ahead_us;
    FILE *trace; /* NULL: none */
    struct coord_settings settings;
    struct message_topic topics[2];
    int partition_count;
    int process_count;
    struct sim_partition partitions[SIM_PARTITIONS_MAX];
    struct sim_ledger ledger;
    struct sim_store store;
    struct sim_process processes[SIM_PROCESSES_MAX];
    int owner[SIM_PARTITIONS_MAX]; /* as the source group has it; -1: none */
    int64_t generation;
    int leader; /* as the leader group has it; -1: none */
    struct sim_operator person;
    struct sim_faults faults;
    uint32_t row_rate; /* rows a step and partition, per thousand */
    bool growing;
    int fingerprint;    /* of the settings that a process starts with now */
    bool clocks_set;    /* a clock was set while it ran */
    bool clocks_jumped; /* the same, or all were put right when the faults stopped */
    int64_t mirror[SIM_PARTITIONS_MAX]; /* the source group's offsets (R23) */
    bool stages_late;                   /* at times */
    bool topic_comes;                   /* with the first change of settings */
    bool shards_change;                 /* with each change of settings */
    bool names_change;                  /* no process comes back under its name, or with its disk */
    uint64_t room_rows;                 /* of one process; 0: no bound */
    bool has_operators;                 /* of this world, also when the faults are over */
    bool loses_ledger;
    bool liar_is_gone; /* a PART that it stored may be wrong for good */
    bool has_gates;
    bool has_retention;
    int broken_member; /* no command of its leader that goes to the store works, for good; -1: none
                        */
    struct sim_liveness liveness;
    bool calm;           /* no more faults: what waited for its chance happens at the next step */
    bool looks_slowly;   /* a look takes time, and at times nobody answers */
    int64_t again_at_us; /* a topic is made again then; 0: never */
    bool made_again;     /* it was */
    uint64_t refusals;   /* processes that ended because of it */
    bool plane_voids;    /* a data plane that forgets a partition's rows when it is begun anew */
    struct sim_story story;
    struct audit *audit;
    bool failed;
    char failure[512];
};

/* ---- sim_world.c ---- */
struct world *world_new(uint64_t seed, int members, FILE *trace);
struct world *world_plain(uint64_t seed, int members, int partitions, FILE *trace); /* for stories
                                                                                     */
struct world *world_free(struct world *world);
void world_step(struct world *world);
void world_no_faults(struct world *world);
void world_trace(struct world *world, const char *format, ...) PRINTF_LIKE(2, 3);
void world_event(struct world *world, const char *format, ...) PRINTF_LIKE(2, 3);
void world_trace_lines(struct world *world, const char *who, const char *lines);
void world_fail(struct world *world, const char *format, ...) PRINTF_LIKE(2, 3);
bool world_chance(struct world *world, uint32_t per_million);
int64_t world_between(struct world *world, int64_t low, int64_t high);

/* ---- sim_source.c ---- */
void source_step(struct world *world);
void source_stable(struct world *world, struct sim_partition *partition);
void source_add(struct world *world, int partition, int64_t event_us, uint32_t key);

/* ---- sim_again.c: a topic that is deleted and made again ---- */
/* A row by its number: the offset, and SIM_ROWS_MAX more in a log that was made again. */
static inline const struct sim_row *row_at(const struct world *world, int64_t partition,
                                           int64_t number)
{
    const struct sim_partition *log = &world->partitions[partition];
    return number < SIM_ROWS_MAX && log->before != NULL ? &log->before[number]
                                                        : &log->rows[number % SIM_ROWS_MAX];
}

/* Of a row that was read at this offset. */
static inline int64_t row_number(const struct sim_reading *reading, int64_t offset)
{
    return reading->has_again && offset >= reading->again_from ? offset + SIM_ROWS_MAX : offset;
}

void again_choose(struct world *world);
void again_step(struct world *world);
void again_grow(struct world *world, int added);
void again_make(struct world *world, const char *topic, int64_t rows); /* in each partition */
/* Partitions of which the head has a record that is gone with its log. False: there is none. */
bool again_find(const struct world *world, bool out[SIM_PARTITIONS_MAX]);
void again_settle(struct world *world); /* at the end: was it noticed, and said? */

/* ---- sim_witness.c: what a data plane keeps in mind of its logs (R9) ---- */
struct witness witness_of(const struct world *world, int32_t partition, int64_t number);
void witness_start(struct world *world, struct sim_process *process, int32_t partition,
                   const struct message_commit *head, bool goes_on);
void witness_forget(struct sim_process *process, int32_t partition,
                    const struct member_forget *said);
/* Before a partition is read on: what comes once more is compared. False: it must not be. */
bool witness_reads(struct world *world, struct sim_process *process, int32_t partition);
/* A record is read at the position. False: it is another one than was known. */
bool witness_reads_one(struct world *world, struct sim_process *process, int32_t partition);
/* After a partition was read on: may it end there? False: it must not. */
bool witness_reads_end(struct world *world, struct sim_process *process, int32_t partition);
void witness_keep(struct world *world, struct sim_reading *reading, int32_t partition,
                  int64_t offset);
/* The rows are sealed: the event is sent when its logs were looked at. */
void witness_seal(struct world *world, struct sim_process *process, const struct sim_job *job,
                  struct member_event *event);
void witness_look(struct world *world, struct sim_process *process, struct sim_sealed *sealed);

/* ---- sim_ledger.c ---- */
void ledger_step(struct world *world); /* markers, timeouts */
int64_t ledger_lso(const struct sim_ledger *ledger);
int64_t ledger_append(struct world *world, const char *key, const char *value); /* not transactional
                                                                                 */
enum err_kind ledger_append_txn(struct world *world, struct sim_process *process,
                                const struct coord_record *records, size_t count,
                                int64_t *out_offset);
bool ledger_init_transactions(struct world *world, struct sim_process *process); /* false: not yet
                                                                                  */
const struct sim_record *ledger_read(const struct sim_ledger *ledger, int64_t from);
void ledger_compact(struct world *world);
void ledger_lose(struct world *world, int64_t from); /* all at or above `from`; 0: the whole topic
                                                      */
void ledger_done(struct sim_ledger *ledger);

/* ---- sim_decode.c ---- */
struct sim_decoded *decoded_new(struct sim_ledger *ledger);
void decoded_done(struct sim_ledger *ledger);
void decode_reads(const struct sim_record *record); /* what will be decoded next */

/* ---- sim_store.c ---- */
const char *store_get(const struct sim_store *store, const char *name);
void store_put(struct sim_store *store, const char *name, const char *content);
void store_delete(struct sim_store *store, const char *name);
void store_delete_prefix(struct sim_store *store, const char *prefix);
void store_step(struct world *world); /* late requests land */
enum err_kind store_swap(struct world *world, const struct sim_command *command);
/* A staged manifest whose answer is lost: it lands within the deadline. */
void store_put_late(struct world *world, const char *name, const char *content);
void store_forget_late(struct sim_store *store); /* no write lands any more that was under way */
void store_done(struct sim_store *store);
const char *store_hash(const char *content, char *text); /* 16 hex digits + NUL */

/* ---- sim_process.c, sim_leader.c, sim_member.c, sim_plane.c ---- */
void process_start(struct world *world, struct sim_process *process);
void process_stop(struct world *world, struct sim_process *process);
/* The topic of a partition is among the settings it started with. */
bool process_reads(const struct world *world, const struct sim_process *process, int partition);
bool world_reads(const struct world *world, int partition); /* the newest settings have it */
const struct coord_settings *process_settings(const struct world *world,
                                              const struct sim_process *process);
void process_step(struct world *world, struct sim_process *process);
void groups_step(struct world *world);
void groups_rebalance(struct world *world);
bool process_crash_point(struct world *world, struct sim_process *process, const char *when,
                         const char *what); /* true: the process is gone */
const char *command_name(enum leader_command_kind kind);
void leader_shell_event(struct world *world, struct sim_process *process,
                        struct leader_event *event);
void leader_shell_step(struct world *world, struct sim_process *process);
void member_shell_event(struct world *world, struct sim_process *process,
                        struct member_event *event);
void member_shell_step(struct world *world, struct sim_process *process);
void member_jobs_free(struct sim_process *process);
struct sim_job *member_job_new(struct world *world, struct sim_process *process,
                               enum member_command_kind kind, int64_t steps);
void plane_command(struct world *world, struct sim_process *process,
                   const struct member_command *command);
void plane_step(struct world *world, struct sim_process *process);
void plane_seal(struct world *world, struct sim_process *process, const struct sim_job *job);
void plane_build(struct world *world, struct sim_process *process, const struct sim_job *job);
void plane_store_part(struct world *world, struct sim_process *process, const struct sim_job *job);
/* What is held below `offset` is used: nothing of it may be missing. */
void plane_goes_on(struct world *world, struct sim_process *process, int32_t index, int64_t offset,
                   int64_t watermark_us);
int32_t partition_index(const struct world *world, struct partition_id id);
uint32_t plane_token(const struct world *world, uint32_t key);
bool plane_by_token(const struct world *world);
uint32_t plane_shard(uint32_t key, uint32_t shards);
/* The partitions there are, by number, in the order of their ids. */
int partitions_sorted(const struct world *world, int *out);
int64_t process_now(const struct world *world, const struct sim_process *process);

/* ---- sim_checkpoint.c ---- */
void checkpoint_write(struct sim_process *process);
void checkpoint_step(struct world *world, struct sim_process *process); /* writes, now and then */
void checkpoint_restore(struct world *world, struct sim_process *process); /* at a start */
void checkpoint_other_ledger(struct sim_process *process, bool other); /* its topic id differs */

/* ---- sim_handover.c ---- */
void handover_store(struct world *world, struct sim_process *process, const struct sim_job *job);
void handover_adopt(struct world *world, struct sim_process *process, const struct sim_job *job);

/* ---- sim_attempts.c ---- */
void attempts_step(struct world *world, const struct message *message); /* a record, before it is in
                                                                           the audit's fold */
/* Attempts at the shard that the open PLAN has given out, below 0: the most at any; 0: none is
 * open.
 */
uint32_t attempts_planned(const struct fold *fold, int64_t shard);
size_t attempts_stored(const struct world *world); /* shard files in the store, losers included */

/* ---- sim_chances.c ---- */
void chances_choose(struct world *world);
void chances_settings(struct world *world, struct sim_process *process);
void chances_step(struct world *world);
void chances_mirror(struct world *world, const struct sim_process *process,
                    const struct member_command *command);

/* ---- sim_coverage.c ---- */
void coverage_record(enum message_kind kind);
void coverage_command(enum leader_command_kind kind, enum err_kind outcome);
void coverage_member_command(enum member_command_kind kind);
void coverage_chance(enum sim_chance kind);
uint64_t coverage_count(enum sim_chance kind);
size_t coverage_print(void); /* returns how many cases never occurred */
void coverage_summary(void);

/* ---- sim_liveness.c ---- */
void liveness_begin(struct world *world); /* the faults have just stopped */
void liveness_step(struct world *world);
bool liveness_is_due(const struct world *world);
double liveness_worst(uint64_t *out_seed); /* of all worlds: the longest wait, as a part of its
                                              bound */

/* ---- sim_operator.c ---- */
void operator_skip(struct world *world, int partition, int64_t from, int64_t to);
void operator_step(struct world *world);
void operator_hold(struct world *world, const char *target);
void operator_resume(struct world *world, enum resume_mode mode);
void operator_trigger(struct world *world);
bool operator_point_to(struct world *world, const char *run_id); /* a rollback's swap */

/* ---- invariants.c ---- */
struct audit *audit_new(void);
struct audit *audit_free(struct audit *audit);
void audit_step(struct world *world);
void audit_ledger_lost(struct world *world);
void audit_pointer_put(struct world *world, const char *before, const char *bytes); /* by the
                                                                                       service */
uint64_t audit_published(const struct world *world); /* pointer moves by the service */
uint64_t audit_commits(const struct world *world);
void audit_deletes_run(struct world *world, const char *run_id); /* before it is done */
void audit_deletes_object(struct world *world, const char *name);
bool audit_is_published_cut(struct world *world, int32_t partition, int64_t cut);
/* From where a build on the pointer's snapshot needs a partition; -1: it is not known. */
int64_t audit_pointer_tail(const struct world *world, int32_t partition);
bool audit_went_back(const struct world *world); /* --from-here, since it was asked last */
/* A run that may be rolled back to: committed, older than the newest, its manifest listed; NULL:
 * none. */
const char *audit_older_run(const struct world *world);
const char *audit_run_of_build(const struct world *world, uint64_t build); /* committed; NULL: none
                                                                            */
uint64_t audit_pointer_build(const struct world *world);                   /* 0: none */
const struct fold *audit_fold(const struct world *world);
bool audit_settled(const struct world *world);
/* Of what the ledger has more than it should when all is done; NULL: of nothing. */
const char *audit_unbounded(const struct world *world);

#endif

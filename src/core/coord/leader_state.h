/* The inside of the leader machine: its state, and what its files ask of each other. */
#ifndef TIDEMARK_CORE_COORD_LEADER_STATE_H
#define TIDEMARK_CORE_COORD_LEADER_STATE_H

#include "core/coord/fold.h"
#include "core/coord/leader_look.h"
#include "core/coord/leader_event.h"
#include "core/coord/rules.h"

/* Only leader_*.c include this. */

enum {
    NONCE_DIGITS = 16,
    LEADER_COMMANDS_MAX = 16,
    KEY_TEXT_MAX = 4 * MESSAGE_NAME_MAX,
    TOMBSTONES_A_TIME = 500,
    OBJECTS_A_TIME = 4096, /* in one CONDEMN: their URLs fit into a record; more come later */
};

/* What the one command that is out was for; says what its result means. */
enum leader_purpose {
    FOR_NOTHING,
    FOR_TRANSACTIONS,
    FOR_LEADER,
    FOR_RECORDS, /* an APPEND whose records, once read back, say all */
    FOR_COMMIT,
    FOR_ENDS,
    FOR_POINTER,
    FOR_STAGE,
    FOR_MANIFEST,
    FOR_SWAP,
    FOR_DELETE,
    FOR_OLD_RUNS,
    FOR_STRAYS,
    FOR_LEFTOVERS,
};

/* The last answer to GET_POINTER in this term. */
struct leader_seen_pointer {
    bool known;
    int64_t asked_us;
    int64_t asked_end; /* end of the ledger, as read, when it was asked for */
    struct leader_pointer value;
    struct arena *arena; /* of value */
};

struct leader_seen_ends {
    bool known;
    int64_t asked_us;
    int64_t asked_end;
    struct coord_ends *list; /* sorted */
    size_t count;
    struct arena *arena;
};

struct leader {
    const struct coord_settings *settings;
    char member[MESSAGE_NAME_MAX + 1];
    struct rng rng;
    struct fold *fold;
    struct leader_out *out; /* of the step under way */
    int64_t now_us;
    bool had_others; /* a member was retired: it may have left a part */

    enum leader_phase phase;
    bool elected;
    int64_t rest_until_us; /* RESTING */

    /* ---- of one term; all forgotten at its end ---- */
    char nonce[NONCE_DIGITS + 1];
    int64_t term;
    int64_t term_began_us;
    int64_t leader_sent_us;
    int64_t broker_ahead_us; /* broker's clock - ours, from LEADER */

    enum leader_purpose purpose; /* of the command that is out */
    uint64_t command;            /* its id; ids only grow */
    int64_t command_asked_us;
    int64_t command_asked_end;
    int64_t await_offset; /* nothing is decided before this offset was read; -1: none */
    int64_t retry_us;     /* not before: after a failure */
    uint32_t failures;    /* in a row, of what publishes */

    struct leader_seen_pointer pointer;
    struct leader_seen_ends ends;
    bool compared;                           /* R21 was done */
    size_t manifests_put;                    /* of the unpublished chain, in this term */
    char manifests_of[MESSAGE_NAME_MAX + 1]; /* head run that manifests_put counts for */
    int64_t tick_seen_us;                    /* a schedule's tick that found nothing to read */
    int64_t build_retry_us;                  /* after ABORTED */
    uint32_t aborts;                         /* runs of build `aborts_of` that were given up */
    uint64_t aborts_of;
    bool staged; /* the staged manifest below waits for its COMMIT */
    char staged_run[MESSAGE_NAME_MAX + 1];
    struct commit_snapshot staged_snapshot;
    uint32_t *staged_winners; /* attempt by shard, as staged: decided once (R16) */
    size_t staged_winner_count;
    uint64_t staged_rows; /* of all winners */
    struct arena *staged_arena;
    char deleting_run[MESSAGE_NAME_MAX + 1];
    bool deleted_whole; /* what is being deleted is a whole run */
    int64_t delete_retry_us;
    char old_runs_of[MESSAGE_NAME_MAX + 1]; /* head snapshot for which old runs were looked at */
    int64_t old_runs_retry_us;              /* not before; a listing failed */
    char strays_of[MESSAGE_NAME_MAX + 1];   /* the same for objects that no record names */
    int64_t sweep_due_us;                   /* leftovers are looked for then; 0: to be planned */
    char doing[256];
    bool unfit;        /* no build is begun with these settings on this head; `doing` says why */
    char alerted[256]; /* the last ALERT: the same is not said twice in a row */
};

/* A duty looks at the ledger and does at most one thing. True: a command is out (or the term has
 * ended); false: nothing to do here now. */
typedef bool (*leader_duty)(struct leader *leader);

/* ---- leader_op.c: commands, records, traces ---- */
struct leader_command *leader_command(struct leader *leader, enum leader_command_kind kind);
struct leader_command *leader_ask(struct leader *leader, enum leader_command_kind kind,
                                  enum leader_purpose purpose);
void leader_append(struct leader *leader, enum leader_purpose purpose,
                   const struct message *messages, size_t count, const char *const *tombstones,
                   size_t tombstone_count);
void leader_append_one(struct leader *leader, const struct message *message);
/* HANDOVERs for the head's build or an earlier one: whoever wanted the rows has them. Adds their
 * objects, and gives the keys of the records that go with that. */
size_t leader_find_handovers(struct leader *leader, const struct message_commit *head,
                             const char **objects, size_t *count, const char **keys);
void leader_alert(struct leader *leader, const char *format, ...) PRINTF_LIKE(2, 3);
void leader_trace(struct leader *leader, const char *format, ...) PRINTF_LIKE(2, 3);
void leader_does(struct leader *leader, const char *what); /* for /status */
void leader_retry_later(struct leader *leader);
const char *leader_text(struct leader *leader, const char *format, ...) PRINTF_LIKE(2, 3);
void leader_set_name(char *to, const char *name);
void leader_ask_pointer(struct leader *leader);
void leader_ask_ends(struct leader *leader);
void leader_run_record(struct leader *leader, const char *run_id, int status,
                       const char *manifest_ref, const char *error);
/* True when `texts` has it. */
bool leader_has_text(const char *const *texts, size_t count, const char *text);
/* Now, by the clock that stamps the ledger. */
int64_t leader_broker_now(const struct leader *leader);

/* ---- leader_term.c ---- */
void leader_elected(struct leader *leader);
void leader_unelected(struct leader *leader);
void leader_end_term(struct leader *leader, const char *why);  /* and a new one after a random wait
                                                                */
void leader_step_down(struct leader *leader, const char *why); /* leave the leader group for a while
                                                                */
void leader_advance_term(struct leader *leader);               /* phases other than ACTIVE */
bool leader_still_leads(const struct leader *leader);

/* ---- leader_hold.c ---- */
bool leader_duty_hold(struct leader *leader);
bool leader_duty_resume(struct leader *leader);
void leader_hold(struct leader *leader, const char *why); /* append a HOLD of our own */

/* ---- leader_pointer.c ---- */
bool leader_duty_compare(struct leader *leader);
bool leader_duty_publish(struct leader *leader);
bool leader_duty_watch(struct leader *leader);
const char *leader_expected_pointer(const struct message_commit *head, bool published);

/* ---- leader_seen.c ---- */
bool leader_pointer_is(const struct leader *leader, const char *bytes); /* NULL: missing */
/* A COMMIT for the snapshot that the pointer names, from its lineage; false: it has none of ours.
 */
bool leader_adopt(struct leader *leader, struct message_commit *out);
/* The group that made the snapshot that the pointer names, if that is another one; NULL: ours, or
 * the manifest does not say. */
const char *leader_other_group(struct leader *leader);
/* R21: the snapshot of `adopted` was made on top of `head`. */
bool leader_descends(const struct message_commit *head, const struct message_commit *adopted);

/* ---- leader_close.c, leader_cut.c ---- */
bool leader_duty_close(struct leader *leader);
bool leader_duty_reclose(struct leader *leader);
/* The vector of the next build without cuts (cut = seen_end), in the out arena. */
size_t leader_vector(struct leader *leader, struct close_partition **out);
/* A record of each topic of the CLOSE, where one is on record (R9). */
const struct topic_witness *leader_witnesses(struct leader *leader,
                                             const struct message_close *close, size_t *out_count);
bool leader_event_time_cut(struct leader *leader, struct close_partition *vector, size_t count,
                           int64_t *out_to_us);

/* ---- leader_plan.c, leader_cover.c ---- */
/* The member is heard of, in that incarnation; 0: in any. */
bool leader_is_alive(const struct leader *leader, const char *member, uint64_t incarnation);
/* Shares[i] covers close->partitions[i]. False: not all are covered yet; then `out_missing` says
 * what. */
bool leader_cover(struct leader *leader, const struct message_close *close,
                  struct leader_share *shares, const char **out_missing);
bool leader_duty_plan(struct leader *leader);
void leader_append_plan(struct leader *leader, const struct message_plan *plan);

/* ---- leader_builders.c ---- */
struct leader_builder { /* a member that lives and makes the content of the open CLOSE */
    const char *name;
    uint64_t incarnation;
};
/* All of them, by name; room for MEMBERS_MAX. */
size_t leader_builders(const struct leader *leader, const char *fingerprint,
                       struct leader_builder *builders);
/* It has, or can fetch, the rows of every contribution. */
bool leader_can_gather(const struct leader *leader, const struct message_plan *plan,
                       const struct leader_builder *builder);

/* ---- leader_attempts.c ---- */
bool leader_duty_attempts(struct leader *leader);

/* ---- leader_base.c: contents `state` ---- */
/* False: the head's snapshot cannot become a state of the present settings; `out_why`. */
bool leader_base_fits(struct leader *leader, const char **out_why);
/* Fills base of the plan, whose number of shards is known. */
void leader_base(struct leader *leader, struct message_plan *plan);
void leader_tell_base(struct leader *leader, const struct message_plan *plan);

/* ---- leader_run.c ---- */
const char *leader_new_run_id(struct leader *leader, uint64_t build); /* never given before */
/* NULL: no attempt at the shard is on record and good. */
const struct message_attempt *leader_winner(const struct leader *leader,
                                            const struct message_plan *plan, uint32_t shard);
bool leader_all_built(const struct leader *leader, const struct message_plan *plan);
void leader_abort(struct leader *leader, const struct message_plan *plan, const char *reason);

/* ---- leader_gates.c ---- */
/* False: the run is not to be published as it is; *out_asked: GATED was appended just now. */
/* `changed`: one more reason, or NULL. */
bool leader_gates_pass(struct leader *leader, const struct message_plan *plan, const char *changed,
                       bool *out_asked);
/* The id of the ACCEPT of this run; NULL: none. */
const char *leader_accepted(const struct leader *leader, const struct message_plan *plan);

/* ---- leader_commit.c, leader_account.c ---- */
bool leader_duty_commit(struct leader *leader); /* stage, then COMMIT */
/* Appends the COMMIT of a build without rows, or says why not. False: what is carried in is not
 * what the head carried out, because the settings changed; then it is planned like any other, so
 * that a gate can ask. */
bool leader_commit_empty(struct leader *leader, const struct message_close *close,
                         const struct leader_share *shares);
void leader_staged(struct leader *leader, const struct leader_event *event); /* the answer to
                                                                                STAGE_MANIFEST */
struct leader_accounting {
    const char *why;     /* it does not balance, and names the partition; NULL: it does */
    const char *changed; /* the same, but other settings than the head's can be the reason; NULL:
                            nothing of the kind */
};
/* R1: the sums, and whether they balance. False: `said->why`. */
bool leader_accounts(struct leader *leader, const struct message_close *close,
                     const struct leader_share *shares, const struct message_plan *plan,
                     struct commit_partition *out, struct leader_accounting *said);

/* ---- leader_clean.c ---- */
bool leader_duty_condemn(struct leader *leader);
bool leader_duty_tidy(struct leader *leader);
bool leader_duty_retire(struct leader *leader); /* leader_retire.c */
bool leader_duty_delete(struct leader *leader);
bool leader_duty_old_runs(struct leader *leader);
/* A COMMIT, the pointer, the open build or a rollback needs it: nothing may happen to it. */
bool leader_needs_run(const struct leader *leader, const char *run_id);
/* All is published and nobody holds: the head; else NULL. */
const struct message_commit *leader_settled_head(const struct leader *leader);
/* To be deleted at once: the run, or where there are any these objects of it. */
struct message leader_condemn_of(const struct leader *leader, const char *run_id,
                                 const char **objects, size_t object_count, const char *reason);
void leader_delete_unasked(struct leader *leader, const char *run_id); /* only mutants do that */
void leader_deleted(struct leader *leader, bool ok);
void leader_old_runs(struct leader *leader, const struct leader_old_run *runs, size_t count);
/* They could not be listed: again later, and nothing else waits for it. */
void leader_old_runs_failed(struct leader *leader);
/* An append that surely failed may have been a CONDEMN: what it was made of is looked at again. */
void leader_condemn_failed(struct leader *leader);
void leader_strays(struct leader *leader, const char *const *urls, size_t count);

/* ---- leader_sweep.c ---- */
bool leader_duty_sweep(struct leader *leader);
void leader_leftovers(struct leader *leader, const struct leader_leftover *list, size_t count);

#endif

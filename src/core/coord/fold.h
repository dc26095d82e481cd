/* The state of the ledger: the newest record of every key. */
#ifndef TIDEMARK_CORE_COORD_FOLD_H
#define TIDEMARK_CORE_COORD_FOLD_H

#include "core/coord/message.h"

/* Law (R17): folding any compaction of a ledger gives the same state as folding all of it. It holds
 * by construction, because the state is a map from key to newest record, tombstones take a key out,
 * and nothing else is derived while reading. What a record means beside others (is this hold still
 * open, is that CLOSE for this head) is asked of the whole map, by the functions below.
 *
 * One owner, one thread. */
struct fold;

struct fold_entry {
    struct message message;
    int64_t offset;       /* in the ledger */
    int64_t timestamp_us; /* LogAppendTime */
    const char *key;
};

struct fold *fold_new(void);
struct fold *fold_free(struct fold *fold); /* takes NULL; returns NULL */
void fold_clear(struct fold *fold);

/* The next record of the ledger; value.data NULL is a tombstone. Offsets must not go back: a record
 * that was seen already is ignored. ERR_INPUT: the record is none of ours or of an older term than
 * the LEADER below it; it is skipped, and the caller says so. */
MUST_CHECK bool fold_apply(struct fold *fold, int64_t offset, int64_t timestamp_us,
                           struct bytes key, struct bytes value, struct err *err);
int64_t fold_end(const struct fold *fold); /* offset after the newest record seen */

/* By key; NULL when there is none. Valid until the next fold_apply. */
const struct fold_entry *fold_find(const struct fold *fold, const char *key);
/* All of one kind in ledger order; *at starts as 0. NULL at the end. */
const struct fold_entry *fold_next(const struct fold *fold, enum message_kind kind, size_t *at);

/* ---- what it means ---- */

const struct fold_entry *fold_leader(const struct fold *fold);   /* newest LEADER, or NULL */
const struct message_commit *fold_head(const struct fold *fold); /* R5: the newest COMMIT, or NULL
                                                                  */
bool fold_head_published(const struct fold *fold); /* its snapshot is behind the pointer, or it has
                                                      none */
/* HOLD or HELD; NULL: none is open. (RESUME has their key, so it takes their place.) */
const struct fold_entry *fold_hold(const struct fold *fold);
/* RESUME that no COMMIT has answered yet; NULL: none. Nothing is swapped and no build is closed. */
const struct fold_entry *fold_resume(const struct fold *fold);
/* The CLOSE of the next build of the head, or NULL. One that stands on another head is void. */
const struct fold_entry *fold_open_close(const struct fold *fold);
/* The PLAN in force for the open CLOSE (its newest run that was not ABORTED), or NULL. */
const struct fold_entry *fold_open_plan(const struct fold *fold);
/* GATED of that PLAN, unless an ACCEPT has let its run through since; NULL: no gate keeps it. */
const struct message_gated *fold_gated(const struct fold *fold);
const struct fold_entry *fold_attempt(const struct fold *fold, const char *run_id, uint32_t shard,
                                      uint32_t attempt);
/* The PART of a contribution, when it covers all of `ranges`; NULL: none does. */
const struct fold_entry *fold_part(const struct fold *fold, uint64_t build, const char *member,
                                   uint64_t incarnation, const struct plan_range *ranges,
                                   size_t range_count);
/* PROGRESS of a member of any settings that owns it, the newest that said so; NULL: nobody does. */
const struct fold_entry *fold_any_owner(const struct fold *fold, struct partition_id id);
/* CONDEMN of this run, not taken back by SPARE; NULL: none. */
const struct message_condemn *fold_condemned(const struct fold *fold, const char *run_id);
uint64_t fold_next_build(const struct fold *fold); /* the number after the head's; 1 without one */
/* True before any build has fixed cuts: then reading begins where the setting `start` says (R7). */
bool fold_first_build(const struct fold *fold);

/* R4: one pair a partition over all members: that of the highest position, with the largest
 * watermark of any pair. `owner` is the member that speaks for it now: of those that own it the one
 * of the highest generation, then of the newest record. Members of another fingerprint do not count
 * (R9). False: no member has said anything about it. */
struct fold_pair {
    int64_t from; /* lowest of all */
    int64_t position;
    int64_t watermark_us;
    int64_t low_us;            /* of the owner when it is at `position`, else the lowest of all */
    enum progress_state state; /* of the owner; READING when there is none */
    const struct fold_entry *owner; /* PROGRESS; NULL: between owners */
    int64_t owner_position;
};
bool fold_pair(const struct fold *fold, const char *fingerprint, struct partition_id id,
               struct fold_pair *out);

/* What cut_judge needs for one partition: the head's history of it, then `close` when not NULL.
 * Returns the number of steps, at most HISTORY_MAX + 1; they live in `arena`. */
size_t fold_steps(const struct message_commit *head, const struct message_close *close,
                  struct partition_id id, struct arena *arena, struct cut_step **out);

#endif

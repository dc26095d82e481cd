/* Carries out one command of the member machine. */
#ifndef TIDEMARK_CONSUMER_MEMBER_MEMBER_COMMAND_H
#define TIDEMARK_CONSUMER_MEMBER_MEMBER_COMMAND_H

#include "consumer/member/member_thread.h"

/* A partition that the group gave us, or that begins again elsewhere, and is not read yet. */
struct waiting_start {
    struct source_partition partition;
    bool started;   /* the machine said where */
    int64_t offset; /* or MEMBER_START_POLICY */
    bool goes_on;   /* as in MEMBER_START_PARTITION */
    bool void_held;
    int32_t leader_epoch;
    int64_t watermark_us;
};

/* A record below what was adopted of a partition. */
struct adopted_witness {
    struct source_partition partition;
    int64_t offset; /* -1: none is known */
};

/* What commands are carried out with. The member thread's own. */
struct member_hands {
    const struct member_thread_settings *settings;
    struct member *member;
    uint64_t incarnation;
    struct ledger_reader *reader;
    struct ledger_writer *writer;
    struct source_query *query;
    struct member_work work;
    struct waiting_start *waiting; /* of the last ASSIGNED; all are answered together */
    size_t waiting_count;
    bool waiting_open;           /* an ASSIGNED waits for its answer */
    struct waiting_start *seeks; /* that begin again, each by itself */
    size_t seek_count;
    struct adopted_witness *adopted;
    size_t adopted_count;
    bool trigger_sent;
    int64_t lost_retry_us; /* clock_mono_us: member_hands_find_lost does not ask before */
    uint64_t alerts;       /* so many were told */
    struct err refused;    /* what only somebody's hand can mend; else of kind NONE */
    struct arena *arena;   /* of commands and their answers, until the next tick */
};

void member_hands_init(struct member_hands *hands, const struct member_thread_settings *settings,
                       struct queue *built);
void member_hands_done(struct member_hands *hands);

/* Makes the handles that are not there yet. */
MUST_CHECK bool member_hands_open(struct member_hands *hands, struct err *err);

/* ---- member_start.c ---- */

void member_hands_assignment(struct member_hands *hands, const struct mail *mail, bool assigned);

/* MEMBER_START_PARTITION and MEMBER_STOP_PARTITION. Where the setting `start` is to say the offset,
 * the cluster is asked; while it does not say, member_hands_answer_starts asks again. */
void member_hands_start(struct member_hands *hands, const struct member_command *command);
void member_hands_stop(struct member_hands *hands, const struct member_command *command);

/* The offsets that are known go to the poll thread and the intake: of an assignment when all of
 * its are. */
void member_hands_answer_starts(struct member_hands *hands);

/* ---- member_lost.c ---- */

/* False: no topic of ours. */
bool member_hands_partition(const struct member_hands *hands, struct partition_id id,
                            struct source_partition *ret);

/* MAIL_ADOPTED: what is held of a partition is what another member has read. */
void member_hands_adopted(struct member_hands *hands, const struct mail *mail);

/* Where a START or SEEK fetches from: so that the newest witness below it is read again, the head's
 * or that of the rows that are held. */
void member_hands_fetch_from(const struct member_hands *hands, struct mail *mail);

/* What a SEAL says of the topics is to be looked at when it is done. */
void member_hands_records(const struct member_hands *hands, const struct member_command *command,
                          struct mail *mail);

/* Asks the cluster where the logs begin now, for readings that are INTAKE_LOST. While it does not
 * say, those are left out, and later readings ask again: what the others have read is no less true.
 * SETTINGS when a log ends below what was read or the head has (it was truncated, or the topic was
 * made again), or may not be asked. */
MUST_CHECK bool member_hands_find_lost(struct member_hands *hands, struct member_reading *readings,
                                       size_t *count, struct err *err);

void member_hands_tick(struct member_hands *hands);

/* True: *ret_answer is an event that answers it. */
bool member_command_run(struct member_hands *hands, const struct member_command *command,
                        struct member_event *ret_answer);

#endif

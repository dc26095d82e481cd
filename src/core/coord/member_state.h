/* The inside of the member machine: its state, and what its files ask of each other. */
#ifndef TIDEMARK_CORE_COORD_MEMBER_STATE_H
#define TIDEMARK_CORE_COORD_MEMBER_STATE_H

#include "core/coord/fold.h"
#include "core/coord/member_event.h"
#include "core/coord/rules.h"

/* Only member_*.c include this. */

/* A partition that is read, or was read and whose last pair is not covered by a COMMIT yet. */
struct held_partition {
    struct partition_id id; /* the topic's name is its own memory */
    bool owned;
    bool started;      /* START_PARTITION was asked for */
    bool has_reading;  /* `reading` is of this start */
    int64_t read_from; /* where it began; a range that retention takes later does not move it, or
                          the first build would begin above that range without a word (R7) */
    int64_t start;     /* offset it was started at, or MEMBER_START_POLICY */
    int64_t held_from; /* no row at or above it is missing but those that a COMMIT has */
    struct member_reading reading;
    int64_t at_end_since_us; /* 0: it is not at its end */
    enum member_pause paused;
    bool lost_said;
    bool dropped; /* not owned, and its rows were forgotten: nothing can be promised of it */
    bool sealed;  /* in the last SEAL, and not begun anew since: its rows are still there, wherever
                     it is read now */

    /* What is held of it while it is not read (member_keep.c). */
    bool kept;
    bool restored;  /* by a local checkpoint, and not started since */
    bool void_held; /* rows are held that must not be used */
    int64_t kept_from;
    int64_t kept_to;
    int32_t kept_epoch;
    int64_t kept_watermark_us; /* at kept_to; EVENT_TIME_HIGH: what is held ends there exactly */
    char kept_head[MESSAGE_NAME_MAX + 1];

    /* member_handover.c */
    int64_t hand_over_us;  /* given up: not before that; 0: nothing is handed over */
    uint64_t handing;      /* number of the HAND_OVER that is under way; 0: none */
    int64_t assigned_us;   /* when it became ours */
    int64_t adopting;      /* offset of the HANDOVER that is being adopted; -1: none */
    int64_t adopted_up_to; /* HANDOVERs up to that offset were tried */
};

/* A record that is not known to be in the ledger. */
struct outgoing {
    char *key;
    struct buf value;
    uint64_t command; /* 0: not sent */
    int64_t retry_us;
    uint32_t failures; /* in a row */
};

struct outbox {
    struct outgoing *list;
    size_t count;
    size_t capacity;
};

/* The last SEAL of the open CLOSE, and what it gave. */
struct seal {
    int64_t close_offset; /* of the CLOSE; -1: none */
    uint64_t build;
    uint64_t number;
    uint64_t assignment; /* version of the assignment when it was asked for */
    bool asked;          /* no answer yet */
    bool done;
    int64_t retry_us;
    uint32_t failures;       /* in a row */
    int64_t promised_offset; /* of the CLOSE that what follows was said for; -1: none */
    struct arena *arena;     /* of what follows */
    const struct ready_partition *partitions;
    size_t partition_count;
    const struct shard_size *shards;
    size_t shard_count;
    const struct token_size *tokens;
    size_t token_count;
};

/* What is being built for the open PLAN. */
struct my_run {
    char run_id[MESSAGE_NAME_MAX + 1]; /* "": none */
    uint64_t build;
    uint32_t *attempts; /* by shard: the highest that was begun */
    size_t shard_count;
};

struct member {
    const struct coord_settings *settings;
    char name[MESSAGE_NAME_MAX + 1];
    uint64_t incarnation;
    struct rng rng;
    struct fold *fold;
    struct member_out *out;
    size_t command_capacity;
    int64_t now_us;
    int64_t clock_lost_us; /* by how much the clock was set back, in all */

    bool caught_up; /* the ledger was read to its end once */
    bool stopping;
    bool goodbye_said;
    bool left;
    int64_t generation;
    uint64_t assignment;               /* counts changes */
    struct held_partition *partitions; /* sorted */
    size_t partition_count;
    size_t partition_capacity;
    bool full_said; /* that there are too many */

    struct outbox outbox;
    uint64_t handovers;           /* numbers */
    uint64_t command;             /* ids only grow */
    int64_t progress_us;          /* when the last one was handed over */
    uint64_t progress_assignment; /* the newest of which it named all that is owned */
    struct buf progress_said; /* its value: nothing new is not said again before owner_timeout / 3
                               */

    bool short_of_room; /* as the data plane said last */
    struct seal seal;
    uint64_t seals;         /* numbers */
    int64_t refused_offset; /* CLOSE that was refused */
    struct my_run run;
    uint64_t part_seal; /* number of the SEAL whose part is stored or on its way; 0: none */
    int64_t part_retry_us;
    uint32_t part_failures; /* in a row */

    bool followed;                       /* the head was looked at since caught_up */
    int64_t head_offset;                 /* COMMIT that was acted upon */
    char head_run[MESSAGE_NAME_MAX + 1]; /* its run */
    int64_t published_offset;            /* PUBLISHED that was acted upon */
    char doing[256];
    bool noted; /* somebody listens to the shell's words, and to `doing` */
    char paused[256];
    char leading[256];
};

/* ---- member_out.c ---- */
struct member_command *member_command(struct member *member, enum member_command_kind kind);
void member_trace(struct member *member, const char *format, ...) PRINTF_LIKE(2, 3);
void member_alert(struct member *member, const char *format, ...) PRINTF_LIKE(2, 3);
/* The process must end: only somebody's hand can mend it. */
void member_end(struct member *member, const char *format, ...) PRINTF_LIKE(2, 3);
void member_does(struct member *member, const char *format, ...) PRINTF_LIKE(2, 3);
/* False: it is beyond the limits of the ledger's records, which was said. */
bool member_send(struct member *member, const struct message *message);
void member_send_encoded(struct member *member, const char *key, struct bytes value);
bool member_sending(const struct member *member, const char *key);
void member_appended(struct member *member, uint64_t command, enum err_kind outcome);
void member_flush(struct member *member); /* hands out what waits */
void member_outbox_done(struct member *member);
/* How long to wait after one more failure, which is counted. */
int64_t member_backoff(struct member *member, uint32_t *failures);

/* ---- member_table.c ---- */
struct held_partition *member_find(struct member *member, struct partition_id id);
/* NULL: there are PARTITIONS_MAX. */
struct held_partition *member_find_or_add(struct member *member, struct partition_id id);
void member_remove(struct member *member, size_t index);
void member_partitions_done(struct member *member);

/* ---- member_read.c ---- */
void member_assigned(struct member *member, const struct member_event *event);
void member_revoked(struct member *member, const struct member_event *event);
void member_readings(struct member *member, const struct member_event *event);
void member_slept(struct member *member); /* no event came for longer than a TICK may take */
void member_start_partitions(struct member *member);
void member_follow_head(struct member *member); /* COMMIT: FORGET; PUBLISHED: MIRROR_OFFSETS */

/* ---- member_pause.c ---- */
void member_pause(struct member *member);
/* R29: the build that it cannot read on without; 0: none. */
uint64_t member_needs_build(const struct member *member);

/* ---- member_keep.c ---- */
void member_held(struct member *member, const struct member_event *event);
/* It is read no more, and its rows stay. */
void member_keep(struct member *member, struct held_partition *partition);
/* Its rows are gone, or must not be used. */
void member_keep_nothing(struct held_partition *partition, bool void_held);
/* The head stands on that run: nothing was forgotten that a later build may ask for. */
bool member_stands_on(const struct message_commit *head, const char *run);
/* True: reading goes on at kept_to, because all from `needed` on is held. */
bool member_goes_on(const struct member *member, const struct held_partition *partition,
                    int64_t needed);

/* ---- member_handover.c ---- */
/* The partition was taken from us: if it does not come back, what is held of it is handed over. */
void member_give_up(struct member *member, struct held_partition *partition);
void member_hand_over(struct member *member);     /* what is due */
void member_hand_over_all(struct member *member); /* a stop, where the settings want it */
bool member_is_handing_over(const struct held_partition *partition);
void member_handed_over(struct member *member, const struct member_event *event);
/* True: it is not started yet, because more of it may come from another member. `needed` as for
 * member_goes_on. */
bool member_awaits_handover(struct member *member, struct held_partition *partition,
                            int64_t needed);
void member_adopted(struct member *member, const struct member_event *event);

/* ---- member_progress.c ---- */
void member_progress(struct member *member);
void member_goodbye(struct member *member);
bool member_is_own_progress(const struct member *member, struct bytes key);

/* ---- member_seal.c ---- */
void member_seal(struct member *member);
void member_sealed(struct member *member, const struct member_event *event);

/* ---- member_build.c ---- */
void member_build(struct member *member);
void member_part_stored(struct member *member, const struct member_event *event);
void member_built(struct member *member, const struct member_event *event);

#endif

/* What the threads of a member tell each other: each piece owns its memory and has one owner. */
#ifndef TIDEMARK_CONSUMER_INTAKE_MAIL_H
#define TIDEMARK_CONSUMER_INTAKE_MAIL_H

#include "adapters/os/queue.h"
#include "adapters/source.h"
#include "consumer/intake/intake.h"
#include "core/base/arena.h"

enum mail_kind {
    /* to the intake thread */
    MAIL_BATCH, /* from poll: records and ends */
    MAIL_START, /* from member, as all below: a partition is read from an offset on */
    MAIL_STOP,
    MAIL_SEAL,
    MAIL_FORGET,
    MAIL_HAND_OVER, /* give all that is held of a partition … */
    MAIL_ADOPT,     /* … or take what another member held of it */
    MAIL_SAVE,      /* from service: write the checkpoint; nothing is taken in any more */
    MAIL_DISCARD,   /* from member or poll: what is held must not be used again */
    /* to the poll thread, from member */
    MAIL_FETCH, /* the answer to ASSIGNED: exactly where to read from */
    MAIL_SEEK,  /* go on at another offset, then hand on to the intake as MAIL_START */
    MAIL_PAUSE,
    MAIL_RESUME,
    MAIL_MIRROR,
    MAIL_JOIN_AGAIN, /* from leader: leave the group and join it */
    /* to the member thread */
    MAIL_ASSIGNED, /* from poll */
    MAIL_REVOKED,
    MAIL_READINGS, /* from intake */
    MAIL_SEALED,
    MAIL_HANDED_OVER, /* the answers to HAND_OVER and ADOPT: the same piece */
    MAIL_ADOPTED,
    MAIL_FAILED, /* from poll or intake: the process should end */
};

struct mail {
    enum mail_kind kind;
    struct arena *arena; /* of what the rest points to; NULL for a batch */
    union {
        struct source_batch *batch;
        struct {
            struct source_partition partition;
            int64_t offset;
            int32_t leader_epoch;
            int64_t fetch_from; /* at or below `offset`: from a witness on */
            bool behind_lost;   /* `head` is not looked at */
            bool read_on;       /* nothing of it changes; only `fetch_from` counts */
            struct intake_head head;
        } start; /* START, SEEK */
        struct source_partition stop;
        struct {
            uint64_t build;
            uint64_t seal;
            const struct member_seal_partition *partitions;
            size_t count;
            const struct intake_look *records; /* of their topics, as the CLOSE names them */
            size_t record_count;
        } seal;
        struct {
            const struct member_forget *partitions;
            size_t count;
            const char *run; /* of the COMMIT */
        } forget;
        struct {
            const struct source_start *starts;
            size_t count;
        } fetch;
        struct {
            const struct source_partition *partitions;
            size_t count;
        } partitions; /* PAUSE, RESUME, ASSIGNED, REVOKED */
        struct {
            const struct source_offset *offsets;
            size_t count;
            bool rewind;
        } mirror;
        struct {
            struct member_reading *readings;
            size_t count;
            struct intake_counters counters;
            bool short_of_room;
        } readings;
        struct {
            uint64_t build;
            uint64_t seal;
            bool ok;
            const char *error;
            struct intake_sealed sealed;
            const struct intake_look *records; /* as in `seal`, to be looked at, too */
            size_t record_count;
        } sealed;
        struct {
            struct message_handover given;
            struct bytes tally;
            struct contribution *rows; /* NULL: see `error` */
            const char *error;
        } handover; /* HAND_OVER, HANDED_OVER */
        struct {
            int64_t offset; /* of the HANDOVER */
            struct checkpoint_partition partition;
            const char *path;
            uint64_t bytes;
            struct row_set *set; /* with its file; NULL: taken */
            const char *error;   /* NULL: it is held now */
        } adopt;                 /* ADOPT, ADOPTED */
        struct err err;
    };
};

struct mail *mail_new(enum mail_kind kind); /* with an arena, but for a batch */
struct mail *mail_free(struct mail *mail);  /* takes NULL; returns NULL */

enum { MAIL_QUEUE_MAX = 16384 };

/* Hands it over; frees it when the queue was closed meanwhile. */
void mail_send(struct queue *to, struct mail *take_mail);

/* The next piece, waiting for at most timeout_us; NULL: none. */
struct mail *mail_next(struct queue *from, int64_t timeout_us);

/* Frees what was never read. */
void mail_drain(struct queue *queue);

#endif

/* The thread that polls Kafka: it hands batches on and does nothing that could wait. */
#ifndef TIDEMARK_CONSUMER_INTAKE_POLL_THREAD_H
#define TIDEMARK_CONSUMER_INTAKE_POLL_THREAD_H

#include "adapters/os/pulse.h"
#include "consumer/rows/budget.h"
#include "consumer/intake/mail.h"
#include "core/rate.h"

/* All borrowed until poll_thread_free. */
struct poll_thread_settings {
    const struct source_settings *source;
    struct rate rate;      /* how fast records may be handed on */
    size_t batch_messages; /* of each batch; up to POLL_BATCH_MESSAGES */
    struct budget *budget;
    struct queue *inbox;   /* MAIL_FETCH, MAIL_SEEK, MAIL_PAUSE, MAIL_RESUME, MAIL_MIRROR,
                              MAIL_JOIN_AGAIN */
    struct queue *batches; /* empty ones; their number bounds what is on the way */
    struct queue *intake;  /* MAIL_BATCH */
    struct queue *member;  /* MAIL_ASSIGNED, MAIL_REVOKED, MAIL_FAILED */
};

enum { POLL_BATCH_MESSAGES = 8192, POLL_BATCH_BYTES = 1 << 20, POLL_BATCHES = 8 };

enum poll_pause {
    POLL_PAUSE_NONE,
    POLL_PAUSE_MEMORY, /* the budget's mark */
    POLL_PAUSE_INTAKE, /* no batch is empty */
    POLL_PAUSE_RATE,   /* more has come than the settings let in */
};

struct poll_thread;

/* Joins the group and starts the thread. Errors: as source_new. */
MUST_CHECK bool poll_thread_new(const struct poll_thread_settings *settings,
                                struct poll_thread **ret_thread, struct err *err);

/* Asks it to leave the group and end. Any thread. */
void poll_thread_stop(struct poll_thread *thread);

/* As of a second ago. Any thread. */
void poll_thread_statistics(struct poll_thread *thread, struct source_statistics *ret_statistics);

/* Why nothing is fetched just now. Any thread. */
enum poll_pause poll_thread_pause(const struct poll_thread *thread);

/* Borrowed. */
const struct pulse *poll_thread_pulse(const struct poll_thread *thread);

/* Waits for its end. Takes NULL; returns NULL. */
struct poll_thread *poll_thread_free(struct poll_thread *thread);

#endif

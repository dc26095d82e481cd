/* The thread that looks, before a build is ready, whether its logs are still those that were read
 * (PROTOCOL R9). */
#ifndef TIDEMARK_CONSUMER_INTAKE_LOOK_THREAD_H
#define TIDEMARK_CONSUMER_INTAKE_LOOK_THREAD_H

#include "adapters/source.h"
#include "consumer/intake/mail.h"

/* All borrowed until look_thread_free. */
struct look_thread_settings {
    const struct source_settings *source;
    struct queue *member; /* MAIL_SEALED, MAIL_FAILED */
};

struct look_thread;

struct look_thread *look_thread_new(const struct look_thread_settings *settings);

/* Takes a MAIL_SEALED, and hands it on to the member when none of its records, and of those that
 * the CLOSE names, is another one now; also when that cannot be known: a record is gone, or no
 * broker answers for 30 seconds, which is logged. MAIL_FAILED in its place: a topic was made again.
 * Any thread; does not wait. */
void look_thread_send(struct look_thread *thread, struct mail *take_mail);

/* Drops what was not looked at. Takes NULL; returns NULL. */
struct look_thread *look_thread_free(struct look_thread *thread);

#endif

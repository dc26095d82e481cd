/* The thread that runs the intake on what the poll thread brings and the member thread asks. */
#ifndef TIDEMARK_CONSUMER_INTAKE_INTAKE_THREAD_H
#define TIDEMARK_CONSUMER_INTAKE_INTAKE_THREAD_H

#include "adapters/os/pulse.h"
#include "consumer/intake/checkpoint_saver.h"
#include "consumer/intake/intake.h"
#include "consumer/intake/mail.h"

/* All borrowed until intake_thread_free. */
struct intake_thread_settings {
    struct intake *intake;
    struct checkpoint_saver *saver;
    struct queue *inbox;   /* MAIL_BATCH, MAIL_START, MAIL_STOP, MAIL_SEAL, MAIL_FORGET, … */
    struct queue *batches; /* where empty batches go back to */
    struct queue *member;  /* MAIL_READINGS, MAIL_SEALED, MAIL_FAILED */
    const struct source_settings *source; /* what is sealed is looked at again with it; NULL: is
                                             not */
};

struct intake_thread;

/* MAIL_SAVE was carried out, or cannot be. Any thread. */
bool intake_thread_saved(const struct intake_thread *thread);

struct intake_thread *intake_thread_new(const struct intake_thread_settings *settings);

/* The inbox is closed first; what is in it is still worked off, unless the intake has failed. Waits
 * for the end. Takes NULL; returns NULL. */
struct intake_thread *intake_thread_free(struct intake_thread *thread);

/* Borrowed. Any thread. */
const struct pulse *intake_thread_pulse(const struct intake_thread *thread);

#endif

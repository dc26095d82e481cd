/* Is a log still the one that was read? What is said of a topic that was deleted and made again. */
#ifndef TIDEMARK_CONSUMER_INTAKE_MADE_AGAIN_H
#define TIDEMARK_CONSUMER_INTAKE_MADE_AGAIN_H

#include "adapters/source.h"
#include "core/window/witness.h"

struct witness made_again_witness(const struct source_message *message);

/* A partition, for those who read about it. */
struct made_again_log {
    const char *topic;
    int32_t number;
    int64_t head_witness; /* offset of the one that the head has on record; -1: none */
    uint64_t head_hash;   /* its hash */
    const char *head_run; /* the head's; NULL: it is that of the CLOSE */
};

/* False: SETTINGS, another record is where the witness was. */
MUST_CHECK bool made_again_compare(const struct made_again_log *log, struct witness witness,
                                   const struct source_message *now, struct err *err);

/* Two witnesses of one offset differ. SETTINGS; returns false. */
bool made_again_differ(const struct made_again_log *log, int64_t offset, struct err *err);

/* The log ends at `high`, below `position`, which was read. SETTINGS; returns false. */
bool made_again_ends(const char *topic, int32_t number, int64_t high, int64_t position,
                     struct err *err);

/* The log ends at `high`, at or below the head's witness. SETTINGS; returns false. */
bool made_again_too_short(const struct made_again_log *log, int64_t high, struct err *err);

/* The leader epoch shows that the log was cut below `position`, which was read. SETTINGS. */
void made_again_truncated(const char *topic, int32_t number, int64_t position, struct err *err);

/* The broker does not know the topic any more: adds what that means. SETTINGS. */
void made_again_gone(const char *topic, int32_t number, struct err *err);

#endif

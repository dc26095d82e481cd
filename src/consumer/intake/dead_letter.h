/* Where records go that cannot be used, or came too late: with their coordinates and the cause. */
#ifndef TIDEMARK_CONSUMER_INTAKE_DEAD_LETTER_H
#define TIDEMARK_CONSUMER_INTAKE_DEAD_LETTER_H

#include "adapters/cluster.h"
#include "core/settings.h"

struct dead_letter {
    const char *topic;
    int32_t partition;
    int64_t offset;
    int64_t timestamp_ms; /* -1: none */
    const char *cause;    /* "bad_json", "late", "future", … */
    const char *detail;   /* one line; "" */
    bool has_key;
    bool has_value;
    struct bytes key; /* as in Kafka; of a late or future row, as stored */
    struct bytes value;
};

/* A letter may be sent again after a crash: its identity is (topic, partition, offset) (PROTOCOL
 * R2). */
struct dead_letters;

/* For `topic`, makes a producer of its own; for `file`, opens it for appending, on a
 * line of its own. */
MUST_CHECK bool dead_letters_new(const struct dead_letter_settings *settings,
                                 const struct cluster_settings *cluster,
                                 struct dead_letters **ret_letters, struct err *err);
struct dead_letters *dead_letters_free(struct dead_letters *letters); /* takes NULL; returns NULL */

/* Hands the letter over. With `fail` it is refused: ERR_SETTINGS, naming the record and the cause,
 * because an operator must decide. Intake thread. May wait when the producer's queue is full. */
MUST_CHECK bool dead_letters_send(struct dead_letters *letters, const struct dead_letter *letter,
                                  struct err *err);

/* Returns when all that was sent is stored: before a READY counts its records as accounted for.
 * False: the next flush stores the same letters, some of them maybe twice. Intake thread; waits for
 * at most a minute. */
MUST_CHECK bool dead_letters_flush(struct dead_letters *letters, struct err *err);

#endif

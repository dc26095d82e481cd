/* The ledger: the coordination topic, read from its start and appended to by members. */
#ifndef TIDEMARK_ADAPTERS_LEDGER_H
#define TIDEMARK_ADAPTERS_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adapters/cluster.h"
#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/base/bytes.h"
#include "core/base/check.h"
#include "core/base/err.h"

/* One record of the ledger, or one to append. PROTOCOL R17 has the keys. */
struct ledger_record {
    int64_t offset;       /* not looked at in an append */
    int64_t timestamp_ms; /* the broker's (LogAppendTime), since 1970; not looked at in an append */
    struct bytes key;
    struct bytes value;
    bool is_tombstone; /* no value: the key is gone */
};

/* The largest key + value. Brokers count what is compressed, and by default refuse more than 1 MB
 * of that; the topics made here take as much as this uncompressed. */
enum { LEDGER_RECORD_BYTES_MAX = 8 * 1000 * 1000 };
#define LEDGER_MESSAGE_BYTES "8388608" /* with room for the batch around it */

struct ledger_settings {
    struct cluster_settings cluster;
    const char *group; /* the ledger is `<group>.coordination`, see ledger_topic_name */
    const char *topic; /* NULL: ledger_topic_name(group) */
};

/* `<group>.coordination`, in the arena. */
const char *ledger_topic_name(struct arena *arena, const char *group);

/* -- the topic itself -- */

/* False with SETTINGS when a topic must not be used as a ledger (PROTOCOL R17): the message
 * names each wrong setting, its value and the wanted one. Pure. */
MUST_CHECK bool ledger_check_description(const char *name, const struct cluster_topic *topic,
                                         struct err *err);

/* What makes the replay at every start longer than the live state, or narrows what a record may
 * hold: each setting with its value and the one that a topic made here has. False: nothing does.
 * Such a topic works. Pure. */
bool ledger_advice(const struct cluster_topic *topic, struct buf *out);

/* Describes and checks the topic on the cluster. MISSING when it is not there; SETTINGS as
 * above; TRANSIENT. Never on a mock cluster, which cannot describe topics (DESIGN 4). May block
 * for timeout_ms; any thread. */
MUST_CHECK bool ledger_check(struct cluster *cluster, const char *name, int timeout_ms,
                             struct cluster_topic *ret_topic, struct err *err);

/* The same for one that was made just now, maybe by another member: cluster_await_topic. */
MUST_CHECK bool ledger_await(struct cluster *cluster, const char *name, int settle_ms,
                             int timeout_ms, struct cluster_topic *ret_topic, struct err *err);

/* Makes it right: one partition, compact alone, 3 replicas with min ISR 2 where there are 3
 * brokers, no unclean election, LogAppendTime, small segments so that compaction keeps the
 * start short. True when it is there already: check it. Errors as cluster_create_topic. */
MUST_CHECK bool ledger_create(struct cluster *cluster, const char *name, int timeout_ms,
                              struct err *err);

/* -- reading -- */

/* Reads all of the ledger in offset order with read_committed, without a group. One thread at a
 * time. */
struct ledger_reader;

struct ledger_batch {
    const struct ledger_record *records; /* views, valid until the next call on this reader */
    size_t count;
    int64_t next_offset; /* all below is read, or was compacted away or aborted; -1: nothing
                          * heard yet */
    bool at_end;         /* next_offset was the last stable offset when this batch ended */
};

MUST_CHECK bool ledger_reader_new(const struct ledger_settings *settings, int64_t from_offset,
                                  struct ledger_reader **ret_reader, struct err *err);
struct ledger_reader *ledger_reader_free(struct ledger_reader *reader);

/* Waits for at most timeout_ms for the first record or the end; an empty batch is no error. The
 * first `at_end` says that everything was read that was visible when the reader was made.
 * Errors: CORRUPT (the topic was deleted, truncated or made again below what was read: the fold
 * is worthless, start over), SETTINGS (authorization), MISSING (no such topic). Broker trouble
 * is not an error: nothing comes. */
MUST_CHECK bool ledger_read(struct ledger_reader *reader, int timeout_ms,
                            struct ledger_batch *ret_batch, struct err *err);

/* -- a member's appends -- */

/* Records outside transactions, in order, each once (idempotent producer, acks=all). One thread
 * at a time; a call blocks for at most timeout_ms. */
struct ledger_writer;

MUST_CHECK bool ledger_writer_new(const struct ledger_settings *settings,
                                  struct ledger_writer **ret_writer, struct err *err);
struct ledger_writer *ledger_writer_free(struct ledger_writer *writer);

/* Appends all in this order and waits until min ISR has them. *ret_offset (may be NULL) is the
 * last one's. TRANSIENT: none of them is or will be there. AMBIGUOUS: some may be, or may
 * appear later. INPUT: one is too large. MISSING: no such topic. SETTINGS. After an error the next
 * call starts with a fresh producer. */
MUST_CHECK bool ledger_append(struct ledger_writer *writer, const struct ledger_record *records,
                              size_t count, int timeout_ms, int64_t *ret_offset, struct err *err);

#endif

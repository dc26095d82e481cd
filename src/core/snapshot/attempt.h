/* One try to build one shard: a row of the manifest, or one that lost. */
#ifndef TIDEMARK_CORE_SNAPSHOT_ATTEMPT_H
#define TIDEMARK_CORE_SNAPSHOT_ATTEMPT_H

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/record/key.h"

/* A missing task_attempt_id counts as this when winners are chosen (snapshot format, section 10).
 */
#define ATTEMPT_NO_TASK INT64_MAX
#define ATTEMPT_NO_STAGE INT64_MIN

enum { ATTEMPT_KEY_TEXT_MAX = 4096 }; /* bytes of min_key and max_key: they travel in the ledger */

/* Texts belong to the arena of whoever made it. */
struct attempt {
    int64_t db_id;
    int64_t attempt;
    int64_t task_attempt_id; /* ATTEMPT_NO_TASK: none */
    const char *db_url;      /* the attempt's directory; NULL: the shard is empty */
    int64_t row_count;       /* rows stored */
    int64_t db_bytes;        /* of shard.db alone */
    const char *min_key;     /* JSON text of the logical key; NULL: none */
    const char *max_key;
    const char *checkpoint_id; /* 32 lower-case hex digits; NULL: none */
    const char *etag;          /* of shard.db as HEAD gives it, quotes included; NULL: not known */
    int64_t duration_ms;
    int64_t stage_id; /* ATTEMPT_NO_STAGE: none */
};

/* Makes `attempt` an empty one: nothing known, no texts. */
void attempt_init(struct attempt *attempt, int64_t db_id, int64_t number);

/* min_key or max_key for a stored key, the arena's. NULL: the key has no JSON text, or it is longer
 * than ATTEMPT_KEY_TEXT_MAX (snapshot format, section 3). */
const char *attempt_key_text(enum key_encoding encoding, struct bytes stored, struct arena *arena);

/* The column `writer_info`: JSON with sorted keys (section 3). */
void attempt_print_writer_info(const struct attempt *attempt, struct buf *out);

/* Takes duration_ms, stage_id and task_attempt_id where they are; all may be missing, and what
 * others wrote beside them is passed over. ERR_INPUT. */
MUST_CHECK bool attempt_parse_writer_info(struct bytes text, struct attempt *attempt,
                                          struct err *err);

bool attempt_checkpoint_id_is_valid(const char *checkpoint_id); /* 32 lower-case hex digits */

#endif

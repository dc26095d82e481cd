/* A stored spill as a row_set: its sections are streams. */
#ifndef TIDEMARK_CHECKPOINT_SPILL_SPILL_READER_H
#define TIDEMARK_CHECKPOINT_SPILL_SPILL_READER_H

#include "core/spill/row_set.h"

/* Where the bytes of a spill come from: a local file, or an object read by range. */
struct spill_bytes {
    /* Exactly `size` bytes at `place`, or an error: MISSING, TRANSIENT, CORRUPT (it is shorter).
     * May block. From several threads at once. */
    bool (*read)(void *context, uint64_t place, uint8_t *to, size_t size, struct err *err);
    void (*free)(void *context); /* may be NULL */
    void *context;
    uint64_t size;       /* of the object */
    size_t window_bytes; /* what a stream asks for at once; 0: as fits a local file */
};

/* Reads header, footer and index. `name` is for errors, which name file, section and place. The
 * bytes are freed with the set, and also when this fails. Errors: CORRUPT, those of `read`. */
MUST_CHECK bool spill_open(const char *name, struct spill_bytes take_bytes,
                           struct row_set **ret_set, struct err *err);

/* The same for a local file; open until the set is freed. Errors also: MISSING. */
MUST_CHECK bool spill_open_file(const char *path, struct row_set **ret_set, struct err *err);

/* Reads every block, so that what follows meets no surprise: CORRUPT. Blocks. */
MUST_CHECK bool spill_verify(struct row_set *spill, struct err *err);

/* Checksum of the spill's index: what spill_write gave as digest. */
uint64_t spill_digest(const struct row_set *spill);

enum {
    /* Memory of one open stream, unless a row is larger than a block. */
    SPILL_STREAM_BYTES = 2 * 1024 * 160,
};

#endif

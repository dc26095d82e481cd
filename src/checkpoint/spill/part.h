/* A part in the shared store: another member's rows, read by range. */
#ifndef TIDEMARK_CHECKPOINT_SPILL_PART_H
#define TIDEMARK_CHECKPOINT_SPILL_PART_H

#include "adapters/store.h"
#include "core/spill/row_set.h"

enum { PART_DIGEST_TEXT = 17 };

/* The checksum of a spill's index as PART has it: 16 lower-case hex digits. */
void part_digest_text(uint64_t digest, char ret_text[PART_DIGEST_TEXT]);

/* A part as its PART record names it. */
struct part_place {
    const char *url;
    const char *digest;
    uint64_t bytes;
};

/* Reads its end, and all of a small one, in one request; what else streams want in pieces of
 * `window_bytes`: a request costs its latency. The store is borrowed while the set lives. Errors:
 * MISSING, CORRUPT (also when its digest is not the one given), those of the store. */
MUST_CHECK bool part_open(struct store *borrowed_store, const struct part_place *place,
                          size_t window_bytes, struct row_set **ret_set, struct err *err);

#endif

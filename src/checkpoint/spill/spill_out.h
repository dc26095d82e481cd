/* The file of a spill in the making: rows in, blocks, index and footer out. */
#ifndef TIDEMARK_CHECKPOINT_SPILL_SPILL_OUT_H
#define TIDEMARK_CHECKPOINT_SPILL_SPILL_OUT_H

#include "core/base/err.h"
#include "core/spill/spill_index.h"

/* One thread; about 512 KiB of memory. A process that dies leaves a file without a footer, which no
 * reader takes for a spill. */
struct spill_out;

struct spill_out_end {
    uint64_t bytes;  /* of the file */
    uint64_t digest; /* checksum of its index, which covers all its blocks */
};

/* A new file (CONFLICT when it is there). Errors here and below: as file.h. */
MUST_CHECK bool spill_out_open(const char *path, enum row_order order, struct spill_out **ret_out,
                               struct err *err);

/* The next row of the section in hand, copied. Rows come in the order of the spill. */
MUST_CHECK bool spill_out_row(struct spill_out *out, const struct row *row, struct err *err);

/* Ends the section in hand, which has rows: fills its place, stored_bytes and digest. */
MUST_CHECK bool spill_out_section(struct spill_out *out, struct section *section, struct err *err);

/* The index of all sections that were written, in their order. `sync`: file and folder are on the
 * disk then. LIMIT: the index is too large. */
MUST_CHECK bool spill_out_finish(struct spill_out *out, const struct spill_index *index, bool sync,
                                 struct spill_out_end *ret_end, struct err *err);

/* Removes a file that was not finished. Takes NULL; returns NULL. */
struct spill_out *spill_out_free(struct spill_out *out);

#endif

/* Which offsets of a partition were seen: exact counts over any range, in about a bit an offset. */
#ifndef TIDEMARK_CORE_WINDOW_OFFSET_SET_H
#define TIDEMARK_CORE_WINDOW_OFFSET_SET_H

#include "core/base/buf.h"
#include "core/base/err.h"

/* The account of a build (PROTOCOL R1) counts records between two cuts, and a cut becomes known
 * after the records were read. So a member keeps, per partition and event window, the set of
 * offsets: full chunks cost 16 bytes per 4096 offsets, others a bitmap of 512 bytes. */
struct offset_set {
    struct offset_chunk *chunks; /* by ascending base */
    size_t count;
    size_t capacity;
};

/* A zeroed struct is an empty set. One thread at a time. Offsets are >= 0. */
void offset_set_done(struct offset_set *set);

/* False: it was there already. Cheap when offsets mostly ascend. */
bool offset_set_add(struct offset_set *set, int64_t offset);

/* How many offsets lie in [from, to). */
uint64_t offset_set_count(const struct offset_set *set, int64_t from, int64_t to);

/* The lowest offset at or above `from`; -1 when there is none. */
int64_t offset_set_first(const struct offset_set *set, int64_t from);

/* Takes all offsets below `end` out. */
void offset_set_remove_below(struct offset_set *set, int64_t end);
void offset_set_remove(struct offset_set *set, int64_t offset);

bool offset_set_is_empty(const struct offset_set *set);

/* As bytes, for a checkpoint: chunks, u32; of each its base, i64, whether it is full, u8, and, when
 * it is not, its bitmap of 512 bytes. Little-endian. */
void offset_set_encode(const struct offset_set *set, struct buf *to);

/* Takes a set off the front of `from` (which moves on), into an empty one. CORRUPT: not what
 * offset_set_encode wrote; `ret_set` is empty then. */
MUST_CHECK bool offset_set_decode(struct bytes *from, struct offset_set *ret_set, struct err *err);

#endif

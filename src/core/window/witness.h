/* Witnesses: a few records of a partition, by offset and hash, that tell a log from another one
 * which has its name and its offsets (PROTOCOL R9). */
#ifndef TIDEMARK_CORE_WINDOW_WITNESS_H
#define TIDEMARK_CORE_WINDOW_WITNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/bytes.h"

struct witness {
    int64_t offset;
    uint64_t hash;
};

/* The hash of a record; data NULL: it has none, which is not an empty one. The same in every
 * process, because it goes into the ledger. */
uint64_t witness_hash(int64_t timestamp_ms, struct bytes key, struct bytes value);

/* WITNESSES_BACK: a witness that lies further below where reading goes on is not read again. */
enum { WITNESSES_MAX = 16, WITNESSES_BACK = 10000 };

/* By offset, ascending. All zero: none. */
struct witness_list {
    struct witness list[WITNESSES_MAX];
    size_t count;
};

/* Keeps it. Of more than fit, the oldest and the newest stay, and those between lie far apart.
 * False: another record is known at that offset. */
bool witness_add(struct witness_list *witnesses, struct witness witness);
/* NULL: there is none at this offset. */
const struct witness *witness_at(const struct witness_list *witnesses, int64_t offset);
/* The newest one below `offset`; NULL: none. */
const struct witness *witness_below(const struct witness_list *witnesses, int64_t offset);
/* True: there is none at or below `offset`, and what is read there is a good one. */
bool witness_is_first(const struct witness_list *witnesses, int64_t offset);
/* The oldest and the newest below `offset`, ascending; returns how many there are. Who goes on from
 * there needs no more: one is read again at the start, the other at the next cut. */
enum { WITNESS_ENDS = 2 };
size_t witness_ends(const struct witness_list *witnesses, int64_t offset,
                    struct witness ret_ends[WITNESS_ENDS]);
/* Forgets all below `offset` but the newest of them. */
void witness_forget_below(struct witness_list *witnesses, int64_t offset);

/* Where fetching begins, so that the record `witness` (-1: none) is seen again before `start`. */
int64_t witness_fetch_from(int64_t start, int64_t witness);

#endif

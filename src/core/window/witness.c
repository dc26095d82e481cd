/* Witnesses: which records are kept in mind, and which one is asked for. */
#include "core/window/witness.h"

#include <string.h>
#include <xxhash.h>

uint64_t witness_hash(int64_t timestamp_ms, struct bytes key, struct bytes value)
{
    uint64_t parts[] = {
        (uint64_t)timestamp_ms,
        key.data == NULL ? 0 : 1,
        key.data == NULL ? 0 : XXH3_64bits(key.data, key.size),
        value.data == NULL ? 0 : 1,
        value.data == NULL ? 0 : XXH3_64bits(value.data, value.size),
    };
    return XXH3_64bits(parts, sizeof parts);
}

/* The first one at or above `offset`. */
static size_t lower_bound(const struct witness_list *witnesses, int64_t offset)
{
    size_t at = 0;
    while (at < witnesses->count && witnesses->list[at].offset < offset) {
        at++;
    }
    return at;
}

static void drop(struct witness_list *witnesses, size_t at)
{
    witnesses->count--;
    memmove(&witnesses->list[at], &witnesses->list[at + 1],
            (witnesses->count - at) * sizeof witnesses->list[0]);
}

/* The one between whose neighbours lie nearest to each other. */
static size_t most_crowded(const struct witness_list *witnesses)
{
    size_t found = 1;
    int64_t least = INT64_MAX;
    for (size_t i = 1; i + 1 < witnesses->count; i++) {
        int64_t gap = witnesses->list[i + 1].offset - witnesses->list[i - 1].offset;
        if (gap < least) {
            least = gap;
            found = i;
        }
    }
    return found;
}

bool witness_add(struct witness_list *witnesses, struct witness witness)
{
    const struct witness *known = witness_at(witnesses, witness.offset);
    if (known != NULL) {
        return known->hash == witness.hash;
    }
    if (witnesses->count == WITNESSES_MAX) {
        drop(witnesses, most_crowded(witnesses));
    }
    size_t at = lower_bound(witnesses, witness.offset);
    memmove(&witnesses->list[at + 1], &witnesses->list[at],
            (witnesses->count - at) * sizeof witnesses->list[0]);
    witnesses->list[at] = witness;
    witnesses->count++;
    return true;
}

const struct witness *witness_at(const struct witness_list *witnesses, int64_t offset)
{
    size_t at = lower_bound(witnesses, offset);
    return at < witnesses->count && witnesses->list[at].offset == offset ? &witnesses->list[at]
                                                                         : NULL;
}

const struct witness *witness_below(const struct witness_list *witnesses, int64_t offset)
{
    size_t at = lower_bound(witnesses, offset);
    return at == 0 ? NULL : &witnesses->list[at - 1];
}

bool witness_is_first(const struct witness_list *witnesses, int64_t offset)
{
    return witnesses->count == 0 || offset < witnesses->list[0].offset;
}

size_t witness_ends(const struct witness_list *witnesses, int64_t offset,
                    struct witness ret_ends[WITNESS_ENDS])
{
    size_t below = lower_bound(witnesses, offset);
    if (below == 0) {
        return 0;
    }
    ret_ends[0] = witnesses->list[0];
    ret_ends[1] = witnesses->list[below - 1];
    return below == 1 ? 1 : WITNESS_ENDS;
}

void witness_forget_below(struct witness_list *witnesses, int64_t offset)
{
    while (witnesses->count > 1 && witnesses->list[1].offset < offset) {
        drop(witnesses, 0);
    }
}

int64_t witness_fetch_from(int64_t start, int64_t witness)
{
    return witness >= 0 && witness < start && start - witness <= WITNESSES_BACK ? witness : start;
}

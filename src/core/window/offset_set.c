/* Which offsets of a partition were seen: exact counts over any range, in about a bit an offset. */
#include "core/window/offset_set.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/check.h"

enum { CHUNK_BITS = 12, CHUNK_SIZE = 1 << CHUNK_BITS, CHUNK_WORDS = CHUNK_SIZE / 64 };

struct offset_chunk {
    int64_t base;   /* offset >> CHUNK_BITS */
    uint64_t *bits; /* NULL: every offset of the chunk is in the set */
    uint32_t count;
};

void offset_set_done(struct offset_set *set)
{
    for (size_t i = 0; i < set->count; i++) {
        free(set->chunks[i].bits);
    }
    free(set->chunks);
    *set = (struct offset_set){0};
}

/* The index of the first chunk whose base is not below `base`. */
static size_t lower_bound(const struct offset_set *set, int64_t base)
{
    size_t low = 0;
    size_t high = set->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (set->chunks[middle].base < base) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static struct offset_chunk *chunk_for(struct offset_set *set, int64_t base)
{
    if (set->count > 0 && set->chunks[set->count - 1].base == base) {
        return &set->chunks[set->count - 1];
    }
    size_t at = lower_bound(set, base);
    if (at < set->count && set->chunks[at].base == base) {
        return &set->chunks[at];
    }
    if (set->count == set->capacity) {
        set->capacity = set->capacity == 0 ? 4 : set->capacity * 2;
        set->chunks = realloc(set->chunks, set->capacity * sizeof *set->chunks);
        CHECK(set->chunks != NULL);
    }
    memmove(set->chunks + at + 1, set->chunks + at, (set->count - at) * sizeof *set->chunks);
    set->count++;
    uint64_t *bits = calloc(CHUNK_WORDS, sizeof *bits);
    CHECK(bits != NULL);
    set->chunks[at] = (struct offset_chunk){.base = base, .bits = bits};
    return &set->chunks[at];
}

bool offset_set_add(struct offset_set *set, int64_t offset)
{
    CHECK(offset >= 0);
    struct offset_chunk *chunk = chunk_for(set, offset >> CHUNK_BITS);
    if (chunk->bits == NULL) {
        return false;
    }
    uint32_t in_chunk = (uint32_t)(offset & (CHUNK_SIZE - 1));
    uint64_t bit = UINT64_C(1) << (in_chunk % 64);
    if ((chunk->bits[in_chunk / 64] & bit) != 0) {
        return false;
    }
    chunk->bits[in_chunk / 64] |= bit;
    chunk->count++;
    if (chunk->count == CHUNK_SIZE) {
        free(chunk->bits);
        chunk->bits = NULL;
    }
    return true;
}

/* The bits of one word that lie in [from, to), counted from the chunk's first offset. */
static uint64_t word_mask(uint32_t word, uint32_t from, uint32_t to)
{
    uint32_t first = word * 64;
    uint64_t mask = ~UINT64_C(0);
    if (from > first) {
        mask &= from - first >= 64 ? 0 : ~UINT64_C(0) << (from - first);
    }
    if (to < first + 64) {
        mask &= to <= first ? 0 : ~UINT64_C(0) >> (first + 64 - to);
    }
    return mask;
}

static uint64_t count_in_chunk(const struct offset_chunk *chunk, uint32_t from, uint32_t to)
{
    if (chunk->bits == NULL) {
        return to - from;
    }
    if (from == 0 && to == CHUNK_SIZE) {
        return chunk->count;
    }
    uint64_t count = 0;
    for (uint32_t word = from / 64; word <= (to - 1) / 64; word++) {
        count += (uint64_t)__builtin_popcountll(chunk->bits[word] & word_mask(word, from, to));
    }
    return count;
}

uint64_t offset_set_count(const struct offset_set *set, int64_t from, int64_t to)
{
    from = from < 0 ? 0 : from;
    uint64_t count = 0;
    for (size_t i = lower_bound(set, from >> CHUNK_BITS); i < set->count && from < to; i++) {
        const struct offset_chunk *chunk = &set->chunks[i];
        int64_t start = chunk->base << CHUNK_BITS;
        if (start >= to) {
            break;
        }
        int64_t low = from > start ? from - start : 0;
        int64_t high = to - start < CHUNK_SIZE ? to - start : CHUNK_SIZE;
        count += count_in_chunk(chunk, (uint32_t)low, (uint32_t)high);
    }
    return count;
}

int64_t offset_set_first(const struct offset_set *set, int64_t from)
{
    from = from < 0 ? 0 : from;
    for (size_t i = lower_bound(set, from >> CHUNK_BITS); i < set->count; i++) {
        const struct offset_chunk *chunk = &set->chunks[i];
        int64_t start = chunk->base << CHUNK_BITS;
        uint32_t low = from > start ? (uint32_t)(from - start) : 0;
        if (chunk->bits == NULL) {
            return start + low;
        }
        for (uint32_t word = low / 64; word < CHUNK_WORDS; word++) {
            uint64_t bits = chunk->bits[word] & word_mask(word, low, CHUNK_SIZE);
            if (bits != 0) {
                return start + word * 64 + __builtin_ctzll(bits);
            }
        }
    }
    return -1;
}

/* A full chunk gets its bitmap back before something is taken out of it. */
static void open_chunk(struct offset_chunk *chunk)
{
    if (chunk->bits == NULL) {
        chunk->bits = malloc(CHUNK_WORDS * sizeof *chunk->bits);
        CHECK(chunk->bits != NULL);
        memset(chunk->bits, 0xFF, CHUNK_WORDS * sizeof *chunk->bits);
    }
}

static void recount(struct offset_chunk *chunk)
{
    chunk->count = 0;
    for (uint32_t word = 0; word < CHUNK_WORDS; word++) {
        chunk->count += (uint32_t)__builtin_popcountll(chunk->bits[word]);
    }
}

static void drop_chunks(struct offset_set *set, size_t first, size_t count)
{
    if (count == 0) {
        return; /* also an empty set, whose `chunks` is NULL */
    }
    for (size_t i = first; i < first + count; i++) {
        free(set->chunks[i].bits);
    }
    memmove(set->chunks + first, set->chunks + first + count,
            (set->count - first - count) * sizeof *set->chunks);
    set->count -= count;
}

void offset_set_remove_below(struct offset_set *set, int64_t end)
{
    if (end <= 0) {
        return;
    }
    drop_chunks(set, 0, lower_bound(set, end >> CHUNK_BITS));
    uint32_t in_chunk = (uint32_t)(end & (CHUNK_SIZE - 1));
    if (set->count == 0 || set->chunks[0].base != end >> CHUNK_BITS || in_chunk == 0) {
        return;
    }
    struct offset_chunk *chunk = &set->chunks[0];
    open_chunk(chunk);
    for (uint32_t word = 0; word <= (in_chunk - 1) / 64; word++) {
        chunk->bits[word] &= ~word_mask(word, 0, in_chunk);
    }
    recount(chunk);
    if (chunk->count == 0) {
        drop_chunks(set, 0, 1);
    }
}

void offset_set_remove(struct offset_set *set, int64_t offset)
{
    size_t at = lower_bound(set, offset >> CHUNK_BITS);
    if (at == set->count || set->chunks[at].base != offset >> CHUNK_BITS) {
        return;
    }
    struct offset_chunk *chunk = &set->chunks[at];
    open_chunk(chunk);
    uint32_t in_chunk = (uint32_t)(offset & (CHUNK_SIZE - 1));
    chunk->bits[in_chunk / 64] &= ~(UINT64_C(1) << (in_chunk % 64));
    recount(chunk);
    if (chunk->count == 0) {
        drop_chunks(set, at, 1);
    }
}

bool offset_set_is_empty(const struct offset_set *set)
{
    return set->count == 0;
}

void offset_set_encode(const struct offset_set *set, struct buf *to)
{
    uint8_t number[8];
    put_u32le(number, (uint32_t)set->count);
    buf_add(to, number, 4);
    for (size_t i = 0; i < set->count; i++) {
        const struct offset_chunk *chunk = &set->chunks[i];
        put_u64le(number, (uint64_t)chunk->base);
        buf_add(to, number, 8);
        buf_add_byte(to, chunk->bits == NULL);
        for (size_t word = 0; chunk->bits != NULL && word < CHUNK_WORDS; word++) {
            put_u64le(number, chunk->bits[word]);
            buf_add(to, number, 8);
        }
    }
}

/* The next `size` bytes; NULL when there are not so many. */
static const uint8_t *take(struct bytes *from, size_t size)
{
    if (from->size < size) {
        return NULL;
    }
    const uint8_t *at = from->data;
    *from = bytes_of(at + size, from->size - size);
    return at;
}

static bool decode_chunk(struct bytes *from, struct offset_set *set)
{
    const uint8_t *head = take(from, 9);
    if (head == NULL || head[8] > 1) {
        return false;
    }
    int64_t base = (int64_t)get_u64le(head);
    if (base < 0 || base > INT64_MAX >> CHUNK_BITS ||
        (set->count > 0 && base <= set->chunks[set->count - 1].base)) {
        return false;
    }
    const uint8_t *bits = head[8] == 1 ? NULL : take(from, CHUNK_WORDS * 8);
    if (bits == NULL && head[8] == 0) {
        return false;
    }
    struct offset_chunk *chunk = chunk_for(set, base);
    for (size_t word = 0; word < CHUNK_WORDS; word++) {
        chunk->bits[word] = bits == NULL ? ~UINT64_C(0) : get_u64le(bits + 8 * word);
    }
    recount(chunk);
    if (chunk->count == CHUNK_SIZE) {
        free(chunk->bits);
        chunk->bits = NULL;
    }
    return chunk->count > 0 && (chunk->bits == NULL) == (bits == NULL);
}

bool offset_set_decode(struct bytes *from, struct offset_set *ret_set, struct err *err)
{
    *ret_set = (struct offset_set){0};
    const uint8_t *count = take(from, 4);
    bool ok = count != NULL;
    for (uint32_t i = 0; ok && i < get_u32le(count); i++) {
        ok = decode_chunk(from, ret_set);
    }
    if (!ok) {
        offset_set_done(ret_set);
        return err_set(err, ERR_CORRUPT, "not a set of offsets");
    }
    return true;
}

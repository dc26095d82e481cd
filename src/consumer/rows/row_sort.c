/* Sorts rows by key, newest first: radix sort from the front, on eight bytes at a time.
 *
 * A row is a sequence of words: eight bytes of the key, how the key ends within or behind them, the
 * next eight, …, then what its age is made of, upside down. Entries with different words are put
 * into buckets by their highest differing bits, bucket by bucket in the same way; entries with one
 * word all go on to the next word. Small ranges are sorted by insertion with a full comparison. */
#include "consumer/rows/row_sort.h"

#include <stdlib.h>

#include "core/base/check.h"

enum {
    SMALL = 20,           /* up to here, insertion */
    BUCKET_BITS_MAX = 13, /* the write positions of all buckets fit into the L2 cache */
    KEY_DEPTH_MAX = 4096, /* bytes of common prefix; above, comparison: a bound for the recursion */
};

/* Which word the entries of a range carry. */
enum stage { STAGE_KEY, STAGE_KEY_END, STAGE_EVENT_TIME, STAGE_SOURCE, STAGE_OFFSET };

struct sort {
    enum row_order order;
    const uint32_t *numbers;
};

static uint64_t order_of_signed(int64_t value)
{
    return (uint64_t)value ^ (UINT64_C(1) << 63);
}

static uint64_t word_of(const struct sort *sort, const struct stored_row *row, enum stage stage,
                        size_t depth)
{
    switch (stage) {
    case STAGE_KEY:
        return key_prefix_at(stored_row_key(row), depth);
    case STAGE_KEY_END: /* a key that ends comes before one that goes on */
        return row->key_size - depth > 8 ? 9 : row->key_size - depth;
    case STAGE_EVENT_TIME:
        return ~order_of_signed(row->event_time_us);
    case STAGE_SOURCE:
        return ~(uint64_t)sort->numbers[row->slot];
    case STAGE_OFFSET:
        return ~order_of_signed(row->offset);
    }
    CHECK(false);
    return 0;
}

/* What `a` and `b` have in common so far is left out by the caller's words; the rest is compared
 * from the start, which is as quick for keys of some bytes. */
static bool is_before(const struct sort *sort, const struct row_entry *a, const struct row_entry *b)
{
    if (a->word != b->word) {
        return a->word < b->word;
    }
    const struct stored_row *left = row_entry_row(a);
    const struct stored_row *right = row_entry_row(b);
    int by_key = bytes_compare(stored_row_key(left), stored_row_key(right));
    if (by_key != 0) {
        return by_key < 0;
    }
    if (sort->order == ROW_ORDER_EVENT_TIME && left->event_time_us != right->event_time_us) {
        return left->event_time_us > right->event_time_us;
    }
    if (left->slot != right->slot) {
        return sort->numbers[left->slot] > sort->numbers[right->slot];
    }
    return left->offset > right->offset;
}

static void insert_sort(const struct sort *sort, struct row_entry *entries, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct row_entry entry = entries[i];
        size_t at = i;
        while (at > 0 && is_before(sort, &entry, &entries[at - 1])) {
            entries[at] = entries[at - 1];
            at--;
        }
        entries[at] = entry;
    }
}

/* By comparison, n log n whatever the keys are. The result is in `from`. */
static void merge_sort(const struct sort *sort, struct row_entry *from, struct row_entry *to,
                       size_t count)
{
    if (count <= SMALL) {
        insert_sort(sort, from, count);
        return;
    }
    size_t half = count / 2;
    merge_sort(sort, from, to, half);
    merge_sort(sort, from + half, to + half, count - half);
    memcpy(to, from, count * sizeof *to);
    size_t left = 0;
    size_t right = half;
    for (size_t i = 0; i < count; i++) {
        bool take_left = right == count || (left < half && !is_before(sort, &to[right], &to[left]));
        from[i] = take_left ? to[left++] : to[right++];
    }
}

/* The range has one word: on to the next one. False: the rows do not differ at all. */
static bool next_word(const struct sort *sort, struct row_entry *entries, size_t count,
                      enum stage *stage, size_t *depth)
{
    switch (*stage) {
    case STAGE_KEY:
        *stage = STAGE_KEY_END;
        break;
    case STAGE_KEY_END:
        if (entries[0].word == 9) {
            *stage = STAGE_KEY;
            *depth += 8;
        } else {
            *stage = sort->order == ROW_ORDER_EVENT_TIME ? STAGE_EVENT_TIME : STAGE_SOURCE;
        }
        break;
    case STAGE_EVENT_TIME:
        *stage = STAGE_SOURCE;
        break;
    case STAGE_SOURCE:
        *stage = STAGE_OFFSET;
        break;
    case STAGE_OFFSET:
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (i + 8 < count) {
            __builtin_prefetch(row_entry_row(&entries[i + 8]));
        }
        entries[i].word = word_of(sort, row_entry_row(&entries[i]), *stage, *depth);
    }
    return true;
}

static unsigned bits_of(uint64_t value) /* > 0 */
{
    return 64 - (unsigned)__builtin_clzll(value);
}

/* Buckets for `count` entries: some entries each, or the sort would mostly look at empty ones. */
static unsigned bucket_bits(size_t count)
{
    unsigned bits = bits_of(count) - 3;
    return bits > BUCKET_BITS_MAX ? BUCKET_BITS_MAX : bits;
}

static void sort_range(const struct sort *sort, struct row_entry *from, struct row_entry *to,
                       size_t count, bool into_to, enum stage stage, size_t depth);

/* Scatters the range into buckets in `to`, by the bits of (word - low) from `shift` up. */
static void sort_buckets(const struct sort *sort, struct row_entry *from, struct row_entry *to,
                         size_t count, bool into_to, enum stage stage, size_t depth, uint64_t low,
                         unsigned shift, size_t buckets)
{
    size_t *ends = calloc(buckets, sizeof *ends);
    CHECK(ends != NULL);
    for (size_t i = 0; i < count; i++) {
        ends[(from[i].word - low) >> shift]++;
    }
    size_t start = 0;
    for (size_t bucket = 0; bucket < buckets; bucket++) {
        size_t size = ends[bucket];
        ends[bucket] = start;
        start += size;
    }
    for (size_t i = 0; i < count; i++) {
        to[ends[(from[i].word - low) >> shift]++] = from[i];
    }
    start = 0;
    for (size_t bucket = 0; bucket < buckets; bucket++) {
        size_t size = ends[bucket] - start;
        sort_range(sort, to + start, from + start, size, !into_to, stage, depth);
        start = ends[bucket];
    }
    free(ends);
}

/* Sorts `from`; the result is in `to` if `into_to`, else in `from`. */
static void sort_range(const struct sort *sort, struct row_entry *from, struct row_entry *to,
                       size_t count, bool into_to, enum stage stage, size_t depth)
{
    while (count > SMALL && depth <= KEY_DEPTH_MAX) {
        uint64_t low = from[0].word;
        uint64_t high = from[0].word;
        for (size_t i = 1; i < count; i++) {
            low = from[i].word < low ? from[i].word : low;
            high = from[i].word > high ? from[i].word : high;
        }
        if (low != high) {
            unsigned width = bits_of(high - low);
            unsigned bits = bucket_bits(count);
            unsigned shift = width > bits ? width - bits : 0;
            sort_buckets(sort, from, to, count, into_to, stage, depth, low, shift,
                         (size_t)((high - low) >> shift) + 1);
            return;
        }
        if (!next_word(sort, from, count, &stage, &depth)) {
            break;
        }
    }
    merge_sort(sort, from, to, count);
    if (into_to) {
        memcpy(to, from, count * sizeof *to);
    }
}

void row_sort(enum row_order order, const uint32_t *numbers, struct row_entry *from,
              struct row_entry *to, size_t count)
{
    struct sort sort = {.order = order, .numbers = numbers};
    sort_range(&sort, from, to, count, true, STAGE_KEY, 0);
}

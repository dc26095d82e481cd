/* Many sorted streams to one, by a tree of losers. */
#include "core/spill/merge.h"

#include <stdlib.h>

#include "core/spill/key_prefix.h"

/* One stream with its next row. */
struct leaf {
    struct row row;
    uint64_t prefix; /* of row.key; UINT64_MAX at the end */
    struct row_stream *stream;
    bool ended;
};

struct merge {
    struct row_stream stream;
    enum row_order order;
    bool started;
    size_t count;
    uint32_t winner;
    uint32_t *losers; /* [1 … count - 1]: who lost there; leaf i is node count + i */
    struct leaf *leaves;
};

static int compare_age(enum row_order order, const struct row *a, const struct row *b)
{
    bool a_is_base = a->source == ROW_SOURCE_BASE;
    bool b_is_base = b->source == ROW_SOURCE_BASE;
    if (a_is_base || b_is_base) {
        return (int)b_is_base - (int)a_is_base;
    }
    return row_compare_age(order, a, b);
}

/* Does leaf `a` come before leaf `b`? */
static bool is_before(const struct merge *merge, const struct leaf *a, const struct leaf *b)
{
    if (a->prefix != b->prefix) {
        return a->prefix < b->prefix;
    }
    if (a->ended || b->ended) {
        return !a->ended;
    }
    int by_key = key_prefix_compare(a->prefix, a->row.key, b->prefix, b->row.key);
    if (by_key != 0) {
        return by_key < 0;
    }
    return compare_age(merge->order, &a->row, &b->row) > 0;
}

static bool advance(struct leaf *leaf, struct err *err)
{
    bool more;
    TRY(row_stream_next(leaf->stream, &leaf->row, &more, err));
    leaf->ended = !more;
    leaf->prefix = more ? key_prefix(leaf->row.key) : UINT64_MAX;
    return true;
}

/* Plays all games below `node`, keeps the losers, returns the winner. */
static uint32_t play(struct merge *merge, size_t node)
{
    if (node >= merge->count) {
        return (uint32_t)(node - merge->count);
    }
    uint32_t left = play(merge, 2 * node);
    uint32_t right = play(merge, 2 * node + 1);
    bool left_wins = is_before(merge, &merge->leaves[left], &merge->leaves[right]);
    merge->losers[node] = left_wins ? right : left;
    return left_wins ? left : right;
}

static bool start(struct merge *merge, struct err *err)
{
    for (size_t i = 0; i < merge->count; i++) {
        TRY(advance(&merge->leaves[i], err));
    }
    merge->winner = play(merge, 1);
    merge->started = true;
    return true;
}

/* The last winner's next row plays its way up again. */
static bool replay(struct merge *merge, struct err *err)
{
    uint32_t winner = merge->winner;
    TRY(advance(&merge->leaves[winner], err));
    for (size_t node = (merge->count + winner) / 2; node > 0; node /= 2) {
        uint32_t loser = merge->losers[node];
        if (is_before(merge, &merge->leaves[loser], &merge->leaves[winner])) {
            merge->losers[node] = winner;
            winner = loser;
        }
    }
    merge->winner = winner;
    return true;
}

static bool next(struct row_stream *stream, struct row *ret_row, bool *ret_more, struct err *err)
{
    struct merge *merge = (struct merge *)stream;
    if (merge->started) {
        TRY(replay(merge, err));
    } else {
        TRY(start(merge, err));
    }
    const struct leaf *leaf = &merge->leaves[merge->winner];
    if (!leaf->ended) {
        *ret_row = leaf->row;
    }
    *ret_more = !leaf->ended;
    return true;
}

static void free_merge(struct row_stream *stream)
{
    struct merge *merge = (struct merge *)stream;
    for (size_t i = 0; i < merge->count; i++) {
        row_stream_free(merge->leaves[i].stream);
    }
    free(merge->leaves);
    free(merge->losers);
    free(merge);
}

static const struct row_stream_ops merge_ops = {.next = next, .free = free_merge};

static bool no_next(struct row_stream *stream, struct row *ret_row, bool *ret_more, struct err *err)
{
    (void)stream;
    (void)ret_row;
    (void)err;
    *ret_more = false;
    return true;
}

static void no_free(struct row_stream *stream)
{
    (void)stream;
}

static const struct row_stream_ops no_rows_ops = {.next = no_next, .free = no_free};
static struct row_stream no_rows = {.ops = &no_rows_ops};

struct row_stream *merge_new(enum row_order order, struct row_stream *const *take_streams,
                             size_t count)
{
    if (count == 0) {
        return &no_rows;
    }
    if (count == 1) {
        return take_streams[0];
    }
    CHECK(count <= UINT32_MAX / 2);
    struct merge *merge = calloc(1, sizeof *merge);
    CHECK(merge != NULL);
    merge->stream.ops = &merge_ops;
    merge->order = order;
    merge->count = count;
    merge->losers = calloc(count, sizeof merge->losers[0]);
    merge->leaves = calloc(count, sizeof merge->leaves[0]);
    CHECK(merge->losers != NULL && merge->leaves != NULL);
    for (size_t i = 0; i < count; i++) {
        merge->leaves[i].stream = take_streams[i];
    }
    return &merge->stream;
}

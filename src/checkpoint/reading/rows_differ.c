/* Two sorted streams of rows side by side: which keys differ. */
#include "checkpoint/reading/rows_differ.h"

#include <stdint.h>

#include "core/base/buf.h"

enum { STOP_CHECK_ROWS = 4096 };

struct side {
    struct row_stream *rows;
    struct row row; /* the first one of its key; valid until the next step */
    bool there;     /* false: the stream has ended */
    bool begun;
    struct buf key; /* of `row`, kept to know the older rows of the same key */
};

/* To the first row of the next key. */
static bool step(struct side *side, struct err *err)
{
    do {
        TRY(row_stream_next(side->rows, &side->row, &side->there, err));
    } while (side->there && side->begun && bytes_equal(side->row.key, buf_bytes(&side->key)));
    if (side->there) {
        side->begun = true;
        buf_clear(&side->key);
        buf_add_bytes(&side->key, side->row.key);
    }
    return true;
}

/* What is in front: < 0 the left alone, > 0 the right alone, 0 both. */
static int compare(const struct side *left, const struct side *right)
{
    if (!left->there || !right->there) {
        return left->there ? -1 : 1;
    }
    return bytes_compare(left->row.key, right->row.key);
}

static bool look(const struct row *left, const struct row *right,
                 const struct rows_differ_sink *sink, struct rows_differ_counts *counts,
                 struct err *err)
{
    bool has_left = left != NULL && !left->tombstone;
    bool has_right = right != NULL && !right->tombstone;
    counts->left += has_left;
    counts->right += has_right;
    if (!has_left && !has_right) {
        return true;
    }
    if (has_left && has_right && bytes_equal(left->value, right->value)) {
        counts->equal++;
        return true;
    }
    enum rows_difference difference = !has_left    ? ROWS_ADDED
                                      : !has_right ? ROWS_REMOVED
                                                   : ROWS_CHANGED;
    counts->differ[difference]++;
    return sink == NULL || sink->found(sink->to, difference, left, right, err);
}

static bool walk(struct side *left, struct side *right, const struct rows_differ_sink *sink,
                 const atomic_bool *stop, struct rows_differ_counts *counts, bool *ret_right,
                 struct err *err)
{
    *ret_right = false;
    TRY(step(left, err));
    *ret_right = true;
    TRY(step(right, err));
    for (uint64_t i = 0; left->there || right->there; i++) {
        *ret_right = false;
        if (i % STOP_CHECK_ROWS == 0 && stop != NULL && atomic_load(stop)) {
            return err_set(err, ERR_STOPPED, "stopped while comparing rows");
        }
        int order = compare(left, right);
        TRY(look(order <= 0 ? &left->row : NULL, order >= 0 ? &right->row : NULL, sink, counts,
                 err));
        if (order <= 0) {
            TRY(step(left, err));
        }
        *ret_right = true;
        if (order >= 0) {
            TRY(step(right, err));
        }
    }
    return true;
}

bool rows_differ(struct row_stream *left, struct row_stream *right,
                 const struct rows_differ_sink *sink, const atomic_bool *stop,
                 struct rows_differ_counts *ret_counts, bool *ret_right, struct err *err)
{
    struct side sides[2] = {{.rows = left}, {.rows = right}};
    buf_init(&sides[0].key, SIZE_MAX / 2);
    buf_init(&sides[1].key, SIZE_MAX / 2);
    *ret_counts = (struct rows_differ_counts){0};
    bool done = walk(&sides[0], &sides[1], sink, stop, ret_counts, ret_right, err);
    buf_done(&sides[0].key);
    buf_done(&sides[1].key);
    return done;
}

/* == != < <= > >= on values. */
#include "core/route/cel/cel_functions.h"

bool cel_compare_equal(struct cel_frame *frame, const struct cel_value *pair, struct cel_value *ret)
{
    (void)frame;
    *ret = cel_value_bool(cel_value_equal(&pair[0], &pair[1]));
    return true;
}

bool cel_compare_not_equal(struct cel_frame *frame, const struct cel_value *pair,
                           struct cel_value *ret)
{
    (void)frame;
    *ret = cel_value_bool(!cel_value_equal(&pair[0], &pair[1]));
    return true;
}

/* True when the order of the pair is one of two. A NaN is neither below nor above. */
static bool compare(struct cel_frame *frame, const struct cel_value *pair, enum cel_order one,
                    enum cel_order other, struct cel_value *ret)
{
    enum cel_order order = cel_value_order(&pair[0], &pair[1]);
    if (order == CEL_INCOMPARABLE) {
        return cel_frame_no_overload(frame);
    }
    *ret = cel_value_bool(order == one || order == other);
    return true;
}

bool cel_compare_less(struct cel_frame *frame, const struct cel_value *pair, struct cel_value *ret)
{
    return compare(frame, pair, CEL_LESS, CEL_LESS, ret);
}

bool cel_compare_less_equal(struct cel_frame *frame, const struct cel_value *pair,
                            struct cel_value *ret)
{
    return compare(frame, pair, CEL_LESS, CEL_SAME, ret);
}

bool cel_compare_more(struct cel_frame *frame, const struct cel_value *pair, struct cel_value *ret)
{
    return compare(frame, pair, CEL_MORE, CEL_MORE, ret);
}

bool cel_compare_more_equal(struct cel_frame *frame, const struct cel_value *pair,
                            struct cel_value *ret)
{
    return compare(frame, pair, CEL_MORE, CEL_SAME, ret);
}

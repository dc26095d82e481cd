/* contains, startsWith, endsWith, matches. */
#include "core/base/err.h"
#include "core/route/cel/cel_foreign.h"
#include "core/route/cel/cel_functions.h"

static bool are_texts(struct cel_frame *frame, const struct cel_value *pair)
{
    return (pair[0].kind == CEL_STRING && pair[1].kind == CEL_STRING) ||
           cel_frame_no_overload(frame);
}

bool cel_text_contains(struct cel_frame *frame, const struct cel_value *pair, struct cel_value *ret)
{
    TRY(are_texts(frame, pair));
    bool found = pair[1].text.size == 0 ||
                 (pair[0].text.size > 0 && memmem(pair[0].text.data, pair[0].text.size,
                                                  pair[1].text.data, pair[1].text.size) != NULL);
    *ret = cel_value_bool(found);
    return true;
}

bool cel_text_starts_with(struct cel_frame *frame, const struct cel_value *pair,
                          struct cel_value *ret)
{
    TRY(are_texts(frame, pair));
    struct bytes text = pair[0].text;
    struct bytes start = pair[1].text;
    *ret = cel_value_bool(text.size >= start.size &&
                          bytes_equal(bytes_of(text.data, start.size), start));
    return true;
}

bool cel_text_ends_with(struct cel_frame *frame, const struct cel_value *pair,
                        struct cel_value *ret)
{
    TRY(are_texts(frame, pair));
    struct bytes text = pair[0].text;
    struct bytes end = pair[1].text;
    *ret = cel_value_bool(
        text.size >= end.size &&
        (end.size == 0 || memcmp(text.data + (text.size - end.size), end.data, end.size) == 0));
    return true;
}

/* For patterns that a record brings along; one that stands in the expression is compiled with it.
 */
bool cel_text_matches(struct cel_frame *frame, const struct cel_value *pair, struct cel_value *ret)
{
    TRY(are_texts(frame, pair));
    struct cel_foreign_pattern *pattern =
        cel_foreign_pattern_new(pair[1].text.data, pair[1].text.size);
    if (pattern == NULL) {
        return cel_frame_fail(frame, "a pattern that is no regular expression");
    }
    *ret = cel_value_bool(cel_foreign_pattern_find(pattern, pair[0].text.data, pair[0].text.size));
    cel_foreign_pattern_free(pattern);
    return true;
}

/* Do rejects name their cause, and show no more than an excerpt? */
#include <criterion/criterion.h>

#include "core/record/reject.h"

Test(reject, names_are_distinct)
{
    for (int i = 0; i < REJECT_CAUSES; i++) {
        for (int j = 0; j < i; j++) {
            cr_assert_str_neq(reject_cause_name((enum reject_cause)i),
                              reject_cause_name((enum reject_cause)j));
        }
    }
    cr_assert_str_eq(reject_cause_name(REJECT_BAD_JSON), "bad_json");
}

Test(reject, text_is_bounded)
{
    char data[100000];
    memset(data, 'a', sizeof data);
    struct reject_excerpt excerpt = reject_excerpt(bytes_of(data, sizeof data));
    cr_assert_eq(strlen(excerpt.text), REJECT_EXCERPT_MAX + 3);
    memset(data, 0xff, sizeof data);
    excerpt = reject_excerpt(bytes_of(data, sizeof data));
    cr_assert_eq(strlen(excerpt.text), 4 * REJECT_EXCERPT_MAX + 3);
    cr_assert_str_eq(reject_excerpt(bytes_of("a\n\\b\0", 5)).text, "a\\x0a\\x5cb\\x00");
    cr_assert_str_eq(reject_excerpt(bytes_of(NULL, 0)).text, "");
    struct reject why = {0};
    data[sizeof data - 1] = '\0';
    cr_assert_not(reject_set(&why, REJECT_NO_KEY, "%s", data));
    cr_assert_eq(why.cause, REJECT_NO_KEY);
    cr_assert_eq(strlen(why.text), REJECT_TEXT_MAX - 1);
}

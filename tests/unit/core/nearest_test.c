/* Which name somebody probably meant, and when nobody can tell. */
#include "core/nearest.h"

#include <criterion/criterion.h>

#include "core/base/check.h"

Test(nearest, finds_the_name_that_was_meant)
{
    static const char *const names[] = {"trigger",          "size",     "late",      "cron",
                                        "allowed_lateness", "keep_for", "keep_last", "from"};
    static const struct {
        const char *name;
        const char *expected; /* NULL: none is near */
    } cases[] = {
        {"triger", "trigger"},
        {"tirgger", "trigger"},
        {"Trigger", "trigger"},
        {"sise", "size"},
        {"form", "from"},
        {"lat", "late"},
        {"keep_lst", "keep_last"},
        {"allowed_latenes", "allowed_lateness"},
        {"chron", "cron"},
        {"xyzzy", NULL},
        {"", NULL},
        {"banana", NULL},
        {"k", NULL},
    };
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        const char *found = nearest_name(cases[i].name, names, LENGTH_OF(names));
        if (cases[i].expected == NULL) {
            cr_expect(found == NULL, "%s: %s", cases[i].name, found);
        } else {
            cr_expect(found != NULL && strcmp(found, cases[i].expected) == 0, "%s: %s",
                      cases[i].name, found == NULL ? "none" : found);
        }
    }
}

Test(nearest, the_closest_wins_and_the_first_of_equals)
{
    static const char *const names[] = {"aaaab", "aaaac", "aaaaa"};
    cr_expect_str_eq(nearest_name("aaaaa", names, 3), "aaaaa");
    cr_expect_str_eq(nearest_name("aaaad", names, 3), "aaaab");
}

Test(nearest, very_long_names_are_never_near)
{
    char name[200];
    memset(name, 'a', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    const char *const names[] = {name};
    cr_expect(nearest_name(name, names, 1) == NULL);
}

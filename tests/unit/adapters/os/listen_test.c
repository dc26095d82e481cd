/* Which addresses may stand in status.listen, and does listening tell what is wrong? */
#include "adapters/os/listen.h"

#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

Test(listen, what_is_right)
{
    static const char *const right[] = {"127.0.0.1:9464", "0.0.0.0:0", "localhost:65535",
                                        "[::1]:9464", "[::]:1"};
    struct listen_place listen;
    for (size_t i = 0; i < LENGTH_OF(right); i++) {
        cr_expect_null(listen_parse(right[i], &listen), "%s", right[i]);
        cr_expect_not(listen.off);
    }
    cr_assert_null(listen_parse("off", &listen));
    cr_assert(listen.off);
}

Test(listen, what_is_wrong)
{
    static const char *const wrong[] = {
        "",
        ":9464",
        "9464",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:65536",
        "1.2.3:1",
        "host:9464",
        "127.0.0.1:-1",
        "[::1:9464",
        "[::1]",
        "[127.0.0.1]:1",
        "::1:9464x",
        "[]:1",
        "127.0.0.1:+1",
        "127.0.0.1: 1",
        "127.0.0.1:123456",
    };
    struct listen_place listen;
    for (size_t i = 0; i < LENGTH_OF(wrong); i++) {
        cr_expect_not_null(listen_parse(wrong[i], &listen), "%s", wrong[i]);
    }
}

Test(listen, a_port_is_found_and_then_taken)
{
    struct listen_place listen;
    struct err err = {0};
    char text[LISTEN_TEXT_MAX];
    int first = -1;
    cr_assert_null(listen_parse("127.0.0.1:0", &listen));
    cr_assert(listen_open(&listen, &first, text, &err), "%s", err.message);
    cr_assert_null(listen_parse(text, &listen), "%s", text);
    int second = -1;
    char again[LISTEN_TEXT_MAX];
    cr_assert_not(listen_open(&listen, &second, again, &err));
    cr_assert_eq(err.kind, ERR_CONFLICT);
    cr_assert_not_null(strstr(err.message, text), "%s", err.message);
    close(first);
    cr_assert(listen_open(&listen, &second, again, &err), "%s", err.message);
    close(second);
}

Test(listen, an_address_of_another_machine)
{
    struct listen_place listen;
    struct err err = {0};
    char text[LISTEN_TEXT_MAX];
    int made = -1;
    cr_assert_null(listen_parse("192.0.2.1:9464", &listen));
    cr_assert_not(listen_open(&listen, &made, text, &err));
    cr_assert_eq(err.kind, ERR_SETTINGS);
}

/* Which addresses may stand in status.listen, and does listening tell what is wrong? */
#include "consumer/status_listen.h"

#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

Test(status_listen, what_is_right)
{
    static const char *const right[] = {"127.0.0.1:9464", "0.0.0.0:0", "localhost:65535",
                                        "[::1]:9464", "[::]:1"};
    struct status_listen listen;
    for (size_t i = 0; i < LENGTH_OF(right); i++) {
        cr_expect_null(status_listen_parse(right[i], &listen), "%s", right[i]);
        cr_expect_not(listen.off);
    }
    cr_assert_null(status_listen_parse("off", &listen));
    cr_assert(listen.off);
}

Test(status_listen, what_is_wrong)
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
    struct status_listen listen;
    for (size_t i = 0; i < LENGTH_OF(wrong); i++) {
        cr_expect_not_null(status_listen_parse(wrong[i], &listen), "%s", wrong[i]);
    }
}

Test(status_listen, a_port_is_found_and_then_taken)
{
    struct status_listen listen;
    struct err err = {0};
    char text[STATUS_LISTEN_TEXT_MAX];
    int first = -1;
    cr_assert_null(status_listen_parse("127.0.0.1:0", &listen));
    cr_assert(status_listen_open(&listen, &first, text, &err), "%s", err.message);
    cr_assert_null(status_listen_parse(text, &listen), "%s", text);
    int second = -1;
    char again[STATUS_LISTEN_TEXT_MAX];
    cr_assert_not(status_listen_open(&listen, &second, again, &err));
    cr_assert_eq(err.kind, ERR_CONFLICT);
    cr_assert_not_null(strstr(err.message, text), "%s", err.message);
    close(first);
    cr_assert(status_listen_open(&listen, &second, again, &err), "%s", err.message);
    close(second);
}

Test(status_listen, an_address_of_another_machine)
{
    struct status_listen listen;
    struct err err = {0};
    char text[STATUS_LISTEN_TEXT_MAX];
    int made = -1;
    cr_assert_null(status_listen_parse("192.0.2.1:9464", &listen));
    cr_assert_not(status_listen_open(&listen, &made, text, &err));
    cr_assert_eq(err.kind, ERR_SETTINGS);
}

/* Log lines: both forms, escaping, levels, and that a line is whole. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "adapters/os/log.h"

enum { AT = 1773484200 };

Test(log, forms)
{
    static const struct {
        enum log_form form;
        const char *kind;
        const char *text;
        const char *line;
    } cases[] = {
        {LOG_TEXT, NULL, "took over",
         "time=2026-03-14T10:30:00.000Z level=info part=member text=\"took over\"\n"},
        {LOG_TEXT, "limit", "a \"b\" \\ c\nd\x01",
         "time=2026-03-14T10:30:00.000Z level=info part=member kind=limit "
         "text=\"a \\\"b\\\" \\\\ c\\nd\\u0001\"\n"},
        {LOG_JSON, NULL, "caf\xc3\xa9",
         "{\"time\":\"2026-03-14T10:30:00.000Z\",\"level\":\"info\",\"part\":\"member\","
         "\"text\":\"caf\xc3\xa9\"}\n"},
        {LOG_JSON, "conflict", "bad \xff byte",
         "{\"time\":\"2026-03-14T10:30:00.000Z\",\"level\":\"info\",\"part\":\"member\","
         "\"kind\":\"conflict\",\"text\":\"bad ? byte\"}\n"},
    };
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        AUTO(buf) struct buf line;
        buf_init(&line, 4096);
        log_format(&line, cases[i].form, (int64_t)AT * 1000000, LOG_INFO, "member", cases[i].kind,
                   cases[i].text);
        cr_expect_str_eq(buf_text(&line), cases[i].line);
    }
}

/* What the process wrote to standard error while `speak` ran. */
static void captured(void (*speak)(void), char *text, size_t size)
{
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    int before = dup(STDERR_FILENO);
    dup2(ends[1], STDERR_FILENO);
    speak();
    dup2(before, STDERR_FILENO);
    close(before);
    close(ends[1]);
    ssize_t got = read(ends[0], text, size - 1);
    text[got < 0 ? 0 : got] = '\0';
    close(ends[0]);
}

static void speak(void)
{
    struct err err = {0};
    err_set(&err, ERR_CONFLICT, "gone");
    log_set(LOG_WARN, LOG_TEXT);
    log_info("test", "silent");
    log_warn("test", "number %d", 7);
    log_failure(LOG_ERROR, "test", &err, "put %s", "x");
    log_failure(LOG_DEBUG, "test", &err, "silent");
    log_set(LOG_DEBUG, LOG_JSON);
    log_debug("test", "loud");
    log_error("test", "end");
}

Test(log, levels_and_failures)
{
    char text[4096];
    captured(speak, text, sizeof text);
    cr_assert_null(strstr(text, "silent"));
    cr_assert_not_null(strstr(text, "level=warn part=test text=\"number 7\"\n"));
    cr_assert_not_null(strstr(text, "level=error part=test kind=conflict text=\"put x: gone\"\n"));
    cr_assert_not_null(strstr(text, "\"level\":\"debug\",\"part\":\"test\",\"text\":\"loud\"}\n"));
}

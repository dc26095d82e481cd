/* One battery for every driver of the object store. */
#include "tests/conformance/store_suite.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include "adapters/os/clock.h"

static jmp_buf case_end;

void store_suite_fail(const char *file, int line, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    printf("    %s:%d: %s\n", file, line, text);
    longjmp(case_end, 1);
}

void store_suite_put(struct store *store, const char *key, const char *text)
{
    struct err err = {0};
    struct store_content content = suite_text(text);
    EXPECT_OK(store_put(store, key, &content, store_always(), NULL, &err));
}

void store_suite_expect(struct store *store, const char *key, const char *text)
{
    struct err err = {0};
    struct buf now;
    buf_init(&now, 1 << 20);
    bool ok = store_get(store, key, &now, NULL, &err);
    bool same = ok && bytes_equal(buf_bytes(&now), bytes_of_text(text));
    buf_done(&now);
    if (!same) {
        store_suite_fail(__FILE__, __LINE__, "%s should hold \"%.60s\" %s", key, text, err.message);
    }
}

uint8_t *store_suite_bytes(size_t size, unsigned seed)
{
    uint8_t *bytes = malloc(size + 1);
    CHECK(bytes != NULL);
    uint32_t state = seed * 2654435761u + 1;
    for (size_t i = 0; i < size; i++) {
        state = state * 1664525u + 1013904223u;
        bytes[i] = (uint8_t)(state >> 24);
    }
    return bytes;
}

/* A case has a prefix of its own and runs in no other's sight. */
static bool run_case(const struct store_suite *suite, const struct store_case *one)
{
    char prefix[128];
    snprintf(prefix, sizeof prefix, "suite/%s", one->name);
    int64_t started_us = clock_mono_us();
    struct store *volatile store = suite->open(suite->context, prefix);
    volatile bool ok = false;
    if (setjmp(case_end) == 0) {
        one->run(suite, store);
        ok = true;
    }
    store_free(store);
    printf("%s %s/%s (%lld ms)\n", ok ? "ok  " : "FAIL", suite->name, one->name,
           (long long)(clock_mono_us() - started_us) / 1000);
    fflush(stdout);
    return ok;
}

int store_suite_run_cases(const struct store_suite *suite, const struct store_case *cases)
{
    int failed = 0;
    for (const struct store_case *one = cases; one->name != NULL; one++) {
        failed += !run_case(suite, one);
    }
    return failed;
}

int store_suite_run(const struct store_suite *suite)
{
    int failed = store_suite_run_cases(suite, store_suite_objects) +
                 store_suite_run_cases(suite, store_suite_names) +
                 store_suite_run_cases(suite, store_suite_races);
    printf("%s: %d cases failed\n", suite->name, failed);
    return failed;
}

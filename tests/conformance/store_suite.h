/* One battery for every driver of the object store. */
#ifndef TIDEMARK_TESTS_CONFORMANCE_STORE_SUITE_H
#define TIDEMARK_TESTS_CONFORMANCE_STORE_SUITE_H

#include <stdio.h>
#include <stdlib.h>

#include "adapters/store.h"

struct store_suite {
    const char *name;
    const char *folder; /* an empty local folder for the battery's files */
    /* A new store for `prefix` below the driver's test place; ends the program when it cannot. */
    struct store *(*open)(void *context, const char *prefix);
    void *context;
};

/* Runs the battery; the number of failed cases. Plain C, so that it runs under TSan, too. */
int store_suite_run(const struct store_suite *suite);

/* ---- for the cases ---- */

struct store_case {
    const char *name;
    void (*run)(const struct store_suite *suite, struct store *store);
};

/* Runs cases of one's own, a store each; the number of failed ones. */
int store_suite_run_cases(const struct store_suite *suite, const struct store_case *cases);

extern const struct store_case store_suite_objects[]; /* end with a NULL name */
extern const struct store_case store_suite_names[];
extern const struct store_case store_suite_races[];
extern const struct store_case store_suite_folders[]; /* for the folder driver only */

/* A failed expectation says where and ends the program's current case by longjmp. */
_Noreturn void store_suite_fail(const char *file, int line, const char *format, ...)
    PRINTF_LIKE(3, 4);

#define EXPECT(condition)                                                                          \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            store_suite_fail(__FILE__, __LINE__, "expected %s", #condition);                       \
        }                                                                                          \
    } while (0)

/* The call succeeds, else its error is shown. `err` must be in scope. */
#define EXPECT_OK(call)                                                                            \
    do {                                                                                           \
        if (!(call)) {                                                                             \
            store_suite_fail(__FILE__, __LINE__, "%s: %s", #call, err.message);                    \
        }                                                                                          \
    } while (0)

/* The call fails with that kind of error. */
#define EXPECT_ERR(call, wanted)                                                                   \
    do {                                                                                           \
        if (call) {                                                                                \
            store_suite_fail(__FILE__, __LINE__, "%s succeeded", #call);                           \
        }                                                                                          \
        if (err.kind != (wanted)) {                                                                \
            store_suite_fail(__FILE__, __LINE__, "%s: %s, not %s: %s", #call,                      \
                             err_kind_name(err.kind), err_kind_name(wanted), err.message);         \
        }                                                                                          \
    } while (0)

static inline struct store_content suite_text(const char *text)
{
    return (struct store_content){.bytes = bytes_of_text(text), .type = "text/plain"};
}

/* Puts a text whatever is there. */
void store_suite_put(struct store *store, const char *key, const char *text);
/* The object has exactly this text. */
void store_suite_expect(struct store *store, const char *key, const char *text);
/* `size` bytes that differ with `seed`, malloc'ed. */
uint8_t *store_suite_bytes(size_t size, unsigned seed);

#endif

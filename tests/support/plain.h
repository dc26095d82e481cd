/* For tests that are plain programs, since Criterion does not run under ThreadSanitizer. */
#ifndef TIDEMARK_TESTS_SUPPORT_PLAIN_H
#define TIDEMARK_TESTS_SUPPORT_PLAIN_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Ends the program; exit handlers (servers that were started) run. */
#define IS(condition)                                                                              \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition);              \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

#define IS_NUMBER(actual, wanted)                                                                  \
    do {                                                                                           \
        int64_t actual_ = (int64_t)(actual);                                                       \
        int64_t wanted_ = (int64_t)(wanted);                                                       \
        if (actual_ != wanted_) {                                                                  \
            fprintf(stderr, "%s:%d: %s is %" PRId64 ", not %" PRId64 "\n", __FILE__, __LINE__,     \
                    #actual, actual_, wanted_);                                                    \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

/* A call that fills `err`. */
#define WORKS(call)                                                                                \
    do {                                                                                           \
        if (!(call)) {                                                                             \
            fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #call, err.message);            \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

#define STORY(name)                                                                                \
    do {                                                                                           \
        fprintf(stderr, "-- %s\n", #name);                                                         \
        name();                                                                                    \
    } while (0)

#endif

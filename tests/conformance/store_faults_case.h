/* What the fault cases share. */
#ifndef TIDEMARK_TESTS_CONFORMANCE_STORE_FAULTS_CASE_H
#define TIDEMARK_TESTS_CONFORMANCE_STORE_FAULTS_CASE_H

#include "tests/conformance/store_faults.h"
#include "tests/conformance/store_server.h"
#include "tests/conformance/store_suite.h"

enum { SECOND = 1000000 };

/* Settings with which a fault shows soon: 4 retries, 1 s a request, 5 s a call, parts of 5 MiB. */
struct s3_settings store_faults_quick(void);

static inline uint64_t requests(const struct store *store, enum store_operation operation)
{
    return store->counters.of[operation].requests;
}

static inline uint64_t retries(const struct store *store, enum store_operation operation)
{
    return store->counters.of[operation].retries;
}

#define CASE(name) static void name(const struct store_suite *suite, struct store *store)
#define BEGIN                                                                                      \
    struct err err = {0};                                                                          \
    struct store_content content = suite_text("content");                                          \
    (void)suite;                                                                                   \
    (void)content;                                                                                 \
    (void)err

#define STORE_FAULTS_CASE(name)                                                                    \
    {                                                                                              \
#name, name                                                                                \
    }

extern const struct store_case store_faults_writes[]; /* end with a NULL name */
extern const struct store_case store_faults_reads[];
extern const struct store_case store_faults_parts[];
extern const struct store_case store_faults_network[];

#endif

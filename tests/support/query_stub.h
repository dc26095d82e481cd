/* Brokers that are a few lines of a test, in place of the Kafka adapter: how they are reached, and
 * how often they were asked. What they answer is the test's. */
#ifndef TIDEMARK_TESTS_SUPPORT_QUERY_STUB_H
#define TIDEMARK_TESTS_SUPPORT_QUERY_STUB_H

#include "adapters/source.h"

struct source_query {
    int asked;
};

static struct source_query brokers;

bool source_query_new(const struct source_settings *settings, struct source_query **ret_query,
                      struct err *err)
{
    (void)settings;
    (void)err;
    *ret_query = &brokers;
    return true;
}

struct source_query *source_query_free(struct source_query *query)
{
    (void)query;
    return NULL;
}

#endif

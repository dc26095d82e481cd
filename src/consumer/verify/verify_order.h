/* The order object of a stored shard against the one that its records make. */
#ifndef TIDEMARK_CONSUMER_VERIFY_VERIFY_ORDER_H
#define TIDEMARK_CONSUMER_VERIFY_VERIFY_ORDER_H

#include "checkpoint/reading/catalog.h"
#include "consumer/verify/verify_report.h"

struct verify_order_request { /* all borrowed */
    const struct catalog *catalog;
    const struct manifest *manifest;
    const char *attempt; /* the stored one's; NULL: the snapshot names none */
    const char *made;    /* file of the one that was made; NULL: there is nothing to remember */
    const char *folder;  /* for a copy of the stored one */
    uint32_t shard;
    struct verify_report *report;
};

/* Row by row: keys, records, deletions. A stored one that is missing or broken is a finding.
 * Errors: those of the store, LIMIT (disk), CORRUPT (the made one). */
MUST_CHECK bool verify_order(const struct verify_order_request *request, struct err *err);

#endif

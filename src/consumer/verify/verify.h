/* Proves a published snapshot: its records are read again, and all is made and compared again. */
#ifndef TIDEMARK_CONSUMER_VERIFY_VERIFY_H
#define TIDEMARK_CONSUMER_VERIFY_VERIFY_H

#include "checkpoint/reading/catalog.h"
#include "consumer/verify/verify_read.h"
#include "consumer/verify/verify_report.h"

struct verify_request { /* all borrowed */
    const struct settings *settings;
    const struct catalog *catalog;
    const struct manifest *manifest;
    uint32_t sample; /* so many shards, chosen by chance; 0: all */
    struct verify_progress progress;
};

/* Through the same code as the service, within limits.memory_budget, in a folder of its own below
 * limits.work_folder that is removed at the end. Nothing joins the group or commits offsets, and no
 * dead letter is sent. What was found is in the report: differences, and what cannot be proved
 * because the log does not hold it any more; then all is compared that needs no log. Errors:
 * SETTINGS (these settings make other content; rights), TRANSIENT (`*ret_kafka`: Kafka, else the
 * store), LIMIT, STOPPED, CORRUPT. */
MUST_CHECK bool verify_snapshot(const struct verify_request *request, struct verify_report *report,
                                bool *ret_kafka, struct err *err);

#endif

/* The sidecar of a stored shard against the file that it is of. */
#ifndef TIDEMARK_CONSUMER_VERIFY_VERIFY_SIDECAR_H
#define TIDEMARK_CONSUMER_VERIFY_VERIFY_SIDECAR_H

#include "adapters/store.h"
#include "consumer/verify/verify_report.h"

struct verify_sidecar_request { /* all borrowed */
    struct store *store;
    const char *name; /* of the shard's file; the sidecar lies beside it */
    const char *path; /* a local file with the same bytes */
    uint32_t shard;
    struct verify_report *report;
};

/* Its pages must be those of the file, and its tag the store's tag of the file. A shard may go
 * without one, which is noted. Errors: those of the store. */
MUST_CHECK bool verify_sidecar(const struct verify_sidecar_request *request, struct err *err);

#endif

/* Which runs must stay and which are old (snapshot format, section 12; PROTOCOL R15). */
#ifndef TIDEMARK_CORE_SNAPSHOT_RETENTION_H
#define TIDEMARK_CORE_SNAPSHOT_RETENTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* No manifest of this run is under manifests/. */
#define RETENTION_NOT_PUBLISHED INT64_MIN

enum retention_reason {
    RETENTION_OLD = 0,    /* nothing keeps it */
    RETENTION_CURRENT,    /* `_CURRENT` names it */
    RETENTION_HEAD,       /* the head of the ledger */
    RETENTION_OPEN_BUILD, /* a build that is not finished, or not published yet */
    RETENTION_LEASE,      /* its run record is running and the lease has not expired */
    RETENTION_KEEP_LAST,  /* among the newest manifests */
    RETENTION_KEEP_FOR,   /* published not long enough ago */
    RETENTION_REFERENCED, /* a kept manifest's db_url points into it */
};

/* One run that was seen anywhere: under manifests/, shards/, runs/ or in the ledger. */
struct retention_run {
    const char *run_id;
    int64_t published_us; /* the time in its manifest's name; RETENTION_NOT_PUBLISHED */
    bool is_current;
    bool is_head;
    bool is_open_build;
    bool has_running_record;
    int64_t lease_expires_us;       /* of has_running_record */
    const char *const *points_into; /* run ids in the db_urls of its manifest; itself may be there
                                     */
    size_t points_into_count;
    enum retention_reason reason; /* the answer */
};

struct retention_policy {
    uint32_t keep_last;  /* 0: no limit by count */
    int64_t keep_for_us; /* 0: no limit by age */
    int64_t now_us;
};

/* Fills `reason` of every run. Without both limits every published run is kept. With both, a run is
 * kept that either keeps. The newest published run is always kept. References are followed to the
 * end: a kept run keeps what it points into. */
void retention_decide(const struct retention_policy *policy, struct retention_run *runs,
                      size_t count);

const char *retention_reason_name(enum retention_reason reason);

#endif

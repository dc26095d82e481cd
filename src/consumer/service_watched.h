/* What the status server is told of a running service. */
#ifndef TIDEMARK_CONSUMER_SERVICE_WATCHED_H
#define TIDEMARK_CONSUMER_SERVICE_WATCHED_H

#include "consumer/intake/intake_thread.h"
#include "consumer/intake/poll_thread.h"
#include "consumer/service_settings.h"
#include "consumer/status/status_thread.h"

/* All borrowed until the status server is freed. */
struct service_watched {
    const struct settings *settings;
    struct poll_thread *poll;
    struct intake_thread *intake;
    struct member_thread *member;
    struct leader_thread *leader;
    struct budget *budget;
};

/* Starts the status server over it; see status_thread_new. */
MUST_CHECK bool service_watched_start(struct service_watched *watched,
                                      const struct service_settings *parts,
                                      const struct store_counters *store,
                                      struct status_thread **ret_status, struct err *err);

#endif

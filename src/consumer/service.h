/* The whole service in one process: what is started, in which order, and how it ends. */
#ifndef TIDEMARK_CONSUMER_SERVICE_H
#define TIDEMARK_CONSUMER_SERVICE_H

#include "consumer/member/member_thread.h"
#include "core/settings.h"

struct service;

struct service_options {
    const char *trigger_id; /* `tidemark build`: ask for one build up to the present end; else NULL
                             */
    bool serve_status;      /* as the settings say: `tidemark run` */
    bool mock;              /* the cluster cannot describe topics: `tidemark demo` */
};

/* Checks topics, ledger and store, then starts all threads. `settings` is borrowed. Errors:
 * SETTINGS (what an operator must change: a topic, the ledger, permissions, the store), TRANSIENT
 * (Kafka or the store do not answer). Blocks for as long as these take. The main thread, as all
 * below. */
MUST_CHECK bool service_new(const struct settings *settings, const struct service_options *options,
                            struct service **ret_service, struct err *err);

/* Where it stands, as of a moment ago; `failed` in it means: stop, and end with its error. */
void service_state(struct service *service, struct member_state *ret_state);

/* Asks for an orderly end: no work is begun any more, what is owned is given back. */
void service_stop(struct service *service);

/* Ends all threads, within a few seconds when service_stop was long enough ago. NULL; takes NULL.
 */
struct service *service_free(struct service *service);

/* Records up to the present end of all topics, from where the service began to read: for progress.
 * 0: not known. */
int64_t service_target(const struct service *service);

#endif

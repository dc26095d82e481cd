/* The status server: two threads that look at the group, and the pages of what they see. */
#ifndef TIDEMARK_CONSUMER_STATUS_STATUS_THREAD_H
#define TIDEMARK_CONSUMER_STATUS_STATUS_THREAD_H

#include "consumer/status/status_view.h"

/* It reads the ledger with a reader of its own and asks brokers and store over connections of its
 * own, so that the threads of the service never wait for it, and so that it tells the truth of the
 * group also when one of them is stuck. Of the service it only takes copies. */
struct status_thread;

/* All borrowed until status_thread_free. */
struct status_thread_settings {
    const struct settings *settings;
    struct ledger_settings ledger;
    struct source_settings source;
    const struct store_counters *store;
    const char *version;
    const char *client_version;
    /* Fills what the service knows: threads, member, leader, source, memory. Any thread; must not
     * wait for anything but a short lock. */
    void (*look)(void *context, struct status_view *view);
    void *context;
};

/* Starts to serve; NULL in *ret_thread when the settings turn it off, or when nothing was set and
 * the default port is taken, which is logged. SETTINGS: the address cannot be had. */
MUST_CHECK bool status_thread_new(const struct status_thread_settings *settings,
                                  struct status_thread **ret_thread, struct err *err);

/* The service is asked to stop: /readyz says so, and nobody is asked any more. Takes NULL. */
void status_thread_stopping(struct status_thread *thread);

struct status_thread *status_thread_free(struct status_thread *thread); /* takes and returns NULL */

#endif

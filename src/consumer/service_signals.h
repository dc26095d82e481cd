/* The signals that ask the process to stop. */
#ifndef TIDEMARK_CONSUMER_SERVICE_SIGNALS_H
#define TIDEMARK_CONSUMER_SERVICE_SIGNALS_H

#include <stdbool.h>
#include <stdint.h>

/* SIGINT, SIGTERM: blocked in all threads from here on, and waited for with service_signals_wait.
 */
void service_signals_block(void);

/* Waits for at most timeout_us; the number of the signal that came, or 0. */
int service_signals_wait(int64_t timeout_us);

struct service_signals_end {
    int code;         /* the exit code of an end that takes too long */
    int asked_code;   /* of one that a second signal cuts short */
    bool asked;       /* a signal has come already */
    bool is_timed;    /* the time runs from here on, not from the first signal */
    unsigned grace_s; /* how long it may take */
};

/* From here on the process ends in time, whatever its threads wait for, and at once with a second
 * signal. For a thread that cannot wait for signals any more; unblocks them in it. */
void service_signals_exit(const struct service_signals_end *end);

#endif

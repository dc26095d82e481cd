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

/* From here on the second of them ends the process at once, with this exit code; `asked`: one has
 * come already. For a thread that cannot wait for them any more; unblocks them in it. */
void service_signals_exit(int code, bool asked);

#endif

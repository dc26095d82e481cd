/* The signals that ask the process to stop. */
#ifndef TIDEMARK_CONSUMER_SERVICE_SIGNALS_H
#define TIDEMARK_CONSUMER_SERVICE_SIGNALS_H

#include <stdint.h>

/* SIGINT, SIGTERM: blocked in all threads from here on, and waited for with service_signals_wait.
 */
void service_signals_block(void);

/* Waits for at most timeout_us; the number of the signal that came, or 0. */
int service_signals_wait(int64_t timeout_us);

#endif

/* How long to wait before the next try: full jitter, so that those who failed together do not come
 * back together. */
#ifndef TIDEMARK_ADAPTERS_OS_BACKOFF_H
#define TIDEMARK_ADAPTERS_OS_BACKOFF_H

#include <stdint.h>

/* In place, one owner: `struct backoff pause = {.base_us = 100000, .cap_us = 10000000};` */
struct backoff {
    int64_t base_us; /* the longest first wait */
    int64_t cap_us;  /* the longest wait of all */
    unsigned tries;  /* waits given so far */
};

/* The next wait: uniform in [0, min(cap_us, base_us * 2^tries)]. Counts one try. */
int64_t backoff_next_us(struct backoff *backoff);

/* The same as a pure function of the number of tries before and 64 random bits. */
int64_t backoff_delay_us(const struct backoff *backoff, unsigned tries, uint64_t random);

void backoff_reset(struct backoff *backoff); /* it worked */

#endif

/* How long to wait before the next try: full jitter, so that those who failed together do not come
 * back together. */
#include "adapters/os/backoff.h"

#include "adapters/os/os_random.h"

int64_t backoff_delay_us(const struct backoff *backoff, unsigned tries, uint64_t random)
{
    int64_t longest_us = backoff->base_us;
    for (unsigned i = 0; i < tries && longest_us < backoff->cap_us; i++) {
        longest_us = longest_us > INT64_MAX / 2 ? backoff->cap_us : longest_us * 2;
    }
    if (longest_us > backoff->cap_us) {
        longest_us = backoff->cap_us;
    }
    return longest_us <= 0 ? 0 : (int64_t)(random % ((uint64_t)longest_us + 1));
}

int64_t backoff_next_us(struct backoff *backoff)
{
    int64_t delay_us = backoff_delay_us(backoff, backoff->tries, os_random_u64());
    if (backoff->tries < UINT32_MAX) {
        backoff->tries++;
    }
    return delay_us;
}

void backoff_reset(struct backoff *backoff)
{
    backoff->tries = 0;
}

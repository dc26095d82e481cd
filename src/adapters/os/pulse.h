/* The sign of life of a thread: it beats in every turn of its loop, and others see when it last
 * did. */
#ifndef TIDEMARK_ADAPTERS_OS_PULSE_H
#define TIDEMARK_ADAPTERS_OS_PULSE_H

#include <stdatomic.h>

#include "adapters/os/clock.h"

struct pulse {
    _Atomic int64_t beat_us; /* by the steady clock */
};

static inline void pulse_beat(struct pulse *pulse)
{
    atomic_store_explicit(&pulse->beat_us, clock_mono_us(), memory_order_relaxed);
}

/* How long ago the last beat was. Any thread. */
static inline int64_t pulse_age_us(const struct pulse *pulse)
{
    int64_t age = clock_mono_us() - atomic_load_explicit(&pulse->beat_us, memory_order_relaxed);
    return age < 0 ? 0 : age;
}

#endif

/* What leader and member share: the defaults of their settings, pauses, traces. */
#include "core/coord/coord.h"

#include <stdio.h>

#define SECONDS(n) ((int64_t)(n)*1000000)

void coord_settings_init(struct coord_settings *settings)
{
    *settings = (struct coord_settings){
        .group = "",
        .ledger_id = "",
        .fingerprint = "",
        .trigger = TRIGGER_EVENT_TIME,
        .contents = CONTENTS_WINDOW,
        .window_size_us = SECONDS(300),
        .out_of_orderness_us = SECONDS(10),
        .allowed_lateness_us = 0,
        .idle_after_us = SECONDS(30),
        .max_future_skew_us = SECONDS(3600),
        .late = LATE_NEXT,
        .empty = EMPTY_SKIP,
        .shape = {.keys = "", .routing = "", .files = "", .order = ""},
        .routes_by_key = true,
        .shard_policy = SHARDS_FIXED,
        .shards = 1,
        .max_attempts = 3,
        .attempt_backoff_us = SECONDS(1),
        .attempt_backoff_max_us = SECONDS(30),
        .attempt_deadline_us = SECONDS(600),
        .speculative = true,
        .speculative_after_us = SECONDS(30),
        .speculative_factor = 2,
        .speculative_share = 0.5,
        .owner_timeout_us = SECONDS(60),
        .progress_interval_us = SECONDS(1),
        .max_open_windows = 4,
        .max_unpublished_windows = 8,
        .retry_min_us = SECONDS(1) / 10,
        .retry_max_us = SECONDS(30),
        .cleanup_grace_us = SECONDS(3600),
        .sweep_every_us = SECONDS(6 * 3600),
        .pointer_check_us = SECONDS(30),
        .partitions_check_us = SECONDS(60),
        .max_clock_skew_us = SECONDS(60),
        .store_cas = true,
    };
}

int64_t coord_backoff(const struct coord_settings *settings, uint32_t failures, struct rng *rng)
{
    int64_t bound = settings->retry_min_us;
    for (uint32_t i = 0; i < failures && bound < settings->retry_max_us; i++) {
        bound *= 2;
    }
    bound = bound > settings->retry_max_us ? settings->retry_max_us : bound;
    int64_t spread = bound - settings->retry_min_us + 1;
    return settings->retry_min_us + (int64_t)rng_below(rng, (uint64_t)(spread < 1 ? 1 : spread));
}

void coord_trace(struct buf *trace, const char *format, va_list args)
{
    char text[1024];
    vsnprintf(text, sizeof text, format, args);
    buf_add_text(trace, text);
    buf_add_byte(trace, '\n');
}

/* How far event time has come in one partition. */
#include "core/window/watermark.h"

bool watermark_add(struct watermark *watermark, int64_t event_time_us, int64_t now_us,
                   int64_t max_future_skew_us)
{
    int64_t bound = 0;
    if (__builtin_add_overflow(now_us, max_future_skew_us, &bound)) {
        bound = INT64_MAX;
    }
    if (event_time_us <= watermark->highest_us) {
        return true;
    }
    if (event_time_us > bound) {
        return false;
    }
    watermark->highest_us = event_time_us;
    return true;
}

void watermark_lower(struct watermark *watermark, int64_t bound_us, int64_t out_of_orderness_us)
{
    int64_t highest_us = bound_us;
    if (bound_us != EVENT_TIME_LOW &&
        __builtin_add_overflow(bound_us, out_of_orderness_us, &highest_us)) {
        highest_us = EVENT_TIME_HIGH;
    }
    if (highest_us < watermark->highest_us) {
        watermark->highest_us = highest_us;
    }
}

int64_t watermark_us(const struct watermark *watermark, int64_t out_of_orderness_us)
{
    int64_t result = 0;
    if (watermark->highest_us == EVENT_TIME_LOW ||
        __builtin_sub_overflow(watermark->highest_us, out_of_orderness_us, &result)) {
        return EVENT_TIME_LOW;
    }
    return result;
}

bool watermark_of_group(const struct watermark_vote *votes, size_t count, int64_t *out_us)
{
    int64_t lowest = EVENT_TIME_HIGH;
    int64_t highest = EVENT_TIME_LOW;
    bool all_idle = true;
    for (size_t i = 0; i < count; i++) {
        int64_t mark = votes[i].watermark_us;
        highest = mark > highest ? mark : highest;
        if (!votes[i].idle) {
            all_idle = false;
            lowest = mark < lowest ? mark : lowest;
        }
    }
    int64_t result = all_idle ? highest : lowest;
    if (result == EVENT_TIME_LOW) {
        return false;
    }
    *out_us = result;
    return true;
}

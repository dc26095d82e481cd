/* Cuts: which build a row belongs to, from the recorded cuts alone. */
#include "core/window/cut.h"

#include <string.h>

#include "core/base/check.h"

int partition_id_compare(struct partition_id a, struct partition_id b)
{
    int order = strcmp(a.topic, b.topic);
    if (order != 0) {
        return order;
    }
    return (a.number > b.number) - (a.number < b.number);
}

int64_t window_of(int64_t event_time_us, int64_t size_us)
{
    CHECK(size_us >= CUT_WINDOW_SIZE_MIN_US);
    int64_t window = event_time_us / size_us;
    return event_time_us % size_us < 0 ? window - 1 : window;
}

int64_t window_start_us(int64_t window, int64_t size_us)
{
    int64_t start = 0;
    if (__builtin_mul_overflow(window, size_us, &start)) {
        return window < 0 ? INT64_MIN : INT64_MAX;
    }
    return start;
}

int64_t window_bucket_us(int64_t event_time_us, int64_t size_us, int64_t boundary_us)
{
    int64_t start = window_start_us(window_of(event_time_us, size_us), size_us);
    return boundary_us > start && boundary_us <= event_time_us ? boundary_us : start;
}

struct cut_verdict cut_judge(const struct cut_step *steps, size_t count, int64_t offset,
                             int64_t event_time_us)
{
    bool judged_future = false; /* by the first build whose cut is above it, and by no other */
    for (size_t i = 0; i < count; i++) {
        const struct cut_step *step = &steps[i];
        if (step->cut <= offset) {
            continue;
        }
        if (!judged_future && event_time_us > step->future_bound_us) {
            return (struct cut_verdict){.class = CUT_FUTURE, .build = step->build};
        }
        judged_future = true;
        if (event_time_us < step->to_us || step->to_us == EVENT_TIME_HIGH) {
            bool late = event_time_us < step->from_us;
            return (struct cut_verdict){.class = late ? CUT_LATE : CUT_ON_TIME,
                                        .build = step->build};
        }
    }
    return (struct cut_verdict){.class = CUT_OPEN};
}

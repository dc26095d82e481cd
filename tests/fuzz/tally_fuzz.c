/* Tallies of any bytes: an error, or a tally that is written as the same bytes. */
#include <stdlib.h>

#include "core/window/tally.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tally tally;
    struct err err = {0};
    if (!tally_decode(bytes_of(data, size), &tally, &err)) {
        CHECK(err.kind == ERR_CORRUPT && tally.window_count == 0);
        return 0;
    }
    AUTO(buf) struct buf again;
    buf_init(&again, size);
    tally_encode(&tally, &again);
    CHECK(bytes_equal(buf_bytes(&again), bytes_of(data, size)));
    CHECK(tally_rows(&tally) == 0 || tally_low_us(&tally) < EVENT_TIME_HIGH);
    tally_forget_below(&tally, INT64_MAX);
    tally_done(&tally);
    return 0;
}

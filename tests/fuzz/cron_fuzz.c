/* Cron expressions: a parsed one ticks on whole minutes, forwards only, and never misses what is
 * next. */
#include <stdlib.h>
#include <string.h>

#include "core/base/check.h"
#include "core/window/cron.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int64_t minute_us = INT64_C(60) * 1000000;
    static const int64_t start_us = INT64_C(1773480600) * 1000000 + 123;
    char *text = malloc(size + 1);
    CHECK(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    struct cron cron;
    struct err err = {0};
    if (cron_parse(text, &cron, &err)) {
        int64_t at_us = start_us;
        for (int i = 0; i < 3 && at_us != INT64_MAX; i++) {
            int64_t next_us = cron_next_us(&cron, at_us);
            CHECK(next_us > at_us);
            if (next_us != INT64_MAX) {
                CHECK(next_us % minute_us == 0);
                CHECK(cron_next_us(&cron, next_us - 1) == next_us);
                CHECK(cron_last_us(&cron, at_us, next_us) == next_us);
                CHECK(cron_last_us(&cron, at_us, next_us - 1) == 0);
            }
            at_us = next_us;
        }
    } else {
        CHECK(err.kind == ERR_SETTINGS && err.message[0] != '\0');
    }
    free(text);
    return 0;
}

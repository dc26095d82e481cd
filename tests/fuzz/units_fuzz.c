/* Durations and sizes: what is read prints to text that reads back as the same. */
#include <stdlib.h>

#include "core/units.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes text = bytes_of(data, size);
    char printed[UNITS_TEXT_SIZE];
    struct err err = {0};
    int64_t us = 0;
    if (units_duration(text, &us, &err)) {
        int64_t again = -1;
        CHECK(us >= 0 && us <= UNITS_DURATION_MAX_US);
        units_print_duration(us, printed);
        CHECK(units_duration(bytes_of_text(printed), &again, &err) && again == us);
    } else {
        CHECK(err.kind == ERR_INPUT && bytes_are_utf8(bytes_of_text(err.message)));
    }
    uint64_t bytes = 0;
    if (units_size(text, &bytes, &err)) {
        uint64_t again = 1;
        CHECK(bytes <= UNITS_SIZE_MAX);
        units_print_size(bytes, printed);
        /* a number of 19 digits is printed, but not read */
        CHECK(bytes > UINT64_C(999999999999999999) ||
              (units_size(bytes_of_text(printed), &again, &err) && again == bytes));
    }
    return 0;
}

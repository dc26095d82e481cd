/* How long must records be kept for a window? */
#include <criterion/criterion.h>

#include "consumer/doctor/doctor.h"

Test(doctor, retention)
{
    struct window_settings window = {.trigger = TRIGGER_EVENT_TIME,
                                     .size_us = 100,
                                     .allowed_lateness_us = 20,
                                     .out_of_orderness_us = 3,
                                     .every_us = 7};
    cr_assert_eq(doctor_retention_us(&window), 123);
    window.trigger = TRIGGER_SCHEDULE;
    cr_assert_eq(doctor_retention_us(&window), 7);
    window.trigger = TRIGGER_OFFSETS;
    cr_assert_eq(doctor_retention_us(&window), 0);
}

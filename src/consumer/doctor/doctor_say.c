/* A line of the doctor's report. */
#include <stdarg.h>
#include <stdio.h>

#include "consumer/doctor/doctor.h"

void doctor_say(struct doctor *doctor, enum doctor_level level, const char *check,
                const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    doctor->worst = level > doctor->worst ? level : doctor->worst;
    if (doctor->count < DOCTOR_LINES_MAX) {
        doctor->lines[doctor->count++] =
            (struct doctor_line){.level = level,
                                 .check = arena_text(doctor->arena, bytes_of_text(check)),
                                 .text = arena_text(doctor->arena, bytes_of_text(text))};
        if (doctor->tell != NULL) {
            doctor->tell(doctor->tell_context, &doctor->lines[doctor->count - 1]);
        }
    }
}

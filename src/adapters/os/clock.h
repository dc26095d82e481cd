/* What time it is: the wall clock for people and records, a steady one for deadlines. */
#ifndef TIDEMARK_ADAPTERS_OS_CLOCK_H
#define TIDEMARK_ADAPTERS_OS_CLOCK_H

#include <stdint.h>

/* Any thread; nothing here fails. All times are microseconds. */

/* Since 1970-01-01T00:00:00Z. The environment variable TIDEMARK_TEST_CLOCK_SHIFT_US (a signed
 * number, read once) is added, so that a test can date a whole process without faketime, and so is
 * the number in the file that TIDEMARK_TEST_CLOCK_SHIFT_FILE names, read again and again: a test
 * steps the clock of a process that runs (and replaces the file whole). Neither is ever set outside
 * tests; a file that has no number in it ends the process. */
int64_t clock_now_us(void);

/* Since some fixed moment; never goes back, is never shifted, and counts the time that the machine
 * was suspended: a process that slept past its deadline must see that it did (PROTOCOL R13). */
int64_t clock_mono_us(void);

/* Returns after `duration_us`, also when signals come in between. 0 or less: at once. */
void clock_sleep_us(int64_t duration_us);

enum { CLOCK_TEXT_MAX = 32 };

/* `us` as "2026-03-14T10:30:00.123Z", the form of log lines. Returns `text`. */
const char *clock_text_ms(int64_t us, char text[CLOCK_TEXT_MAX]);

#endif

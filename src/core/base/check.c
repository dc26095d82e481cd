/* The end of the process on a bug. */
#include "core/base/check.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* write(2) and not stdio: core has no streams, and a broken process should do as little as it can.
 */
static void say(const char *text)
{
    ssize_t ignored = write(STDERR_FILENO, text, strlen(text));
    (void)ignored;
}

_Noreturn void check_failed(const char *condition, const char *file, int line)
{
    char digits[12];
    size_t at = sizeof digits;
    digits[--at] = '\0';
    do {
        digits[--at] = (char)('0' + line % 10);
        line /= 10;
    } while (line > 0 && at > 0);
    say("tidemark: bug: ");
    say(file);
    say(":");
    say(digits + at);
    say(": CHECK failed: ");
    say(condition);
    say("\n");
    abort();
}

/* Named steps at which a test can end the process as kill -9 would. */
#include "adapters/os/crash_point.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void crash_point(const char *step)
{
    static atomic_uint passed;
    const char *wanted = getenv("TIDEMARK_TEST_CRASH_AT");
    if (wanted == NULL || strncmp(wanted, step, strlen(step)) != 0) {
        return;
    }
    const char *rest = wanted + strlen(step);
    unsigned long times = 1;
    if (*rest == ':') {
        times = strtoul(rest + 1, NULL, 10);
    } else if (*rest != '\0') {
        return;
    }
    if (atomic_fetch_add(&passed, 1) + 1 == times) {
        kill(getpid(), SIGKILL);
        pause();
    }
}

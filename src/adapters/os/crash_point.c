/* Named steps at which a test can end the process as kill -9 would, or put it to sleep. */
#include "adapters/os/crash_point.h"

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WANTED_MAX = 64 };

/* What the variable says, or the file that it names. */
static const char *read_wanted(const char *variable, char text[WANTED_MAX])
{
    const char *wanted = getenv(variable);
    if (wanted == NULL || wanted[0] != '@') {
        return wanted;
    }
    int fd = open(wanted + 1, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return NULL;
    }
    ssize_t size = read(fd, text, WANTED_MAX - 1);
    close(fd);
    text[size < 0 ? 0 : size] = '\0';
    return text;
}

/* `variable` names this step, and it is passed for as many times as it says. */
static bool is_due(const char *variable, const char *step, atomic_uint *passed)
{
    char text[WANTED_MAX];
    const char *wanted = read_wanted(variable, text);
    if (wanted == NULL || strncmp(wanted, step, strlen(step)) != 0) {
        return false;
    }
    const char *rest = wanted + strlen(step);
    unsigned long times = 1;
    if (*rest == ':') {
        times = strtoul(rest + 1, NULL, 10);
    } else if (*rest != '\0') {
        return false;
    }
    return atomic_fetch_add(passed, 1) + 1 == times;
}

void crash_point(const char *step)
{
    static atomic_uint crash_passed;
    static atomic_uint stop_passed;
    if (is_due("TIDEMARK_TEST_CRASH_AT", step, &crash_passed)) {
        kill(getpid(), SIGKILL);
        pause();
    }
    if (is_due("TIDEMARK_TEST_STOP_AT", step, &stop_passed)) {
        kill(getpid(), SIGSTOP);
    }
}

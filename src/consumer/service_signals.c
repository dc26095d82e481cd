/* The signals that ask the process to stop. */
#include "consumer/service_signals.h"

#include <signal.h>
#include <stddef.h>
#include <time.h>

#include "core/base/check.h"

static sigset_t signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    return set;
}

void service_signals_block(void)
{
    sigset_t set = signals();
    CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
}

int service_signals_wait(int64_t timeout_us)
{
    sigset_t set = signals();
    struct timespec wait = {.tv_sec = timeout_us / 1000000,
                            .tv_nsec = (timeout_us % 1000000) * 1000};
    int number = sigtimedwait(&set, NULL, &wait);
    return number > 0 ? number : 0;
}

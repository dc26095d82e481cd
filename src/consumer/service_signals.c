/* The signals that ask the process to stop. */
#include "consumer/service_signals.h"

#include <signal.h>
#include <stddef.h>
#include <time.h>
#include <unistd.h>

#include "core/base/check.h"

static volatile sig_atomic_t exit_with;
static volatile sig_atomic_t was_asked;

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

static void on_signal(int number)
{
    (void)number;
    if (was_asked) {
        _exit(exit_with);
    }
    was_asked = 1;
}

void service_signals_exit(int code, bool asked)
{
    exit_with = code;
    was_asked = asked;
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    CHECK(sigaction(SIGINT, &action, NULL) == 0 && sigaction(SIGTERM, &action, NULL) == 0);
    sigset_t set = signals();
    CHECK(pthread_sigmask(SIG_UNBLOCK, &set, NULL) == 0);
}

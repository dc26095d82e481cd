/* The signals that ask the process to stop. */
#include "consumer/service_signals.h"

#include <signal.h>
#include <stddef.h>
#include <time.h>
#include <unistd.h>

#include "core/base/check.h"

/* Of service_signals_exit, for the handlers. */
static volatile sig_atomic_t exit_late_with;
static volatile sig_atomic_t exit_asked_with;
static volatile sig_atomic_t was_asked;
static volatile sig_atomic_t grace_s;

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
        _exit(exit_asked_with);
    }
    was_asked = 1;
    alarm((unsigned)grace_s);
}

static void on_late(int number)
{
    (void)number;
    _exit(exit_late_with);
}

static void handle(int number, void (*handler)(int number))
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    CHECK(sigaction(number, &action, NULL) == 0);
}

void service_signals_exit(const struct service_signals_end *end)
{
    exit_late_with = end->code;
    exit_asked_with = end->asked_code;
    was_asked = end->asked;
    grace_s = (sig_atomic_t)end->grace_s;
    handle(SIGALRM, on_late);
    handle(SIGINT, on_signal);
    handle(SIGTERM, on_signal);
    sigset_t set = signals();
    CHECK(pthread_sigmask(SIG_UNBLOCK, &set, NULL) == 0);
    if (end->is_timed) {
        alarm(end->grace_s);
    }
}

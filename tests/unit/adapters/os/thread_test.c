/* Threads: their argument, their name, and that signals stay with the main thread. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "adapters/os/thread.h"

struct seen {
    char name[32];
    bool blocked;
};

static void look(void *argument)
{
    struct seen *seen = argument;
    pthread_getname_np(pthread_self(), seen->name, sizeof seen->name);
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    seen->blocked = sigismember(&mask, SIGTERM) == 1 && sigismember(&mask, SIGINT) == 1;
}

Test(thread, name_and_signals)
{
    struct seen seen = {0};
    thread_join(thread_new("a-name-that-is-far-too-long", look, &seen));
    cr_expect_str_eq(seen.name, "a-name-that-is-");
    cr_expect(seen.blocked);
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    cr_expect_eq(sigismember(&mask, SIGTERM), 0, "the starter's mask is as it was");
}

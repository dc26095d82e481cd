/* A thread with a name, started once and joined once. */
#include "adapters/os/thread.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/check.h"

struct thread {
    pthread_t id;
    void (*run)(void *argument);
    void *argument;
    char name[16];
};

static void *enter(void *argument)
{
    struct thread *thread = argument;
    pthread_setname_np(pthread_self(), thread->name);
    thread->run(thread->argument);
    return NULL;
}

struct thread *thread_new(const char *name, void (*run)(void *argument), void *argument)
{
    struct thread *thread = calloc(1, sizeof *thread);
    CHECK(thread != NULL);
    thread->run = run;
    thread->argument = argument;
    snprintf(thread->name, sizeof thread->name, "%.15s", name);
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    CHECK(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
    CHECK(pthread_create(&thread->id, NULL, enter, thread) == 0);
    CHECK(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
    return thread;
}

struct thread *thread_join(struct thread *thread)
{
    if (thread != NULL) {
        CHECK(pthread_join(thread->id, NULL) == 0);
        free(thread);
    }
    return NULL;
}

/* A thread with a name, started once and joined once. */
#ifndef TIDEMARK_ADAPTERS_OS_THREAD_H
#define TIDEMARK_ADAPTERS_OS_THREAD_H

struct thread;

/* `run(argument)` in a thread of its own, with all signals blocked: they belong to the main thread.
 * `name` is cut to 15 bytes (the kernel's limit). No thread can be had: CHECK. */
struct thread *thread_new(const char *name, void (*run)(void *argument), void *argument);

/* Waits for its end. Takes NULL; returns NULL. */
struct thread *thread_join(struct thread *thread);

#endif

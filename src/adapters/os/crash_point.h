/* Named steps at which a test can end the process as kill -9 would, or put it to sleep. */
#ifndef TIDEMARK_ADAPTERS_OS_CRASH_POINT_H
#define TIDEMARK_ADAPTERS_OS_CRASH_POINT_H

/* With TIDEMARK_TEST_CRASH_AT=<step> in the environment, or <step>:<n> for the n-th time that the
 * step is passed, the process ends here by SIGKILL. Without it nothing happens. Any thread. The
 * steps, in the order of a build: closed sealed ready planned part-stored part-told
 * carried-order carried-file (of a shard that is copied) attempt-uploaded attempt-told staged
 * committed manifest-put swapping pointer-swapped published cleaned. What is told or published is
 * on record then; `swapping` is after the pointer was read and before it is written.
 *
 * TIDEMARK_TEST_STOP_AT is the same with SIGSTOP: whoever wakes the process by SIGCONT has a zombie
 * that goes on exactly there. Either may be @<file> instead: what the file says when a step is
 * passed, and nothing while there is none, so that a test can decide later. */
void crash_point(const char *step);

#endif

/* Named steps at which a test can end the process as kill -9 would. */
#ifndef TIDEMARK_ADAPTERS_OS_CRASH_POINT_H
#define TIDEMARK_ADAPTERS_OS_CRASH_POINT_H

/* With TIDEMARK_TEST_CRASH_AT=<step> in the environment, or <step>:<n> for the n-th time that the
 * step is passed, the process ends here by SIGKILL. Without it nothing happens. Any thread. The
 * steps, in the order of a build: closed sealed planned attempt-uploaded staged committed
 * manifest-put pointer-swapped published cleaned. */
void crash_point(const char *step);

#endif

/* How many files this process may have open. */
#include "adapters/os/open_files.h"

#include <sys/resource.h>

#include "core/base/check.h"

uint64_t open_files_raise(void)
{
    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    struct rlimit raised = {.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
    rlim_t now = setrlimit(RLIMIT_NOFILE, &raised) == 0 ? raised.rlim_cur : limit.rlim_cur;
    return now == RLIM_INFINITY ? UINT64_MAX : (uint64_t)now;
}

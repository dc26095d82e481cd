/* Does the process get all the open files that it may have? */
#include "adapters/os/open_files.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <sys/resource.h>

enum { FEW = 64, MORE = 300 };

Test(open_files, as_many_as_this_user_may_have)
{
    struct rlimit limit;
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    cr_assert_gt(limit.rlim_max, MORE);
    limit.rlim_cur = FEW;
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    uint64_t now = open_files_raise();
    cr_expect_eq(now, (uint64_t)limit.rlim_max);
    for (int i = 0; i < MORE; i++) {
        cr_assert_geq(open("/dev/null", O_RDONLY | O_CLOEXEC), 0, "file %d", i);
    }
    cr_expect_eq(open_files_raise(), now, "again is the same");
}

/* Is memory from the kernel zeroed, kept when it grows, and given back? */
#include "adapters/os/pages.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static size_t resident_bytes(void)
{
    size_t total = 0;
    size_t resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    cr_assert_not_null(file);
    cr_assert_eq(fscanf(file, "%zu %zu", &total, &resident), 2);
    fclose(file);
    return resident * (size_t)sysconf(_SC_PAGESIZE);
}

Test(pages, new_grow_free)
{
    size_t bytes = 10000;
    unsigned char *pages = pages_new(bytes);
    for (size_t i = 0; i < pages_round(bytes); i++) {
        cr_assert_eq(pages[i], 0);
    }
    memset(pages, 7, bytes);
    pages = pages_grow(pages, bytes, 20 * bytes);
    for (size_t i = 0; i < 20 * bytes; i++) {
        cr_assert_eq(pages[i], i < bytes ? 7 : 0);
    }
    pages = pages_grow(pages, 20 * bytes, 5);
    cr_assert_eq(pages[0], 7);
    pages_free(pages, 5);
    pages_free(NULL, 0);
    cr_assert_eq(pages_round(1), pages_round(2));
    cr_assert_eq(pages_round(0), 0);
}

Test(pages, freed_memory_is_given_back)
{
    enum { BYTES = 64 << 20 };
    size_t before = resident_bytes();
    unsigned char *pages = pages_new(BYTES);
    memset(pages, 1, BYTES);
    cr_assert_geq(resident_bytes(), before + BYTES / 2);
    pages_free(pages, BYTES);
    cr_assert_lt(resident_bytes(), before + BYTES / 2);
}

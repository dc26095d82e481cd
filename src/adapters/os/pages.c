/* Memory straight from the kernel. */
#include "adapters/os/pages.h"

#include <sys/mman.h>
#include <unistd.h>

#include "core/base/check.h"

#define HUGE_PAGE ((size_t)2 << 20) /* on the machines we run on; others just align more */

size_t pages_round(size_t bytes)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    CHECK(bytes <= SIZE_MAX - page);
    return (bytes + page - 1) / page * page;
}

/* Of a large piece the kernel makes huge pages where it can: rows that are visited in the order of
 * their keys would miss the table of small ones at every step. */
static void *aligned_pages(size_t bytes)
{
    size_t room = bytes + HUGE_PAGE;
    char *pages = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(pages != MAP_FAILED);
    size_t before = (HUGE_PAGE - (uintptr_t)pages % HUGE_PAGE) % HUGE_PAGE;
    if (before > 0) {
        CHECK(munmap(pages, before) == 0);
    }
    CHECK(munmap(pages + before + bytes, HUGE_PAGE - before) == 0);
    (void)madvise(pages + before, bytes, MADV_HUGEPAGE); /* a kernel may know none */
    return pages + before;
}

void *pages_new(size_t bytes)
{
    size_t rounded = pages_round(bytes);
    if (rounded >= HUGE_PAGE) {
        return aligned_pages(rounded);
    }
    void *pages = mmap(NULL, rounded, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(pages != MAP_FAILED);
    return pages;
}

void *pages_grow(void *pages, size_t old_bytes, size_t new_bytes)
{
    void *moved = mremap(pages, pages_round(old_bytes), pages_round(new_bytes), MREMAP_MAYMOVE);
    CHECK(moved != MAP_FAILED);
    return moved;
}

void pages_free(void *pages, size_t bytes)
{
    if (pages != NULL) {
        CHECK(munmap(pages, pages_round(bytes)) == 0);
    }
}

/* Memory straight from the kernel. */
#include "adapters/os/pages.h"

#include <sys/mman.h>
#include <unistd.h>

#include "core/base/check.h"

size_t pages_round(size_t bytes)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    CHECK(bytes <= SIZE_MAX - page);
    return (bytes + page - 1) / page * page;
}

void *pages_new(size_t bytes)
{
    void *pages =
        mmap(NULL, pages_round(bytes), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
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

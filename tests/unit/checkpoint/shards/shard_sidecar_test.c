/* Are files that are no shard files refused? (What bodies hold: golden_shards_test.c.) */
#include "checkpoint/shards/shard_sidecar.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char path[] = "/tmp/tidemark-sidecar-XXXXXX";

static void make_file(void)
{
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    close(fd);
}

static void remove_file(void)
{
    unlink(path);
}

TestSuite(shard_sidecar, .init = make_file, .fini = remove_file);

static enum err_kind kind_of(const unsigned char *content, size_t size)
{
    FILE *file = fopen(path, "wb");
    cr_assert_not_null(file);
    cr_assert_eq(fwrite(content, 1, size, file), size);
    fclose(file);
    struct buf body;
    struct err err = {0};
    uint32_t page_size;
    buf_init(&body, 1 << 20);
    bool ok = shard_sidecar_body(path, false, &body, &page_size, &err);
    buf_done(&body);
    return ok ? ERR_NONE : err.kind;
}

Test(shard_sidecar, what_is_no_shard_file)
{
    static unsigned char content[8192] = "SQLite format 3";
    cr_assert_eq(kind_of(content, 0), ERR_CORRUPT, "empty");
    cr_assert_eq(kind_of(content, 99), ERR_CORRUPT, "shorter than a header");
    cr_assert_eq(kind_of(content, 8192), ERR_INPUT, "page size 0");
    content[16] = 0x10; /* 4096 */
    cr_assert_eq(kind_of(content, 8000), ERR_INPUT, "half a page");
    cr_assert_eq(kind_of(content, 8192), ERR_INPUT, "no schema");
    content[16] = 0x08; /* 2048: not one of ours */
    cr_assert_eq(kind_of(content, 8192), ERR_INPUT);
    struct buf body;
    struct err err = {0};
    uint32_t page_size;
    buf_init(&body, 1 << 20);
    cr_assert(!shard_sidecar_body("/tmp/tidemark-no-such-file", false, &body, &page_size, &err));
    cr_assert_eq(err.kind, ERR_MISSING);
    buf_done(&body);
}

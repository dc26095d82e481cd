/* Do golden shard files hold what decoded.json says, and do files that we write from their rows
 * hold the same? */
#include <unistd.h>

#include "adapters/crypto/digest.h"
#include "adapters/os/file.h"
#include "adapters/sqlite/sqlite_kv.h"
#include "checkpoint/shards/shard_sidecar.h"
#include "tests/support/vectors.h"

/* The library's writer puts rows in the order of its input; ours, always in key order. */
static const struct {
    const char *name;
    bool in_key_order;
} snapshots[] = {
    {"manifest_example", false},
    {"manifest_example_cel", false},
    {"manifest_example_cel_int", true},
    {"manifest_example_sparse", true},
    {"page_auto", false},
    {"sidecar_64k", true},
    {"sidecar_deep", false},
};

static void check_digest(struct bytes bytes, const cJSON *wanted, const char *length,
                         const char *digest)
{
    char sha256[DIGEST_SHA256_TEXT];
    digest_sha256(bytes, sha256);
    cr_assert_eq((int64_t)bytes.size, vectors_integer(wanted, length));
    cr_assert_str_eq(sha256, vectors_text(wanted, digest));
}

static void check_rows(const char *path, const cJSON *shard, struct arena *arena)
{
    struct kv_file *file = NULL;
    struct row_stream *rows = NULL;
    struct err err = {0};
    cr_assert(kv_open(sqlite_kv(), path, &file, &err), "%s", err.message);
    cr_assert(kv_rows(file, &rows, &err));
    struct row row;
    bool more;
    const cJSON *wanted;
    cJSON_ArrayForEach(wanted, vectors_member(shard, "rows"))
    {
        cr_assert(row_stream_next(rows, &row, &more, &err) && more, "%s", err.message);
        if (cJSON_HasObjectItem(wanted, "k")) {
            struct bytes key = vectors_hex(bytes_of_text(vectors_text(wanted, "k")), arena);
            cr_assert(bytes_equal(row.key, key));
        } else {
            check_digest(row.key, wanted, "k_len", "k_sha256");
        }
        check_digest(row.value, wanted, "v_len", "v_sha256");
    }
    cr_assert(row_stream_next(rows, &row, &more, &err) && !more);
    row_stream_free(rows);
    kv_close(file);
}

static struct buf body_of(const char *path, bool whole_rows, uint32_t page_size)
{
    struct buf body;
    struct err err = {0};
    uint32_t got;
    buf_init(&body, 1 << 26);
    cr_assert(shard_sidecar_body(path, whole_rows, &body, &got, &err), "%s", err.message);
    cr_assert_eq(got, page_size);
    return body;
}

static void check_body(const char *golden, uint32_t page_size, const cJSON *sidecar)
{
    if (sidecar == NULL) {
        return; /* the snapshot was made without */
    }
    struct buf body = body_of(golden, false, page_size);
    char sha256[DIGEST_SHA256_TEXT];
    digest_sha256(buf_bytes(&body), sha256);
    cr_assert_str_eq(sha256, vectors_text(sidecar, "body_sha256"), "%s", golden);
    buf_done(&body);
}

/* True: our writer says that no row has overflow pages. */
static bool write_again(const char *golden, const char *ours, uint32_t page_size)
{
    struct kv_file *file = NULL;
    struct row_stream *rows = NULL;
    struct err err = {0};
    struct buf key_min;
    struct buf key_max;
    buf_init(&key_min, 1 << 20);
    buf_init(&key_max, 1 << 20);
    (void)unlink(ours);
    cr_assert(kv_open(sqlite_kv(), golden, &file, &err));
    cr_assert(kv_rows(file, &rows, &err));
    struct kv_write_request request = {.path = ours, .page_size = page_size};
    struct kv_written written;
    cr_assert(kv_write(sqlite_kv(), &request, rows, &written, &key_min, &key_max, &err), "%s",
              err.message);
    row_stream_free(rows);
    kv_close(file);
    buf_done(&key_min);
    buf_done(&key_max);
    return written.whole_rows;
}

/* Where the writer says so, the body is the same without a look at the leaves. */
static void check_quick_body(const char *ours, uint32_t page_size)
{
    struct buf quick = body_of(ours, true, page_size);
    struct buf body = body_of(ours, false, page_size);
    cr_assert(bytes_equal(buf_bytes(&quick), buf_bytes(&body)), "%s", ours);
    buf_done(&quick);
    buf_done(&body);
}

/* Ours fills pages to their ends, so its trees are others, and never larger; where one page holds
 * all rows, it is the same page. The begin of the header says how to read a file. */
static void compare(const char *golden, const char *ours, uint32_t page_size, bool in_key_order)
{
    enum { HOW_TO_READ = 24, HEADER = 100 };
    struct buf a;
    struct buf b;
    struct err err = {0};
    buf_init(&a, 1 << 26);
    buf_init(&b, 1 << 26);
    cr_assert(file_read(golden, &a, &err) && file_read(ours, &b, &err), "%s", err.message);
    cr_assert_eq(memcmp(a.data, b.data, HOW_TO_READ), 0, "%s", golden);
    cr_assert_leq(b.size, a.size, "%s", golden);
    if (in_key_order && a.size == 2 * (size_t)page_size) {
        cr_assert_eq(b.size, a.size);
        cr_assert_eq(memcmp(a.data + HEADER, b.data + HEADER, a.size - HEADER), 0, "%s", golden);
    }
    buf_done(&a);
    buf_done(&b);
}

Test(golden_shards, rows_bodies_and_files)
{
    char ours[] = "/tmp/tidemark-golden-XXXXXX";
    int fd = mkstemp(ours);
    cr_assert_geq(fd, 0);
    close(fd);
    int whole = 0;
    int shards = 0;
    for (size_t i = 0; i < LENGTH_OF(snapshots); i++) {
        AUTO(arena) struct arena *arena = arena_new(1 << 16);
        struct bytes text =
            vectors_read(arena_format(arena, "%s/decoded.json", snapshots[i].name), arena);
        cJSON *root = vectors_json(text);
        const cJSON *shard;
        cJSON_ArrayForEach(shard, vectors_member(root, "shards"))
        {
            const char *golden =
                arena_format(arena, "%s/vectors/%s/objects/%s/shard.db", TESTS_FOLDER,
                             snapshots[i].name, vectors_text(shard, "dir"));
            uint32_t page_size = (uint32_t)vectors_integer(shard, "page_size");
            check_rows(golden, shard, arena);
            check_body(golden, page_size, cJSON_GetObjectItem(shard, "sidecar"));
            shards++;
            if (write_again(golden, ours, page_size)) {
                whole++;
                check_quick_body(ours, page_size);
            }
            check_rows(ours, shard, arena);
            compare(golden, ours, page_size, snapshots[i].in_key_order);
        }
        cJSON_Delete(root);
    }
    cr_assert(whole > 0 && whole < shards, "%d of %d", whole, shards);
    unlink(ours);
}

/* Is a sidecar made from a shard file the one that the library made from it? */
#include "core/snapshot/sidecar.h"
#include "core/base/rng.h"
#include "tests/support/vectors.h"

enum { BODY_MAX = 1 << 26 };

static const char *const examples[] = {
    "manifest_example", "manifest_example_cel", "manifest_example_cel_int",
    "page_auto",        "sidecar_64k",          "sidecar_deep",
};

static bool read_page(void *context, uint32_t pageno, uint8_t *ret_page, struct err *err)
{
    const struct bytes *file = context;
    size_t page_size = (size_t)file->data[16] << 8 | file->data[17];
    page_size = page_size == 1 ? 65536 : page_size;
    if (pageno == 0 || pageno * page_size > file->size) {
        return err_set(err, ERR_CORRUPT, "read beyond the end");
    }
    memcpy(ret_page, file->data + (pageno - 1) * page_size, page_size);
    return true;
}

static struct sqlite_pages pages_of(struct bytes *file, uint32_t page_size)
{
    return (struct sqlite_pages){
        .read = read_page,
        .context = file,
        .page_size = page_size,
        .page_count = (uint32_t)(file->size / page_size),
    };
}

/* Each page as it is in the file, but for the bytes in its gap. */
static void expect_pages(const struct sidecar *sidecar, struct bytes file)
{
    uint8_t *page = malloc(sidecar->page_size);
    for (size_t i = 0; i < sidecar->body.page_count; i++) {
        struct err err = {0};
        cr_assert(sidecar_body_page(&sidecar->body, i, sidecar->page_size, page, &err), "%s",
                  err.message);
        uint32_t pageno = sidecar_body_u32(sidecar->body.pagenos, i);
        const uint8_t *stored = file.data + (size_t)(pageno - 1) * sidecar->page_size;
        struct sqlite_page_header header;
        cr_assert(sqlite_page_parse(stored, pageno, sidecar->page_size, &header));
        cr_assert_eq(memcmp(page, stored, header.head_end), 0);
        cr_assert_eq(memcmp(page + header.content_start, stored + header.content_start,
                            sidecar->page_size - header.content_start),
                     0);
    }
    free(page);
}

static void expect_chains(const struct sidecar_body *body, const cJSON *chains)
{
    cr_assert_eq((int)body->chain_count, cJSON_GetArraySize(chains));
    size_t at = 0;
    const cJSON *chain = NULL;
    cJSON_ArrayForEach(chain, chains)
    {
        const cJSON *page = NULL;
        cJSON_ArrayForEach(page, chain)
        {
            cr_assert_eq(sidecar_body_u32(body->chain_pages, at++), (uint32_t)page->valuedouble);
        }
    }
    cr_assert_eq(at, body->chain_page_count);
}

static uint32_t pages_read;

static bool count_page(void *context, uint32_t pageno, uint8_t *ret_page, struct err *err)
{
    pages_read++;
    return read_page(context, pageno, ret_page, err);
}

/* Of a file without overflow pages the same body is made of few pages: page 1 to check it, each
 * page of the body twice, and one leaf. */
static void hold_quick_body(struct bytes *file, const struct sidecar *theirs)
{
    struct sqlite_pages pages = pages_of(file, theirs->page_size);
    pages.read = count_page;
    pages.whole_rows = true;
    pages_read = 0;
    struct err err = {0};
    AUTO(buf) struct buf body;
    buf_init(&body, BODY_MAX);
    cr_assert(sidecar_body_build(&pages, &body, &err), "%s", err.message);
    cr_assert(bytes_equal(buf_bytes(&body), theirs->body_bytes));
    cr_assert_leq(pages_read, 2 + 2 * theirs->body.page_count);
}

static void hold_shard(const char *example, const cJSON *shard, struct arena *arena)
{
    const cJSON *expected = vectors_member(shard, "sidecar");
    const char *folder = arena_format(arena, "%s/objects/%s", example, vectors_text(shard, "dir"));
    struct bytes file = vectors_read(arena_format(arena, "%s/shard.db", folder), arena);
    struct bytes object = vectors_read(arena_format(arena, "%s/shard.sidecar", folder), arena);
    struct sidecar theirs;
    struct err err = {0};
    cr_assert(sidecar_decode(object, BODY_MAX, arena, &theirs, &err), "%s", err.message);
    cr_assert_eq(theirs.page_size, (uint32_t)vectors_integer(expected, "page_size"));
    cr_assert(bytes_equal(theirs.tag, bytes_of_text(vectors_text(expected, "db_tag"))));
    expect_chains(&theirs.body, vectors_member(expected, "chains"));
    expect_pages(&theirs, file);

    struct sqlite_pages pages = pages_of(&file, theirs.page_size);
    AUTO(buf) struct buf body;
    buf_init(&body, BODY_MAX);
    cr_assert(sidecar_body_build(&pages, &body, &err), "%s", err.message);
    cr_assert(bytes_equal(buf_bytes(&body), theirs.body_bytes), "%s", folder);
    if (theirs.body.chain_count == 0) {
        hold_quick_body(&file, &theirs);
    }
    AUTO(buf) struct buf ours;
    buf_init(&ours, BODY_MAX);
    cr_assert(sidecar_encode(buf_bytes(&body), theirs.page_size, vectors_text(expected, "db_tag"),
                             &ours, &err));
    struct sidecar again;
    cr_assert(sidecar_decode(buf_bytes(&ours), BODY_MAX, arena, &again, &err), "%s", err.message);
    cr_assert(bytes_equal(again.body_bytes, theirs.body_bytes));
    cr_assert(bytes_equal(again.tag, theirs.tag));
}

Test(sidecar, examples)
{
    int shards_held = 0;
    for (size_t i = 0; i < LENGTH_OF(examples); i++) {
        struct arena *arena = arena_new(1 << 16);
        const char *path = arena_format(arena, "%s/decoded.json", examples[i]);
        AUTO(json) cJSON *decoded = vectors_json(vectors_read(path, arena));
        const cJSON *shard = NULL;
        cJSON_ArrayForEach(shard, vectors_member(decoded, "shards"))
        {
            hold_shard(examples[i], shard, arena);
            shards_held++;
        }
        arena_free(arena);
    }
    cr_assert_eq(shards_held, 15);
}

#define DEEP                                                                                       \
    "sidecar_deep/objects/shards/run_id=4f3da2422fe54874acec19bb35bfc10a/db=00000/attempt=00/"

Test(sidecar, tag_is_left_out_when_it_does_not_fit)
{
    struct arena *arena = arena_new(1 << 16);
    struct bytes object = vectors_read(DEEP "shard.sidecar", arena);
    struct sidecar sidecar;
    struct err err = {0};
    cr_assert(sidecar_decode(object, BODY_MAX, arena, &sidecar, &err));
    char etag[300];
    memset(etag, 'x', sizeof etag);
    for (size_t size = 254; size < 258; size++) {
        etag[size] = '\0';
        AUTO(buf) struct buf out;
        buf_init(&out, BODY_MAX);
        cr_assert(sidecar_encode(sidecar.body_bytes, sidecar.page_size, etag, &out, &err));
        struct sidecar again;
        cr_assert(sidecar_decode(buf_bytes(&out), BODY_MAX, arena, &again, &err));
        cr_assert_eq(again.tag.size, size <= 255 ? size : 0);
        etag[size] = 'x';
    }
    AUTO(buf) struct buf out;
    buf_init(&out, BODY_MAX);
    cr_assert(sidecar_encode(sidecar.body_bytes, sidecar.page_size, NULL, &out, &err));
    cr_assert_eq(out.data[17], 0);
    AUTO(buf) struct buf small;
    buf_init(&small, 100);
    cr_assert_not(sidecar_encode(sidecar.body_bytes, sidecar.page_size, NULL, &small, &err));
    cr_assert_eq(err.kind, ERR_LIMIT);
    arena_free(arena);
}

/* Damage anywhere is an error or a sidecar that parses, never worse (this runs under sanitizers,
 * too). */
Test(sidecar, damaged_objects)
{
    struct arena *arena = arena_new(1 << 16);
    struct bytes object = vectors_read(DEEP "shard.sidecar", arena);
    struct rng rng;
    rng_init(&rng, 6);
    int refused = 0;
    for (int i = 0; i < 2000; i++) {
        struct arena *scratch = arena_new(1 << 16);
        size_t size = rng_chance(&rng, 200000) ? (size_t)rng_below(&rng, object.size) : object.size;
        uint8_t *copy = malloc(size + 1);
        memcpy(copy, object.data, size);
        if (size == object.size) {
            copy[rng_below(&rng, i % 2 == 0 ? 40 : size)] ^= (uint8_t)(1 + rng_below(&rng, 255));
        }
        struct sidecar sidecar;
        struct err err = {0};
        refused += !sidecar_decode(bytes_of(copy, size), 1 << 20, scratch, &sidecar, &err);
        free(copy);
        arena_free(scratch);
    }
    cr_assert_gt(refused, 1000);
    arena_free(arena);
}

Test(sidecar, damaged_files)
{
    struct arena *arena = arena_new(1 << 16);
    struct bytes file = vectors_read(DEEP "shard.db", arena);
    uint8_t *copy = malloc(file.size);
    struct rng rng;
    rng_init(&rng, 7);
    int refused = 0;
    for (int i = 0; i < 300; i++) {
        memcpy(copy, file.data, file.size);
        for (int j = 0; j < 20; j++) {
            uint64_t page = rng_below(&rng, file.size / 4096);
            copy[page * 4096 + (page == 0 ? 100 : 0) + rng_below(&rng, 24)] =
                (uint8_t)rng_next(&rng);
        }
        struct bytes damaged = bytes_of(copy, file.size);
        struct sqlite_pages pages = pages_of(&damaged, 4096);
        AUTO(buf) struct buf body;
        buf_init(&body, BODY_MAX);
        struct err err = {0};
        bool ok = sidecar_body_build(&pages, &body, &err);
        cr_assert(ok || err.kind == ERR_INPUT, "%s", err.message);
        refused += !ok;
    }
    cr_assert_gt(refused, 100);
    struct sqlite_pages short_file = pages_of(&file, 4096);
    short_file.page_count /= 2;
    AUTO(buf) struct buf body;
    buf_init(&body, BODY_MAX);
    struct err err = {0};
    cr_assert_not(sidecar_body_build(&short_file, &body, &err));
    cr_assert_eq(err.kind, ERR_INPUT);
    AUTO(buf) struct buf small;
    buf_init(&small, 1000);
    struct sqlite_pages whole = pages_of(&file, 4096);
    cr_assert_not(sidecar_body_build(&whole, &small, &err));
    cr_assert_eq(err.kind, ERR_LIMIT);
    free(copy);
    arena_free(arena);
}

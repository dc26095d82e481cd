/* Is a key that a gate wants looked up in its own shard alone, where it can be told, and in every
 * one where it cannot? */
#include "checkpoint/shards/canary.h"

#include <criterion/criterion.h>
#include <unistd.h>

#include "adapters/sqlite/sqlite_kv.h"
#include "tests/support/test_rows.h"

enum { SHARDS = 4 };

static const struct sharding_column columns[] = {{"key", COLUMN_UINT}, {"tier", COLUMN_INT}};
static char path[] = "/tmp/tidemark-canary-XXXXXX";

static void make_file(void)
{
    static const uint64_t keys[] = {5, 6};
    uint8_t stored[LENGTH_OF(keys)][8];
    struct row rows[LENGTH_OF(keys)];
    for (size_t i = 0; i < LENGTH_OF(keys); i++) {
        put_u64be(stored[i], keys[i]);
        rows[i] = (struct row){.key = bytes_of(stored[i], 8), .value = bytes_of_text("here")};
    }
    int fd = mkstemp(path);
    cr_assert(fd >= 0 && close(fd) == 0 && unlink(path) == 0);
    struct kv_write_request request = {.path = path, .page_size = 4096};
    struct kv_written written;
    struct err err = {0};
    AUTO(buf) struct buf low;
    AUTO(buf) struct buf high;
    buf_init(&low, 100);
    buf_init(&high, 100);
    struct row_stream *stream = test_stream_new(rows, LENGTH_OF(rows));
    cr_assert(kv_write(sqlite_kv(), &request, stream, &written, &low, &high, &err), "%s",
              err.message);
    row_stream_free(stream);
}

static void remove_file(void)
{
    (void)unlink(path);
}

/* In which of the shards the keys are found, when each shard has the same file: digits, shard by
 * shard, of the keys found there. */
static const char *found_in(const char *expression, bool infers, const char *const *keys,
                            size_t count, struct arena *arena)
{
    struct sharding sharding = {.strategy = SHARDING_HASH};
    if (expression != NULL) {
        sharding = (struct sharding){.strategy = SHARDING_CEL,
                                     .cel_expr = expression,
                                     .columns = columns,
                                     .column_count = LENGTH_OF(columns)};
    }
    struct router router;
    struct err err = {0};
    cr_assert(route_init(&router, &sharding, infers ? 0 : SHARDS, 0, infers, &err), "%s",
              err.message);
    AUTO(buf) struct buf text;
    buf_init(&text, 1000);
    for (uint32_t shard = 0; shard < SHARDS; shard++) {
        struct canary_search search = {.kv = sqlite_kv(),
                                       .key_encoding = KEY_ENCODING_U64BE,
                                       .keys = keys,
                                       .key_count = count,
                                       .router = &router,
                                       .num_dbs = SHARDS,
                                       .shard = shard};
        const char *const *found = NULL;
        size_t found_count = 0;
        cr_assert(canary_find_in_file(&search, path, arena, &found, &found_count, &err), "%s",
                  err.message);
        for (size_t i = 0; i < found_count; i++) {
            buf_add_text(&text, found[i]);
        }
        buf_add_byte(&text, ' ');
    }
    route_done(&router);
    return arena_text(arena, buf_bytes(&text));
}

Test(canary, in_its_own_shard_or_in_all, .init = make_file, .fini = remove_file)
{
    static const char *const keys[] = {"5", "6", "7", "no number"};
    struct arena *arena = arena_new(4096);
    cr_assert_str_eq(found_in("key % 4u", false, keys, 4, arena), " 5 6  ");
    cr_assert_str_eq(found_in("key == 6u ? 9u : 3u", false, keys, 4, arena), "   5 "); /* 6: none */
    cr_assert_str_eq(found_in("tier % 4", false, keys, 4, arena), "56 56 56 56 ");
    cr_assert_str_eq(found_in("key % 4u", true, keys, 4, arena), "56 56 56 56 ");
    const char *hashed = found_in(NULL, false, keys, 4, arena);
    cr_assert_eq(strlen(hashed), SHARDS + 2, "%s", hashed);
    arena_free(arena);
}

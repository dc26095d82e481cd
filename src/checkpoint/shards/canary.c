/* Which of the keys that a gate wants are in a shard. */
#include "checkpoint/shards/canary.h"

#include "adapters/page_cache.h"
#include "adapters/range_file.h"
#include "core/snapshot/names.h"

enum { CANARY_CACHE_BYTES = 4 << 20 };

struct wanted {
    const char *text;
    struct logical_key key;
    struct bytes stored;
    uint8_t scratch[KEY_INTEGER_BYTES_MAX];
};

/* The key alone tells its shard; else every shard is looked into. */
static bool can_route(const struct router *router)
{
    return route_needs_key_only(router) && router->kind != ROUTE_CEL_INFERRED;
}

/* False: it cannot be a key of this encoding, or belongs to another shard, or to none. */
static bool is_wanted_here(const struct canary_search *search, const char *text,
                           struct arena *arena, struct wanted *wanted)
{
    struct err unusable = {0};
    uint32_t shard = 0;
    wanted->text = text;
    if (!key_from_argument(search->key_encoding, text, arena, &wanted->key, &unusable) ||
        key_store(search->key_encoding, &wanted->key, wanted->scratch, &wanted->stored) !=
            REJECT_NONE) {
        return false;
    }
    return !can_route(search->router) ||
           (route_shard(search->router, &wanted->key, search->num_dbs, &shard, &unusable) &&
            shard == search->shard);
}

static size_t choose(const struct canary_search *search, struct arena *arena,
                     struct wanted **ret_wanted)
{
    struct wanted *wanted = arena_zero(arena, (search->key_count + 1) * sizeof *wanted);
    size_t count = 0;
    for (size_t i = 0; i < search->key_count; i++) {
        count += is_wanted_here(search, search->keys[i], arena, &wanted[count]);
    }
    *ret_wanted = wanted;
    return count;
}

static bool look_up(struct kv_file *file, const struct wanted *wanted, size_t count,
                    struct arena *arena, const char *const **ret_found, size_t *ret_count,
                    struct err *err)
{
    const char **found = arena_zero(arena, (count + 1) * sizeof *found);
    size_t found_count = 0;
    AUTO(buf) struct buf value;
    buf_init(&value, SIZE_MAX);
    for (size_t i = 0; i < count; i++) {
        bool there = false;
        buf_clear(&value);
        TRY(kv_get(file, wanted[i].stored, &value, &there, err));
        if (there) {
            found[found_count++] = wanted[i].text;
        }
    }
    *ret_found = found;
    *ret_count = found_count;
    return true;
}

bool canary_find_in_file(const struct canary_search *search, const char *path, struct arena *arena,
                         const char *const **ret_found, size_t *ret_count, struct err *err)
{
    struct wanted *wanted = NULL;
    size_t count = choose(search, arena, &wanted);
    if (count == 0) {
        *ret_count = 0;
        return true;
    }
    struct kv_file *file = NULL;
    TRY(kv_open(search->kv, path, &file, err));
    bool done = look_up(file, wanted, count, arena, ret_found, ret_count, err);
    kv_close(file);
    return done;
}

static bool find_by_range(const struct canary_search *search, const struct wanted *wanted,
                          size_t count, struct store *store, const char *folder,
                          struct page_cache *cache, struct arena *arena,
                          const char *const **ret_found, size_t *ret_count, struct err *err)
{
    const char *name = names_shard_file(folder, arena);
    struct store_info info = {0};
    TRY(store_head(store, name, &info, err));
    struct range_file_request request = {
        .store = store,
        .cache = cache,
        .name = name,
        .sidecar_name = names_sidecar_file(folder, arena),
        .check_sidecar = true,
        .size = info.size,
    };
    struct range_file *range = NULL;
    struct kv_file *file = NULL;
    TRY(range_file_open(&request, &range, err));
    TRY(kv_open_range(search->kv, range, &file, err));
    bool done = look_up(file, wanted, count, arena, ret_found, ret_count, err);
    kv_close(file);
    return done;
}

bool canary_find_in_store(const struct canary_search *search, struct store *store,
                          const char *folder, struct arena *arena, const char *const **ret_found,
                          size_t *ret_count, struct err *err)
{
    struct wanted *wanted = NULL;
    size_t count = choose(search, arena, &wanted);
    if (count == 0) {
        *ret_count = 0;
        return true;
    }
    struct page_cache *cache = page_cache_new(CANARY_CACHE_BYTES);
    bool done = find_by_range(search, wanted, count, store, folder, cache, arena, ret_found,
                              ret_count, err);
    page_cache_free(cache);
    return done;
}

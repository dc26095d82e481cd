/* What lies among the shards and no manifest names. */
#include <stdlib.h>
#include <string.h>

#include "checkpoint/reading/catalog.h"
#include "checkpoint/leader/publish_state.h"

/* Of runs with a manifest the newest so many are looked into: a listing each. Who comes later than
 * that leaves his object until the run goes. */
enum { LOOKED_INTO = 50, NAMES_FIRST = 64 };

/* A list of the arena, full with `count` items of `size` bytes, with room for more. */
static void *grow(void *items, size_t count, size_t *capacity, size_t size, struct arena *arena)
{
    *capacity = *capacity == 0 ? NAMES_FIRST : 2 * *capacity;
    void *grown = arena_alloc(arena, *capacity * size);
    if (count > 0) {
        memcpy(grown, items, count * size);
    }
    return grown;
}

struct name_list {
    const char **items;
    size_t count;
    size_t capacity;
};

static void add_name(struct name_list *list, const char *name, struct arena *arena)
{
    if (list->count == list->capacity) {
        list->items = grow(list->items, list->count, &list->capacity, sizeof *list->items, arena);
    }
    list->items[list->count++] = name;
}

struct look {
    struct publish *publish;
    struct catalog catalog;
    struct arena *arena;
    struct leader_leftover *found;
    size_t count;
    size_t capacity;
};

static void add_found(struct look *look, const char *run_id, const char *url)
{
    if (look->count == look->capacity) {
        look->found =
            grow(look->found, look->count, &look->capacity, sizeof *look->found, look->arena);
    }
    look->found[look->count++] = (struct leader_leftover){.run_id = run_id, .url = url};
}

static bool is_listed(const struct catalog_entry *entries, size_t count, const char *run_id)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(entries[i].run_id, run_id) == 0) {
            return true;
        }
    }
    return false;
}

/* "…/db=00000/" of "…/db=00000/attempt=00". */
static size_t shard_size(const char *attempt)
{
    return (size_t)(strrchr(attempt, '/') - attempt) + 1;
}

/* The attempts' folders of a run, without the last slash, as they are listed; *ret_twice: a shard
 * has two. */
static bool list_attempts(struct look *look, const char *run_id, struct name_list *attempts,
                          bool *ret_twice, struct err *err)
{
    const char *folder = names_run_folder(look->publish->settings.names, run_id, look->arena);
    AUTO(store_page) struct store_page page = {0};
    *ret_twice = false;
    do {
        TRY(store_list(look->publish->settings.store, folder, false, &page, err));
        for (size_t i = 0; i < page.count; i++) {
            struct bytes in = names_attempt_of(page.entries[i].key);
            if (in.size == 0) {
                continue;
            }
            in.size--;
            const char *last = attempts->count == 0 ? "" : attempts->items[attempts->count - 1];
            if (bytes_equal(bytes_of_text(last), in)) {
                continue;
            }
            const char *name = arena_text(look->arena, in);
            *ret_twice |= *last != '\0' && shard_size(last) == shard_size(name) &&
                          strncmp(last, name, shard_size(name)) == 0;
            add_name(attempts, name, look->arena);
        }
    } while (page.next != NULL);
    return true;
}

static int by_text(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* Attempts beside the winners. A shard with one attempt has its winner: the manifest is read only
 * where there are two. */
static bool add_losers(struct look *look, const struct catalog_entry *entry, struct err *err)
{
    struct name_list attempts = {0};
    bool twice = false;
    TRY(list_attempts(look, entry->run_id, &attempts, &twice, err));
    if (!twice) {
        return true;
    }
    struct manifest manifest = {0};
    struct name_list winners = {0};
    TRY(catalog_load(&look->catalog, entry->name, look->arena, &manifest, err));
    for (size_t i = 0; i < manifest.shard_count; i++) {
        const char *name = NULL;
        if (manifest.shards[i].db_url != NULL) {
            TRY(catalog_name_of(&look->catalog, manifest.shards[i].db_url, manifest.s3_prefix,
                                look->arena, &name, err));
            add_name(&winners, name, look->arena);
        }
    }
    if (winners.count > 0) {
        qsort(winners.items, winners.count, sizeof *winners.items, by_text);
    }
    for (size_t i = 0; i < attempts.count; i++) {
        if (winners.count == 0 || bsearch(&attempts.items[i], winners.items, winners.count,
                                          sizeof *winners.items, by_text) == NULL) {
            add_found(look, entry->run_id,
                      names_url(look->publish->settings.names, attempts.items[i], look->arena));
        }
    }
    return true;
}

bool publish_list_leftovers(struct publish *publish, uint64_t build, struct arena *arena,
                            const struct leader_leftover **ret_list, size_t *ret_count,
                            struct err *err)
{
    struct look look = {
        .publish = publish, .catalog = {.borrowed_store = publish->settings.store}, .arena = arena};
    const char *shards = names_shards_folder(publish->settings.names, arena);
    AUTO(store_page) struct store_page page = {0};
    TRY(store_list_all(publish->settings.store, shards, true, CATALOG_ENTRIES_MAX, &page, err));
    struct catalog_entry *entries = NULL;
    size_t entry_count = 0;
    TRY(catalog_list(&look.catalog, arena, &entries, &entry_count, NULL, err));
    for (size_t i = 0; i < page.count; i++) {
        struct bytes run = {0};
        if (!page.entries[i].folder ||
            !names_parse_run_folder(bytes_of_text(page.entries[i].key + strlen(shards)), &run)) {
            continue;
        }
        const char *run_id = arena_text(arena, run);
        uint64_t of = names_build_of_run(run_id);
        if (of != 0 && of <= build && !is_listed(entries, entry_count, run_id)) {
            add_found(&look, run_id, NULL);
        }
    }
    for (size_t i = 0; i < entry_count && i < LOOKED_INTO; i++) {
        uint64_t of = names_build_of_run(entries[i].run_id);
        if (of != 0 && of <= build) {
            TRY(add_losers(&look, &entries[i], err));
        }
    }
    *ret_list = look.found;
    *ret_count = look.count;
    return true;
}

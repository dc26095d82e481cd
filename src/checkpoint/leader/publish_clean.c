/* The leader's deletes, each decided in the ledger before (PROTOCOL R10), and what they are decided
 * on: the runs and the strays there are. */
#include <stdlib.h>
#include <string.h>

#include "checkpoint/reading/catalog.h"
#include "checkpoint/leader/publish_state.h"

static struct catalog catalog_of(const struct publish *publish)
{
    return (struct catalog){.borrowed_store = publish->settings.store};
}

bool publish_list_runs(struct publish *publish, struct arena *arena,
                       const struct leader_old_run **ret_runs, size_t *ret_count, struct err *err)
{
    struct catalog catalog = catalog_of(publish);
    struct catalog_entry *entries = NULL;
    TRY(catalog_list(&catalog, arena, &entries, ret_count, NULL, err));
    struct leader_old_run *runs = arena_alloc(arena, (*ret_count + 1) * sizeof *runs);
    for (size_t i = 0; i < *ret_count; i++) {
        runs[i] =
            (struct leader_old_run){.run_id = entries[i].run_id, .time_us = entries[i].time_us};
    }
    *ret_runs = runs;
    return true;
}

/* The build of "parts/build=<build>/…"; 0: no such name. */
static uint64_t build_of_part(const char *name)
{
    static const char folder[] = NAMES_PARTS_FOLDER "build=";
    if (strncmp(name, folder, sizeof folder - 1) != 0) {
        return 0;
    }
    char *end = NULL;
    unsigned long long build = strtoull(name + sizeof folder - 1, &end, 10);
    return *end == '/' ? (uint64_t)build : 0;
}

bool publish_list_strays(struct publish *publish, const struct leader_command *command,
                         struct arena *arena, const char *const **ret_urls, size_t *ret_count,
                         struct err *err)
{
    const struct names *names = publish->settings.names;
    AUTO(store_page) struct store_page page = {0};
    TRY(store_list_all(publish->settings.store, NAMES_PARTS_FOLDER, false, CATALOG_ENTRIES_MAX,
                       &page, err));
    size_t attempts = command->strays.attempt_count;
    const char **urls = arena_alloc(arena, (page.count + attempts + 1) * sizeof *urls);
    size_t count = 0;
    for (size_t i = 0; i < page.count; i++) {
        uint64_t build = build_of_part(page.entries[i].key);
        if (build != 0 && build <= command->strays.build) {
            urls[count++] = names_url(names, page.entries[i].key, arena);
        }
    }
    for (size_t i = 0; i < attempts; i++) {
        const struct leader_stray *stray = &command->strays.attempts[i];
        urls[count++] = names_url(
            names,
            names_attempt(names, command->strays.run_id, stray->shard, stray->attempt, arena),
            arena);
    }
    *ret_urls = urls;
    *ret_count = count;
    return true;
}

static bool delete_manifests(struct publish *publish, const char *run_id, struct arena *arena,
                             struct err *err)
{
    struct catalog catalog = catalog_of(publish);
    struct catalog_entry *entries = NULL;
    size_t count = 0;
    TRY(catalog_list(&catalog, arena, &entries, &count, NULL, err));
    for (size_t i = 0; i < count; i++) {
        if (strcmp(entries[i].run_id, run_id) == 0) {
            TRY(store_delete(publish->settings.store, entries[i].name, err));
        }
    }
    return true;
}

static bool delete_records(struct publish *publish, const char *run_id, struct arena *arena,
                           struct err *err)
{
    AUTO(store_page) struct store_page page = {0};
    const char *folder = names_runs_folder(publish->settings.names, arena);
    TRY(store_list_all(publish->settings.store, folder, true, CATALOG_ENTRIES_MAX, &page, err));
    for (size_t i = 0; i < page.count; i++) {
        int64_t started_us = 0;
        struct bytes of;
        if (page.entries[i].folder &&
            names_parse_run_record_folder(bytes_of_text(page.entries[i].key + strlen(folder)),
                                          &started_us, &of) &&
            bytes_equal(of, bytes_of_text(run_id))) {
            TRY(store_delete_prefix(publish->settings.store, page.entries[i].key, NULL, err));
        }
    }
    return true;
}

bool publish_delete_run(struct publish *publish, const char *run_id, struct err *err)
{
    AUTO(arena) struct arena *arena = arena_new(16 * 1024);
    TRY(delete_manifests(publish, run_id, arena, err));
    TRY(store_delete_prefix(publish->settings.store,
                            names_run_folder(publish->settings.names, run_id, arena), NULL, err));
    return delete_records(publish, run_id, arena, err);
}

bool publish_delete_objects(struct publish *publish, const char *const *urls, size_t count,
                            struct err *err)
{
    AUTO(arena) struct arena *arena = arena_new(4096);
    for (size_t i = 0; i < count; i++) {
        const char *key = NULL;
        TRY(store_key_of_url(publish->settings.store, urls[i], &key, err));
        /* An attempt's URL is its folder, a part's is an object: one of the two is not there. */
        TRY(store_delete_prefix(publish->settings.store, arena_format(arena, "%s/", key), NULL,
                                err));
        TRY(store_delete(publish->settings.store, key, err));
    }
    return true;
}

/* The leader's deletes, each decided in the ledger before (PROTOCOL R10). */
#include <stdlib.h>
#include <string.h>

#include "checkpoint/publish_state.h"
#include "core/base/utc.h"

bool publish_list_runs(struct publish *publish, struct arena *arena,
                       const struct leader_old_run **ret_runs, size_t *ret_count, struct err *err)
{
    AUTO(store_page) struct store_page page = {0};
    TRY(store_list_all(publish->settings.store, NAMES_MANIFESTS_FOLDER, true, PUBLISH_RUNS_MAX,
                       &page, err));
    struct leader_old_run *runs = arena_alloc(arena, (page.count + 1) * sizeof *runs);
    size_t count = 0;
    /* Names sort by time, so the newest come last. */
    for (size_t i = page.count; i > 0; i--) {
        const char *name = page.entries[i - 1].key + strlen(NAMES_MANIFESTS_FOLDER);
        struct bytes run_id;
        if (page.entries[i - 1].folder &&
            names_parse_manifest_folder(bytes_of_text(name), &runs[count].time_us, &run_id)) {
            runs[count++].run_id = arena_text(arena, run_id);
        }
    }
    *ret_runs = runs;
    *ret_count = count;
    return true;
}

static bool delete_manifests(struct publish *publish, const char *run_id, struct arena *arena,
                             struct err *err)
{
    const struct leader_old_run *runs = NULL;
    size_t count = 0;
    TRY(publish_list_runs(publish, arena, &runs, &count, err));
    for (size_t i = 0; i < count; i++) {
        if (strcmp(runs[i].run_id, run_id) == 0) {
            TRY(store_delete(publish->settings.store,
                             names_manifest(runs[i].time_us, run_id, arena), err));
        }
    }
    return true;
}

static bool delete_records(struct publish *publish, const char *run_id, struct arena *arena,
                           struct err *err)
{
    AUTO(store_page) struct store_page page = {0};
    const char *folder = names_runs_folder(publish->settings.names, arena);
    TRY(store_list_all(publish->settings.store, folder, true, PUBLISH_RUNS_MAX, &page, err));
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

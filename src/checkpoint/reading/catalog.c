/* Pointer, manifests and run records of a prefix, read as a reader of the format does. */
#include "checkpoint/reading/catalog.h"

#include <stdlib.h>

#include "adapters/sqlite/sqlite_manifest.h"
#include "checkpoint/reading/shard_object.h"
#include "core/snapshot/names.h"

enum { NAMED_IN_ERRORS = 3 }; /* runs that a "no such run" tells of */

/* ---- names ---- */

/* The part of `url` below `prefix`, or NULL. */
static const char *below(const char *prefix, const char *url)
{
    size_t size = strlen(prefix);
    while (size > 0 && prefix[size - 1] == '/') {
        size--;
    }
    if (strncmp(url, prefix, size) != 0 || url[size] != '/') {
        return NULL;
    }
    return url + size + 1;
}

/* Manifests lie at a place that is known without the prefix they were written under. */
static const char *below_any_prefix(const char *url)
{
    const char *found = NULL;
    for (const char *at = url; (at = strstr(at, "/" NAMES_MANIFESTS_FOLDER)) != NULL; at++) {
        found = at + 1;
    }
    return found;
}

bool catalog_name_of(const struct catalog *catalog, const char *url, const char *recorded_prefix,
                     struct arena *arena, const char **ret_name, struct err *err)
{
    const char *name = NULL;
    struct err outside = {0};
    if (!store_key_of_url(catalog->borrowed_store, url, &name, &outside)) {
        if (!catalog->relocated) {
            return err_set(err, ERR_INPUT,
                           "%s is not below %s; a snapshot that was copied from elsewhere is read "
                           "with --relocated",
                           url, store_url_of(catalog->borrowed_store));
        }
        name = recorded_prefix != NULL ? below(recorded_prefix, url) : below_any_prefix(url);
        if (name == NULL) {
            return err_set(err, ERR_INPUT, "%s is not below the prefix it was written under, %s",
                           url, recorded_prefix != NULL ? recorded_prefix : "…/manifests/");
        }
    }
    TRY(store_key_check(name, err));
    *ret_name = arena_text(arena, bytes_of_text(name));
    return true;
}

bool catalog_shard_name(const struct catalog *catalog, const struct manifest *manifest,
                        const struct attempt *shard, struct arena *arena, const char **ret_name,
                        struct err *err)
{
    if (shard->db_url == NULL) {
        *ret_name = NULL;
        return true;
    }
    const char *attempt = NULL;
    TRY(catalog_name_of(catalog, shard->db_url, manifest->s3_prefix, arena, &attempt, err));
    *ret_name = shard_object_name(attempt, manifest->backend, arena);
    return true;
}

/* ---- _CURRENT ---- */

bool catalog_read_pointer(const struct catalog *catalog, struct arena *arena,
                          struct catalog_pointer *ret_pointer, struct err *err)
{
    struct catalog_pointer pointer = {0};
    AUTO(buf) struct buf content;
    buf_init(&content, POINTER_BYTES_MAX);
    struct store_info info = {0};
    if (!store_get(catalog->borrowed_store, NAMES_POINTER, &content, &info, err)) {
        if (err->kind != ERR_MISSING) {
            return false;
        }
        *ret_pointer = (struct catalog_pointer){.missing = true, .bytes = bytes_of("", 0)};
        return true;
    }
    pointer.bytes = arena_copy(arena, buf_bytes(&content));
    pointer.etag = info.etag;
    struct err why = {0};
    pointer.valid = pointer_decode(pointer.bytes, arena, &pointer.pointer, &why);
    if (!pointer.valid) {
        pointer.problem = arena_text(arena, bytes_of_text(why.message));
    }
    *ret_pointer = pointer;
    return true;
}

/* ---- manifests ---- */

static int newest_first(const void *left, const void *right)
{
    const struct catalog_entry *a = left;
    const struct catalog_entry *b = right;
    if (a->time_us != b->time_us) {
        return a->time_us > b->time_us ? -1 : 1;
    }
    return strcmp(b->name, a->name);
}

/* An object's URL as text of the arena. */
static const char *url_of(const struct catalog *catalog, const char *name, struct arena *arena)
{
    AUTO(buf) struct buf url;
    buf_init(&url, 2 * STORE_KEY_MAX + STORE_BUCKET_MAX);
    store_object_url(catalog->borrowed_store, name, &url);
    return arena_text(arena, buf_bytes(&url));
}

bool catalog_list(const struct catalog *catalog, struct arena *arena,
                  struct catalog_entry **ret_entries, size_t *ret_count, size_t *ret_strange,
                  struct err *err)
{
    AUTO(store_page) struct store_page page = {0};
    TRY(store_list_all(catalog->borrowed_store, NAMES_MANIFESTS_FOLDER, true, CATALOG_ENTRIES_MAX,
                       &page, err));
    struct catalog_entry *entries = arena_alloc(arena, (page.count + 1) * sizeof *entries);
    size_t count = 0;
    for (size_t i = 0; i < page.count; i++) {
        struct bytes folder = bytes_of_text(page.entries[i].key + strlen(NAMES_MANIFESTS_FOLDER));
        struct catalog_entry *entry = &entries[count];
        struct bytes run_id = {0};
        if (!page.entries[i].folder ||
            !names_parse_manifest_folder(folder, &entry->time_us, &run_id)) {
            continue;
        }
        entry->run_id = arena_text(arena, run_id);
        entry->name = names_manifest(entry->time_us, entry->run_id, arena);
        entry->url = url_of(catalog, entry->name, arena);
        count++;
    }
    qsort(entries, count, sizeof *entries, newest_first);
    if (ret_strange != NULL) {
        *ret_strange = page.count - count;
    }
    *ret_entries = entries;
    *ret_count = count;
    return true;
}

bool catalog_find(const struct catalog *catalog, const char *run_id, struct arena *arena,
                  struct catalog_entry *ret_entry, struct err *err)
{
    struct catalog_entry *entries = NULL;
    size_t count = 0;
    TRY(catalog_list(catalog, arena, &entries, &count, NULL, err));
    for (size_t i = 0; i < count; i++) {
        if (strcmp(entries[i].run_id, run_id) == 0) {
            *ret_entry = entries[i];
            return true;
        }
    }
    AUTO(buf) struct buf known;
    buf_init(&known, ERR_MESSAGE_MAX);
    for (size_t i = 0; i < count && i < NAMED_IN_ERRORS; i++) {
        buf_add_format(&known, "%s%s", i == 0 ? "" : ", ", entries[i].run_id);
    }
    return err_set(err, ERR_MISSING, "%s has no published run %s%s%s",
                   store_url_of(catalog->borrowed_store), run_id,
                   count == 0 ? "; it has none at all" : "; its newest are ", buf_text(&known));
}

bool catalog_load(const struct catalog *catalog, const char *name, struct arena *arena,
                  struct manifest *ret_manifest, struct err *err)
{
    AUTO(buf) struct buf content;
    buf_init(&content, CATALOG_MANIFEST_BYTES_MAX);
    TRY(store_get(catalog->borrowed_store, name, &content, NULL, err));
    if (!sqlite_manifest_decode(buf_bytes(&content), arena, ret_manifest, err)) {
        if (err->kind == ERR_INPUT) {
            err->kind = ERR_CORRUPT;
        }
        return err_wrap(err, "manifest %s", name);
    }
    return true;
}

/* Finishes `snapshot`, whose name is set, with what the manifest object says. */
static bool open_manifest(const struct catalog *catalog, const char *run_id, struct arena *arena,
                          struct catalog_snapshot *snapshot, struct err *err)
{
    snapshot->url = url_of(catalog, snapshot->name, arena);
    TRY(catalog_load(catalog, snapshot->name, arena, &snapshot->manifest, err));
    if (run_id != NULL && strcmp(run_id, snapshot->manifest.run_id) != 0) {
        return err_set(err, ERR_CORRUPT, "manifest %s is of run %s, not of %s", snapshot->name,
                       snapshot->manifest.run_id, run_id);
    }
    return true;
}

/* The snapshot behind the pointer, without a fallback. */
static bool open_current(const struct catalog *catalog, struct arena *arena,
                         struct catalog_snapshot *snapshot, struct err *err)
{
    const struct catalog_pointer *pointer = &snapshot->pointer;
    const char *store = store_url_of(catalog->borrowed_store);
    if (pointer->missing) {
        return err_set(err, ERR_MISSING, "nothing is published at %s: there is no " NAMES_POINTER,
                       store);
    }
    if (!pointer->valid) {
        return err_set(err, ERR_CORRUPT, "%s/" NAMES_POINTER " is no pointer: %s", store,
                       pointer->problem);
    }
    TRY(catalog_name_of(catalog, pointer->pointer.manifest_ref, NULL, arena, &snapshot->name, err));
    if (!open_manifest(catalog, pointer->pointer.run_id, arena, snapshot, err)) {
        if (err->kind == ERR_MISSING) {
            err->kind = ERR_CORRUPT;
        }
        if (err->kind == ERR_CORRUPT) {
            return err_wrap(err,
                            "the current snapshot of %s cannot be opened (other readers fall "
                            "back to an older one; `history` lists them, --run opens one)",
                            store);
        }
        return false;
    }
    return true;
}

/* The name of a manifest given by URL or by name. */
static bool name_of_ref(const struct catalog *catalog, const char *ref, struct arena *arena,
                        const char **ret_name, struct err *err)
{
    if (strstr(ref, "://") != NULL) {
        return catalog_name_of(catalog, ref, NULL, arena, ret_name, err);
    }
    TRY(store_key_check(ref, err));
    *ret_name = arena_text(arena, bytes_of_text(ref));
    return true;
}

bool catalog_open(const struct catalog *catalog, const struct catalog_choice *choice,
                  struct arena *arena, struct catalog_snapshot *ret_snapshot, struct err *err)
{
    struct catalog_snapshot snapshot = {0};
    TRY(catalog_read_pointer(catalog, arena, &snapshot.pointer, err));
    if (choice->manifest_ref != NULL) {
        TRY(name_of_ref(catalog, choice->manifest_ref, arena, &snapshot.name, err));
        TRY(open_manifest(catalog, choice->run_id, arena, &snapshot, err));
    } else if (choice->run_id != NULL) {
        struct catalog_entry entry = {0};
        TRY(catalog_find(catalog, choice->run_id, arena, &entry, err));
        snapshot.name = entry.name;
        TRY(open_manifest(catalog, choice->run_id, arena, &snapshot, err));
    } else {
        TRY(open_current(catalog, arena, &snapshot, err));
    }
    if (snapshot.pointer.valid) {
        const char *current = NULL;
        struct err elsewhere = {0};
        snapshot.is_current = catalog_name_of(catalog, snapshot.pointer.pointer.manifest_ref, NULL,
                                              arena, &current, &elsewhere) &&
                              strcmp(current, snapshot.name) == 0;
    }
    *ret_snapshot = snapshot;
    return true;
}

/* ---- runs ---- */

static bool read_record(const struct catalog *catalog, struct catalog_record *record,
                        struct arena *arena, struct err *err)
{
    AUTO(buf) struct buf content;
    buf_init(&content, RUN_RECORD_BYTES_MAX);
    if (!store_get(catalog->borrowed_store, record->name, &content, NULL, err)) {
        /* gone or too large to be one: the caller sees that it cannot be read */
        return err->kind == ERR_MISSING || err->kind == ERR_LIMIT;
    }
    struct err why = {0};
    record->readable = run_record_decode(buf_bytes(&content), arena, &record->record, &why);
    return true;
}

bool catalog_list_records(const struct catalog *catalog, const char *registry_prefix,
                          struct arena *arena, struct catalog_record **ret_records,
                          size_t *ret_count, struct err *err)
{
    const char *folder = arena_format(arena, "%s/", registry_prefix);
    AUTO(store_page) struct store_page page = {0};
    TRY(store_list_all(catalog->borrowed_store, folder, true, CATALOG_ENTRIES_MAX, &page, err));
    struct catalog_record *records = arena_zero(arena, (page.count + 1) * sizeof *records);
    size_t count = 0;
    for (size_t i = 0; i < page.count; i++) {
        const char *key = page.entries[i].key;
        struct bytes run_id = {0};
        int64_t started_us = 0;
        if (!page.entries[i].folder ||
            !names_parse_run_record_folder(bytes_of_text(key + strlen(folder)), &started_us,
                                           &run_id)) {
            continue;
        }
        struct catalog_record *record = &records[count++];
        record->name = arena_format(arena, "%srun.yaml", key);
        record->run_id = arena_text(arena, run_id);
        TRY(read_record(catalog, record, arena, err));
    }
    *ret_records = records;
    *ret_count = count;
    return true;
}

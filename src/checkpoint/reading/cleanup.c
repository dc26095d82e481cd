/* Runs seen anywhere, each with what keeps it; then the attempts of kept runs that lost.
 *
 * What can go wrong: somebody moves the pointer between plan and deletion, so it is looked at
 * before every deletion; a kept manifest names objects of another run, so all kept ones are read;
 * somebody writes a run right now, so leases and the age of objects protect. */
#include "checkpoint/reading/cleanup.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/coord/message.h"

enum { ITEMS_FIRST = 64 };

/* One run, or an attempt of one, while the objects are counted. */
struct counted {
    const char *run_id;
    const char *folder;
    uint64_t objects;
    uint64_t bytes;
    int64_t newest_us;
};

/* A growing list of the arena. */
struct counted_list {
    struct counted *items;
    size_t count;
    size_t capacity;
};

struct survey {
    const struct cleanup_request *request;
    struct arena *arena;
    struct catalog_pointer pointer;
    struct catalog_entry *entries; /* manifests, newest first */
    size_t entry_count;
    struct counted_list runs;
    struct counted_list attempts;
    struct retention_run *retention; /* one for each of `runs` */
    const char **kept_urls;          /* db_urls of kept manifests, sorted */
    size_t kept_url_count;
};

static struct counted *list_add(struct counted_list *list, struct arena *arena)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity == 0 ? ITEMS_FIRST : 2 * list->capacity;
        struct counted *items = arena_alloc(arena, capacity * sizeof *items);
        if (list->count > 0) {
            memcpy(items, list->items, list->count * sizeof *items);
        }
        list->items = items;
        list->capacity = capacity;
    }
    struct counted *item = &list->items[list->count++];
    *item = (struct counted){.newest_us = INT64_MIN};
    return item;
}

/* The newest comes first in the search: objects of a run are listed one after the other. */
static struct counted *run_of(struct survey *survey, struct bytes run_id)
{
    for (size_t i = survey->runs.count; i > 0; i--) {
        if (bytes_equal(bytes_of_text(survey->runs.items[i - 1].run_id), run_id)) {
            return &survey->runs.items[i - 1];
        }
    }
    struct counted *run = list_add(&survey->runs, survey->arena);
    run->run_id = arena_text(survey->arena, run_id);
    run->folder = names_run_folder(survey->request->names, run->run_id, survey->arena);
    return run;
}

static void count_object(struct counted *to, const struct store_entry *object)
{
    to->objects++;
    to->bytes += object->size;
    to->newest_us = object->modified_us > to->newest_us ? object->modified_us : to->newest_us;
}

static bool count_objects(struct survey *survey, struct err *err)
{
    AUTO(store_page) struct store_page page = {0};
    const char *folder = names_shards_folder(survey->request->names, survey->arena);
    TRY(store_list_all(survey->request->catalog.borrowed_store, folder, false, CATALOG_ENTRIES_MAX,
                       &page, err));
    struct counted *attempt = NULL;
    for (size_t i = 0; i < page.count; i++) {
        const struct store_entry *object = &page.entries[i];
        struct bytes run_id = {0};
        if (!names_parse_run_of(survey->request->names, object->key, &run_id)) {
            continue;
        }
        struct counted *run = run_of(survey, run_id);
        count_object(run, object);
        struct bytes in = names_attempt_of(object->key);
        if (in.size == 0) {
            continue;
        }
        if (attempt == NULL || !bytes_equal(bytes_of_text(attempt->folder), in)) {
            attempt = list_add(&survey->attempts, survey->arena);
            attempt->run_id = run->run_id;
            attempt->folder = arena_text(survey->arena, in);
        }
        count_object(attempt, object);
    }
    return true;
}

/* ---- what keeps a run ---- */

static struct retention_run *retention_of(struct survey *survey, const char *run_id)
{
    for (size_t i = 0; i < survey->runs.count; i++) {
        if (strcmp(survey->runs.items[i].run_id, run_id) == 0) {
            return &survey->retention[i];
        }
    }
    return NULL;
}

/* Every run that was seen anywhere, before `retention` is made. */
static bool gather_runs(struct survey *survey, struct catalog_record **ret_records,
                        size_t *ret_record_count, struct err *err)
{
    const struct cleanup_request *request = survey->request;
    TRY(catalog_list(&request->catalog, survey->arena, &survey->entries, &survey->entry_count, NULL,
                     err));
    for (size_t i = 0; i < survey->entry_count; i++) {
        run_of(survey, bytes_of_text(survey->entries[i].run_id));
    }
    TRY(count_objects(survey, err));
    TRY(catalog_list_records(&request->catalog, request->names->run_registry_prefix, survey->arena,
                             ret_records, ret_record_count, err));
    survey->retention =
        arena_zero(survey->arena, (survey->runs.count + 1) * sizeof *survey->retention);
    for (size_t i = 0; i < survey->runs.count; i++) {
        survey->retention[i].run_id = survey->runs.items[i].run_id;
        survey->retention[i].published_us = RETENTION_NOT_PUBLISHED;
    }
    return true;
}

static void fill_retention(struct survey *survey, const struct catalog_record *records,
                           size_t record_count)
{
    const struct cleanup_request *request = survey->request;
    for (size_t i = survey->entry_count; i > 0; i--) { /* the newest manifest of a run stays */
        retention_of(survey, survey->entries[i - 1].run_id)->published_us =
            survey->entries[i - 1].time_us;
    }
    for (size_t i = 0; i < record_count; i++) {
        struct retention_run *run = retention_of(survey, records[i].run_id);
        if (run == NULL || !records[i].readable || records[i].record.status != RUN_RUNNING) {
            continue;
        }
        run->has_running_record = true;
        run->lease_expires_us = records[i].record.lease_expires_at_us > run->lease_expires_us
                                    ? records[i].record.lease_expires_at_us
                                    : run->lease_expires_us;
    }
    for (size_t i = 0; i < survey->runs.count; i++) {
        struct retention_run *run = &survey->retention[i];
        run->is_current = survey->pointer.valid &&
                          strcmp(survey->pointer.pointer.run_id, run->run_id) == 0;
        run->is_head = request->head_run_id != NULL &&
                       strcmp(request->head_run_id, run->run_id) == 0;
        for (size_t j = 0; j < request->open_run_count; j++) {
            run->is_open_build |= strcmp(request->open_run_ids[j], run->run_id) == 0;
        }
    }
}

/* The attempts that a manifest names: in its table, and, of shards with deleted keys alone, in its
 * lineage (PROTOCOL R6). */
static bool attempts_of(struct survey *survey, const struct catalog_entry *entry,
                        const struct manifest *manifest, const char ***ret_urls, size_t *ret_count,
                        struct err *err)
{
    struct message_commit commit = {0};
    const char *ledger = NULL;
    if (manifest->lineage.size > 0 &&
        !message_lineage_decode(manifest->lineage, survey->arena, &commit, &ledger, err)) {
        return err_wrap(err, "the lineage of %s, which is kept", entry->name);
    }
    size_t most = manifest->shard_count + commit.made_of.order_count;
    const char **urls = arena_alloc(survey->arena, (most + 1) * sizeof *urls);
    size_t count = 0;
    for (size_t i = 0; i < manifest->shard_count; i++) {
        if (manifest->shards[i].db_url != NULL) {
            urls[count++] = manifest->shards[i].db_url;
        }
    }
    for (size_t i = 0; i < commit.made_of.order_count; i++) {
        urls[count++] = commit.made_of.orders[i].url;
    }
    *ret_urls = urls;
    *ret_count = count;
    return true;
}

/* Reads a kept manifest: which runs its shards are in, and which attempts it names. */
static bool read_kept(struct survey *survey, const struct catalog_entry *entry,
                      struct retention_run *run, struct counted_list *urls, struct err *err)
{
    const struct catalog *catalog = &survey->request->catalog;
    struct manifest manifest = {0};
    if (!catalog_load(catalog, entry->name, survey->arena, &manifest, err)) {
        return err_wrap(err, "nothing can be deleted while a manifest that is kept cannot be read");
    }
    const char **attempts = NULL;
    size_t attempt_count = 0;
    TRY(attempts_of(survey, entry, &manifest, &attempts, &attempt_count, err));
    const char **runs =
        arena_alloc(survey->arena, (attempt_count + run->points_into_count + 1) * sizeof *runs);
    size_t count = 0;
    for (; count < run->points_into_count; count++) {
        runs[count] = run->points_into[count];
    }
    for (size_t i = 0; i < attempt_count; i++) {
        const char *name = NULL;
        struct bytes in = {0};
        TRY(catalog_name_of(catalog, attempts[i], manifest.s3_prefix, survey->arena, &name, err));
        struct counted *url = list_add(urls, survey->arena);
        url->folder = arena_format(survey->arena, "%s/", name);
        if (names_parse_run_of(survey->request->names, name, &in) &&
            (count == 0 || !bytes_equal(bytes_of_text(runs[count - 1]), in))) {
            runs[count++] = arena_text(survey->arena, in);
        }
    }
    run->points_into = runs;
    run->points_into_count = count;
    return true;
}

static int by_text(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* Decides until no newly kept manifest points anywhere new. */
static bool decide(struct survey *survey, struct err *err)
{
    struct counted_list urls = {0};
    bool *was_read = arena_zero(survey->arena, survey->entry_count + 1);
    for (bool more = true; more;) {
        retention_decide(&survey->request->policy, survey->retention, survey->runs.count);
        more = false;
        for (size_t i = 0; i < survey->entry_count; i++) {
            struct retention_run *run = retention_of(survey, survey->entries[i].run_id);
            if (!was_read[i] && run->reason != RETENTION_OLD) {
                was_read[i] = true;
                more = true;
                TRY(read_kept(survey, &survey->entries[i], run, &urls, err));
            }
        }
    }
    survey->kept_urls = arena_alloc(survey->arena, (urls.count + 1) * sizeof *survey->kept_urls);
    for (size_t i = 0; i < urls.count; i++) {
        survey->kept_urls[i] = urls.items[i].folder;
    }
    survey->kept_url_count = urls.count;
    qsort(survey->kept_urls, urls.count, sizeof *survey->kept_urls, by_text);
    return true;
}

/* ---- the plan ---- */

static bool is_young(const struct survey *survey, int64_t time_us)
{
    return time_us != INT64_MIN &&
           time_us > survey->request->policy.now_us - survey->request->grace_us;
}

/* When a newer snapshot took a run's place: readers may still be in it. INT64_MIN: never. */
static int64_t superseded_us(const struct survey *survey, const char *run_id)
{
    for (size_t i = 0; i < survey->entry_count; i++) {
        if (strcmp(survey->entries[i].run_id, run_id) == 0) {
            return i == 0 ? INT64_MIN : survey->entries[i - 1].time_us;
        }
    }
    return INT64_MIN;
}

static void plan_run(struct survey *survey, size_t index, struct cleanup_item *item)
{
    const struct counted *run = &survey->runs.items[index];
    *item = (struct cleanup_item){
        .kind = CLEANUP_RUN,
        .run_id = run->run_id,
        .folder = run->folder,
        .objects = run->objects,
        .bytes = run->bytes,
        .newest_us = run->newest_us,
        .reason = survey->retention[index].reason,
        .young = is_young(survey, run->newest_us) ||
                 is_young(survey, superseded_us(survey, run->run_id)),
    };
    item->manifests =
        arena_alloc(survey->arena, (survey->entry_count + 1) * sizeof(struct catalog_entry *));
    for (size_t i = 0; i < survey->entry_count; i++) {
        if (strcmp(survey->entries[i].run_id, run->run_id) == 0) {
            item->manifests[item->manifest_count++] = &survey->entries[i];
        }
    }
}

/* False: a kept manifest names it, or its run goes or is not finished. Nobody writes into a
 * finished run, and no manifest leads a reader to the attempt, so its age does not matter. */
static bool plan_attempt(struct survey *survey, const struct counted *attempt,
                         struct cleanup_item *item)
{
    const struct retention_run *run = retention_of(survey, attempt->run_id);
    bool finished =
        run->published_us != RETENTION_NOT_PUBLISHED && run->reason != RETENTION_OLD &&
        !run->is_open_build &&
        !(run->has_running_record && run->lease_expires_us > survey->request->policy.now_us);
    if (!finished || bsearch(&attempt->folder, survey->kept_urls, survey->kept_url_count,
                             sizeof *survey->kept_urls, by_text) != NULL) {
        return false;
    }
    *item = (struct cleanup_item){
        .kind = CLEANUP_ATTEMPT,
        .run_id = attempt->run_id,
        .folder = attempt->folder,
        .objects = attempt->objects,
        .bytes = attempt->bytes,
        .newest_us = attempt->newest_us,
        .reason = RETENTION_OLD,
    };
    return true;
}

bool cleanup_make_plan(const struct cleanup_request *request, struct arena *arena,
                       struct cleanup_plan *ret_plan, struct err *err)
{
    struct survey survey = {.request = request, .arena = arena};
    struct catalog_record *records = NULL;
    size_t record_count = 0;
    /* the pointer first: a run that is published after this look is kept as the newest one */
    TRY(catalog_read_pointer(&request->catalog, arena, &survey.pointer, err));
    if (!survey.pointer.missing && !survey.pointer.valid) {
        return err_set(err, ERR_CORRUPT,
                       "%s/" NAMES_POINTER " is no pointer (%s): nothing can be "
                       "deleted before it is",
                       store_url_of(request->catalog.borrowed_store), survey.pointer.problem);
    }
    TRY(gather_runs(&survey, &records, &record_count, err));
    fill_retention(&survey, records, record_count);
    TRY(decide(&survey, err));
    struct cleanup_plan plan = {.pointer = survey.pointer};
    plan.items =
        arena_alloc(arena, (survey.runs.count + survey.attempts.count + 1) * sizeof *plan.items);
    for (size_t i = 0; i < survey.runs.count; i++) {
        plan_run(&survey, i, &plan.items[plan.count++]);
    }
    for (size_t i = 0; i < survey.attempts.count; i++) {
        if (plan_attempt(&survey, &survey.attempts.items[i], &plan.items[plan.count])) {
            plan.count++;
        }
    }
    for (size_t i = 0; i < plan.count; i++) {
        if (cleanup_goes(&plan.items[i])) {
            plan.objects_going += plan.items[i].objects + plan.items[i].manifest_count;
            plan.bytes_going += plan.items[i].bytes;
        }
    }
    *ret_plan = plan;
    return true;
}

/* ---- deleting ---- */

static bool check_pointer(const struct cleanup_request *request, const struct cleanup_plan *plan,
                          struct err *err)
{
    AUTO(arena) struct arena *arena = arena_new(4096);
    struct catalog_pointer now = {0};
    TRY(catalog_read_pointer(&request->catalog, arena, &now, err));
    if (now.missing != plan->pointer.missing || !bytes_equal(now.bytes, plan->pointer.bytes)) {
        return err_set(err, ERR_CONFLICT,
                       "%s/" NAMES_POINTER " was changed meanwhile: somebody publishes here",
                       store_url_of(request->catalog.borrowed_store));
    }
    return true;
}

bool cleanup_delete(const struct cleanup_request *request, const struct cleanup_plan *plan,
                    const struct cleanup_item *item, struct err *err)
{
    CHECK(cleanup_goes(item));
    struct store *store = request->catalog.borrowed_store;
    TRY(check_pointer(request, plan, err));
    for (size_t i = 0; i < item->manifest_count; i++) {
        TRY(store_delete(store, item->manifests[i]->name, err));
    }
    return store_delete_prefix(store, item->folder, NULL, err);
}

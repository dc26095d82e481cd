/* One shard of a snapshot against what its records make.
 *
 * The happy path: the file is made again, and the stored one has the same SHA-256: then all rows
 * are the same. Where it has not, or another version of the library writes other bytes, the rows
 * are compared one by one with the stream that the file was made of, which still knows the record
 * of each row. What can go wrong: the stored object is missing or broken, which is a finding. */
#include "consumer/verify/verify_shard.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "adapters/os/file.h"
#include "adapters/os/file_tree.h"
#include "checkpoint/shards/build.h"
#include "checkpoint/reading/shard_object.h"
#include "checkpoint/shards/state_files.h"
#include "consumer/verify/verify_order.h"
#include "consumer/verify/verify_rows.h"
#include "consumer/verify/verify_sidecar.h"
#include "core/record/key.h"
#include "core/spill/merge.h"

struct shard_check {
    const struct verify_shard_request *request;
    uint32_t shard;
    const struct attempt *row; /* of the manifest; NULL: none */
    const char *name;          /* of its file in the store; NULL: none */
    const char *path;          /* of a local file with the stored bytes; NULL: none */
    bool downloaded;
    const char *made_path;
    const char *made_order; /* its order object, if it has one (R6) */
    bool made;
    bool row_checked; /* the manifest's row, against what was made */
    struct build_request build;
    struct build_result result; /* when made */
    struct arena *arena;
    struct filter filter;
    struct row_set **sets;
    struct state_files base;
};

static bool is_folder(const struct shard_check *check)
{
    return check->request->kv->ops->features.folder;
}

static void add_finding(const struct shard_check *check, enum verify_kind kind, const char *what,
                        const char *expected, const char *found)
{
    struct verify_finding finding = verify_finding(kind);
    finding.shard = check->shard;
    finding.what = what;
    finding.expected = expected;
    finding.found = found;
    verify_report_add(check->request->report, &finding);
}

/* ---- the manifest's row ---- */

static void check_text(const struct shard_check *check, const char *what, const char *expected,
                       const char *found)
{
    expected = expected == NULL ? "none" : expected;
    found = found == NULL ? "none" : found;
    if (strcmp(expected, found) != 0) {
        add_finding(check, VERIFY_MANIFEST, what, expected, found);
    }
}

static void check_number(const struct shard_check *check, const char *what, uint64_t expected,
                         int64_t found)
{
    if (found < 0 || (uint64_t)found != expected) {
        add_finding(check, VERIFY_MANIFEST, what, arena_format(check->arena, "%" PRIu64, expected),
                    arena_format(check->arena, "%" PRId64, found));
    }
}

static const char *key_text(const struct shard_check *check, struct bytes key)
{
    return attempt_key_text(check->request->manifest->key_encoding, key, check->arena);
}

/* What the manifest should say, from the rows that there should be. */
static void check_row(const struct shard_check *check, uint64_t rows, struct bytes key_min,
                      struct bytes key_max, uint64_t file_bytes)
{
    if (check->row == NULL) {
        if (rows > 0) {
            add_finding(check, VERIFY_MANIFEST, "row_count",
                        arena_format(check->arena, "%" PRIu64, rows), "0: it names no such shard");
        }
        return;
    }
    check_number(check, "row_count", rows, check->row->row_count);
    if (rows > 0) {
        check_text(check, "min_key", key_text(check, key_min), check->row->min_key);
        check_text(check, "max_key", key_text(check, key_max), check->row->max_key);
        check_number(check, "db_bytes", file_bytes, check->row->db_bytes);
    }
}

/* ---- made again ---- */

static bool open_base(struct shard_check *check, struct err *err)
{
    const struct verify_shard_request *of = check->request;
    if (of->base == NULL) {
        return true;
    }
    struct state_files_request request = {
        .base = of->base,
        .manifest = of->base_manifest,
        .kv = of->kv,
        .router = of->build_router,
        .key_encoding = of->manifest->key_encoding,
        .metric = of->manifest->vector.metric,
        .num_dbs = of->manifest->num_dbs,
        .shard = check->shard,
        .whole = of->base_whole,
        .exact = of->exact,
        .stem = arena_format(check->arena, "%s/made", of->folder),
    };
    return state_files_open(&request, check->arena, &check->base, err);
}

static bool make(struct shard_check *check, struct dedupe_source *counts, struct err *err)
{
    struct contribution *rows = check->request->rows;
    size_t count = contribution_share_count(rows);
    check->sets = arena_zero(check->arena, (count + 1) * sizeof *check->sets);
    for (size_t i = 0; i < count; i++) {
        check->sets[i] = row_share_set(contribution_share(rows, i));
    }
    check->filter = contribution_filter(rows, check->arena);
    TRY(open_base(check, err));
    check->build =
        (struct build_request){.kv = check->request->kv,
                               .path = check->made_path,
                               .shard = check->shard,
                               .order = contribution_order(rows),
                               .exact = check->request->exact,
                               .order_path = check->request->exact ? check->made_order : NULL,
                               .page_size = check->request->snapshot->page_size,
                               .cache_bytes = check->request->cache_bytes,
                               .sources = contribution_sources(rows),
                               .filter = &check->filter,
                               .sets = check->sets,
                               .set_count = count,
                               .base = check->base.files,
                               .base_count = check->base.count,
                               .base_rule = check->base.rule};
    TRY(build_shard(&check->build, &check->result, err));
    check->made = true;
    for (uint32_t i = 0; i < check->build.sources->count; i++) {
        const struct dedupe_source *from = &check->result.counts.sources[i];
        counts[i].stored += from->stored;
        counts[i].superseded += from->superseded;
        counts[i].tombstones += from->tombstones;
    }
    return true;
}

/* Once. */
static void check_made_row(struct shard_check *check)
{
    const struct build_result *result = &check->result;
    bool known = check->request->same_writer || check->row == NULL;
    if (!check->row_checked) {
        check->row_checked = true;
        check_row(check, result->rows, buf_bytes(&result->key_min), buf_bytes(&result->key_max),
                  known ? result->file_bytes : (uint64_t)check->row->db_bytes);
    }
}

/* The log cleaner took records of some source: what was made may have fewer rows. */
static bool some_lost(const struct shard_check *check)
{
    bool lost = false;
    for (uint32_t i = 0; i < check->build.sources->count; i++) {
        lost = lost || check->request->lost[i];
    }
    return lost;
}

/* ---- the stored file ---- */

/* False without an error: there is none, which is said. */
static bool fetch(struct shard_check *check, struct err *err)
{
    const struct catalog *catalog = check->request->catalog;
    struct store *store = catalog->borrowed_store;
    if (check->row == NULL) {
        return false;
    }
    if (!catalog_shard_name(catalog, check->request->manifest, check->row, check->arena,
                            &check->name, err)) {
        if (err->kind == ERR_INPUT) {
            add_finding(check, VERIFY_MANIFEST, err->message, NULL, NULL);
            *err = (struct err){0};
        }
        return false;
    }
    if (check->name == NULL) {
        return false;
    }
    if (store->url.scheme == STORE_FILE) {
        const char *path = arena_format(check->arena, "%s/%s", store->url.prefix, check->name);
        if (access(path, F_OK) == 0) {
            check->path = path;
            return true;
        }
        err_set(err, ERR_MISSING, "no such file");
    } else {
        const char *path = arena_format(check->arena, "%s/stored.db", check->request->folder);
        if (is_folder(check) ? shard_object_fetch_folder(store, check->name, path, err)
                             : store_get_to_file(store, check->name, path, NULL, err)) {
            check->path = path;
            check->downloaded = true;
            return true;
        }
    }
    if (err->kind == ERR_MISSING) {
        add_finding(check, VERIFY_FILE, check->name, NULL, "not in the store");
        *err = (struct err){0};
    }
    return false;
}

/* Its rows against those that there should be, or, where nobody knows these, against the manifest's
 * row. False without an error: the file is broken, which is said. */
static bool compare_rows(struct shard_check *check, struct row_stream *expected,
                         struct row_stream *stored, struct err *err)
{
    struct verify_rows_request request = {
        .encoding = check->request->manifest->key_encoding,
        .num_dbs = check->request->manifest->num_dbs,
        .shard = check->shard,
        .router = check->request->router,
        .order = check->made ? check->build.order : ROW_ORDER_OFFSET,
        .sources = check->made ? check->build.sources : NULL,
        .lost = check->request->lost,
        .report = check->request->report,
    };
    struct verify_rows_result result = {0};
    bool broken = false;
    if (!verify_rows_compare(&request, expected, stored, &result, &broken, err)) {
        if (broken && err->kind == ERR_CORRUPT) {
            add_finding(check, VERIFY_FILE, check->name, NULL, err->message);
            *err = (struct err){0};
        }
        return false;
    }
    check->request->report->rows += result.stored;
    if (check->made && check->request->same_writer && result.differences == 0) {
        add_finding(check, VERIFY_FILE, "its rows are right, and its bytes are not", NULL, NULL);
    }
    return true;
}

/* Of a folder as much as the manifest says, when there is more: readers of SlateDB leave notes. */
static bool stored_bytes(const struct shard_check *check, uint64_t *ret_bytes, struct err *err)
{
    if (!is_folder(check)) {
        return file_size(check->path, ret_bytes, err);
    }
    TRY(file_tree_size(check->path, ret_bytes, err));
    uint64_t said = check->row->db_bytes < 0 ? 0 : (uint64_t)check->row->db_bytes;
    *ret_bytes = *ret_bytes > said ? said : *ret_bytes;
    return true;
}

/* The manifest's row against the stored file: where nobody knows what it should hold. */
static bool scan(struct shard_check *check, struct kv_file *file, struct err *err)
{
    struct verify_scan scan = {0};
    struct row_stream *stored = NULL;
    uint64_t bytes = 0;
    TRY(kv_rows(file, &stored, err));
    bool done = verify_rows_scan(stored, &scan, err);
    row_stream_free(stored);
    if (done && stored_bytes(check, &bytes, err)) {
        check_row(check, scan.rows, buf_bytes(&scan.key_min), buf_bytes(&scan.key_max), bytes);
        check->request->report->rows += check->made ? 0 : scan.rows;
    } else if (err->kind == ERR_CORRUPT) {
        add_finding(check, VERIFY_FILE, check->name, NULL, err->message);
        *err = (struct err){0};
    }
    verify_scan_done(&scan);
    return done;
}

static bool compare_file(struct shard_check *check, struct kv_file *file, struct err *err)
{
    struct row_stream *stored = NULL;
    struct row_stream *expected = NULL;
    bool done = kv_rows(file, &stored, err) && build_merged(&check->build, &expected, err) &&
                compare_rows(check, expected, stored, err);
    row_stream_free(expected);
    row_stream_free(stored);
    check->request->report->by_rows++;
    return done;
}

static bool open_and_compare(struct shard_check *check, struct err *err)
{
    struct kv_file *file = NULL;
    if (!kv_open(check->request->kv, check->path, &file, err)) {
        if (err->kind == ERR_CORRUPT || err->kind == ERR_INPUT) {
            add_finding(check, VERIFY_FILE, check->name, NULL, err->message);
            *err = (struct err){0};
        }
        return false;
    }
    bool done = (!check->made || compare_file(check, file, err)) &&
                (check->row_checked || scan(check, file, err));
    kv_close(file);
    return done;
}

/* All rows of the shard are missing. */
static bool compare_with_nothing(struct shard_check *check, struct err *err)
{
    struct row_stream *expected = NULL;
    TRY(build_merged(&check->build, &expected, err));
    struct row_stream *nothing = merge_new(check->build.order, NULL, 0);
    bool done = compare_rows(check, expected, nothing, err);
    row_stream_free(expected);
    row_stream_free(nothing);
    return done;
}

static bool check_files(struct shard_check *check, struct verify_shard_files *files,
                        struct err *err)
{
    struct verify_report *report = check->request->report;
    report->shards++;
    if (check->made && check->result.rows > 0 && !is_folder(check)) {
        TRY(digest_sha256_file(check->made_path, files->made, err));
    }
    if (!fetch(check, err)) {
        return err->kind == ERR_NONE &&
               (!check->made || check->result.rows == 0 || compare_with_nothing(check, err));
    }
    if (!is_folder(check)) {
        TRY(digest_sha256_file(check->path, files->stored, err));
    }
    if (files->made[0] != '\0' && strcmp(files->stored, files->made) == 0) {
        report->same_files++;
        report->rows += check->result.rows;
        check_made_row(check);
    } else if (!open_and_compare(check, err)) {
        return err->kind == ERR_NONE;
    }
    if (!check->request->manifest->sidecar.on) {
        return true;
    }
    struct verify_sidecar_request sidecar = {.store = check->request->catalog->borrowed_store,
                                             .name = check->name,
                                             .path = check->path,
                                             .shard = check->shard,
                                             .report = report};
    return verify_sidecar(&sidecar, err);
}

/* The attempt that the snapshot has the shard's order object in; NULL: none. */
static const char *order_attempt(const struct shard_check *check)
{
    const struct verify_shard_request *request = check->request;
    if (check->row != NULL) {
        return check->row->db_url;
    }
    for (size_t i = 0; i < request->order_count; i++) {
        if (request->orders[i].shard == check->shard) {
            return request->orders[i].url;
        }
    }
    return NULL;
}

/* Not where records are lost that it may name. */
static bool check_order(struct shard_check *check, struct err *err)
{
    if (!check->request->exact || !check->made || some_lost(check)) {
        return true;
    }
    struct verify_order_request order = {
        .catalog = check->request->catalog,
        .manifest = check->request->manifest,
        .attempt = order_attempt(check),
        .made = check->result.order_bytes > 0 ? check->made_order : NULL,
        .folder = check->request->folder,
        .shard = check->shard,
        .report = check->request->report,
    };
    return verify_order(&order, err);
}

bool verify_shard(const struct verify_shard_request *request, uint32_t shard,
                  struct dedupe_source *counts, struct verify_shard_files *ret_files,
                  struct err *err)
{
    *err = (struct err){0};
    *ret_files = (struct verify_shard_files){0};
    struct shard_check check = {.request = request,
                                .shard = shard,
                                .row = manifest_shard(request->manifest, shard),
                                .arena = arena_new(16 * 1024)};
    check.made_path = arena_format(check.arena, "%s/made.db", request->folder);
    check.made_order = arena_format(check.arena, "%s/made.order", request->folder);
    bool done = request->rows == NULL || make(&check, counts, err);
    if (done && check.made && !some_lost(&check)) {
        check_made_row(&check);
    }
    done = done && check_files(&check, ret_files, err) && check_order(&check, err);
    file_discard(check.made_path);
    file_discard(check.made_order);
    state_files_close(&check.base);
    if (check.downloaded) {
        file_discard(check.path);
    }
    if (check.made) {
        build_result_done(&check.result);
    }
    arena_free(check.arena);
    return done;
}

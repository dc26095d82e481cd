/* Proves a published snapshot: its records are read again, and all is made and compared again.
 *
 * The happy path: the lineage says which ranges and by which rules; they are read into the
 * service's own intake and sealed; each shard is made and compared; the accounts are compared. What
 * can go wrong: retention took a part, so that nothing can be made (then the stored files are
 * compared with the manifest, which needs no log), and what the log cleaner took of a compacted
 * topic. */
#include "consumer/verify/verify.h"

#include <stdlib.h>

#include "adapters/os/file.h"
#include "adapters/os/os_random.h"
#include "consumer/member/regroup_job.h"
#include "consumer/service_settings.h"
#include "consumer/verify/verify_account.h"
#include "consumer/verify/verify_manifest.h"
#include "consumer/verify/verify_range.h"
#include "consumer/verify/verify_shard.h"
#include "consumer/wiring/wiring.h"
#include "consumer/wiring/wiring_kv.h"

enum {
    VERIFY_SQLITE_CACHE = 8 << 20,
    VERIFY_BUILD_BYTES = 24 << 20, /* memory of one shard in the making, all in all */
};

struct verify {
    const struct verify_request *request;
    struct verify_report *report;
    struct arena *arena;
    char *folder; /* malloc'ed; NULL: not made */
    struct service_settings parts;
    struct budget budget;
    struct verify_plan plan;
    bool has_plan;
    bool kafka; /* what is under way asks Kafka */
    struct verify_rows rows;
    struct contribution *grouped; /* by the manifest's number of shards */
    struct contribution *made_of; /* of the two; NULL: nothing can be made */
    struct verify_count *counts;  /* by partition of the plan */
    bool *lost;                   /* by source of made_of */
    struct verify_shard_files *files;
    struct kv *kv;
    bool *chosen;                             /* shards */
    struct state_base_settings base_settings; /* of a state */
    struct state_base *base;
    struct state_manifest *base_manifest;
};

static void verify_done(struct verify *verify)
{
    struct err err;
    state_manifest_drop(verify->base_manifest);
    state_base_free(verify->base);
    contribution_drop(verify->grouped);
    verify_rows_done(&verify->rows);
    if (verify->budget.limit > 0) { /* it was set up */
        budget_done(&verify->budget);
    }
    kv_free(verify->kv);
    if (verify->folder != NULL && !file_remove_tree(verify->folder, &err)) {
        struct verify_finding finding = verify_finding(VERIFY_NOTE);
        finding.what = err.message;
        verify_report_add(verify->report, &finding);
    }
    free(verify->folder);
    service_settings_done(&verify->parts);
    arena_free(verify->arena);
}

static void add_note(struct verify *verify, enum verify_kind kind, const char *what)
{
    struct verify_finding finding = verify_finding(kind);
    finding.what = what;
    verify_report_add(verify->report, &finding);
}

static bool set_up(struct verify *verify, struct err *err)
{
    const struct settings *settings = verify->request->settings;
    TRY(service_settings_init(&verify->parts, settings, verify->arena, err));
    verify->parts.source.member_id = NULL;
    TRY(file_make_folders(settings->limits.work_folder, err));
    TRY(file_temp_folder(settings->limits.work_folder, "verify", &verify->folder, err));
    uint64_t limit = settings->limits.memory_budget;
    uint64_t reading =
        verify->parts.source.queue_bytes_max + 2 * verify->parts.source.batch_bytes_max;
    uint64_t reserved = reading > VERIFY_BUILD_BYTES ? reading : VERIFY_BUILD_BYTES;
    budget_init(&verify->budget, limit);
    budget_charge(&verify->budget, reserved > limit / 2 ? limit / 2 : reserved);
    return true;
}

/* Without a lineage that says enough, what is stored is compared with the manifest alone. */
static bool make_plan(struct verify *verify, struct err *err)
{
    const struct verify_request *request = verify->request;
    verify->has_plan =
        verify_plan_make(request->manifest, request->settings, verify->arena, &verify->plan, err);
    if (!verify->has_plan) {
        if (err->kind != ERR_MISSING) {
            return false;
        }
        add_note(verify, VERIFY_UNPROVED, err->message);
    }
    verify_manifest(request->manifest, verify->has_plan ? &verify->plan.commit : NULL,
                    verify->report);
    return true;
}

/* ---- the base of a state ---- */

static bool open_base(struct verify *verify, const struct catalog_entry *entry, struct err *err)
{
    struct manifest found;
    TRY(catalog_load(verify->request->catalog, entry->name, verify->arena, &found, err));
    verify->base_settings = (struct state_base_settings){
        .store = verify->request->catalog->borrowed_store,
        .names = &verify->parts.names,
        .folder = arena_format(verify->arena, "%s/base", verify->folder),
        .bytes_max = 1, /* each file is read by one shard, mostly */
    };
    TRY(state_base_new(&verify->base_settings, &verify->base, err));
    struct plan_base plan = {.run_id = entry->run_id,
                             .time_us = entry->time_us,
                             .staged_url = "",
                             .num_dbs = found.num_dbs};
    return state_base_manifest(verify->base, &plan, &verify->base_manifest, err);
}

/* What a state was made on must be there, or nothing can be made again. False without an error: it
 * is not, which is said. */
static bool find_base(struct verify *verify, bool *ret_there, struct err *err)
{
    const char *run_id = verify->plan.commit.made_of.base;
    struct catalog_entry entry;
    *ret_there = true;
    if (!verify->plan.commit.snapshot.is_state || run_id[0] == '\0') {
        return true;
    }
    verify->report->base = arena_text(verify->report->arena, bytes_of_text(run_id));
    if (catalog_find(verify->request->catalog, run_id, verify->arena, &entry, err) &&
        open_base(verify, &entry, err)) {
        return true;
    }
    if (err->kind != ERR_MISSING) {
        return false;
    }
    *ret_there = false;
    add_note(verify, VERIFY_UNPROVED,
             arena_format(verify->arena, "run %s, on which this state was made, is gone", run_id));
    return true;
}

/* ---- reading ---- */

/* Of inferred routing values: the manifest's list as the ledger writes it; else NULL. */
static const char *const *routing_tokens(const struct verify *verify)
{
    const struct sharding *sharding = &verify->request->manifest->sharding;
    if (verify->parts.router.kind != ROUTE_CEL_INFERRED || sharding->routing_value_count == 0) {
        return NULL;
    }
    const char **tokens =
        arena_zero(verify->arena, (sharding->routing_value_count + 1) * sizeof(char *));
    for (size_t i = 0; i < sharding->routing_value_count; i++) {
        tokens[i] = route_token_of_value(&sharding->routing_values[i], verify->arena);
    }
    return tokens;
}

static bool regroup(struct verify *verify, struct err *err)
{
    struct regroup_settings settings = {.router = &verify->parts.router,
                                        .key_encoding = verify->parts.key_encoding,
                                        .folder = verify->folder,
                                        .budget = &verify->budget};
    const struct manifest *manifest = verify->request->manifest;
    struct regroup_job *job =
        regroup_job_new(&settings, manifest->run_id, verify->rows.sealed.contribution,
                        manifest->num_dbs, routing_tokens(verify));
    job->work.run(&job->work);
    bool done = job->ok;
    if (done) {
        verify->grouped = TAKE(job->result);
    } else {
        *err = job->err;
    }
    work_free(&job->work);
    return done;
}

/* Records that the account has and a compacted log has not: by partition, and by source. */
static bool count_lost(struct verify *verify, struct err *err)
{
    const struct verify_plan *plan = &verify->plan;
    const struct source_settings *source = &verify->parts.source;
    bool *compacted = arena_zero(verify->arena, (source->topic_count + 1) * sizeof *compacted);
    verify->counts =
        arena_zero(verify->arena, (plan->partition_count + 1) * sizeof *verify->counts);
    verify->lost = arena_zero(verify->arena, (plan->partition_count + 1) * sizeof *verify->lost);
    TRY(verify_range_compacted(source, compacted, err));
    const struct source_table *table = contribution_sources(verify->made_of);
    for (size_t i = 0; i < plan->partition_count; i++) {
        const struct verify_partition *of = &plan->partitions[i];
        struct verify_count *count = &verify->counts[i];
        count->ready = verify->rows.sealed.partitions[i];
        count->lost = compacted[of->topic] ? verify_account_lost(of, &count->ready) : 0;
        verify->lost[source_table_find(table, of->id.topic, of->id.number)] = count->lost > 0;
    }
    return true;
}

static bool read_rows(struct verify *verify, struct err *err)
{
    struct verify_read_request request = {.settings = verify->request->settings,
                                          .source = &verify->parts.source,
                                          .router = &verify->parts.router,
                                          .plan = &verify->plan,
                                          .budget = &verify->budget,
                                          .folder = verify->folder,
                                          .progress = verify->request->progress};
    bool whole = false;
    bool lost = false;
    TRY(verify_range_check(&verify->parts.source, &verify->plan, verify->arena, verify->report,
                           &whole, err));
    if (!whole) {
        return true;
    }
    TRY(verify_read(&request, &verify->rows, &lost, err));
    verify->report->records = verify->rows.records;
    if (lost) {
        TRY(verify_range_check(&verify->parts.source, &verify->plan, verify->arena, verify->report,
                               &whole, err));
        return !whole || err_set(err, ERR_TRANSIENT, "a range was lost while it was read");
    }
    if (route_groups_at_close(&verify->parts.router)) {
        TRY(regroup(verify, err));
    }
    verify->made_of = verify->grouped != NULL ? verify->grouped : verify->rows.sealed.contribution;
    return count_lost(verify, err);
}

/* ---- shards ---- */

static void choose_shards(struct verify *verify)
{
    uint32_t count = verify->request->manifest->num_dbs;
    uint32_t wanted = verify->request->sample;
    bool all = wanted == 0 || wanted >= count;
    verify->chosen = arena_zero(verify->arena, count * sizeof *verify->chosen);
    for (uint32_t left = count, i = 0; i < count; i++, left--) {
        /* so that each set of `wanted` shards is as likely as any other */
        if (all || os_random_u64() % left < wanted) {
            verify->chosen[i] = true;
            wanted -= !all;
        }
    }
}

/* Not where the log cleaner took some of the rows that made the number. */
static void check_num_dbs(const struct verify *verify)
{
    uint64_t rows = 0;
    bool lost = false;
    for (size_t i = 0; i < verify->plan.partition_count; i++) {
        rows += verify->counts[i].ready.rows;
        lost = lost || verify->counts[i].lost > 0;
    }
    if (!lost) {
        verify_manifest_shards(verify->request->manifest, &verify->parts.router, rows,
                               verify->rows.sealed.token_count, verify->report);
    }
}

/* A file that is that of another shard says more than all its rows. */
static void find_swapped(const struct verify *verify)
{
    uint32_t count = verify->request->manifest->num_dbs;
    for (uint32_t i = 0; i < count; i++) {
        const struct verify_shard_files *files = &verify->files[i];
        bool same = strcmp(files->stored, files->made) == 0;
        for (uint32_t k = 0; k < count && !same && files->stored[0] != '\0'; k++) {
            if (k != i && strcmp(files->stored, verify->files[k].made) == 0) {
                struct verify_finding finding = verify_finding(VERIFY_FILE);
                finding.shard = i;
                finding.what = arena_format(verify->arena, "its file is that of shard %u", k);
                verify_report_add(verify->report, &finding);
            }
        }
    }
}

/* What lays out files of this kind: with the same one, the same rows are the same bytes. */
static const char *writer_of_files(struct verify *verify, const char *kv_version,
                                   const char *sqlite_version)
{
    return kv_version[0] == '\0'
               ? arena_format(verify->arena, "SQLite %s", sqlite_version)
               : arena_format(verify->arena, "version %s of tidemark's layout", kv_version);
}

static bool compare_shards(struct verify *verify, struct err *err)
{
    const struct manifest *manifest = verify->request->manifest;
    const struct verify_progress *progress = &verify->request->progress;
    bool same_bytes = verify->kv->ops->features.same_bytes;
    const struct lineage_maker *maker = &verify->plan.maker;
    const char *theirs =
        verify->has_plan ? writer_of_files(verify, maker->kv_version, maker->sqlite_version) : "";
    const char *ours = writer_of_files(
        verify, wiring_kv_version(manifest->backend, verify->request->settings->vectors.dim),
        wiring_sqlite_version());
    bool same_writer = same_bytes && strcmp(theirs, ours) == 0;
    struct verify_shard_request request = {
        .catalog = verify->request->catalog,
        .manifest = manifest,
        .kv = verify->kv,
        .snapshot = &verify->request->settings->snapshot,
        .router = manifest->sharding.strategy == SHARDING_HASH ? &verify->parts.router : NULL,
        .folder = verify->folder,
        .cache_bytes = VERIFY_SQLITE_CACHE,
        .build_router = &verify->parts.router,
        .base = verify->base,
        .base_manifest = verify->base_manifest,
        .base_whole = verify->has_plan && verify->plan.commit.made_of.whole,
        .exact = verify->has_plan && verify->plan.commit.snapshot.is_state &&
                 verify->plan.commit.snapshot.state.order[0] != '\0',
        .orders = verify->plan.commit.made_of.orders,
        .order_count = verify->plan.commit.made_of.order_count,
        .rows = verify->made_of,
        .lost = verify->lost,
        .same_writer = same_writer,
        .report = verify->report,
    };
    if (verify->made_of != NULL && !same_bytes) {
        add_note(verify, VERIFY_NOTE,
                 arena_format(verify->arena,
                              "%s never writes the same bytes twice: rows are compared instead",
                              backend_name(manifest->backend)));
    } else if (verify->made_of != NULL && !same_writer) {
        add_note(verify, VERIFY_NOTE,
                 arena_format(verify->arena,
                              "the files were written by %s, and here is %s, which writes other "
                              "bytes: rows are compared instead",
                              theirs, ours));
    }
    struct dedupe_source *counts =
        arena_zero(verify->arena, (verify->plan.partition_count + 1) * sizeof *counts);
    verify->files = arena_zero(verify->arena, manifest->num_dbs * sizeof *verify->files);
    for (uint32_t i = 0; i < manifest->num_dbs; i++) {
        if (progress->show != NULL &&
            progress->show(progress->to, "comparing shard", i, manifest->num_dbs)) {
            return err_set(err, ERR_STOPPED, "stopped while comparing");
        }
        if (verify->chosen[i] && !verify_shard(&request, i, counts, &verify->files[i], err)) {
            return err_wrap(err, "shard %u", i);
        }
    }
    for (size_t i = 0; verify->made_of != NULL && i < verify->plan.partition_count; i++) {
        struct partition_id id = verify->plan.partitions[i].id;
        verify->counts[i].stored =
            counts[source_table_find(contribution_sources(verify->made_of), id.topic, id.number)];
    }
    return true;
}

static bool prove(struct verify *verify, struct err *err)
{
    TRY(wiring_open_kv(verify->request->manifest->backend, &verify->request->settings->vectors,
                       &verify->kv, err));
    TRY(make_plan(verify, err));
    TRY(set_up(verify, err));
    bool base_is_there = true;
    if (verify->has_plan) {
        TRY(find_base(verify, &base_is_there, err));
    }
    if (verify->has_plan && base_is_there) {
        verify->kafka = true;
        TRY(read_rows(verify, err));
        verify->kafka = false;
    }
    choose_shards(verify);
    TRY(compare_shards(verify, err));
    if (verify->made_of == NULL) {
        return true;
    }
    find_swapped(verify);
    check_num_dbs(verify);
    bool whole = verify->report->shards == verify->request->manifest->num_dbs;
    verify_account(&verify->plan, verify->counts, whole, verify->report);
    return true;
}

bool verify_snapshot(const struct verify_request *request, struct verify_report *report,
                     bool *ret_kafka, struct err *err)
{
    struct verify verify = {.request = request, .report = report, .arena = arena_new(16 * 1024)};
    bool done = prove(&verify, err);
    *ret_kafka = verify.kafka;
    verify_done(&verify);
    return done;
}

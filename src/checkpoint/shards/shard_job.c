/* One attempt to build one shard: its file is made, uploaded, and reported. */
#include "checkpoint/shards/shard_job.h"

#include <stdlib.h>

#include "adapters/os/clock.h"
#include "adapters/os/crash_point.h"
#include "adapters/os/file.h"
#include "adapters/os/log.h"
#include "adapters/os/os_random.h"
#include "checkpoint/shards/build.h"
#include "checkpoint/shards/canary.h"
#include "checkpoint/shards/carry_over.h"
#include "checkpoint/spill/range_set.h"
#include "checkpoint/shards/state_files.h"
#include "checkpoint/shards/upload.h"
#include "core/record/key.h"

enum { PARTS_WINDOW_BYTES = 8 * 1024 * 1024 }; /* of all parts that one job reads */

static void run_job(struct work *work);

static void free_job(struct work *work)
{
    struct shard_job *job = (struct shard_job *)work;
    for (size_t i = 0; i < job->input_count; i++) {
        contribution_drop(job->inputs[i].own);
    }
    contribution_drop(job->frame);
    arena_free(job->arena);
    free(job);
}

static void copy_input(struct shard_job *job, const struct member_contribution *from,
                       struct contribution *own, struct shard_input *to)
{
    struct plan_range *ranges = arena_zero(job->arena, (from->range_count + 1) * sizeof *ranges);
    for (size_t i = 0; i < from->range_count; i++) {
        ranges[i] = from->ranges[i];
        ranges[i].id.topic = arena_text(job->arena, bytes_of_text(from->ranges[i].id.topic));
    }
    to->ranges = ranges;
    to->range_count = from->range_count;
    if (from->own) {
        to->own = contribution_use(own);
    } else {
        to->part = (struct part_place){
            .url = arena_text(job->arena, bytes_of_text(from->url)),
            .digest = arena_text(job->arena, bytes_of_text(from->digest)),
            .bytes = from->bytes,
        };
    }
}

struct shard_job *shard_job_new(const struct shard_job_settings *settings,
                                const struct member_command *command, struct contribution *frame,
                                struct contribution *own)
{
    struct shard_job *job = calloc(1, sizeof *job);
    CHECK(job != NULL);
    job->settings = settings;
    job->arena = arena_new(16 * 1024);
    job->work.kind = WORK_SHARD;
    job->work.run = run_job;
    job->work.free = free_job;
    job->work.build = command->build.build;
    job->work.run_id = arena_text(job->arena, bytes_of_text(command->build.run_id));
    atomic_init(&job->work.stop, false);
    job->shard = command->build.shard;
    job->attempt = command->build.attempt;
    job->num_dbs = command->build.num_dbs;
    job->carry = command->build.carry;
    job->frame = frame == NULL ? NULL : contribution_use(frame);
    if (command->build.base != NULL) {
        struct plan_base *base = arena_zero(job->arena, sizeof *base);
        *base = *command->build.base;
        base->run_id = arena_text(job->arena, bytes_of_text(command->build.base->run_id));
        base->staged_url = arena_text(job->arena, bytes_of_text(command->build.base->staged_url));
        job->base = base;
    }
    job->input_count = command->build.contribution_count;
    job->inputs = arena_zero(job->arena, (job->input_count + 1) * sizeof *job->inputs);
    for (size_t i = 0; i < job->input_count; i++) {
        copy_input(job, &command->build.contributions[i], own, &job->inputs[i]);
    }
    return job;
}

void shard_job_set_rows(struct shard_job *job, struct contribution *own)
{
    for (size_t i = 0; i < job->input_count; i++) {
        if (job->inputs[i].own != NULL) {
            contribution_drop(job->inputs[i].own);
            job->inputs[i].own = contribution_use(own);
        }
    }
}

/* The sets of all inputs, each narrowed to its ranges; what was made for the job alone is freed
 * with it. */
struct open_sets {
    struct row_set **sets;
    size_t count;
    struct row_set **made; /* views first, what they look at behind them */
    size_t made_count;
};

static void close_sets(struct open_sets *open)
{
    while (open->made_count > 0) {
        row_set_free(open->made[--open->made_count]);
    }
}

static void add_narrowed(struct open_sets *open, struct row_set *set,
                         const struct shard_input *input, const uint32_t *map)
{
    struct row_set *view = range_set_new(set, input->ranges, input->range_count, map);
    open->made[open->made_count++] = view;
    open->sets[open->count++] = view;
}

static bool open_sets(struct shard_job *job, struct open_sets *open, struct err *err)
{
    size_t room = 1;
    for (size_t i = 0; i < job->input_count; i++) {
        room += job->inputs[i].own == NULL ? 1 : contribution_share_count(job->inputs[i].own);
    }
    open->sets = arena_zero(job->arena, room * sizeof(void *));
    open->made = arena_zero(job->arena, 2 * room * sizeof(void *));
    for (size_t i = 0; i < job->input_count; i++) {
        const struct shard_input *input = &job->inputs[i];
        if (input->own == NULL) {
            struct row_set *part = NULL;
            TRY(part_open(job->settings->store, &input->part, PARTS_WINDOW_BYTES / job->input_count,
                          &part, err));
            open->made[open->made_count++] = part;
            add_narrowed(open, part, input, NULL);
            continue;
        }
        for (size_t k = 0; k < contribution_share_count(input->own); k++) {
            add_narrowed(open, row_share_set(contribution_share(input->own, k)), input,
                         contribution_map(input->own, k, job->arena));
        }
    }
    return true;
}

_Static_assert((int)ATTEMPT_KEY_TEXT_MAX <= (int)MESSAGE_TEXT_MAX,
               "a record of the ledger takes it");

static const char *key_text(struct shard_job *job, const struct buf *stored)
{
    return attempt_key_text(job->settings->key_encoding, buf_bytes(stored), job->arena);
}

static void report_counts(struct shard_job *job, const struct build_result *built)
{
    const struct source_table *table = contribution_sources(job->frame);
    struct attempt_partition *partitions =
        arena_zero(job->arena, (table->count + 1) * sizeof *partitions);
    for (uint32_t i = 0; i < table->count; i++) {
        partitions[i] = (struct attempt_partition){
            .id = contribution_partition(job->frame, i)->id,
            .stored = built->counts.sources[i].stored,
            .superseded = built->counts.sources[i].superseded,
            .tombstones = built->counts.sources[i].tombstones,
        };
    }
    job->result.partitions = partitions;
    job->result.partition_count = table->count;
}

/* Local files of the attempt. */
struct shard_paths {
    const char *file;
    const char *order;
};

/* Shards have order objects (PROTOCOL R6). */
static bool is_exact(const struct shard_job *job)
{
    return job->settings->snapshot->state_order == STATE_ORDER_EXACT;
}

/* The base of a state; without one there is nothing to open. */
static bool open_base(struct shard_job *job, struct state_manifest **ret_manifest,
                      struct state_files *files, struct err *err)
{
    if (job->base == NULL) {
        return true;
    }
    const struct shard_job_settings *settings = job->settings;
    TRY(state_base_manifest(settings->base, job->base, ret_manifest, err));
    struct state_files_request request = {
        .base = settings->base,
        .manifest = *ret_manifest,
        .kv = settings->kv,
        .router = settings->router,
        .key_encoding = settings->key_encoding,
        .metric = settings->metric,
        .num_dbs = job->num_dbs,
        .shard = job->shard,
        .whole = job->base->whole,
        .exact = is_exact(job),
        .stem = arena_format(job->arena, "%s/%s-db%05u-a%02u", settings->folder, job->work.run_id,
                             job->shard, job->attempt),
        .stop = &job->work.stop,
    };
    return state_files_open(&request, job->arena, files, err);
}

/* Builds the file, and where the order is exact its order object, and reports what is in them. */
static bool build_file(struct shard_job *job, const struct shard_paths *paths,
                       struct build_result *built, struct err *err)
{
    struct filter filter = contribution_filter(job->frame, job->arena);
    struct open_sets open = {0};
    struct state_files base = {0};
    struct state_manifest *manifest = NULL;
    struct build_request request = {
        .kv = job->settings->kv,
        .path = paths->file,
        .shard = job->shard,
        .order = contribution_order(job->frame),
        .exact = is_exact(job),
        .order_path = is_exact(job) ? paths->order : NULL,
        .page_size = job->settings->snapshot->page_size,
        .cache_bytes = job->settings->cache_bytes,
        .sources = contribution_sources(job->frame),
        .filter = &filter,
        .stop = &job->work.stop,
    };
    bool done = open_base(job, &manifest, &base, err) && open_sets(job, &open, err);
    request.sets = open.sets;
    request.set_count = open.count;
    request.base = base.files;
    request.base_count = base.count;
    request.base_rule = base.rule;
    done = done && build_shard(&request, built, err);
    close_sets(&open);
    state_files_close(&base);
    state_manifest_drop(manifest);
    TRY(done);
    job->result.row_count = built->rows;
    job->result.page_size = built->page_size;
    job->result.order_bytes = built->order_bytes;
    job->result.duration_ms = (uint64_t)((built->sizes_us + built->write_us) / 1000);
    report_counts(job, built);
    if (built->rows > 0) {
        job->result.db_bytes = built->file_bytes;
        job->result.min_key = key_text(job, &built->key_min);
        job->result.max_key = key_text(job, &built->key_max);
    }
    if (contribution_order(job->frame) == ROW_ORDER_OFFSET) {
        job->shared_keys = built->counts.shared_keys;
    }
    return true;
}

static const char *checkpoint_id_of(struct shard_job *job, const struct build_result *built)
{
    uint8_t random[16];
    if (built->checkpoint_id[0] != '\0') {
        return arena_text(job->arena, bytes_of_text(built->checkpoint_id));
    }
    os_random_bytes(random, sizeof random);
    return names_uuid_hex(random, job->arena);
}

/* What there is of the shard: its file, its order object, both; not neither. */
static bool store_files(struct shard_job *job, const struct shard_paths *paths,
                        const struct build_result *built, struct err *err)
{
    const char *folder =
        names_attempt(job->settings->names, job->work.run_id, job->shard, job->attempt, job->arena);
    struct upload_request request = {
        .store = job->settings->store,
        .folder = folder,
        .path = built->rows > 0 ? paths->file : NULL,
        .order_path = built->order_bytes > 0 ? paths->order : NULL,
        .sidecar = job->settings->snapshot->sidecar,
        .whole_rows = built->whole_rows,
        .stop = &job->work.stop,
        .kv = &job->settings->kv->ops->features,
    };
    if (built->rows > 0) {
        job->result.checkpoint_id = checkpoint_id_of(job, built);
    }
    if (job->settings->base != NULL && built->rows > 0) {
        state_base_keep(job->settings->base, request.path, request.order_path,
                        job->result.checkpoint_id);
    }
    TRY(upload_shard(&request, err));
    job->result.url = names_url(job->settings->names, folder, job->arena);
    crash_point("attempt-uploaded");
    return true;
}

/* The keys that a gate wants and that are in the file at `path`, or in the object of `folder`. */
static bool find_canaries(struct shard_job *job, const char *path, const char *folder,
                          struct err *err)
{
    const struct shard_job_settings *settings = job->settings;
    struct canary_search search = {
        .kv = settings->kv,
        .key_encoding = settings->key_encoding,
        .keys = settings->canaries,
        .key_count = settings->canary_count,
        .router = settings->router,
        .num_dbs = job->num_dbs,
        .shard = job->shard,
    };
    return path != NULL
               ? canary_find_in_file(&search, path, job->arena, &job->result.canaries,
                                     &job->result.canary_count, err)
               : canary_find_in_store(&search, settings->store, folder, job->arena,
                                      &job->result.canaries, &job->result.canary_count, err);
}

static void report_copy(struct shard_job *job, const struct attempt *from)
{
    struct message_attempt *result = &job->result;
    result->row_count = (uint64_t)from->row_count;
    result->db_bytes = (uint64_t)from->db_bytes;
    result->min_key = from->min_key == NULL ? NULL
                                            : arena_text(job->arena, bytes_of_text(from->min_key));
    result->max_key = from->max_key == NULL ? NULL
                                            : arena_text(job->arena, bytes_of_text(from->max_key));
    result->checkpoint_id = arena_text(job->arena, bytes_of_text(from->checkpoint_id));
}

/* No rows: what the base has of this shard, under a URL of this run. The bytes are the same, and so
 * is the checkpoint_id. */
static bool copy_from(struct shard_job *job, const struct state_manifest *manifest, struct err *err)
{
    const char *folder =
        names_attempt(job->settings->names, job->work.run_id, job->shard, job->attempt, job->arena);
    const struct snapshot_settings *snapshot = job->settings->snapshot;
    struct carry_over_request request = {
        .store = job->settings->store,
        .from = state_manifest_shard(manifest, job->shard),
        .order_from = is_exact(job) ? state_manifest_order(manifest, job->shard) : NULL,
        .folder = folder,
        .sidecar = snapshot->sidecar,
    };
    if (request.from == NULL && request.order_from == NULL) {
        return true;
    }
    int64_t start = clock_mono_us();
    TRY(carry_over(&request, &job->result.order_bytes, err));
    if (request.from != NULL) {
        TRY(find_canaries(job, NULL, folder, err));
        report_copy(job, request.from);
    }
    job->result.url = names_url(job->settings->names, folder, job->arena);
    job->result.duration_ms = (uint64_t)((clock_mono_us() - start) / 1000);
    crash_point("attempt-uploaded");
    return true;
}

static bool copy_shard(struct shard_job *job, struct err *err)
{
    struct state_manifest *manifest = NULL;
    TRY(state_base_manifest(job->settings->base, job->base, &manifest, err));
    bool done = copy_from(job, manifest, err);
    state_manifest_drop(manifest);
    return done;
}

static bool make_shard(struct shard_job *job, const struct shard_paths *paths, struct err *err)
{
    if (job->carry) {
        return copy_shard(job, err);
    }
    struct build_result built = {0};
    bool done =
        build_file(job, paths, &built, err) &&
        (built.rows == 0 || find_canaries(job, paths->file, NULL, err)) &&
        ((built.rows == 0 && built.order_bytes == 0) || store_files(job, paths, &built, err));
    build_result_done(&built);
    return done;
}

static void run_job(struct work *work)
{
    struct shard_job *job = (struct shard_job *)work;
    struct err err = {0};
    const char *stem = arena_format(job->arena, "%s/%s-db%05u-a%02u", job->settings->folder,
                                    job->work.run_id, job->shard, job->attempt);
    struct shard_paths paths = {.file = arena_format(job->arena, "%s.db", stem),
                                .order = arena_format(job->arena, "%s.order", stem)};
    job->result = (struct message_attempt){
        .run_id = job->work.run_id,
        .shard = job->shard,
        .attempt = job->attempt,
        .error = "",
        .url = "",
    };
    if (atomic_load(&work->stop)) {
        err_set(&err, ERR_STOPPED, "stopped before it began");
    }
    job->result.ok = err.kind == ERR_NONE && make_shard(job, &paths, &err);
    if (!job->result.ok) {
        job->result.error = arena_text(job->arena, bytes_of_text(err.message));
        job->result.url = "";
        if (err.kind != ERR_STOPPED) {
            log_failure(LOG_WARN, "build", &err, "shard %u of run %s, attempt %u", job->shard,
                        job->work.run_id, job->attempt);
        }
    }
    /* of an empty shard, or of one that failed; else they are gone already */
    file_discard(paths.file);
    file_discard(paths.order);
}

/* One attempt to build one shard: its file is made, uploaded, and reported. */
#include "checkpoint/shard_job.h"

#include <stdlib.h>
#include <unistd.h>

#include "adapters/os/crash_point.h"
#include "adapters/os/log.h"
#include "adapters/os/os_random.h"
#include "checkpoint/build.h"
#include "checkpoint/upload.h"
#include "core/record/key.h"

struct shard_job *shard_job_new(const struct shard_job_settings *settings,
                                const struct member_command *command,
                                struct contribution *contribution)
{
    struct shard_job *job = calloc(1, sizeof *job);
    CHECK(job != NULL && command->build.contribution_count == 1);
    const struct member_contribution *from = &command->build.contributions[0];
    job->settings = settings;
    job->arena = arena_new(16 * 1024);
    job->build = command->build.build;
    job->run_id = arena_text(job->arena, bytes_of_text(command->build.run_id));
    job->shard = command->build.shard;
    job->attempt = command->build.attempt;
    job->num_dbs = command->build.num_dbs;
    job->contribution = contribution_use(contribution);
    struct plan_range *ranges = arena_zero(job->arena, (from->range_count + 1) * sizeof *ranges);
    for (size_t i = 0; i < from->range_count; i++) {
        ranges[i] = from->ranges[i];
        ranges[i].id.topic = arena_text(job->arena, bytes_of_text(from->ranges[i].id.topic));
    }
    job->ranges = ranges;
    job->range_count = from->range_count;
    atomic_init(&job->stop, false);
    return job;
}

struct shard_job *shard_job_free(struct shard_job *job)
{
    if (job != NULL) {
        contribution_drop(job->contribution);
        arena_free(job->arena);
        free(job);
    }
    return NULL;
}

/* Rows of the ranges that PLAN gave to this contribution, and no others. */
static struct filter narrowed_filter(struct shard_job *job)
{
    struct filter filter = contribution_filter(job->contribution, job->arena);
    const struct source_table *table = contribution_sources(job->contribution);
    struct filter_source *sources =
        arena_zero(job->arena, (filter.source_count + 1) * sizeof *sources);
    for (uint32_t i = 0; i < filter.source_count; i++) {
        sources[i] = filter.sources[i];
        sources[i].to = sources[i].from;
    }
    for (size_t i = 0; i < job->range_count; i++) {
        const struct plan_range *range = &job->ranges[i];
        uint32_t source = source_table_find(table, range->id.topic, range->id.number);
        if (source != SOURCE_NONE) {
            sources[source].from = range->from;
            sources[source].to = range->to;
        }
    }
    filter.sources = sources;
    return filter;
}

static const char *key_text(struct shard_job *job, const struct buf *stored)
{
    AUTO(buf) struct buf text;
    buf_init(&text, 16 * 1024 * 1024);
    if (!key_print_json(job->settings->key_encoding, buf_bytes(stored), &text)) {
        return NULL;
    }
    return arena_text(job->arena, buf_bytes(&text));
}

static void report_counts(struct shard_job *job, const struct build_result *built)
{
    const struct source_table *table = contribution_sources(job->contribution);
    struct attempt_partition *partitions =
        arena_zero(job->arena, (table->count + 1) * sizeof *partitions);
    for (uint32_t i = 0; i < table->count; i++) {
        partitions[i] = (struct attempt_partition){
            .id = contribution_partition(job->contribution, i)->id,
            .stored = built->counts.sources[i].stored,
            .superseded = built->counts.sources[i].superseded,
            .tombstones = built->counts.sources[i].tombstones,
        };
    }
    job->result.partitions = partitions;
    job->result.partition_count = table->count;
}

/* Builds the file and reports what is in it. */
static bool build_file(struct shard_job *job, const char *path, struct build_result *built,
                       struct err *err)
{
    struct contribution *from = job->contribution;
    size_t count = contribution_share_count(from);
    struct row_set **sets = arena_zero(job->arena, (count + 1) * sizeof *sets);
    for (size_t i = 0; i < count; i++) {
        sets[i] = row_share_set(contribution_share(from, i));
    }
    struct filter filter = narrowed_filter(job);
    const struct regroup regroup = {
        .router = job->settings->router,
        .key_encoding = job->settings->key_encoding,
        .num_dbs = job->num_dbs,
    };
    struct build_request request = {
        .kv = job->settings->kv,
        .path = path,
        .shard = job->shard,
        .regroup = regroup.router->kind == ROUTE_HASH_AT_CLOSE ? &regroup : NULL,
        .order = contribution_order(from),
        .page_size = job->settings->snapshot->page_size,
        .cache_bytes = job->settings->cache_bytes,
        .sources = contribution_sources(from),
        .filter = &filter,
        .sets = sets,
        .set_count = count,
        .stop = &job->stop,
    };
    TRY(build_shard(&request, built, err));
    job->result.row_count = built->rows;
    job->result.page_size = built->page_size;
    job->result.duration_ms = (uint64_t)((built->sizes_us + built->write_us) / 1000);
    report_counts(job, built);
    if (built->rows > 0) {
        job->result.db_bytes = built->file_bytes;
        job->result.min_key = key_text(job, &built->key_min);
        job->result.max_key = key_text(job, &built->key_max);
    }
    if (built->counts.shared_keys > 0 && contribution_order(from) == ROW_ORDER_OFFSET) {
        log_warn("build",
                 "%llu keys of shard %u came from more than one partition: the order between "
                 "partitions is arbitrary (snapshot.order = \"event_time\" decides by time)",
                 (unsigned long long)built->counts.shared_keys, job->shard);
    }
    return true;
}

static bool store_file(struct shard_job *job, const char *path, struct err *err)
{
    const char *folder = names_attempt(job->settings->names, job->run_id, job->shard, job->attempt,
                                       job->arena);
    struct upload_request request = {
        .store = job->settings->store,
        .folder = folder,
        .path = path,
        .page_size = job->result.page_size,
        .sidecar = job->settings->snapshot->sidecar,
    };
    TRY(upload_shard(&request, err));
    uint8_t random[16];
    os_random_bytes(random, sizeof random);
    job->result.url = names_url(job->settings->names, folder, job->arena);
    job->result.checkpoint_id = names_uuid_hex(random, job->arena);
    crash_point("attempt-uploaded");
    return true;
}

void shard_job_run(struct shard_job *job)
{
    struct err err = {0};
    struct build_result built = {0};
    const char *path = arena_format(job->arena, "%s/%s-db%05u-a%02u.db", job->settings->folder,
                                    job->run_id, job->shard, job->attempt);
    job->result = (struct message_attempt){
        .run_id = job->run_id,
        .shard = job->shard,
        .attempt = job->attempt,
        .error = "",
        .url = "",
    };
    job->result.ok = build_file(job, path, &built, &err) &&
                     (built.rows == 0 || store_file(job, path, &err));
    if (!job->result.ok) {
        job->result.error = arena_text(job->arena, bytes_of_text(err.message));
        job->result.url = "";
        if (err.kind != ERR_STOPPED) {
            log_failure(LOG_WARN, "build", &err, "shard %u of run %s, attempt %u", job->shard,
                        job->run_id, job->attempt);
        }
    }
    unlink(path); /* of an empty shard, or of one that failed; else it is gone already */
    build_result_done(&built);
}

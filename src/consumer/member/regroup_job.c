/* A contribution whose rows are grouped anew, by a shard count that was known only at the close. */
#include "consumer/member/regroup_job.h"

#include <stdio.h>
#include <stdlib.h>

#include "adapters/os/os_random.h"
#include "checkpoint/spill/spill_reader.h"
#include "consumer/rows/shard_buffer.h"
#include "consumer/rows/spill_writer.h"
#include "core/coord/leader_shards.h"
#include "core/spill/filter_stream.h"

enum { REGROUP_CHECK_ROWS = 4096, REGROUP_SHARES_MAX = 4096 };

/* The state of one pass. */
struct regrouping {
    struct regroup_job *job;
    struct arena *arena;
    char name[17]; /* of its files: the same rows may be regrouped twice for a run */
    struct shard_buffer *buffer;
    uint32_t *sources; /* by the contribution's number: the buffer's */
    struct row_share *shares[REGROUP_SHARES_MAX];
    size_t share_count;
};

static bool group_of(struct regroup_job *job, struct bytes stored, uint32_t *ret_group,
                     struct err *err)
{
    struct logical_key key;
    uint64_t token = 0;
    TRY(key_load(job->settings->key_encoding, stored, &key, err));
    TRY(route_key(job->settings->router, &key, &token, err));
    *ret_group = route_db_id(job->settings->router, token, job->num_dbs);
    return true;
}

/* Where the values of an expression are the shards: all rows of a group have one. */
static bool group_of_token(struct regroup_job *job, uint32_t group, uint32_t *ret_group,
                           struct err *err)
{
    const char *token = contribution_token(job->from, group);
    for (uint32_t low = 0, high = job->num_dbs; token != NULL && low < high;) {
        uint32_t middle = low + (high - low) / 2;
        int order = shards_compare_tokens(job->values[middle], token);
        if (order == 0) {
            *ret_group = middle;
            return true;
        }
        low = order < 0 ? middle + 1 : low;
        high = order < 0 ? high : middle;
    }
    return err_set(err, ERR_CORRUPT,
                   "rows of the routing value %.60s, which the plan does not have",
                   token == NULL ? "?" : token);
}

static bool add_share(struct regrouping *regrouping, struct row_set *take_set, const char *path,
                      struct err *err)
{
    if (regrouping->share_count == REGROUP_SHARES_MAX) {
        row_set_free(take_set);
        return err_set(err, ERR_LIMIT, "a build of more than %d spills", REGROUP_SHARES_MAX);
    }
    regrouping->shares[regrouping->share_count++] = row_share_new(take_set, path);
    return true;
}

static bool spill(struct regrouping *regrouping, struct err *err)
{
    struct regroup_job *job = regrouping->job;
    struct sorted_rows *rows = shard_buffer_sort(regrouping->buffer, contribution_order(job->from));
    if (rows == NULL) {
        return true;
    }
    const char *path =
        arena_format(regrouping->arena, "%s/regroup-%s-%s-%05zu.spill", job->settings->folder,
                     job->work.run_id, regrouping->name, regrouping->share_count);
    struct spill_ref ref = {0};
    bool done = spill_write(&rows->set, path, false, &job->work.stop, &ref, err);
    row_set_free(&rows->set);
    TRY(done);
    spill_ref_done(&ref);
    struct row_set *set = NULL;
    TRY(spill_open_file(path, &set, err));
    return add_share(regrouping, set, path, err);
}

static bool take_rows(struct regrouping *regrouping, struct row_stream *rows,
                      const struct section *section, struct err *err)
{
    struct regroup_job *job = regrouping->job;
    int64_t window = section->window;
    struct row row;
    bool more = true;
    for (uint64_t i = 1;; i++) {
        TRY(row_stream_next(rows, &row, &more, err));
        if (!more) {
            return true;
        }
        uint32_t group = 0;
        TRY(job->values != NULL ? group_of_token(job, section->group, &group, err)
                                : group_of(job, row.key, &group, err));
        row.source = regrouping->sources[row.source];
        if (!shard_buffer_append(regrouping->buffer, window, group, &row)) {
            TRY(spill(regrouping, err));
            CHECK(shard_buffer_append(regrouping->buffer, window, group, &row));
        }
        if (i % REGROUP_CHECK_ROWS == 0) {
            if (atomic_load(&job->work.stop)) {
                return err_set(err, ERR_STOPPED, "stopped while grouping rows by shard");
            }
            if (budget_wants_spill(job->settings->budget) &&
                shard_buffer_rows(regrouping->buffer) >= REGROUP_CHECK_ROWS) {
                TRY(spill(regrouping, err));
            }
        }
    }
}

static bool take_share(struct regrouping *regrouping, const struct filter *filter, size_t share,
                       struct err *err)
{
    struct contribution *from = regrouping->job->from;
    struct row_set *set = row_share_set(contribution_share(from, share));
    const uint32_t *map = contribution_map(from, share, regrouping->arena);
    for (size_t i = 0; i < set->index->section_count; i++) {
        struct row_stream *rows = NULL;
        TRY(filter_stream_open(filter, set, i, map, NULL, &rows, err));
        if (rows != NULL) {
            bool done = take_rows(regrouping, rows, &set->index->sections[i], err);
            row_stream_free(rows);
            TRY(done);
        }
    }
    return true;
}

static bool take_all(struct regrouping *regrouping, struct err *err)
{
    struct contribution *from = regrouping->job->from;
    const struct source_table *table = contribution_sources(from);
    struct filter filter = contribution_filter(from, regrouping->arena);
    regrouping->sources =
        arena_alloc(regrouping->arena, ((size_t)table->count + 1) * sizeof(uint32_t));
    for (uint32_t i = 0; i < table->count; i++) {
        regrouping->sources[i] = shard_buffer_source(regrouping->buffer, table->names[i].topic,
                                                     table->names[i].partition);
    }
    for (size_t i = 0; i < contribution_share_count(from); i++) {
        TRY(take_share(regrouping, &filter, i, err));
    }
    struct sorted_rows *rest = shard_buffer_sort(regrouping->buffer, contribution_order(from));
    return rest == NULL || add_share(regrouping, &rest->set, NULL, err);
}

static void run_job(struct work *work)
{
    struct regroup_job *job = (struct regroup_job *)work;
    struct regrouping *regrouping = calloc(1, sizeof *regrouping);
    CHECK(regrouping != NULL);
    regrouping->job = job;
    os_random_hex(regrouping->name, sizeof regrouping->name - 1);
    regrouping->arena = arena_new(16 * 1024);
    regrouping->buffer = shard_buffer_new(job->settings->budget);
    job->ok = take_all(regrouping, &job->err);
    if (job->ok) {
        job->result = contribution_with(job->from, regrouping->shares, regrouping->share_count);
    }
    for (size_t i = 0; i < regrouping->share_count; i++) {
        row_share_drop(regrouping->shares[i]);
    }
    shard_buffer_free(regrouping->buffer);
    arena_free(regrouping->arena);
    free(regrouping);
}

static void free_job(struct work *work)
{
    struct regroup_job *job = (struct regroup_job *)work;
    contribution_drop(job->from);
    contribution_drop(job->result);
    for (uint32_t i = 0; job->values != NULL && i < job->num_dbs; i++) {
        free((char *)job->values[i]);
    }
    free(job->values);
    free((char *)job->work.run_id);
    free(job);
}

struct regroup_job *regroup_job_new(const struct regroup_settings *settings, const char *run_id,
                                    struct contribution *from, uint32_t num_dbs,
                                    const char *const *routing_values)
{
    struct regroup_job *job = calloc(1, sizeof *job);
    CHECK(job != NULL);
    job->work.kind = WORK_REGROUP;
    job->work.run = run_job;
    job->work.free = free_job;
    job->work.build = contribution_build(from);
    job->work.run_id = strdup(run_id);
    CHECK(job->work.run_id != NULL);
    atomic_init(&job->work.stop, false);
    job->settings = settings;
    job->from = contribution_use(from);
    job->num_dbs = num_dbs;
    if (routing_values != NULL) {
        job->values = calloc((size_t)num_dbs + 1, sizeof(char *));
        CHECK(job->values != NULL);
        for (uint32_t i = 0; i < num_dbs; i++) {
            job->values[i] = strdup(routing_values[i]);
            CHECK(job->values[i] != NULL);
        }
    }
    return job;
}

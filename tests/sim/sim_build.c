/* A shard in the simulated world: the rows of all contributions that belong into it, and those of
 * its base. */
#include <stdlib.h>

#include "tests/sim/world.h"

struct shard_rows {
    struct sim_row_ref *list;
    size_t count;
};

static void take_row(struct world *world, const struct sim_job *job, size_t contribution,
                     struct sim_row_ref ref, struct shard_rows *rows)
{
    uint32_t key = row_at(world, ref.partition, ref.offset)->key;
    int64_t offset = ref.offset % SIM_ROWS_MAX;
    bool in_range = false;
    for (size_t i = 0; i < job->contributions[contribution].range_count; i++) {
        in_range = in_range ||
                   (job->contributions[contribution].ranges[i].partition == ref.partition &&
                    offset >= job->contributions[contribution].ranges[i].from &&
                    offset < job->contributions[contribution].ranges[i].to);
    }
    uint32_t shard = plane_shard(key, job->num_dbs);
    for (uint32_t i = 0; plane_by_token(world) && i < job->num_dbs; i++) {
        bool here = job->token_count == 0 ? i == plane_token(world, key)
                                          : job->tokens[i] == plane_token(world, key);
        shard = here ? i : shard;
    }
    if (in_range && shard == job->shard) {
        CHECK(rows->count < SIM_PARTITIONS_MAX * SIM_ROWS_MAX);
        rows->list[rows->count++] = ref;
    }
}

/* False: a contribution is not there any more. */
static bool gather(struct world *world, struct sim_process *process, const struct sim_job *job,
                   struct shard_rows *rows)
{
    for (size_t i = 0; i < job->contribution_count; i++) {
        if (job->contributions[i].own) {
            if (process->sealed_build != job->build) {
                return false;
            }
            for (size_t k = 0; k < process->sealed_count; k++) {
                take_row(world, job, i, process->sealed[k], rows);
            }
            continue;
        }
        const char *text = store_get(&world->store, job->contributions[i].url);
        if (text == NULL) {
            return false;
        }
        while (*text != '\0') {
            char *end = NULL;
            long partition = strtol(text, &end, 10);
            long offset = strtol(end + 1, &end, 10);
            take_row(
                world, job, i,
                (struct sim_row_ref){.partition = (int32_t)partition, .offset = (int32_t)offset},
                rows);
            text = end + 1;
        }
    }
    return true;
}

static int compare_rows(const void *a, const void *b)
{
    const struct sim_row_ref *left = a;
    const struct sim_row_ref *right = b;
    if (left->partition != right->partition) {
        return left->partition < right->partition ? -1 : 1;
    }
    return (left->offset > right->offset) - (left->offset < right->offset);
}

/* Newest by (partition, offset) wins; what each row became is counted for its partition. */
static uint64_t settle(struct world *world, struct shard_rows *rows,
                       struct attempt_partition *counts)
{
    qsort(rows->list, rows->count, sizeof *rows->list, compare_rows);
    uint64_t stored = 0;
    for (size_t i = 0; i < rows->count; i++) {
        const struct sim_row *row = row_at(world, rows->list[i].partition, rows->list[i].offset);
        struct attempt_partition *count = &counts[rows->list[i].partition];
        bool newest = true;
        for (size_t j = i + 1; j < rows->count && newest; j++) {
            newest = row_at(world, rows->list[j].partition, rows->list[j].offset)->key != row->key;
        }
        if (!newest) {
            count->superseded++;
        } else if (row->tombstone) {
            count->tombstones++;
        } else {
            count->stored++;
            stored++;
        }
    }
    return stored;
}

/* ---- the base of a state (R6) ---- */

/* shards/<run>/<shard>/<attempt> */
static uint32_t shard_of_url(const char *url)
{
    return (uint32_t)strtoul(strchr(strchr(url, '/') + 1, '/') + 1, NULL, 10);
}

/* The base's shard as it is; where shards are divided otherwise now, the rows of all of them that
 * belong here. False: the base is not there any more. */
static bool add_base(struct world *world, const struct sim_job *job, struct buf *text)
{
    char listed[200];
    snprintf(listed, sizeof listed, "manifests/%lld_%s", (long long)job->base_time_us,
             job->base_run);
    const char *name = job->base_staged[0] == '\0' ? listed : job->base_staged;
    const char *manifest = store_get(&world->store, name);
    if (manifest == NULL) {
        return false;
    }
    const char *line = strchr(strchr(manifest, '\n') + 1, '\n') + 1;
    for (; *line != '\0'; line += strcspn(line, "\n") + 1) {
        char url[200];
        snprintf(url, sizeof url, "%.*s", (int)strcspn(line, "\n"), line);
        const char *rows = store_get(&world->store, url);
        if (!job->whole && shard_of_url(url) != job->shard) {
            continue;
        }
        if (rows == NULL) {
            return false;
        }
        while (*rows != '\0') {
            char *end = NULL;
            long p = strtol(rows, &end, 10);
            long o = strtol(end + 1, &end, 10);
            rows = end + 1;
            if (!job->whole || plane_shard(row_at(world, p, o)->key, job->num_dbs) == job->shard) {
                buf_add_format(text, "%ld:%ld ", p, o);
            }
        }
    }
    return true;
}

/* The keys of the gate that are in this shard (R27). */
static size_t find_canaries(const struct world *world, const char *rows, const char **out)
{
    const struct gate_settings *gates = &world->settings.gates;
    bool found[SIM_CANARIES] = {false};
    CHECK(gates->canary_count <= SIM_CANARIES);
    while (gates->canary_count > 0 && *rows != '\0') {
        char *end = NULL;
        long p = strtol(rows, &end, 10);
        long o = strtol(end + 1, &end, 10);
        rows = end + 1;
        for (size_t i = 0; i < gates->canary_count; i++) {
            found[i] = found[i] ||
                       strtoul(gates->canaries[i], NULL, 10) == row_at(world, p, o)->key;
        }
    }
    size_t count = 0;
    for (size_t i = 0; i < gates->canary_count; i++) {
        if (found[i]) {
            out[count++] = gates->canaries[i];
        }
    }
    return count;
}

static uint64_t count_rows(const char *rows)
{
    uint64_t count = 0;
    for (; *rows != '\0'; rows++) {
        count += *rows == ' ';
    }
    return count;
}

static void tell_kind(const struct sim_job *job)
{
    if (job->has_base) {
        coverage_chance(CHANCE_STATE);
    }
    if (job->has_base && job->whole) {
        coverage_chance(CHANCE_RESHAPED);
    }
    if (job->carry) {
        coverage_chance(CHANCE_CARRIED);
    }
}

/* False: a contribution or the base is not there any more. */
static bool fill(struct world *world, struct sim_process *process, const struct sim_job *job,
                 struct buf *text, struct attempt_partition *counts, struct message_attempt *out)
{
    struct shard_rows rows = {
        .list = calloc(SIM_PARTITIONS_MAX * SIM_ROWS_MAX, sizeof(struct sim_row_ref))};
    CHECK(rows.list != NULL);
    bool there = gather(world, process, job, &rows) &&
                 (!job->has_base || add_base(world, job, text));
    if (there) {
        out->row_count = count_rows(buf_text(text)) + settle(world, &rows, counts);
        for (size_t i = 0; i < rows.count; i++) {
            buf_add_format(text, "%d:%d ", rows.list[i].partition, rows.list[i].offset);
        }
    }
    free(rows.list);
    return there;
}

void plane_build(struct world *world, struct sim_process *process, const struct sim_job *job)
{
    struct member_event event = {.kind = MEMBER_EVENT_BUILT,
                                 .built = {.run_id = job->run_id,
                                           .shard = job->shard,
                                           .attempt = job->attempt,
                                           .ok = true,
                                           .error = "",
                                           .url = ""}};
    struct attempt_partition counts[SIM_PARTITIONS_MAX] = {{.stored = 0}};
    struct attempt_partition sorted[SIM_PARTITIONS_MAX];
    const char *canaries[SIM_CANARIES];
    int order[SIM_PARTITIONS_MAX];
    int count = partitions_sorted(world, order);
    char url[200];
    snprintf(url, sizeof url, "shards/%s/%u/%u", job->run_id, job->shard, job->attempt);
    bool planted = world->story.attempt_fails > 0;
    world->story.attempt_fails -= planted;
    AUTO(buf) struct buf text;
    buf_init(&text, 1 << 22);
    if (planted || world_chance(world, world->faults.build_fails) ||
        !fill(world, process, job, &text, counts, &event.built)) {
        event.built.ok = false;
        event.built.error = "simulated";
    } else {
        tell_kind(job);
        store_put(&world->store, url, buf_text(&text));
        for (int i = 0; i < count; i++) {
            sorted[i] = counts[order[i]];
            sorted[i].id = world->partitions[order[i]].id;
        }
        event.built.url = url;
        event.built.partitions = sorted;
        event.built.partition_count = (size_t)count;
        event.built.canaries = canaries;
        event.built.canary_count = find_canaries(world, buf_text(&text), canaries);
    }
    member_shell_event(world, process, &event);
}

/* This member's rows of a build go into the store, for the builders of other shards. */
#include "consumer/member/part_job.h"

#include <stdlib.h>
#include <unistd.h>

#include "adapters/os/crash_point.h"
#include "checkpoint/spill/part.h"
#include "checkpoint/spill/part_set.h"
#include "consumer/rows/spill_writer.h"

static bool write_part(struct part_job *job, const char *path, struct spill_ref *ref,
                       struct err *err)
{
    struct row_set *set = NULL;
    TRY(part_set_new(job->from, path, &job->work.stop, &set, err));
    bool done = spill_write(set, path, false, &job->work.stop, ref, err);
    row_set_free(set);
    return done;
}

static bool store_part(struct part_job *job, const char *path, struct err *err)
{
    struct spill_ref ref = {0};
    TRY(write_part(job, path, &ref, err));
    char digest[PART_DIGEST_TEXT];
    part_digest_text(ref.digest, digest);
    job->digest = arena_text(job->arena, bytes_of_text(digest));
    job->rows = ref.rows;
    job->bytes = ref.bytes;
    spill_ref_done(&ref);
    struct store_content content = {.path = path, .take_file = true, .type = NAMES_CONTENT_BYTES};
    TRY(store_put_settled(job->settings->store, job->name, &content,
                          store_once(job->settings->store), NULL, err));
    job->url = names_url(job->settings->names, job->name, job->arena);
    crash_point("part-stored");
    return true;
}

static void run_job(struct work *work)
{
    struct part_job *job = (struct part_job *)work;
    const char *path =
        arena_format(job->arena, "%s/%s.part", job->settings->folder, job->work.run_id);
    unlink(path); /* of an earlier try */
    if (atomic_load(&work->stop)) {
        err_set(&job->err, ERR_STOPPED, "stopped before it began");
        return;
    }
    job->ok = store_part(job, path, &job->err);
    if (!job->ok) {
        unlink(path);
    }
}

static void free_job(struct work *work)
{
    struct part_job *job = (struct part_job *)work;
    contribution_drop(job->from);
    arena_free(job->arena);
    free(job);
}

struct part_job *part_job_new(const struct part_settings *settings, const char *run_id,
                              struct contribution *from, uint64_t sequence)
{
    struct part_job *job = calloc(1, sizeof *job);
    CHECK(job != NULL);
    job->arena = arena_new(4096);
    job->work.kind = WORK_PART;
    job->work.run = run_job;
    job->work.free = free_job;
    job->work.build = contribution_build(from);
    job->work.run_id = arena_text(job->arena, bytes_of_text(run_id));
    atomic_init(&job->work.stop, false);
    job->settings = settings;
    job->from = contribution_use(from);
    const char *incarnation =
        arena_format(job->arena, "%llu", (unsigned long long)settings->incarnation);
    job->url = "";
    job->digest = "";
    job->name = names_part(job->work.build, settings->member, incarnation, sequence, job->arena);
    return job;
}

void part_job_set_rows(struct part_job *job, struct contribution *from)
{
    contribution_drop(job->from);
    job->from = contribution_use(from);
}

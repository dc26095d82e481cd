/* What is held of a partition, into the store for its next owner; and from there to its disk. */
#include "consumer/member/handover_job.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "adapters/os/file.h"
#include "checkpoint/spill/part.h"
#include "checkpoint/spill/part_set.h"
#include "checkpoint/spill/spill_reader.h"
#include "consumer/rows/spill_writer.h"
#include "core/spill/spill_format.h"

enum { ADOPT_TALLY_MAX = 1 << 30 };

static const char *digest_text(struct arena *arena, uint64_t digest)
{
    char text[PART_DIGEST_TEXT];
    part_digest_text(digest, text);
    return arena_text(arena, bytes_of_text(text));
}

static struct message_handover copy_of(const struct message_handover *from, struct arena *arena)
{
    struct message_handover copy = *from;
    copy.id.topic = arena_text(arena, bytes_of_text(from->id.topic));
    copy.head = arena_text(arena, bytes_of_text(from->head));
    copy.url = arena_text(arena, bytes_of_text(from->url));
    copy.digest = arena_text(arena, bytes_of_text(from->digest));
    copy.tally_digest = arena_text(arena, bytes_of_text(from->tally_digest));
    copy.witnesses =
        (const struct witness *)(const void *)arena_copy(
            arena, bytes_of(from->witnesses, from->witness_count * sizeof *from->witnesses))
            .data;
    copy.member = copy.topic_id = copy.fingerprint = "";
    return copy;
}

/* ---- giving ---- */

static bool append_tally(const struct handover_job *job, const char *path, struct err *err)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (fd < 0) {
        return file_err(err, errno, "open", path);
    }
    bool ok = file_write_all(fd, job->tally, path, err);
    if (close(fd) != 0 && ok) {
        ok = file_err(err, errno, "close", path);
    }
    return ok;
}

static bool write_rows(struct handover_job *job, const char *path, struct err *err)
{
    struct row_set *set = NULL;
    struct spill_ref ref = {0};
    TRY(part_set_new(job->from, path, &job->work.stop, &set, err));
    bool ok = spill_write(set, path, false, &job->work.stop, &ref, err);
    row_set_free(set);
    if (ok) {
        job->given.digest = digest_text(job->arena, ref.digest);
        job->given.bytes = ref.bytes;
        job->given.rows = ref.rows;
    }
    spill_ref_done(&ref);
    return ok && append_tally(job, path, err);
}

static bool store_rows(struct handover_job *job, const char *path, struct err *err)
{
    TRY(write_rows(job, path, err));
    struct store_content content = {.path = path, .take_file = true, .type = NAMES_CONTENT_BYTES};
    TRY(store_put_settled(job->settings->store, job->name, &content,
                          store_once(job->settings->store), NULL, err));
    job->given.url = names_url(job->settings->names, job->name, job->arena);
    job->given.tally_digest = digest_text(job->arena, spill_checksum(job->tally));
    job->given.tally_bytes = job->tally.size;
    return true;
}

static void run_handover(struct work *work)
{
    struct handover_job *job = (struct handover_job *)work;
    const char *path = arena_format(job->arena, "%s/%llu.handover", job->settings->folder,
                                    (unsigned long long)job->given.number);
    if (atomic_load(&work->stop)) {
        err_set(&job->err, ERR_STOPPED, "stopped before it began");
        return;
    }
    job->ok = store_rows(job, path, &job->err);
    if (!job->ok) {
        unlink(path);
    }
}

static void free_handover(struct work *work)
{
    struct handover_job *job = (struct handover_job *)work;
    contribution_drop(job->from);
    arena_free(job->arena);
    free(job);
}

struct handover_job *handover_job_new(const struct part_settings *settings,
                                      const struct message_handover *given, struct bytes tally,
                                      struct contribution *from, uint64_t sequence)
{
    struct handover_job *job = calloc(1, sizeof *job);
    CHECK(job != NULL);
    job->arena = arena_new(4096);
    job->work = (struct work){.kind = WORK_HANDOVER,
                              .run_id = "",
                              .build = given->build,
                              .run = run_handover,
                              .free = free_handover};
    atomic_init(&job->work.stop, false);
    job->settings = settings;
    job->from = contribution_use(from);
    job->tally = arena_copy(job->arena, tally);
    job->given = copy_of(given, job->arena);
    const char *incarnation =
        arena_format(job->arena, "%llu", (unsigned long long)settings->incarnation);
    job->name = names_part(given->build, settings->member, incarnation, sequence, job->arena);
    return job;
}

/* ---- taking ---- */

static bool check_digest(const char *what, const char *is, const char *said, struct err *err)
{
    return strcmp(is, said) == 0 ||
           err_set(err, ERR_CORRUPT, "%s has digest %s, its HANDOVER says %.64s", what, is, said);
}

/* The counts are behind the spill: they are taken off the file's end. */
static bool take_tally(struct adopt_job *job, struct err *err)
{
    const struct message_handover *handover = &job->handover;
    uint64_t size = 0;
    TRY(file_size(job->path, &size, err));
    if (handover->tally_bytes > ADOPT_TALLY_MAX || handover->bytes > size ||
        size - handover->bytes != handover->tally_bytes) {
        return err_set(err, ERR_CORRUPT, "%s has %llu bytes, its HANDOVER says %llu and %llu",
                       handover->url, (unsigned long long)size, (unsigned long long)handover->bytes,
                       (unsigned long long)handover->tally_bytes);
    }
    uint8_t *tally = arena_alloc(job->arena, handover->tally_bytes + 1);
    int fd = open(job->path, O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        return file_err(err, errno, "open", job->path);
    }
    bool ok = file_read_at(fd, handover->bytes, tally, handover->tally_bytes, job->path, err) &&
              (ftruncate(fd, (off_t)handover->bytes) == 0 ||
               file_err(err, errno, "truncate", job->path)) &&
              (fsync(fd) == 0 || file_err(err, errno, "sync", job->path));
    (void)close(fd);
    job->tally = bytes_of(tally, handover->tally_bytes);
    return ok && check_digest("its account", digest_text(job->arena, spill_checksum(job->tally)),
                              handover->tally_digest, err);
}

/* Rows of other partitions have no business in it. */
static bool check_sources(const struct adopt_job *job, const struct row_set *set, struct err *err)
{
    const struct source_table *sources = &set->index->sources;
    bool ok = sources->count == 1 && strcmp(sources->names[0].topic, job->handover.id.topic) == 0 &&
              sources->names[0].partition == job->handover.id.number;
    return ok || err_set(err, ERR_CORRUPT, "%s has rows of another partition", job->handover.url);
}

static bool fetch(struct adopt_job *job, struct err *err)
{
    const char *key = NULL;
    TRY(store_key_of_url(job->store, job->handover.url, &key, err));
    TRY(store_get_to_file(job->store, key, job->path, NULL, err));
    TRY(take_tally(job, err));
    TRY(spill_open_file(job->path, &job->set, err));
    TRY(check_digest(job->handover.url, digest_text(job->arena, spill_digest(job->set)),
                     job->handover.digest, err));
    TRY(check_sources(job, job->set, err));
    return spill_verify(job->set, err);
}

static void run_adopt(struct work *work)
{
    struct adopt_job *job = (struct adopt_job *)work;
    if (atomic_load(&work->stop)) {
        err_set(&job->err, ERR_STOPPED, "stopped before it began");
        return;
    }
    job->ok = fetch(job, &job->err);
}

static void free_adopt(struct work *work)
{
    struct adopt_job *job = (struct adopt_job *)work;
    if (!job->ok || job->set != NULL) { /* nobody has taken it */
        row_set_free(job->set);
        unlink(job->path);
    }
    arena_free(job->arena);
    free(job);
}

struct adopt_job *adopt_job_new(struct store *borrowed_store, int64_t offset,
                                const struct message_handover *handover, const char *path)
{
    struct adopt_job *job = calloc(1, sizeof *job);
    CHECK(job != NULL);
    job->arena = arena_new(4096);
    job->work = (struct work){.kind = WORK_ADOPT,
                              .run_id = "",
                              .build = handover->build,
                              .run = run_adopt,
                              .free = free_adopt};
    atomic_init(&job->work.stop, false);
    job->store = borrowed_store;
    job->offset = offset;
    job->handover = copy_of(handover, job->arena);
    job->path = arena_text(job->arena, bytes_of_text(path));
    return job;
}

/* The local checkpoint at a start: is it there, may it be used, and what does it hold? */
#include "checkpoint/spill/local_checkpoint.h"

#include <stdlib.h>

#include "adapters/os/file.h"
#include "adapters/os/log.h"
#include "checkpoint/spill/spill_reader.h"
#include "core/coord/message.h"

struct local_checkpoint *local_checkpoint_free(struct local_checkpoint *checkpoint)
{
    if (checkpoint == NULL) {
        return NULL;
    }
    for (size_t i = 0; checkpoint->tallies != NULL && i < checkpoint->partition_count; i++) {
        tally_done(&checkpoint->tallies[i]);
    }
    for (size_t i = 0; checkpoint->spills != NULL && i < checkpoint->spill_count; i++) {
        row_set_free(checkpoint->spills[i].set);
    }
    arena_free(checkpoint->arena);
    free(checkpoint);
    return NULL;
}

static const char *stamp_of(const struct checkpoint_stamp *stamps, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(stamps[i].name, name) == 0) {
            return stamps[i].value;
        }
    }
    return "";
}

/* INPUT: of another group, ledger, topic or configuration. */
static bool check_stamps(const struct local_checkpoint_place *place,
                         const struct checkpoint_content *content, struct err *err)
{
    for (size_t i = 0; i < place->stamp_count; i++) {
        const char *name = place->stamps[i].name;
        const char *then = stamp_of(content->stamps, content->stamp_count, name);
        if (strcmp(then, place->stamps[i].value) != 0) {
            return err_set(err, ERR_INPUT, "%s was \"%.100s\", and is \"%.100s\"", name, then,
                           place->stamps[i].value);
        }
    }
    return content->stamp_count == place->stamp_count ||
           err_set(err, ERR_INPUT, "it has %zu stamps, of %zu", content->stamp_count,
                   place->stamp_count);
}

static bool open_spill(const struct local_checkpoint_place *place,
                       const struct checkpoint_spill *named, struct arena *arena,
                       struct local_spill *to, struct err *err)
{
    if (named->name[0] == '\0' || strchr(named->name, '/') != NULL) {
        return err_set(err, ERR_CORRUPT, "it names a spill \"%.100s\"", named->name);
    }
    to->path = arena_format(arena, "%s/%s", place->spills, named->name);
    to->bytes = named->bytes;
    uint64_t bytes = 0;
    TRY(file_size(to->path, &bytes, err));
    if (bytes != named->bytes) {
        return err_set(err, ERR_CORRUPT, "%s has %llu bytes, of %llu", to->path,
                       (unsigned long long)bytes, (unsigned long long)named->bytes);
    }
    TRY(spill_open_file(to->path, &to->set, err));
    if (spill_digest(to->set) != named->digest) {
        return err_set(err, ERR_CORRUPT, "%s is another spill: its digest differs", to->path);
    }
    return spill_verify(to->set, err);
}

/* Rows of a partition that the table does not name belong to another member since. */
static bool is_named(const struct local_checkpoint *checkpoint, const struct source_name *name)
{
    bool found = false;
    for (size_t i = 0; !found && i < checkpoint->partition_count; i++) {
        found = strcmp(checkpoint->partitions[i].topic, name->topic) == 0 &&
                checkpoint->partitions[i].number == name->partition;
    }
    return found;
}

static bool void_sources(const struct local_checkpoint *checkpoint,
                         const struct checkpoint_spill *named, struct local_spill *to,
                         struct err *err)
{
    const struct source_table *sources = &to->set->index->sources;
    if (named->voided.size > 0 && named->voided.size != sources->count) {
        return err_set(err, ERR_CORRUPT, "%s has %u sources, of %zu", to->path, sources->count,
                       named->voided.size);
    }
    bool *voided = arena_zero(checkpoint->arena, (sources->count + 1) * sizeof *voided);
    for (uint32_t i = 0; i < sources->count; i++) {
        voided[i] = (named->voided.size > 0 && named->voided.data[i] != 0) ||
                    !is_named(checkpoint, &sources->names[i]);
    }
    to->voided = voided;
    return true;
}

static bool check_partition(const struct checkpoint_partition *partition, struct err *err)
{
    if (partition->from < 0 || partition->from > partition->position || partition->number < 0) {
        return err_set(err, ERR_CORRUPT, "%.100s[%d] from %lld to %lld", partition->topic,
                       (int)partition->number, (long long)partition->from,
                       (long long)partition->position);
    }
    if (partition->head_run[0] != '\0' && !message_name_ok(partition->head_run)) {
        return err_set(err, ERR_CORRUPT, "%.100s[%d] stands on no run", partition->topic,
                       (int)partition->number);
    }
    return true;
}

static bool load(const struct local_checkpoint_place *place, struct local_checkpoint *to,
                 struct err *err)
{
    struct checkpoint_content content;
    TRY(sqlite_checkpoint_read(place->database, to->arena, &content, err));
    TRY(check_stamps(place, &content, err));
    if (content.damaged != NULL) {
        return err_set(err, ERR_CORRUPT, "what it says of %.100s is not what was written",
                       content.damaged);
    }
    to->partitions = content.partitions;
    to->tallies = arena_zero(to->arena, (content.partition_count + 1) * sizeof *to->tallies);
    to->partition_count = content.partition_count;
    for (size_t i = 0; i < content.partition_count; i++) {
        TRY(check_partition(&content.partitions[i], err));
        TRY(tally_decode(content.partitions[i].tally, &to->tallies[i], err));
    }
    to->spills = arena_zero(to->arena, (content.spill_count + 1) * sizeof *to->spills);
    to->spill_count = content.spill_count;
    for (size_t i = 0; i < content.spill_count; i++) {
        TRY(open_spill(place, &content.spills[i], to->arena, &to->spills[i], err));
        TRY(void_sources(to, &content.spills[i], &to->spills[i], err));
    }
    return true;
}

bool local_checkpoint_discard(const struct local_checkpoint_place *place, struct err *err)
{
    struct arena *arena = arena_new(4096);
    bool ok = file_remove_tree(place->database, err) &&
              file_remove_tree(arena_format(arena, "%s-journal", place->database), err);
    arena_free(arena);
    return ok;
}

static bool sweep(const struct local_checkpoint_place *place, struct local_checkpoint *checkpoint,
                  struct err *err)
{
    size_t count = checkpoint == NULL ? 0 : checkpoint->spill_count;
    const char **names = calloc(count + 1, sizeof *names);
    CHECK(names != NULL);
    for (size_t i = 0; i < count; i++) {
        names[i] = strrchr(checkpoint->spills[i].path, '/') + 1;
    }
    bool ok = file_make_folders(place->spills, err) &&
              file_sweep_folder(place->spills, names, count, err);
    free(names);
    return ok;
}

bool local_checkpoint_open(const struct local_checkpoint_place *place,
                           struct local_checkpoint **ret_checkpoint, struct err *err)
{
    struct local_checkpoint *checkpoint = calloc(1, sizeof *checkpoint);
    CHECK(checkpoint != NULL);
    checkpoint->arena = arena_new(64 * 1024);
    struct err why;
    if (!load(place, checkpoint, &why)) {
        if (why.kind != ERR_MISSING || checkpoint->spill_count > 0) {
            log_failure(why.kind == ERR_INPUT ? LOG_INFO : LOG_WARN, "checkpoint", &why,
                        "the local checkpoint is thrown away, and its records are read again");
        }
        checkpoint = local_checkpoint_free(checkpoint);
        TRY(local_checkpoint_discard(place, err));
    }
    if (!sweep(place, checkpoint, err)) {
        local_checkpoint_free(checkpoint);
        return false;
    }
    *ret_checkpoint = checkpoint;
    return true;
}

/* The local checkpoint when a service starts: where it is, what must agree, whose rows it brings.
 */
#include "consumer/service_checkpoint.h"

#include "adapters/os/file.h"
#include "adapters/os/log.h"
#include "core/spill/spill_format.h"

#define CHECKPOINT_FORMAT "2"

/* A supervisor starts anew while the old process still ends. */
enum { CHECKPOINT_LOCK_US = 5 * 1000 * 1000 };

static const char *member_folder(const struct settings *settings, struct arena *arena)
{
    return arena_format(arena, "%s/%s", settings->limits.work_folder, settings->member_id);
}

bool service_checkpoint_lock(const struct settings *settings, struct arena *arena,
                             struct folder_lock **ret_lock, struct err *err)
{
    const char *folder = member_folder(settings, arena);
    if (file_make_folders(folder, err) &&
        folder_lock_take(folder, CHECKPOINT_LOCK_US, ret_lock, err)) {
        return true;
    }
    if (err->kind == ERR_CONFLICT) {
        err->kind = ERR_SETTINGS;
        return err_wrap(err, "limits.work_folder (each process needs a member_id or a folder of "
                             "its own)");
    }
    err->kind = err->kind == ERR_MISSING ? ERR_SETTINGS : err->kind;
    return err_wrap(err, "limits.work_folder");
}

/* What must agree before a local checkpoint is used (R9). */
static void fill_stamps(const struct settings *settings, const struct coord_settings *coord,
                        struct arena *arena, struct local_checkpoint_place *place)
{
    size_t count = 0;
    struct checkpoint_stamp *stamps = arena_zero(arena, (coord->topic_count + 5) * sizeof *stamps);
    stamps[count++] = (struct checkpoint_stamp){"checkpoint format", CHECKPOINT_FORMAT};
    stamps[count++] =
        (struct checkpoint_stamp){"spill format", arena_format(arena, "%d", SPILL_VERSION)};
    stamps[count++] = (struct checkpoint_stamp){"group", settings->group};
    stamps[count++] = (struct checkpoint_stamp){"ledger id", coord->ledger_id};
    stamps[count++] = (struct checkpoint_stamp){"fingerprint", coord->fingerprint};
    for (size_t i = 0; i < coord->topic_count; i++) {
        const char *name = arena_format(arena, "id of topic %s", coord->topics[i].name);
        stamps[count++] = (struct checkpoint_stamp){name, coord->topics[i].id};
    }
    place->stamps = stamps;
    place->stamp_count = count;
}

bool service_checkpoint_open(const struct settings *settings, const struct coord_settings *coord,
                             bool mock, struct arena *arena, struct local_checkpoint_place *place,
                             struct local_checkpoint **ret_checkpoint, struct err *err)
{
    const char *folder = member_folder(settings, arena);
    place->spills = arena_format(arena, "%s/spills", folder);
    /* rows of inferred routing values are held by numbers that this process alone knows */
    if (mock || settings->snapshot.cel.infers) {
        return file_remove_tree(place->spills, err);
    }
    place->database = arena_format(arena, "%s/checkpoint.db", folder);
    fill_stamps(settings, coord, arena, place);
    return local_checkpoint_open(place, ret_checkpoint, err);
}

const struct member_held *service_checkpoint_adopt(struct local_checkpoint *from,
                                                   struct held_rows *held, struct intake *intake,
                                                   struct arena *arena)
{
    struct member_held *list = arena_zero(arena, (from->partition_count + 1) * sizeof *list);
    uint64_t rows = 0;
    for (size_t i = 0; i < from->spill_count; i++) {
        held_rows_adopt(held, TAKE(from->spills[i].set), from->spills[i].path,
                        from->spills[i].bytes, from->spills[i].voided);
    }
    for (size_t i = 0; i < from->partition_count; i++) {
        const struct checkpoint_partition *saved = &from->partitions[i];
        rows += tally_rows(&from->tallies[i]);
        intake_restore(intake, saved, &from->tallies[i]);
        list[i] = (struct member_held){
            .id = {arena_text(arena, bytes_of_text(saved->topic)), saved->number},
            .from = saved->from,
            .position = saved->position,
            .leader_epoch = saved->leader_epoch,
            .head = arena_text(arena, bytes_of_text(saved->head_run)),
            .witness =
                saved->witness_count == 0 ? -1 : saved->witnesses[saved->witness_count - 1].offset,
        };
    }
    log_info("service", "the local checkpoint has %llu rows of %zu partitions in %zu spills",
             (unsigned long long)rows, from->partition_count, from->spill_count);
    return list;
}

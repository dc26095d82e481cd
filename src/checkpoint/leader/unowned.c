/* Partitions that the source group gives to nobody, for longer than a rebalance takes. */
#include "checkpoint/leader/unowned.h"

#include "core/base/arena.h"

enum { UNOWNED_ARENA = 16 * 1024 };

void unowned_init(struct unowned *unowned, int64_t limit_us)
{
    *unowned = (struct unowned){.limit_us = limit_us, .arena = arena_new(UNOWNED_ARENA)};
}

void unowned_done(struct unowned *unowned)
{
    arena_free(unowned->arena);
}

static int64_t since_of(const struct unowned *unowned, struct partition_id id)
{
    for (size_t i = 0; i < unowned->count; i++) {
        if (partition_id_compare(unowned->ids[i], id) == 0) {
            return unowned->since_us[i];
        }
    }
    return 0;
}

void unowned_hear(struct unowned *unowned, const struct coord_ends *ends, size_t count)
{
    struct arena *arena = arena_new(UNOWNED_ARENA);
    struct partition_id *ids = arena_zero(arena, (count + 1) * sizeof *ids);
    int64_t *since_us = arena_zero(arena, (count + 1) * sizeof *since_us);
    for (size_t i = 0; i < count; i++) {
        ids[i] = ends[i].id;
        ids[i].topic = arena_text(arena, bytes_of_text(ends[i].id.topic));
        since_us[i] = since_of(unowned, ids[i]);
    }
    arena_free(unowned->arena);
    unowned->arena = arena;
    unowned->ids = ids;
    unowned->since_us = since_us;
    unowned->count = count;
}

const struct partition_id *unowned_look(struct unowned *unowned, const struct fold *fold,
                                        int64_t now_us)
{
    const struct partition_id *found = NULL;
    for (size_t i = 0; i < unowned->count; i++) {
        if (fold_any_owner(fold, unowned->ids[i]) != NULL) {
            unowned->since_us[i] = 0;
        } else if (unowned->since_us[i] == 0) {
            unowned->since_us[i] = now_us;
        } else if (now_us - unowned->since_us[i] > unowned->limit_us) {
            found = &unowned->ids[i];
        }
    }
    if (found != NULL) {
        for (size_t i = 0; i < unowned->count; i++) {
            unowned->since_us[i] = unowned->since_us[i] == 0 ? 0 : now_us;
        }
        if (unowned->limit_us < INT64_MAX / 2) {
            unowned->limit_us *= 2;
        }
    }
    return found;
}

void unowned_forget(struct unowned *unowned)
{
    unowned->count = 0;
}

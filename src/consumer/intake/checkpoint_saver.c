/* When and how the local checkpoint is written: at consistent moments, while records come in. */
#include "consumer/intake/checkpoint_saver.h"

#include <stdlib.h>

#include "adapters/os/clock.h"
#include "adapters/os/log.h"

struct checkpoint_saver {
    struct checkpoint_saver_settings settings;
    struct arena *arena; /* of what follows */
    bool pending;
    struct checkpoint_partition *partitions;
    size_t partition_count;
    size_t shares;    /* the first so many of held_rows have all of it */
    uint64_t changes; /* of held_rows, when it was begun */
    uint64_t voids;
    int64_t next_us; /* by the steady clock */
};

struct checkpoint_saver *checkpoint_saver_new(const struct checkpoint_saver_settings *settings)
{
    struct checkpoint_saver *saver = calloc(1, sizeof *saver);
    CHECK(saver != NULL);
    saver->settings = *settings;
    saver->arena = arena_new(16 * 1024);
    saver->voids = held_rows_voids(settings->held);
    saver->next_us = clock_mono_us() + settings->interval_us;
    return saver;
}

struct checkpoint_saver *checkpoint_saver_free(struct checkpoint_saver *saver)
{
    if (saver != NULL) {
        arena_free(saver->arena);
        free(saver);
    }
    return NULL;
}

static bool is_on(const struct checkpoint_saver *saver)
{
    return saver->settings.place.database != NULL;
}

void checkpoint_saver_discard(struct checkpoint_saver *saver)
{
    struct err err;
    saver->pending = false;
    if (is_on(saver) && !local_checkpoint_discard(&saver->settings.place, &err)) {
        log_failure(LOG_WARN, "checkpoint", &err, "a void local checkpoint stays");
    }
}

static bool begin(struct checkpoint_saver *saver, struct err *err)
{
    arena_reset(saver->arena);
    held_rows_freeze(saver->settings.held);
    TRY(intake_capture(saver->settings.intake, saver->arena, &saver->partitions,
                       &saver->partition_count, err));
    saver->shares = held_rows_share_count(saver->settings.held);
    saver->changes = held_rows_changes(saver->settings.held);
    saver->pending = true;
    return true;
}

/* Dead letters of what will not be read again must be where they belong. */
static bool save(struct checkpoint_saver *saver, struct err *err)
{
    const struct checkpoint_saver_settings *settings = &saver->settings;
    TRY(dead_letters_flush(settings->letters, err));
    struct checkpoint_content content = {
        .stamps = settings->place.stamps,
        .stamp_count = settings->place.stamp_count,
        .partitions = saver->partitions,
        .partition_count = saver->partition_count,
        .spills = held_rows_spill_names(settings->held, saver->shares, saver->arena),
        .spill_count = saver->shares,
    };
    size_t dropped = 0;
    (void)held_rows_take_dropped(settings->held, saver->arena, &dropped);
    return sqlite_checkpoint_write(settings->place.database, &content, err);
}

/* The next step; *ret_done: it is written. */
static bool go_on(struct checkpoint_saver *saver, bool wait, bool *ret_done, struct err *err)
{
    TRY(held_rows_to_disk(saver->settings.held, saver->shares, wait, ret_done, err));
    if (!*ret_done) {
        return true;
    }
    TRY(save(saver, err));
    saver->pending = false;
    log_debug("checkpoint", "%zu partitions in %zu spills", saver->partition_count, saver->shares);
    return true;
}

static bool is_due(struct checkpoint_saver *saver, int64_t mono_us)
{
    return saver->settings.interval_us > 0 && mono_us >= saver->next_us &&
           held_rows_memory_bytes(saver->settings.held) >= saver->settings.bytes;
}

void checkpoint_saver_turn(struct checkpoint_saver *saver, int64_t mono_us)
{
    if (!is_on(saver)) {
        return;
    }
    if (saver->voids != held_rows_voids(saver->settings.held)) {
        saver->voids = held_rows_voids(saver->settings.held);
        checkpoint_saver_discard(saver);
    }
    if (saver->pending && saver->changes != held_rows_changes(saver->settings.held)) {
        saver->pending = false; /* the copy is older than what is held */
    }
    if (!saver->pending && !is_due(saver, mono_us)) {
        return;
    }
    bool done = false;
    struct err err;
    bool ok = (saver->pending || begin(saver, &err)) && go_on(saver, false, &done, &err);
    if (!ok) {
        saver->pending = false;
        log_failure(LOG_WARN, "checkpoint", &err, "no local checkpoint now");
    }
    if (!ok || done) {
        saver->next_us = mono_us + saver->settings.interval_us;
    }
}

void checkpoint_saver_forget(struct checkpoint_saver *saver, const struct member_forget *partitions,
                             size_t count, const char *run)
{
    if (!is_on(saver)) {
        return;
    }
    struct arena *arena = arena_new(4096);
    struct checkpoint_partition *list = arena_zero(arena, (count + 1) * sizeof *list);
    for (size_t i = 0; i < count; i++) {
        list[i] = (struct checkpoint_partition){
            .topic = partitions[i].id.topic,
            .number = partitions[i].id.number,
            .head_run = partitions[i].tail_from == INT64_MAX ? NULL : run,
        };
    }
    size_t dropped = 0;
    const char *const *names = held_rows_take_dropped(saver->settings.held, arena, &dropped);
    struct err err;
    if (!sqlite_checkpoint_forget(saver->settings.place.database, list, count, names, dropped,
                                  &err) &&
        err.kind != ERR_MISSING) {
        log_failure(LOG_WARN, "checkpoint", &err, "the local checkpoint is void");
        checkpoint_saver_discard(saver);
    }
    arena_free(arena);
}

bool checkpoint_saver_finish(struct checkpoint_saver *saver)
{
    if (!is_on(saver)) {
        return true;
    }
    int64_t begun_us = clock_mono_us();
    bool done = false;
    struct err err;
    if (!begin(saver, &err) || !go_on(saver, true, &done, &err)) {
        saver->pending = false;
        log_failure(LOG_WARN, "checkpoint", &err, "no local checkpoint at the end");
        return false;
    }
    struct intake_counters counters;
    intake_counters(saver->settings.intake, &counters);
    log_info("checkpoint", "%llu rows of %zu partitions are kept for the next start, in %lld ms",
             (unsigned long long)counters.rows, saver->partition_count,
             (long long)(clock_mono_us() - begun_us) / 1000);
    return true;
}

/* Which partitions are ours: the group's rebalances and our answers, seeking, pausing, mirroring.
 *
 * The happy path: the callback writes down what the group gave or took, and completes nothing;
 * source_poll makes an event of it; source_start or source_stop completes it, some time later,
 * while polling goes on. librdkafka keeps the membership alive meanwhile, and fetches nothing that
 * is new.
 *
 * What can go wrong: no answer within max.poll.interval.ms, or a session that ends, loses
 * everything: a second callback (a revoke) then takes the place of the first; or the group goes on
 * without the answer (kafka_overtaken.c). While closing, every rebalance is completed at once, or
 * closing would wait for ever (librdkafka 4884). */
#include <stdio.h>
#include <string.h>

#include "adapters/kafka/client_error.h"
#include "adapters/kafka/kafka_source.h"
#include "adapters/os/log.h"

/* -- what librdkafka reads -- */

static bool take_error(rd_kafka_error_t *failed, struct err *err, const char *what)
{
    return failed == NULL || client_error_take(err, failed, "%s", what);
}

/* librdkafka may keep a partition paused over assignments. */
static void unpause(struct source *source, rd_kafka_topic_partition_list_t *partitions)
{
    rd_kafka_topic_partition_list_t *paused = rd_kafka_topic_partition_list_new(partitions->cnt);
    for (int i = 0; i < partitions->cnt; i++) {
        const rd_kafka_topic_partition_t *entry = &partitions->elems[i];
        uint32_t topic = 0;
        struct source_track *track = source_track(source, entry->topic, entry->partition, &topic);
        if (track != NULL && track->paused) {
            track->paused = false;
            rd_kafka_topic_partition_list_add(paused, entry->topic, entry->partition);
        }
    }
    if (paused->cnt > 0) {
        rd_kafka_resume_partitions(source->client->rk, paused);
    }
    rd_kafka_topic_partition_list_destroy(paused);
}

static bool take_assignment(struct source *source, struct err *err)
{
    rd_kafka_t *rk = source->client->rk;
    if (client_settings_cooperative()) {
        return take_error(rd_kafka_incremental_unassign(rk, source->asked), err,
                          "stopping partitions");
    }
    rd_kafka_resp_err_t code = rd_kafka_assign(rk, NULL);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR || client_error_set(err, code, "stopping partitions");
}

/* More members than partitions: there is nothing to ask. */
static void take_nothing(rd_kafka_t *rk, const rd_kafka_topic_partition_list_t *none)
{
    if (client_settings_cooperative()) {
        rd_kafka_error_t *failed = rd_kafka_incremental_assign(rk, none);
        if (failed != NULL) {
            rd_kafka_error_destroy(failed);
        }
    } else {
        rd_kafka_assign(rk, none);
    }
}

/* -- the group asks -- */

void source_forget_asked(struct source *source)
{
    if (source->asked != NULL) {
        rd_kafka_topic_partition_list_destroy(source->asked);
    }
    source->asked = NULL;
    source->awaited = SOURCE_ANSWER_NONE;
}

static void ask(struct source *source, enum source_answer answer,
                rd_kafka_topic_partition_list_t *take_partitions, bool lost)
{
    source_forget_asked(source);
    source->asked = take_partitions;
    source->asked_lost = lost;
    source->awaited = answer;
    source->announced = false;
}

static void on_assign(struct source *source, const rd_kafka_topic_partition_list_t *partitions)
{
    source->statistics.rebalances++;
    if (!client_settings_cooperative()) { /* it is all that is ours now */
        rd_kafka_topic_partition_list_t *read = source_disown(source, NULL);
        unpause(source, read);
        rd_kafka_topic_partition_list_destroy(read);
    }
    source_own(source, partitions);
    ask(source, SOURCE_ANSWER_START, source_unanswered(source), false);
    if (source->asked->cnt == 0) {
        source_forget_asked(source);
        take_nothing(source->client->rk, partitions);
    }
}

/* Of what was never announced nobody needs to hear, and nobody would answer. */
static void on_revoke(struct source *source, const rd_kafka_topic_partition_list_t *partitions,
                      bool lost)
{
    bool all = !client_settings_cooperative();
    ask(source, SOURCE_ANSWER_STOP, source_disown(source, all ? NULL : partitions), lost);
    rd_kafka_topic_partition_list_t *heard = source_overtaken(source);
    if (heard->cnt == 0) {
        struct err err;
        if (!take_assignment(source, &err)) {
            log_failure(LOG_INFO, "kafka", &err, "source: what was taken back");
        }
        source_forget_asked(source);
    }
    rd_kafka_topic_partition_list_destroy(heard);
}

void source_on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t code,
                         rd_kafka_topic_partition_list_t *partitions, void *opaque)
{
    struct source *source = client_owner(opaque);
    rd_kafka_yield(rk); /* the poll ends here, so that the event goes out at once */
    if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        on_assign(source, partitions);
        return;
    }
    if (code != RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS) {
        log_warn("kafka", "source: rebalance: %s", rd_kafka_err2str(code));
    }
    on_revoke(source, partitions, rd_kafka_assignment_lost(rk) != 0);
}

static void add_assignment(struct source *source, struct source_batch *batch,
                           enum source_event_kind kind, bool lost,
                           const rd_kafka_topic_partition_list_t *list)
{
    size_t count = 0;
    struct source_partition *partitions =
        arena_alloc(batch->arena, (size_t)(list->cnt + 1) * sizeof(*partitions));
    for (int i = 0; i < list->cnt; i++) {
        uint32_t topic = 0;
        if (source_track(source, list->elems[i].topic, list->elems[i].partition, &topic) != NULL) {
            partitions[count++] = (struct source_partition){topic, list->elems[i].partition};
        }
    }
    struct source_event *event = source_batch_add_event(batch, kind);
    event->partitions = partitions;
    event->partition_count = count;
    event->lost = lost;
    source_hear(source, list, kind == SOURCE_ASSIGNED);
}

void source_announce(struct source *source, struct source_batch *batch)
{
    if (source->announced) {
        return;
    }
    rd_kafka_topic_partition_list_t *gone = source_overtaken(source);
    bool stops = source->awaited == SOURCE_ANSWER_STOP;
    bool starts = source->awaited == SOURCE_ANSWER_START;
    source->announced = true;
    if (gone->cnt > 0) {
        if (!stops) {
            log_warn("kafka", "source: the group did not wait: what it gave before begins anew");
        }
        add_assignment(source, batch, SOURCE_REVOKED, !stops || source->asked_lost, gone);
        source->announced = !starts; /* which comes with the next poll */
    } else if (starts) {
        add_assignment(source, batch, SOURCE_ASSIGNED, false, source->asked);
    }
    rd_kafka_topic_partition_list_destroy(gone);
}

bool source_rebalancing(const struct source *source)
{
    return source->awaited != SOURCE_ANSWER_NONE;
}

/* -- we answer -- */

static bool give_assignment(struct source *source,
                            const rd_kafka_topic_partition_list_t *partitions, struct err *err)
{
    rd_kafka_t *rk = source->client->rk;
    if (client_settings_cooperative()) {
        return take_error(rd_kafka_incremental_assign(rk, partitions), err, "starting partitions");
    }
    rd_kafka_resp_err_t code = rd_kafka_assign(rk, partitions);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR || client_error_set(err, code, "starting partitions");
}

static bool put_start(struct source *source, rd_kafka_topic_partition_list_t *list,
                      const struct source_start *start, struct err *err)
{
    if (start->partition.topic >= source->topic_count || start->offset < 0) {
        return err_set(err, ERR_INPUT, "a start names a topic or an offset that cannot be");
    }
    const char *topic = source->topics[start->partition.topic].name;
    rd_kafka_topic_partition_t *entry =
        rd_kafka_topic_partition_list_find(list, topic, start->partition.partition);
    if (entry == NULL || entry->offset >= 0) {
        return err_set(err, ERR_INPUT, "%s/%d was not assigned, or is started twice", topic,
                       (int)start->partition.partition);
    }
    entry->offset = start->offset;
#if RD_KAFKA_VERSION >= 0x020100ff
    rd_kafka_topic_partition_set_leader_epoch(entry, start->leader_epoch);
#endif
    return true;
}

static void begin_tracks(struct source *source, const struct source_start *starts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct source_track *track =
            &source->topics[starts[i].partition.topic].tracks[starts[i].partition.partition];
        track->started = true;
        track->at_end = false;
        track->next = starts[i].offset;
    }
}

bool source_start(struct source *source, const struct source_start *starts, size_t count,
                  struct err *err)
{
    if (source->awaited != SOURCE_ANSWER_START || !source->announced) {
        if (count == 0) {
            return true;
        }
        return err_set(err, ERR_INPUT, "no assignment waits for a start");
    }
    if (count != (size_t)source->asked->cnt) {
        return err_set(err, ERR_INPUT, "%zu starts for %d assigned partitions", count,
                       source->asked->cnt);
    }
    for (int i = 0; i < source->asked->cnt; i++) {
        source->asked->elems[i].offset = RD_KAFKA_OFFSET_INVALID;
    }
    for (size_t i = 0; i < count; i++) {
        TRY(put_start(source, source->asked, &starts[i], err));
    }
    TRY(give_assignment(source, source->asked, err));
    begin_tracks(source, starts, count);
    source_forget_asked(source);
    return true;
}

static bool list_starts(struct source *source, const struct source_start *starts, size_t count,
                        rd_kafka_topic_partition_list_t *list, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t topic = starts[i].partition.topic;
        int32_t partition = starts[i].partition.partition;
        if (topic >= source->topic_count || partition < 0) {
            return err_set(err, ERR_INPUT, "a start names a partition that cannot be");
        }
        const char *name = source->topics[topic].name;
        if (rd_kafka_topic_partition_list_find(list, name, partition) == NULL) {
            rd_kafka_topic_partition_list_add(list, name, partition);
        }
        TRY(put_start(source, list, &starts[i], err));
    }
    return true;
}

bool source_assign(struct source *source, const struct source_start *starts, size_t count,
                   struct err *err)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);
    bool done = list_starts(source, starts, count, list, err);
    if (done) {
        rd_kafka_resp_err_t code = rd_kafka_assign(source->client->rk, list);
        done = code == RD_KAFKA_RESP_ERR_NO_ERROR || client_error_set(err, code, "assigning");
    }
    for (int i = 0; done && i < list->cnt; i++) {
        uint32_t topic = 0;
        struct source_track *track =
            source_track(source, list->elems[i].topic, list->elems[i].partition, &topic);
        *track = (struct source_track){.owned = true,
                                       .started = true,
                                       .next = list->elems[i].offset,
                                       .high = -1,
                                       .stable = -1,
                                       .mirrored = -1};
    }
    rd_kafka_topic_partition_list_destroy(list);
    return done;
}

bool source_stop(struct source *source, struct err *err)
{
    if (source->awaited != SOURCE_ANSWER_STOP || !source->announced) {
        return true;
    }
    if (source->is_outdated) { /* with its client it goes by itself */
        source_forget_asked(source);
        return true;
    }
    unpause(source, source->asked);
    bool done = take_assignment(source, err);
    source_forget_asked(source);
    return done;
}

void source_abandon(struct source *source)
{
    if (source->asked == NULL) {
        return;
    }
    bool gives = source->awaited == SOURCE_ANSWER_START;
    for (int i = 0; i < source->asked->cnt; i++) {
        source->asked->elems[i].offset = RD_KAFKA_OFFSET_END; /* nothing is fetched meanwhile */
    }
    client_give_up(source->client->rk,
                   gives ? RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS
                         : RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS,
                   source->asked);
    source_forget_asked(source);
}

/* -- moving within what is ours -- */

static struct source_track *owned_track(struct source *source, struct source_partition partition)
{
    if (source_position(source, partition) < 0) {
        return NULL;
    }
    return &source->topics[partition.topic].tracks[partition.partition];
}

/* A partition that stands still after a position error takes no rd_kafka_seek: it must be assigned
 * anew. Eager assignments are replaced as a whole, so the others go on from their positions. */
static rd_kafka_topic_partition_list_t *all_started(struct source *source)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(16);
    for (size_t t = 0; t < source->topic_count; t++) {
        for (int32_t p = 0; p < source->topics[t].track_count; p++) {
            if (source->topics[t].tracks[p].started) {
                rd_kafka_topic_partition_list_add(list, source->topics[t].name, p)->offset =
                    source->topics[t].tracks[p].next;
                source->topics[t].tracks[p].at_end = false;
            }
        }
    }
    return list;
}

static void pause_again(struct source *source, const rd_kafka_topic_partition_list_t *started)
{
    rd_kafka_topic_partition_list_t *paused = rd_kafka_topic_partition_list_new(started->cnt);
    for (int i = 0; i < started->cnt; i++) {
        uint32_t topic = 0;
        struct source_track *track =
            source_track(source, started->elems[i].topic, started->elems[i].partition, &topic);
        if (track->paused) {
            rd_kafka_topic_partition_list_add(paused, started->elems[i].topic,
                                              started->elems[i].partition);
        }
    }
    if (paused->cnt > 0) {
        rd_kafka_pause_partitions(source->client->rk, paused);
    }
    rd_kafka_topic_partition_list_destroy(paused);
}

/* Each partition is taken out and put in again, which is the only way past a position error. */
static bool reassign(struct source *source, const rd_kafka_topic_partition_list_t *moved,
                     struct err *err)
{
    rd_kafka_t *rk = source->client->rk;
    rd_kafka_topic_partition_list_t *out = rd_kafka_topic_partition_list_copy(moved);
    for (int i = 0; i < out->cnt; i++) {
        out->elems[i].offset = RD_KAFKA_OFFSET_INVALID;
    }
    bool done = take_error(rd_kafka_incremental_unassign(rk, out), err, "seeking") &&
                take_error(rd_kafka_incremental_assign(rk, moved), err, "seeking");
    rd_kafka_topic_partition_list_destroy(out);
    return done;
}

/* Those of the starts that are ours. Nothing is changed when it is false. */
static bool list_moved(struct source *source, const struct source_start *starts, size_t count,
                       rd_kafka_topic_partition_list_t *moved, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        if (owned_track(source, starts[i].partition) != NULL && starts[i].offset >= 0) {
            const char *topic = source->topics[starts[i].partition.topic].name;
            int32_t partition = starts[i].partition.partition;
            if (rd_kafka_topic_partition_list_find(moved, topic, partition) == NULL) {
                rd_kafka_topic_partition_list_add(moved, topic, partition);
            }
            TRY(put_start(source, moved, &starts[i], err));
        }
    }
    return true;
}

bool source_seek(struct source *source, const struct source_start *starts, size_t count,
                 struct err *err)
{
    if (source_rebalancing(source)) {
        return err_set(err, ERR_TRANSIENT, "seeking: a rebalance is on");
    }
    rd_kafka_topic_partition_list_t *moved = rd_kafka_topic_partition_list_new((int)count);
    bool done = list_moved(source, starts, count, moved, err);
    for (int i = 0; done && i < moved->cnt; i++) {
        uint32_t topic = 0;
        struct source_track *track =
            source_track(source, moved->elems[i].topic, moved->elems[i].partition, &topic);
        track->next = moved->elems[i].offset;
        track->at_end = false;
    }
    if (done && moved->cnt > 0 && client_settings_cooperative()) {
        done = reassign(source, moved, err);
        pause_again(source, moved);
    } else if (done && moved->cnt > 0) {
        rd_kafka_topic_partition_list_t *all = all_started(source);
        done = give_assignment(source, all, err);
        pause_again(source, all);
        rd_kafka_topic_partition_list_destroy(all);
    }
    rd_kafka_topic_partition_list_destroy(moved);
    return done;
}

static bool set_paused(struct source *source, const struct source_partition *partitions,
                       size_t count, bool paused, struct err *err)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);
    for (size_t i = 0; i < count; i++) {
        struct source_track *track = owned_track(source, partitions[i]);
        /* Resuming what is not paused reads old records again (librdkafka 4636). */
        if (track != NULL && track->paused != paused) {
            track->paused = paused;
            rd_kafka_topic_partition_list_add(list, source->topics[partitions[i].topic].name,
                                              partitions[i].partition);
        }
    }
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
    if (list->cnt > 0) {
        code = paused ? rd_kafka_pause_partitions(source->client->rk, list)
                      : rd_kafka_resume_partitions(source->client->rk, list);
    }
    rd_kafka_topic_partition_list_destroy(list);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ||
           client_error_set(err, code, paused ? "pausing" : "resuming");
}

bool source_pause(struct source *source, const struct source_partition *partitions, size_t count,
                  struct err *err)
{
    return set_paused(source, partitions, count, true, err);
}

bool source_resume(struct source *source, const struct source_partition *partitions, size_t count,
                   struct err *err)
{
    return set_paused(source, partitions, count, false, err);
}

/* -- the mirror -- */

bool source_mirror_offsets(struct source *source, const struct source_offset *offsets, size_t count,
                           bool rewind, struct err *err)
{
    if (source_rebalancing(source)) {
        return err_set(err, ERR_TRANSIENT, "mirroring offsets: a rebalance is on");
    }
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);
    for (size_t i = 0; i < count; i++) {
        struct source_track *track = owned_track(source, offsets[i].partition);
        if (track != NULL && (rewind || offsets[i].offset > track->mirrored)) {
            track->mirrored = offsets[i].offset;
            rd_kafka_topic_partition_list_add(list, source->topics[offsets[i].partition.topic].name,
                                              offsets[i].partition.partition)
                ->offset = offsets[i].offset;
        }
    }
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
    if (list->cnt > 0) {
        code = rd_kafka_commit(source->client->rk, list, 1);
    }
    rd_kafka_topic_partition_list_destroy(list);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR || client_error_set(err, code, "mirroring offsets");
}

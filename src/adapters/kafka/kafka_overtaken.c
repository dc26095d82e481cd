/* What is ours, and what the poll thread has heard of it: they differ when a group does not wait.
 *
 * What happens: we are given partitions and have not answered yet, because where to start is not
 * known (their broker is gone); and the group goes on all the same, without a revoke in between:
 * librdkafka joins again at once when the metadata of a topic change (it grew, or was deleted).
 * What then follows depends on the protocol. Eager: an assignment of all that is ours, also after
 * an answer that came in the meantime; whatever is not in it is not ours any more. Cooperative:
 * what is new or taken away alone; what was given before is still ours, and as it was never given
 * to librdkafka, nobody reads it before it has its answer.
 *
 * Whoever heard that partitions are ours must hear that they are not, or are to be started anew, or
 * waits for them for ever. */
#include "adapters/kafka/kafka_source.h"

static rd_kafka_topic_partition_list_t *list_tracks(const struct source *source,
                                                    bool (*is)(const struct source_track *track))
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(16);
    for (size_t t = 0; t < source->topic_count; t++) {
        for (int32_t p = 0; p < source->topics[t].track_count; p++) {
            if (is(&source->topics[t].tracks[p])) {
                rd_kafka_topic_partition_list_add(list, source->topics[t].name, p);
            }
        }
    }
    return list;
}

static bool is_unanswered(const struct source_track *track)
{
    return track->owned && !track->started;
}

rd_kafka_topic_partition_list_t *source_unanswered(const struct source *source)
{
    return list_tracks(source, is_unanswered);
}

static bool is_overtaken(const struct source_track *track)
{
    return track->heard && !track->started;
}

rd_kafka_topic_partition_list_t *source_overtaken(const struct source *source)
{
    return list_tracks(source, is_overtaken);
}

void source_own(struct source *source, const rd_kafka_topic_partition_list_t *partitions)
{
    for (int i = 0; i < partitions->cnt; i++) {
        uint32_t topic = 0;
        struct source_track *track = source_track(source, partitions->elems[i].topic,
                                                  partitions->elems[i].partition, &topic);
        if (track != NULL) {
            *track = (struct source_track){.owned = true,
                                           .heard = track->heard,
                                           .next = -1,
                                           .high = -1,
                                           .stable = -1,
                                           .mirrored = -1};
        }
    }
}

rd_kafka_topic_partition_list_t *source_disown(struct source *source,
                                               const rd_kafka_topic_partition_list_t *partitions)
{
    rd_kafka_topic_partition_list_t *read = rd_kafka_topic_partition_list_new(16);
    for (size_t t = 0; t < source->topic_count; t++) {
        const char *name = source->topics[t].name;
        for (int32_t p = 0; p < source->topics[t].track_count; p++) {
            struct source_track *track = &source->topics[t].tracks[p];
            if (partitions != NULL &&
                rd_kafka_topic_partition_list_find(partitions, name, p) == NULL) {
                continue;
            }
            if (track->started) {
                rd_kafka_topic_partition_list_add(read, name, p);
            }
            track->owned = false;
            track->started = false;
            track->at_end = false;
        }
    }
    return read;
}

void source_hear(struct source *source, const rd_kafka_topic_partition_list_t *partitions,
                 bool heard)
{
    for (int i = 0; i < partitions->cnt; i++) {
        uint32_t topic = 0;
        struct source_track *track = source_track(source, partitions->elems[i].topic,
                                                  partitions->elems[i].partition, &topic);
        if (track != NULL) {
            track->heard = heard;
        }
    }
}

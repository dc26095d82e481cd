/* The tracks of the source: one for each partition of a topic, made when it is first met. */
#include <stdlib.h>
#include <string.h>

#include "adapters/kafka/kafka_source.h"

static int64_t find_topic(const struct source *source, const char *name)
{
    for (size_t i = 0; i < source->topic_count; i++) {
        if (strcmp(source->topics[i].name, name) == 0) {
            return (int64_t)i;
        }
    }
    return -1;
}

static void add_tracks(struct source_topic *topic, int32_t count)
{
    struct source_track *tracks = realloc(topic->tracks, (size_t)count * sizeof(*tracks));
    CHECK(tracks != NULL);
    for (int32_t i = topic->track_count; i < count; i++) {
        tracks[i] = (struct source_track){.next = -1, .high = -1, .stable = -1, .mirrored = -1};
    }
    topic->tracks = tracks;
    topic->track_count = count;
}

struct source_track *source_track(struct source *source, const char *topic, int32_t partition,
                                  uint32_t *ret_topic)
{
    int64_t index = find_topic(source, topic);
    if (index < 0 || partition < 0) {
        return NULL;
    }
    struct source_topic *found = &source->topics[index];
    if (partition >= found->track_count) {
        add_tracks(found, partition + 1);
    }
    *ret_topic = (uint32_t)index;
    return &found->tracks[partition];
}

int64_t source_position(const struct source *source, struct source_partition partition)
{
    if (partition.topic >= source->topic_count || partition.partition < 0 ||
        partition.partition >= source->topics[partition.topic].track_count) {
        return -1;
    }
    const struct source_track *track = &source->topics[partition.topic].tracks[partition.partition];
    return track->started ? track->next : -1;
}

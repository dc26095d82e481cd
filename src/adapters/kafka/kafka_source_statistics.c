/* What librdkafka's own report says about the prefetch queue and the lag. */
#include <string.h>

#include "adapters/kafka/kafka_source.h"
#include "core/base/json.h"

static int64_t number(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNumber(item) ? (int64_t)item->valuedouble : -1;
}

static void hear_partition(struct source *source, const char *topic, const cJSON *partition,
                           size_t *queue_bytes)
{
    int64_t number_of = number(partition, "partition");
    int64_t bytes = number(partition, "fetchq_size");
    if (number_of < 0 || number_of > INT32_MAX) {
        return; /* -1: records without a partition yet, in producers */
    }
    *queue_bytes += bytes > 0 ? (size_t)bytes : 0;
    uint32_t index = 0;
    struct source_track *track = source_track(source, topic, (int32_t)number_of, &index);
    if (track != NULL) {
        track->stable = number(partition, "ls_offset");
    }
}

int source_on_statistics(rd_kafka_t *rk, char *json, size_t size, void *opaque)
{
    (void)rk;
    struct source *source = client_owner(opaque);
    AUTO(json) cJSON *root = NULL;
    struct err err;
    if (!json_parse(bytes_of(json, size), &root, &err)) {
        return 0; /* the figures stay as they were */
    }
    size_t queue_bytes = 0;
    const cJSON *topic = NULL;
    cJSON_ArrayForEach(topic, cJSON_GetObjectItemCaseSensitive(root, "topics"))
    {
        const cJSON *partition = NULL;
        cJSON_ArrayForEach(partition, cJSON_GetObjectItemCaseSensitive(topic, "partitions"))
        {
            hear_partition(source, topic->string, partition, &queue_bytes);
        }
    }
    source->statistics.queue_bytes = queue_bytes;
    return 0; /* librdkafka frees the text */
}

void source_statistics(const struct source *source, struct source_statistics *ret_statistics)
{
    struct source_statistics statistics = source->statistics;
    statistics.lag = 0;
    statistics.assigned = 0;
    statistics.paused = 0;
    bool known = true;
    for (size_t t = 0; t < source->topic_count; t++) {
        for (int32_t p = 0; p < source->topics[t].track_count; p++) {
            const struct source_track *track = &source->topics[t].tracks[p];
            if (!track->owned) {
                continue;
            }
            statistics.assigned++;
            statistics.paused += track->paused ? 1 : 0;
            if (track->at_end) {
                continue;
            }
            if (!track->started || track->stable < 0) {
                known = false;
            } else if (track->stable > track->next) {
                statistics.lag += track->stable - track->next;
            }
        }
    }
    if (!known) {
        statistics.lag = -1;
    }
    *ret_statistics = statistics;
}

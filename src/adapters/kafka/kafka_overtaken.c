/* An assignment that the group did not wait for.
 *
 * What happens: we are given partitions and have not answered yet, because where to start is not
 * known (their broker is gone); and the group goes on all the same and gives us something else,
 * with no revoke in between (seen with librdkafka 2.0.2, when a topic grew while its broker died).
 * Whoever heard that the first ones are ours must hear that they are not, or waits for them for
 * ever. */
#include "adapters/kafka/kafka_source.h"

void source_disown(struct source *source, const rd_kafka_topic_partition_list_t *partitions)
{
    for (int i = 0; i < partitions->cnt; i++) {
        uint32_t topic = 0;
        struct source_track *track = source_track(source, partitions->elems[i].topic,
                                                  partitions->elems[i].partition, &topic);
        if (track != NULL) {
            track->owned = false;
            track->started = false;
            track->at_end = false;
        }
    }
}

void source_overtake(struct source *source)
{
    /* announced as ours; or to be announced as taken, which still has to be said */
    bool heard = source->awaited == SOURCE_ANSWER_START && source->announced;
    bool unheard = source->awaited == SOURCE_ANSWER_STOP && !source->announced;
    rd_kafka_topic_partition_list_t *asked = source->asked;
    if (heard || unheard) {
        source_disown(source, asked);
        if (source->overtaken == NULL) {
            source->overtaken = rd_kafka_topic_partition_list_new(asked->cnt);
        }
        for (int i = 0; i < asked->cnt; i++) {
            const char *topic = asked->elems[i].topic;
            int32_t partition = asked->elems[i].partition;
            if (rd_kafka_topic_partition_list_find(source->overtaken, topic, partition) == NULL) {
                rd_kafka_topic_partition_list_add(source->overtaken, topic, partition);
            }
        }
    }
    if (asked != NULL) {
        rd_kafka_topic_partition_list_destroy(asked);
    }
    source->asked = NULL;
    source->awaited = SOURCE_ANSWER_NONE;
}

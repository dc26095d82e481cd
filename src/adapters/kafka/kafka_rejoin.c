/* A member that fenced itself joins again with another client.
 *
 * What happens: no coordinator answers for the session's time (a broker that hangs, a network that
 * is cut), or nobody polls for too long. librdkafka then gives its member id up by itself, and
 * until it has joined again, heartbeats name the group.instance.id without the id that belongs to
 * it: a coordinator that is back takes them for a second process and says FENCED_INSTANCE_ID, which
 * is fatal for the handle (librdkafka 3437). Nobody else is there: a new handle joins under the
 * same group.instance.id, as a restarted process does.
 *
 * What can go wrong: there is another process after all. Then it is the other that is fenced by our
 * joining, without a session that ended before, and it ends: one of the two stays. */
#include <stddef.h>

#include "adapters/kafka/kafka_source.h"

bool source_fenced_itself(struct source *source, rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID && source->settings.member_id != NULL &&
           client_lost_session(source->client);
}

static void take_back(struct source *source, rd_kafka_topic_partition_list_t *list)
{
    for (size_t t = 0; t < source->topic_count; t++) {
        for (int32_t p = 0; p < source->topics[t].track_count; p++) {
            struct source_track *track = &source->topics[t].tracks[p];
            if (track->owned) {
                rd_kafka_topic_partition_list_add(list, source->topics[t].name, p);
            }
            *track = (struct source_track){.next = -1, .high = -1, .stable = -1, .mirrored = -1};
        }
    }
}

void source_outdate(struct source *source)
{
    /* What a revoke asked for is not owned any more, and must be answered, too. */
    rd_kafka_topic_partition_list_t *list = source->awaited == SOURCE_ANSWER_STOP
                                                ? rd_kafka_topic_partition_list_copy(source->asked)
                                                : rd_kafka_topic_partition_list_new(8);
    take_back(source, list);
    if (source->asked != NULL) {
        rd_kafka_topic_partition_list_destroy(source->asked);
    }
    bool any = list->cnt > 0;
    if (!any) {
        rd_kafka_topic_partition_list_destroy(list);
    }
    source->asked = any ? list : NULL;
    source->asked_lost = true;
    source->awaited = any ? SOURCE_ANSWER_STOP : SOURCE_ANSWER_NONE;
    source->announced = false;
    source->is_outdated = true;
}

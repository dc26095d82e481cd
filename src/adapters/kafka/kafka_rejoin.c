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

void source_outdate(struct source *source)
{
    /* A REVOKED that is out must be answered, too. */
    bool waits = source->awaited == SOURCE_ANSWER_STOP;
    for (size_t t = 0; t < source->topic_count; t++) {
        for (int32_t p = 0; p < source->topics[t].track_count; p++) {
            struct source_track *track = &source->topics[t].tracks[p];
            waits = waits || track->heard;
            *track = (struct source_track){
                .heard = track->heard, .next = -1, .high = -1, .stable = -1, .mirrored = -1};
        }
    }
    source_forget_asked(source);
    source->asked_lost = true;
    source->awaited = waits ? SOURCE_ANSWER_STOP : SOURCE_ANSWER_NONE;
    source->announced = false;
    source->is_outdated = true;
}

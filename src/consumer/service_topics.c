/* The ledger is made where it is missing; all others must be there. */
#include "consumer/service_topics.h"

#include "adapters/ledger.h"
#include "adapters/os/log.h"

enum {
    KAFKA_MS = 30 * 1000,
    SETTLE_MS = 5 * 1000, /* until all brokers know a topic that is new */
};

/* The ledger is made right, or refused with what to change. */
static bool check_ledger(struct cluster *cluster, const char *name, struct arena *arena,
                         const char **ret_id, struct err *err)
{
    struct cluster_topic topic;
    if (!ledger_check(cluster, name, KAFKA_MS, &topic, err)) {
        if (err->kind != ERR_MISSING) {
            return false;
        }
        TRY(ledger_create(cluster, name, KAFKA_MS, err));
        log_info("service", "made the ledger topic %s", name);
        TRY(ledger_await(cluster, name, SETTLE_MS, KAFKA_MS, &topic, err));
    }
    char *id = arena_zero(arena, CLUSTER_ID_TEXT_MAX);
    cluster_topic_id_text(topic.id, id);
    *ret_id = id;
    return true;
}

/* Where bad records go must be there before one comes. */
static bool check_letters(const struct settings *settings, struct cluster *cluster, struct err *err)
{
    const char *topic = settings->dead_letter.topic;
    bool done = settings->dead_letter.policy != DEAD_LETTER_TOPIC ||
                cluster_await_partitions(cluster, topic, SETTLE_MS, KAFKA_MS, err);
    if (!done && err->kind == ERR_MISSING) {
        err_set(err, ERR_SETTINGS,
                "there is no topic \"%s\" on %s: make it, or correct dead_letter.topic", topic,
                settings->kafka.brokers);
    }
    return done;
}

bool service_topics_check(const struct settings *settings, const struct cluster_settings *how,
                          struct arena *arena, const char **ids, const char **ret_ledger_id,
                          struct err *err)
{
    struct cluster *cluster = NULL;
    TRY(cluster_new(how, &cluster, err));
    const char *ledger = settings->kafka.ledger_topic != NULL
                             ? settings->kafka.ledger_topic
                             : ledger_topic_name(arena, settings->group);
    bool done = true;
    for (size_t i = 0; done && i < settings->topic_count; i++) {
        struct cluster_topic topic;
        done = cluster_await_topic(cluster, settings->topics[i].name, SETTLE_MS, KAFKA_MS, &topic,
                                   err);
        if (done) {
            char *id = arena_zero(arena, CLUSTER_ID_TEXT_MAX);
            cluster_topic_id_text(topic.id, id);
            ids[i] = id;
        } else if (err->kind == ERR_MISSING) {
            err_set(err, ERR_SETTINGS,
                    "there is no topic \"%s\" on %s: make it, or correct topics[%zu].name",
                    settings->topics[i].name, settings->kafka.brokers, i);
        }
    }
    done = done && check_letters(settings, cluster, err) &&
           check_ledger(cluster, ledger, arena, ret_ledger_id, err); /* last: it may be made here */
    cluster_free(cluster);
    return done;
}

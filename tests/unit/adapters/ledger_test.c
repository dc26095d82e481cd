/* Is a topic refused as a ledger for every wrong setting, each named with what to change? */
#include <criterion/criterion.h>
#include <string.h>

#include "adapters/ledger.h"

static const struct cluster_topic GOOD = {
    .partitions = 1,
    .replicas = 3,
    .cleanup_policy = "compact",
    .timestamp_type = "LogAppendTime",
    .min_insync_replicas = 2,
};

Test(ledger, takes_a_good_topic)
{
    struct err err = {0};
    cr_expect(ledger_check_description("l", &GOOD, &err), "%s", err.message);
    struct cluster_topic single = GOOD;
    single.replicas = 1;
    single.min_insync_replicas = 1;
    cr_expect(ledger_check_description("l", &single, &err), "%s", err.message);
}

/* A broker's defaults make a start read a week of the ledger; it works all the same. */
Test(ledger, advises_what_keeps_the_start_short)
{
    AUTO(buf) struct buf text;
    buf_init(&text, 1000);
    struct cluster_topic topic = GOOD;
    topic.segment_ms = 3600000;
    topic.segment_bytes = 16777216;
    topic.dirty_ratio = 0.1;
    topic.delete_retention_ms = 86400000;
    topic.max_message_bytes = 8388608;
    cr_expect_not(ledger_advice(&topic, &text), "%s", buf_text(&text));
    topic = GOOD; /* a cluster that tells nothing */
    cr_expect_not(ledger_advice(&topic, &text), "%s", buf_text(&text));
    topic.segment_ms = 604800000;
    topic.segment_bytes = 1073741824;
    topic.dirty_ratio = 0.5;
    topic.delete_retention_ms = 60000;
    topic.max_message_bytes = 100000;
    cr_expect(ledger_advice(&topic, &text));
    cr_expect_str_eq(buf_text(&text), "segment.ms is 604800000, better 3600000; segment.bytes is "
                                      "1073741824, better 16777216; min.cleanable.dirty.ratio is "
                                      "0.50, better 0.1; delete.retention.ms is 60000, better "
                                      "86400000; max.message.bytes is 100000, better 8388608");
}

Test(ledger, names_each_wrong_setting)
{
    static const char *const SAYS[] = {
        "partitions is 4, must be 1",
        "cleanup.policy is compact,delete, must be compact alone",
        "message.timestamp.type is CreateTime, must be LogAppendTime",
        "unclean.leader.election.enable is true, must be false",
        "min.insync.replicas is 1, must be at least 2 with 3 replicas",
        "min.insync.replicas is 4, must be at most the number of replicas",
    };
    for (int wrong = 0; wrong < (int)LENGTH_OF(SAYS); wrong++) {
        struct cluster_topic topic = GOOD;
        switch (wrong) {
        case 0:
            topic.partitions = 4;
            break;
        case 1:
            strcpy(topic.cleanup_policy, "compact,delete");
            break;
        case 2:
            strcpy(topic.timestamp_type, "CreateTime");
            break;
        case 3:
            topic.unclean_leader_election = true;
            break;
        case 4:
            topic.min_insync_replicas = 1;
            break;
        default:
            topic.min_insync_replicas = 4;
            break;
        }
        struct err err = {0};
        cr_expect_not(ledger_check_description("orders.coordination", &topic, &err));
        cr_expect_eq(err.kind, ERR_SETTINGS);
        cr_expect(strstr(err.message, SAYS[wrong]) != NULL, "%s", err.message);
        cr_expect(strstr(err.message, ";") == NULL, "only one is wrong: %s", err.message);
        cr_expect(strstr(err.message, "orders.coordination") != NULL);
    }
}

Test(ledger, names_all_at_once)
{
    struct cluster_topic topic = {.partitions = 12,
                                  .replicas = 3,
                                  .cleanup_policy = "delete",
                                  .timestamp_type = "CreateTime",
                                  .min_insync_replicas = 1,
                                  .unclean_leader_election = true};
    struct err err = {0};
    cr_expect_not(ledger_check_description("orders.coordination", &topic, &err));
    static const char *const NAMES[] = {"partitions", "cleanup.policy", "message.timestamp.type",
                                        "unclean.leader.election.enable", "min.insync.replicas"};
    for (size_t i = 0; i < LENGTH_OF(NAMES); i++) {
        cr_expect(strstr(err.message, NAMES[i]) != NULL, "%s: %s", NAMES[i], err.message);
    }
}

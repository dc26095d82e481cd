/* With three brokers: does the ledger lose nothing that it acknowledged, whichever broker is away?
 */
#include <string.h>

#include "adapters/leadership.h"
#include "tests/conformance/kafka_bed.h"
#include "tests/support/broker.h"

static const char *const TOPIC = "wide.coordination";

static struct ledger_settings settings_of(void)
{
    return (struct ledger_settings){.cluster = bed_settings(), .group = "wide"};
}

static void creates_with_replicas(void)
{
    struct err err;
    struct cluster_topic topic;
    int32_t brokers = 0;
    char id[CLUSTER_ID_TEXT_MAX];
    WORKS(cluster_identity(bed_cluster(), 20000, &brokers, id, &err));
    IS_NUMBER(brokers, 3);
    WORKS(ledger_create(bed_cluster(), TOPIC, 20000, &err));
    WORKS(ledger_check(bed_cluster(), TOPIC, 20000, &topic, &err));
    IS_NUMBER(topic.replicas, 3);
    IS_NUMBER(topic.min_insync_replicas, 2);
}

static void append_until_done(struct ledger_writer *writer, int number)
{
    struct err err;
    char key[16];
    snprintf(key, sizeof(key), "k%d", number);
    struct ledger_record record = {.key = bytes_of_text(key), .value = bytes_of_text("v")};
    int64_t deadline = bed_now_ms() + 2 * BED_WAIT_MS;
    while (!ledger_append(writer, &record, 1, 3000, NULL, &err)) {
        IS(err.kind == ERR_TRANSIENT || err.kind == ERR_AMBIGUOUS);
        IS(bed_now_ms() < deadline);
    }
}

static int count_keys(void)
{
    struct err err;
    struct ledger_settings settings = settings_of();
    struct ledger_reader *reader = NULL;
    struct ledger_batch batch = {0};
    bool seen[64] = {0};
    int count = 0;
    WORKS(ledger_reader_new(&settings, 0, &reader, &err));
    int64_t deadline = bed_now_ms() + 2 * BED_WAIT_MS;
    do {
        WORKS(ledger_read(reader, 500, &batch, &err));
        for (size_t i = 0; i < batch.count; i++) {
            int number = atoi((const char *)batch.records[i].key.data + 1);
            count += seen[number] ? 0 : 1;
            seen[number] = true;
        }
        IS(bed_now_ms() < deadline);
    } while (!batch.at_end);
    ledger_reader_free(reader);
    return count;
}

static void survives_each_broker(void)
{
    struct err err;
    struct ledger_settings settings = settings_of();
    struct ledger_writer *writer = NULL;
    WORKS(ledger_writer_new(&settings, &writer, &err));
    int number = 0;
    for (int node = 1; node <= 3; node++) {
        append_until_done(writer, number++);
        broker_kill(node);
        for (int i = 0; i < 3; i++) {
            append_until_done(writer, number++);
        }
        IS_NUMBER(count_keys(), number);
        broker_restart(node);
    }
    append_until_done(writer, number++);
    IS_NUMBER(count_keys(), number);
    ledger_writer_free(writer);
}

/* A leader goes on, or begins a new term, when brokers go. */
static void leads_through_a_loss(void)
{
    struct err err;
    struct leadership_settings settings = {.ledger = settings_of()};
    struct leadership *leadership = NULL;
    enum leadership_event event = LEADERSHIP_NONE;
    WORKS(leadership_new(&settings, &leadership, &err));
    int appended = 0;
    int terms = 0;
    int64_t deadline = bed_now_ms() + 4 * BED_WAIT_MS;
    bool elected = false;
    bool in_term = false;
    bool killed = false;
    while (appended < 20) {
        IS(bed_now_ms() < deadline);
        WORKS(leadership_poll(leadership, 50, &event, &err));
        elected = event == LEADERSHIP_NONE ? elected : event == LEADERSHIP_ELECTED;
        if (!elected) {
            in_term = false;
            continue;
        }
        if (!in_term) {
            in_term = leadership_begin_term(leadership, 5000, &err);
            terms += in_term ? 1 : 0;
            continue;
        }
        struct ledger_record record = {.key = bytes_of_text("k63"), .value = bytes_of_text("v")};
        if (leadership_append(leadership, &record, 1, 3000, NULL, &err)) {
            appended++;
        } else {
            in_term = err.kind == ERR_TRANSIENT;
        }
        if (appended == 5 && !killed) {
            killed = true;
            broker_kill(2);
        }
    }
    fprintf(stderr, "%d terms\n", terms);
    broker_restart(2);
    leadership_free(leadership, 10000);
}

int main(void)
{
    bed_start(3, NULL);
    STORY(creates_with_replicas);
    STORY(survives_each_broker);
    STORY(leads_through_a_loss);
    return 0;
}

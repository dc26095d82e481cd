/* Is the ledger one order for all who read it, and does an append say truly what became of it? */
#include <string.h>
#include <time.h>

#include "adapters/ledger.h"
#include "tests/conformance/kafka_bed.h"
#include "tests/support/broker.h"

static const char *const LEDGER_LIKE =
    "cleanup.policy=compact,message.timestamp.type=LogAppendTime";

static struct ledger_settings settings_of(const char *group, const char *topic)
{
    return (struct ledger_settings){.cluster = bed_settings(), .group = group, .topic = topic};
}

static struct ledger_record record(const char *key, const char *value)
{
    return (struct ledger_record){
        .key = bytes_of_text(key), .value = bytes_of_text(value), .is_tombstone = value == NULL};
}

/* All of a topic up to its end, as "key=value key=value"; "key" alone is a tombstone. */
static int64_t read_all(const char *topic, char *ret_text, size_t size, int64_t from)
{
    struct err err;
    struct ledger_settings settings = settings_of("g", topic);
    struct ledger_reader *reader = NULL;
    WORKS(ledger_reader_new(&settings, from, &reader, &err));
    struct ledger_batch batch = {0};
    int64_t deadline = bed_now_ms() + BED_WAIT_MS;
    int64_t last = -1;
    ret_text[0] = '\0';
    do {
        WORKS(ledger_read(reader, 500, &batch, &err));
        for (size_t i = 0; i < batch.count; i++) {
            const struct ledger_record *read = &batch.records[i];
            IS(read->offset > last);
            last = read->offset;
            size_t used = strlen(ret_text);
            snprintf(ret_text + used, size - used, "%s%.*s%s%.*s", used == 0 ? "" : " ",
                     (int)read->key.size, (const char *)read->key.data,
                     read->is_tombstone ? "" : "=", (int)read->value.size,
                     read->value.data == NULL ? "" : (const char *)read->value.data);
        }
        IS(bed_now_ms() < deadline);
    } while (!batch.at_end);
    ledger_reader_free(reader);
    return batch.next_offset;
}

static void keeps_order_and_values(void)
{
    bed_topic("order", 1, LEDGER_LIKE);
    struct err err;
    struct ledger_settings settings = settings_of("g", "order");
    struct ledger_writer *writer = NULL;
    WORKS(ledger_writer_new(&settings, &writer, &err));
    int64_t offset = -1;
    struct ledger_record first[] = {record("a", "1"), record("b", "2"), record("a", NULL)};
    WORKS(ledger_append(writer, first, 3, 20000, &offset, &err));
    IS_NUMBER(offset, 2);
    struct ledger_record second = record("c", "");
    WORKS(ledger_append(writer, &second, 1, 20000, &offset, &err));
    IS_NUMBER(offset, 3);
    WORKS(ledger_append(writer, &second, 1, 20000, NULL, &err));
    char text[256];
    IS_NUMBER(read_all("order", text, sizeof(text), 0), 5);
    IS(strcmp(text, "a=1 b=2 a c= c=") == 0);
    IS_NUMBER(read_all("order", text, sizeof(text), 3), 5);
    IS(strcmp(text, "c= c=") == 0);

    static char large[LEDGER_RECORD_BYTES_MAX + 1];
    memset(large, 'x', sizeof(large));
    struct ledger_record too_large = {.key = bytes_of_text("k"),
                                      .value = bytes_of(large, sizeof(large))};
    IS(!ledger_append(writer, &too_large, 1, 20000, NULL, &err) && err.kind == ERR_INPUT);
    too_large.value.size = LEDGER_RECORD_BYTES_MAX - 1;
    WORKS(ledger_append(writer, &too_large, 1, 20000, NULL, &err));
    IS(!ledger_append(writer, NULL, 0, 20000, NULL, &err) && err.kind == ERR_INPUT);
    ledger_writer_free(writer);
}

/* A record's time is the broker's, whatever the producer says. */
static void has_the_brokers_time(void)
{
    bed_topic("clock", 1, LEDGER_LIKE);
    bed_produce("clock", 0, 0, 1);
    struct err err;
    struct ledger_settings settings = settings_of("g", "clock");
    struct ledger_reader *reader = NULL;
    struct ledger_batch batch = {0};
    WORKS(ledger_reader_new(&settings, 0, &reader, &err));
    while (batch.count == 0) {
        WORKS(ledger_read(reader, 1000, &batch, &err));
    }
    int64_t now_ms = (int64_t)time(NULL) * 1000;
    IS(batch.records[0].timestamp_ms > now_ms - 60000 &&
       batch.records[0].timestamp_ms < now_ms + 60000);
    /* live: what is appended later comes by itself */
    WORKS(ledger_read(reader, 1000, &batch, &err));
    bed_produce("clock", 0, 1, 1);
    do {
        WORKS(ledger_read(reader, 1000, &batch, &err));
    } while (batch.count == 0);
    IS_NUMBER(batch.records[0].offset, 1);
    ledger_reader_free(reader);
}

static void hides_what_was_not_committed(void)
{
    bed_topic("hides", 1, LEDGER_LIKE);
    char text[256];
    rd_kafka_t *rk = bed_transactional("hides");
    IS(rd_kafka_begin_transaction(rk) == NULL);
    bed_send(rk, "hides", 0, "open");
    IS_NUMBER(read_all("hides", text, sizeof(text), 0), 0);
    IS(rd_kafka_abort_transaction(rk, BED_WAIT_MS) == NULL);
    IS(rd_kafka_begin_transaction(rk) == NULL);
    bed_send(rk, "hides", 0, "kept");
    IS(rd_kafka_commit_transaction(rk, BED_WAIT_MS) == NULL);
    while (read_all("hides", text, sizeof(text), 0) < 4) {
    }
    IS(strcmp(text, "key=kept") == 0);
    rd_kafka_destroy(rk);
}

/* The last value of each key stays, and nothing else need. */
static void survives_compaction(void)
{
    bed_topic("compacts", 1,
              "cleanup.policy=compact,segment.ms=100,min.cleanable.dirty.ratio=0.01,"
              "max.compaction.lag.ms=300,delete.retention.ms=0");
    struct err err;
    struct ledger_settings settings = settings_of("g", "compacts");
    struct ledger_writer *writer = NULL;
    WORKS(ledger_writer_new(&settings, &writer, &err));
    for (int i = 0; i < 30; i++) {
        struct ledger_record records[] = {record("a", i % 2 ? "odd" : "even"), record("b", "b")};
        WORKS(ledger_append(writer, records, 2, 20000, NULL, &err));
    }
    char text[8192];
    int64_t deadline = bed_now_ms() + BED_WAIT_MS;
    do {
        struct ledger_record roll = record("c", "c");
        WORKS(ledger_append(writer, &roll, 1, 20000, NULL, &err));
        read_all("compacts", text, sizeof(text), 0);
        IS(bed_now_ms() < deadline);
        /* what the cleaner has not come to yet may hold one older value more */
    } while (strlen(text) > 100 || strstr(text, "a=even") != NULL);
    IS(strstr(text, "a=odd") != NULL);
    IS(strstr(text, "b=b") != NULL);
    ledger_writer_free(writer);
}

static void refuses_wrong_topics(void)
{
    struct err err;
    struct cluster_topic topic;
    WORKS(ledger_create(bed_cluster(), "made", 20000, &err));
    WORKS(ledger_create(bed_cluster(), "made", 20000, &err));
    WORKS(ledger_check(bed_cluster(), "made", 20000, &topic, &err));
    IS_NUMBER(topic.partitions, 1);
    IS_NUMBER(topic.replicas, 1);
    IS(strcmp(topic.cleanup_policy, "compact") == 0);
    IS_NUMBER(cluster_topic_id_known(topic.id), rd_kafka_version() >= 0x020300ff);

    IS(!ledger_check(bed_cluster(), "absent", 20000, &topic, &err));
    IS_NUMBER(err.kind, ERR_MISSING);
    bed_topic("wrong", 3, "cleanup.policy=compact,unclean.leader.election.enable=true");
    IS(!ledger_check(bed_cluster(), "wrong", 20000, &topic, &err));
    IS_NUMBER(err.kind, ERR_SETTINGS);
    fprintf(stderr, "%s\n", err.message);
    IS(strstr(err.message, "partitions is 3, must be 1") != NULL);
    IS(strstr(err.message, "message.timestamp.type is CreateTime, must be LogAppendTime") != NULL);
    IS(strstr(err.message, "unclean.leader.election.enable is true, must be false") != NULL);
    IS(strstr(err.message, "cleanup.policy") == NULL);

    int32_t brokers = 0;
    char id[CLUSTER_ID_TEXT_MAX];
    WORKS(cluster_identity(bed_cluster(), 20000, &brokers, id, &err));
    IS_NUMBER(brokers, 1);
    IS_NUMBER(strlen(id), 22);
}

/* No answer is not a no: it may be in the log, and here it is, later. */
static void says_when_it_does_not_know(void)
{
    bed_topic("frozen", 1, LEDGER_LIKE);
    struct err err;
    struct ledger_settings settings = settings_of("g", "frozen");
    struct ledger_writer *writer = NULL;
    WORKS(ledger_writer_new(&settings, &writer, &err));
    struct ledger_record before = record("before", "1");
    WORKS(ledger_append(writer, &before, 1, 20000, NULL, &err));
    broker_pause(1);
    struct ledger_record lost = record("unknown", "2");
    int64_t start = bed_now_ms();
    IS(!ledger_append(writer, &lost, 1, 2000, NULL, &err));
    IS_NUMBER(err.kind, ERR_AMBIGUOUS);
    IS(bed_now_ms() - start < 4000);
    broker_resume(1);
    struct ledger_record after = record("after", "3");
    int64_t deadline = bed_now_ms() + BED_WAIT_MS;
    while (!ledger_append(writer, &after, 1, 5000, NULL, &err)) {
        IS(bed_now_ms() < deadline);
    }
    char text[256];
    read_all("frozen", text, sizeof(text), 0);
    fprintf(stderr, "%s\n", text);
    IS(strstr(text, "before=1") != NULL && strstr(text, "after=3") != NULL);
    ledger_writer_free(writer);
}

static void reads_on_after_a_crash(void)
{
    bed_topic("crash", 1, LEDGER_LIKE);
    struct err err;
    struct ledger_settings settings = settings_of("g", "crash");
    struct ledger_writer *writer = NULL;
    struct ledger_reader *reader = NULL;
    struct ledger_batch batch = {0};
    WORKS(ledger_writer_new(&settings, &writer, &err));
    WORKS(ledger_reader_new(&settings, 0, &reader, &err));
    struct ledger_record one = record("one", "1");
    WORKS(ledger_append(writer, &one, 1, 20000, NULL, &err));
    while (batch.next_offset < 1) {
        WORKS(ledger_read(reader, 500, &batch, &err));
    }
    broker_kill(1);
    IS(!ledger_append(writer, &one, 1, 1500, NULL, &err));
    IS(err.kind == ERR_AMBIGUOUS || err.kind == ERR_TRANSIENT);
    for (int i = 0; i < 5; i++) {
        WORKS(ledger_read(reader, 200, &batch, &err)); /* nothing comes, nothing fails */
        IS_NUMBER(batch.count, 0);
    }
    broker_restart(1);
    struct ledger_record two = record("two", "2");
    int64_t deadline = bed_now_ms() + BED_WAIT_MS;
    while (!ledger_append(writer, &two, 1, 5000, NULL, &err)) {
        IS(bed_now_ms() < deadline);
    }
    bool seen = false;
    while (!seen) {
        WORKS(ledger_read(reader, 500, &batch, &err));
        for (size_t i = 0; i < batch.count; i++) {
            seen = seen || bytes_equal(batch.records[i].key, bytes_of_text("two"));
        }
        IS(bed_now_ms() < deadline);
    }
    ledger_reader_free(reader);
    ledger_writer_free(writer);
}

/* A ledger that is made again under the reader is not read on as if it were the same. */
static void notices_a_new_ledger(void)
{
    bed_topic("again", 1, LEDGER_LIKE);
    bed_produce("again", 0, 0, 20);
    struct err err;
    struct ledger_settings settings = settings_of("g", "again");
    struct ledger_reader *reader = NULL;
    struct ledger_batch batch = {0};
    WORKS(ledger_reader_new(&settings, 0, &reader, &err));
    while (batch.next_offset < 20) {
        WORKS(ledger_read(reader, 500, &batch, &err));
    }
    bed_delete_topic("again");
    int64_t deadline = bed_now_ms() + BED_WAIT_MS;
    struct cluster_new_topic topic = {.name = "again", .partitions = 1, .replicas = 1};
    while (!cluster_create_topic(bed_cluster(), &topic, 5000, NULL, &err)) {
        IS(bed_now_ms() < deadline);
    }
    bed_produce("again", 0, 0, 3);
    while (ledger_read(reader, 500, &batch, &err)) {
        IS_NUMBER(batch.count, 0);
        IS(bed_now_ms() < deadline + BED_WAIT_MS);
    }
    fprintf(stderr, "%s\n", err.message);
    IS_NUMBER(err.kind, ERR_CORRUPT);
    ledger_reader_free(reader);
}

int main(void)
{
    bed_start(1, NULL);
    STORY(keeps_order_and_values);
    STORY(has_the_brokers_time);
    STORY(hides_what_was_not_committed);
    STORY(survives_compaction);
    STORY(refuses_wrong_topics);
    STORY(notices_a_new_ledger);
    STORY(says_when_it_does_not_know);
    STORY(reads_on_after_a_crash);
    return 0;
}

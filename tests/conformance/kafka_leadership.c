/* Is there one leader, and can one that was replaced still write? */
#include <string.h>

#include "adapters/leadership.h"
#include "tests/conformance/kafka_bed.h"
#include "tests/support/broker.h"

static const char *const LEDGER_LIKE =
    "cleanup.policy=compact,message.timestamp.type=LogAppendTime";

struct candidate {
    struct leadership *leadership;
    int elected;
    int unelected;
};

static void open_candidate(struct candidate *candidate, const char *group, int max_poll_ms)
{
    struct err err;
    *candidate = (struct candidate){0};
    struct leadership_settings settings = {
        .ledger = {.cluster = bed_settings(), .group = group},
        .session_timeout_ms = 6000,
        .max_poll_interval_ms = max_poll_ms,
        .transaction_timeout_ms = 10000,
    };
    WORKS(leadership_new(&settings, &candidate->leadership, &err));
}

static void close_candidate(struct candidate *candidate)
{
    candidate->leadership = leadership_free(candidate->leadership, 10000);
}

static void poll(struct candidate *candidate, int timeout_ms)
{
    struct err err;
    enum leadership_event event = LEADERSHIP_NONE;
    WORKS(leadership_poll(candidate->leadership, timeout_ms, &event, &err));
    candidate->elected += event == LEADERSHIP_ELECTED ? 1 : 0;
    candidate->unelected += event == LEADERSHIP_UNELECTED ? 1 : 0;
}

static bool leads(const struct candidate *candidate)
{
    return candidate->elected > candidate->unelected;
}

/* Polls those that are open until the condition. */
#define CANDIDATES_UNTIL(a, b, condition)                                                          \
    do {                                                                                           \
        int64_t until_ = bed_now_ms() + 2 * BED_WAIT_MS;                                           \
        while (!(condition)) {                                                                     \
            if ((a)->leadership != NULL) {                                                         \
                poll(a, 50);                                                                       \
            }                                                                                      \
            if ((b)->leadership != NULL) {                                                         \
                poll(b, 50);                                                                       \
            }                                                                                      \
            if (bed_now_ms() > until_) {                                                           \
                fprintf(stderr, "%s:%d: never: %s\n", __FILE__, __LINE__, #condition);             \
                exit(1);                                                                           \
            }                                                                                      \
        }                                                                                          \
    } while (0)

static struct ledger_record record(const char *key, const char *value)
{
    return (struct ledger_record){.key = bytes_of_text(key), .value = bytes_of_text(value)};
}

static void begin(struct candidate *candidate)
{
    struct err err;
    int64_t deadline = bed_now_ms() + BED_WAIT_MS;
    while (!leadership_begin_term(candidate->leadership, 15000, &err)) {
        fprintf(stderr, "%s: %s\n", err_kind_name(err.kind), err.message);
        IS(err.kind == ERR_TRANSIENT);
        IS(bed_now_ms() < deadline);
        poll(candidate, 100);
    }
}

static void read_all(const char *topic, char *ret_text, size_t size)
{
    struct err err;
    struct ledger_settings settings = {
        .cluster = bed_settings(), .group = "reader", .topic = topic};
    struct ledger_reader *reader = NULL;
    struct ledger_batch batch = {0};
    WORKS(ledger_reader_new(&settings, 0, &reader, &err));
    ret_text[0] = '\0';
    do {
        WORKS(ledger_read(reader, 500, &batch, &err));
        for (size_t i = 0; i < batch.count; i++) {
            size_t used = strlen(ret_text);
            snprintf(ret_text + used, size - used, "%s%.*s", used == 0 ? "" : " ",
                     (int)batch.records[i].value.size, (const char *)batch.records[i].value.data);
        }
    } while (!batch.at_end);
    ledger_reader_free(reader);
}

static void read_until(const char *topic, const char *last, char *ret_text, size_t size)
{
    int64_t deadline = bed_now_ms() + BED_WAIT_MS;
    do {
        read_all(topic, ret_text, size);
        IS(bed_now_ms() < deadline);
    } while (strstr(ret_text, last) == NULL);
}

static void appends_in_transactions(void)
{
    bed_topic("solo.coordination", 1, LEDGER_LIKE);
    struct candidate a;
    struct candidate none = {0};
    struct err err;
    open_candidate(&a, "solo", 0);
    struct ledger_record one = record("k", "too-early");
    IS(!leadership_append(a.leadership, &one, 1, 5000, NULL, &err) && err.kind == ERR_CONFLICT);
    IS(!leadership_begin_term(a.leadership, 5000, &err) && err.kind == ERR_CONFLICT);
    CANDIDATES_UNTIL(&a, &none, leads(&a));
    IS(!leadership_append(a.leadership, &one, 1, 5000, NULL, &err) && err.kind == ERR_CONFLICT);
    begin(&a);
    struct ledger_record records[] = {record("leader", "L1"), record("k", "x"), record("k", "y")};
    int64_t offset = -1;
    WORKS(leadership_append(a.leadership, records, 3, 10000, &offset, &err));
    IS_NUMBER(offset, 2);
    WORKS(leadership_append(a.leadership, &records[1], 1, 10000, &offset, &err));
    IS_NUMBER(offset, 4); /* a marker lies between */
    IS(!leadership_append(a.leadership, NULL, 0, 10000, &offset, &err) && err.kind == ERR_INPUT);
    begin(&a); /* a second term of the same process */
    WORKS(leadership_append(a.leadership, &records[2], 1, 10000, &offset, &err));
    leadership_end_term(a.leadership);
    IS(!leadership_append(a.leadership, &records[2], 1, 10000, &offset, &err));
    char text[256];
    read_all("solo.coordination", text, sizeof(text));
    IS(strcmp(text, "L1 x y x y") == 0);

    /* resigned and back */
    WORKS(leadership_resign(a.leadership, &err));
    IS(!leadership_append(a.leadership, &one, 1, 5000, NULL, &err) && err.kind == ERR_CONFLICT);
    CANDIDATES_UNTIL(&a, &none, !leads(&a));
    for (int i = 0; i < 10; i++) {
        poll(&a, 100);
    }
    IS_NUMBER(a.elected, 1);
    WORKS(leadership_run(a.leadership, &err));
    CANDIDATES_UNTIL(&a, &none, a.elected == 2);
    begin(&a);
    WORKS(leadership_append(a.leadership, records, 1, 10000, &offset, &err));
    close_candidate(&a);
}

/* Never two at once among those that poll; a clean end hands over at once. */
static void elects_one_of_three(void)
{
    bed_topic("three.coordination", 1, LEDGER_LIKE);
    struct candidate three[3];
    for (int i = 0; i < 3; i++) {
        open_candidate(&three[i], "three", 0);
    }
    int64_t end = bed_now_ms() + 8000;
    while (bed_now_ms() < end) {
        for (int i = 0; i < 3; i++) {
            poll(&three[i], 20);
        }
    }
    int leader = -1;
    for (int i = 0; i < 3; i++) {
        if (leads(&three[i])) {
            IS_NUMBER(leader, -1);
            leader = i;
        }
    }
    IS(leader >= 0);
    close_candidate(&three[leader]);
    int64_t start = bed_now_ms();
    struct candidate *b = &three[(leader + 1) % 3];
    struct candidate *c = &three[(leader + 2) % 3];
    CANDIDATES_UNTIL(b, c, leads(b) != leads(c));
    fprintf(stderr, "handed over in %d ms\n", (int)(bed_now_ms() - start));
    IS(bed_now_ms() - start < 5000);
    close_candidate(b);
    close_candidate(c);
}

/* The one that stopped polling believes that it leads: its fence is the transactional id. */
static void fences_a_zombie(void)
{
    bed_topic("zombie.coordination", 1, LEDGER_LIKE);
    struct candidate a;
    struct candidate b;
    struct err err;
    char text[256];
    open_candidate(&a, "zombie", 7000);
    b = (struct candidate){0};
    CANDIDATES_UNTIL(&a, &b, leads(&a));
    begin(&a);
    struct ledger_record first = record("leader", "A1");
    WORKS(leadership_append(a.leadership, &first, 1, 10000, NULL, &err));

    struct candidate asleep = a;
    a.leadership = NULL;
    open_candidate(&b, "zombie", 0);
    CANDIDATES_UNTIL(&a, &b, leads(&b));
    begin(&b);
    struct ledger_record second = record("leader", "B1");
    WORKS(leadership_append(b.leadership, &second, 1, 10000, NULL, &err));

    /* it wakes in the middle of a decision */
    IS(leads(&asleep));
    struct ledger_record late = record("commit", "ZOMBIE");
    IS(!leadership_append(asleep.leadership, &late, 1, 10000, NULL, &err));
    fprintf(stderr, "%s: %s\n", err_kind_name(err.kind), err.message);
    IS_NUMBER(err.kind, ERR_FENCED);
    IS(!leadership_append(asleep.leadership, &late, 1, 10000, NULL, &err));
    IS_NUMBER(err.kind, ERR_CONFLICT);
    /* and may not fence its successor on the strength of an old election (R22) */
    IS(!leadership_begin_term(asleep.leadership, 10000, &err));
    fprintf(stderr, "%s: %s\n", err_kind_name(err.kind), err.message);
    IS_NUMBER(err.kind, ERR_CONFLICT);
    WORKS(leadership_append(b.leadership, &second, 1, 10000, NULL, &err));
    read_until("zombie.coordination", "B1 B1", text, sizeof(text));
    IS(strcmp(text, "A1 B1 B1") == 0);

    a = asleep;
    CANDIDATES_UNTIL(&a, &b, a.unelected == 1);
    close_candidate(&b);
    CANDIDATES_UNTIL(&a, &b, leads(&a));
    begin(&a);
    close_candidate(&a);
}

/* The open transaction of a leader that died ends when the next term begins, and is never seen. */
static void ends_the_open_transaction(void)
{
    bed_topic("open.coordination", 1, LEDGER_LIKE);
    rd_kafka_t *dead = bed_transactional("open.leader");
    IS(rd_kafka_begin_transaction(dead) == NULL);
    bed_send(dead, "open.coordination", 0, "HALF");
    struct candidate a;
    struct candidate none = {0};
    struct err err;
    open_candidate(&a, "open", 0);
    CANDIDATES_UNTIL(&a, &none, leads(&a));
    int64_t start = bed_now_ms();
    begin(&a);
    IS(bed_now_ms() - start < 8000); /* not by the transaction's time-out, which is a minute */
    struct ledger_record first = record("leader", "A1");
    WORKS(leadership_append(a.leadership, &first, 1, 10000, NULL, &err));
    rd_kafka_error_t *refused = rd_kafka_commit_transaction(dead, 5000);
    IS(refused != NULL && rd_kafka_error_is_fatal(refused));
    rd_kafka_error_destroy(refused);
    rd_kafka_destroy(dead);
    char text[256];
    read_until("open.coordination", "A1", text, sizeof(text));
    IS(strcmp(text, "A1") == 0);
    close_candidate(&a);
}

/* R19: after silence only the next term knows. */
static void says_when_it_does_not_know(void)
{
    bed_topic("silent.coordination", 1, LEDGER_LIKE);
    struct candidate a;
    struct candidate none = {0};
    struct err err;
    char text[256];
    open_candidate(&a, "silent", 0);
    CANDIDATES_UNTIL(&a, &none, leads(&a));
    begin(&a);
    struct ledger_record first = record("leader", "A1");
    WORKS(leadership_append(a.leadership, &first, 1, 10000, NULL, &err));
    broker_pause(1);
    int64_t start = bed_now_ms();
    struct ledger_record lost = record("commit", "LOST");
    IS(!leadership_append(a.leadership, &lost, 1, 3000, NULL, &err));
    fprintf(stderr, "%s: %s (%d ms)\n", err_kind_name(err.kind), err.message,
            (int)(bed_now_ms() - start));
    IS(bed_now_ms() - start < 6000);
    /* the records were never acknowledged, so no commit was asked for: it cannot count */
    IS(err.kind == ERR_TRANSIENT || err.kind == ERR_FENCED);
    start = bed_now_ms();
    IS(!leadership_begin_term(a.leadership, 2000, &err));
    fprintf(stderr, "%s: %s (%d ms)\n", err_kind_name(err.kind), err.message,
            (int)(bed_now_ms() - start));
    IS(err.kind == ERR_TRANSIENT && bed_now_ms() - start < 5000);
    broker_resume(1);
    int64_t deadline = bed_now_ms() + 2 * BED_WAIT_MS;
    for (;;) {
        poll(&a, 200);
        if (leads(&a) && leadership_begin_term(a.leadership, 15000, &err)) {
            break;
        }
        IS(bed_now_ms() < deadline);
    }
    struct ledger_record again = record("leader", "A2");
    WORKS(leadership_append(a.leadership, &again, 1, 15000, NULL, &err));
    read_until("silent.coordination", "A2", text, sizeof(text));
    IS(strcmp(text, "A1 A2") == 0);
    close_candidate(&a);
}

/* One who begins a term as often as it must, as R22 says. */
static void lead(struct candidate *a)
{
    struct err err;
    int64_t deadline = bed_now_ms() + 2 * BED_WAIT_MS;
    do {
        poll(a, 50);
        IS(bed_now_ms() < deadline);
    } while (!leads(a) || !leadership_begin_term(a->leadership, 5000, &err));
}

static int times_in(const char *text, int number)
{
    char word[16];
    snprintf(word, sizeof(word), "<%d>", number);
    int count = 0;
    for (const char *at = text; (at = strstr(at, word)) != NULL; at++) {
        count++;
    }
    return count;
}

/* Whatever moment the broker falls silent in: what was said of an append is true. */
static void never_lies(void)
{
    enum { ROUNDS = 6, APPENDS_MAX = 20000 };
    static enum err_kind said[APPENDS_MAX];
    static char text[APPENDS_MAX * 9];
    bed_topic("truth.coordination", 1, LEDGER_LIKE);
    struct candidate a;
    struct err err;
    int count = 0;
    int kinds[ERR_STOPPED + 1] = {0};
    open_candidate(&a, "truth", 0);
    for (int round = 0; round < ROUNDS; round++) {
        lead(&a);
        broker_blink(1, 300 + 37 * round, 2500);
        int64_t end = bed_now_ms() + 2000;
        while (bed_now_ms() < end && count < APPENDS_MAX) {
            char value[16];
            snprintf(value, sizeof(value), "<%d>", count);
            struct ledger_record next = record("k", value);
            bool done = leadership_append(a.leadership, &next, 1, 800, NULL, &err);
            said[count] = done ? ERR_NONE : err.kind;
            kinds[said[count]]++;
            count++;
            if (!done && err.kind != ERR_TRANSIENT) {
                break;
            }
        }
    }
    lead(&a);
    struct ledger_record last = record("k", "last");
    WORKS(leadership_append(a.leadership, &last, 1, 20000, NULL, &err));
    read_until("truth.coordination", "last", text, sizeof(text));
    for (int i = 0; i < count; i++) {
        int times = times_in(text, i);
        if (said[i] == ERR_NONE) {
            IS_NUMBER(times, 1);
        } else if (said[i] == ERR_TRANSIENT || said[i] == ERR_CONFLICT) {
            IS_NUMBER(times, 0);
        } else {
            IS(said[i] == ERR_AMBIGUOUS || said[i] == ERR_FENCED);
            IS(times <= 1);
            fprintf(stderr, "%s was there %d times\n", err_kind_name(said[i]), times);
        }
    }
    fprintf(stderr, "%d appends: %d done, %d transient, %d ambiguous, %d fenced\n", count,
            kinds[ERR_NONE], kinds[ERR_TRANSIENT], kinds[ERR_AMBIGUOUS], kinds[ERR_FENCED]);
    IS(kinds[ERR_NONE] > 0 && count > kinds[ERR_NONE]);
    close_candidate(&a);
}

int main(void)
{
    bed_start(1, NULL);
    STORY(appends_in_transactions);
    STORY(elects_one_of_three);
    STORY(fences_a_zombie);
    STORY(ends_the_open_transaction);
    STORY(says_when_it_does_not_know);
    STORY(never_lies);
    return 0;
}

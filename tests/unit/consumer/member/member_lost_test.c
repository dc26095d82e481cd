/* Does a lost position keep what else is read from being said, while a broker is away? The brokers
 * are a few lines here. */
#include <criterion/criterion.h>

#include "consumer/intake/intake.h"
#include "consumer/member/member_command.h"
#include "tests/support/query_stub.h"

static enum err_kind answer; /* of all that is asked */

bool source_query_partitions(struct source_query *query, int timeout_ms, int32_t *ret_counts,
                             struct err *err)
{
    (void)query;
    (void)timeout_ms;
    (void)ret_counts;
    return err_set(err, ERR_TRANSIENT, "not asked here");
}

bool source_query_starts(struct source_query *query, enum source_start_kind kind, int64_t time_ms,
                         struct source_start *starts, size_t count, int timeout_ms, struct err *err)
{
    (void)query;
    (void)kind;
    (void)time_ms;
    (void)starts;
    (void)count;
    (void)timeout_ms;
    return err_set(err, ERR_TRANSIENT, "not asked here");
}

bool source_query_mirrored(struct source_query *query, struct source_offset *offsets, size_t count,
                           int timeout_ms, struct err *err)
{
    (void)query;
    (void)offsets;
    (void)count;
    (void)timeout_ms;
    return err_set(err, ERR_TRANSIENT, "not asked here");
}

bool source_query_records(struct source_query *query, struct source_record *records, size_t count,
                          source_record_fn *take, void *context, int timeout_ms,
                          const atomic_bool *stop, struct err *err)
{
    (void)query;
    (void)records;
    (void)count;
    (void)take;
    (void)context;
    (void)timeout_ms;
    (void)stop;
    return err_set(err, ERR_TRANSIENT, "not asked here");
}

bool source_query_ends(struct source_query *query, int timeout_ms, struct arena *arena,
                       struct source_ends **ret_ends, size_t *ret_count, struct err *err)
{
    (void)timeout_ms;
    (void)arena;
    (void)ret_ends;
    (void)ret_count;
    query->asked++;
    return err_set(err, answer, "no leader");
}

/* Partition 1 of three is lost at 20. */
static struct {
    struct member_thread_settings settings;
    struct member_hands hands;
    struct member_reading readings[3];
    size_t count;
} at;

static const char *const topics[] = {"t"};

static void read_three(void)
{
    at.count = LENGTH_OF(at.readings);
    for (int32_t p = 0; p < (int32_t)at.count; p++) {
        at.readings[p] = (struct member_reading){
            .id = {"t", p}, .position = 20, .lost_to = p == 1 ? INTAKE_LOST : 0};
    }
}

static void open_hands(void)
{
    brokers.asked = 0;
    answer = ERR_TRANSIENT;
    at.settings = (struct member_thread_settings){
        .source = {.topics = topics, .topic_count = LENGTH_OF(topics)}};
    at.hands = (struct member_hands){
        .settings = &at.settings, .query = &brokers, .arena = arena_new(1024)};
    read_three();
}

static void close_hands(void)
{
    arena_free(at.hands.arena);
}

TestSuite(member_lost, .init = open_hands, .fini = close_hands);

Test(member_lost, what_others_read_is_said_while_brokers_are_away)
{
    struct err err;
    for (int mail = 0; mail < 3; mail++) {
        read_three();
        cr_assert(member_hands_find_lost(&at.hands, at.readings, &at.count, &err));
        cr_assert_eq(at.count, 2);
        cr_expect_eq(at.readings[0].id.number, 0);
        cr_expect_eq(at.readings[1].id.number, 2);
    }
    cr_expect_eq(brokers.asked, 1, "each question may last until it times out");
}

Test(member_lost, who_may_not_ask_ends)
{
    struct err err;
    answer = ERR_SETTINGS;
    cr_assert_not(member_hands_find_lost(&at.hands, at.readings, &at.count, &err));
    cr_expect_eq(err.kind, ERR_SETTINGS);
}

/* What the CLOSE names goes with the order to seal, but for topics that are not read here. */
Test(member_lost, a_seal_takes_the_records_of_the_close_with_it)
{
    struct topic_witness said[] = {{{"t", 2}, {7, 99}}, {{"u", 0}, {1, 1}}};
    struct member_command command = {.kind = MEMBER_SEAL,
                                     .seal = {.witnesses = said, .witness_count = 2}};
    struct mail *mail = mail_new(MAIL_SEAL);
    member_hands_records(&at.hands, &command, mail);
    cr_assert_eq(mail->seal.record_count, 1);
    const struct intake_look *look = &mail->seal.records[0];
    cr_expect_eq(look->partition.partition, 2);
    cr_expect_str_eq(look->log.topic, "t");
    cr_expect_eq(look->log.number, 2);
    cr_expect_null(look->log.head_run);
    cr_assert_eq(look->witnesses.count, 1);
    cr_expect_eq(look->witnesses.list[0].hash, 99);
    mail_free(mail);
}

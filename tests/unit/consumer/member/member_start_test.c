/* Where do partitions begin to be read, while the brokers do not say, or say it later? The brokers
 * are a few lines here. */
#include <criterion/criterion.h>

#include "adapters/os/queue.h"
#include "consumer/member/member_command.h"
#include "tests/support/one_member.h"
#include "tests/support/query_stub.h"

enum { FIRST_OFFSET = 5 /* of the log; a partition's number is added */ };

static struct {
    struct member_thread_settings settings;
    struct member_hands hands;
    bool away; /* the brokers */
} at;

bool source_query_starts(struct source_query *query, enum source_start_kind kind, int64_t time_ms,
                         struct source_start *starts, size_t count, int timeout_ms, struct err *err)
{
    (void)time_ms;
    (void)timeout_ms;
    query->asked++;
    if (at.away) {
        return err_set(err, ERR_TRANSIENT, "no leader");
    }
    cr_assert_eq(kind, SOURCE_EARLIEST);
    for (size_t i = 0; i < count; i++) {
        starts[i].offset = FIRST_OFFSET + starts[i].partition.partition;
    }
    return true;
}

bool source_query_ends(struct source_query *query, int timeout_ms, struct arena *arena,
                       struct source_ends **ret_ends, size_t *ret_count, struct err *err)
{
    (void)query;
    (void)timeout_ms;
    (void)arena;
    (void)ret_ends;
    (void)ret_count;
    return err_set(err, ERR_TRANSIENT, "not asked here");
}

static void open_hands(void)
{
    static const char *const topics[] = {"a"};
    one_member_open();
    brokers.asked = 0;
    at.away = false;
    at.settings = (struct member_thread_settings){
        .source = {.topics = topics, .topic_count = LENGTH_OF(topics)},
        .start = SOURCE_EARLIEST,
        .intake = queue_new(10),
        .poll = queue_new(10)};
    at.hands = (struct member_hands){
        .settings = &at.settings, .member = member, .query = &brokers, .arena = arena_new(1024)};
}

static void close_hands(void)
{
    cr_expect_null(mail_next(at.settings.intake, 0), "nothing else was sent");
    cr_expect_null(mail_next(at.settings.poll, 0), "nothing else was sent");
    queue_free(at.settings.intake);
    queue_free(at.settings.poll);
    free(at.hands.waiting);
    free(at.hands.seeks);
    arena_free(at.hands.arena);
    one_member_close();
}

TestSuite(member_start, .init = open_hands, .fini = close_hands);

static void start_at(int32_t partition, int64_t offset)
{
    struct member_command command = {.kind = MEMBER_START_PARTITION};
    command.start.id = (struct partition_id){"a", partition};
    command.start.offset = offset;
    command.start.leader_epoch = -1;
    member_hands_start(&at.hands, &command);
}

static void stop(int32_t partition)
{
    struct member_command command = {.kind = MEMBER_STOP_PARTITION};
    command.stop = (struct partition_id){"a", partition};
    member_hands_stop(&at.hands, &command);
}

static void expect_start(struct queue *queue, enum mail_kind kind, int32_t partition,
                         int64_t offset)
{
    struct mail *mail = mail_next(queue, 0);
    cr_assert_not_null(mail);
    cr_expect_eq(mail->kind, kind);
    cr_expect_eq(mail->start.partition.partition, partition);
    cr_expect_eq(mail->start.offset, offset);
    mail_free(mail);
}

static void expect_stop(int32_t partition)
{
    struct mail *mail = mail_next(at.settings.intake, 0);
    cr_assert_not_null(mail);
    cr_expect_eq(mail->kind, MAIL_STOP);
    cr_expect_eq(mail->stop.partition, partition);
    mail_free(mail);
}

/* The group gives partitions 0 and 1. */
static void assign_two(void)
{
    struct source_partition partitions[] = {{.partition = 0}, {.partition = 1}};
    struct mail *mail = mail_new(MAIL_ASSIGNED);
    mail->partitions.partitions = partitions;
    mail->partitions.count = LENGTH_OF(partitions);
    member_hands_assignment(&at.hands, mail, true);
    mail_free(mail);
}

static void expect_fetch(int64_t first, int64_t second)
{
    struct mail *mail = mail_next(at.settings.poll, 0);
    cr_assert_not_null(mail);
    cr_expect_eq(mail->kind, MAIL_FETCH);
    cr_assert_eq(mail->fetch.count, 2);
    cr_expect_eq(mail->fetch.starts[0].offset, first);
    cr_expect_eq(mail->fetch.starts[1].offset, second);
    mail_free(mail);
}

Test(member_start, an_assignment_is_answered_whole)
{
    assign_two();
    start_at(1, MEMBER_START_POLICY);
    cr_assert_null(mail_next(at.settings.poll, 0));
    start_at(0, 40);
    expect_start(at.settings.intake, MAIL_START, 0, 40);
    expect_start(at.settings.intake, MAIL_START, 1, FIRST_OFFSET + 1);
    expect_fetch(40, FIRST_OFFSET + 1);
}

Test(member_start, an_assignment_waits_for_brokers_that_are_away)
{
    assign_two();
    at.away = true;
    start_at(0, 40);
    start_at(1, MEMBER_START_POLICY);
    member_hands_answer_starts(&at.hands);
    cr_assert_null(mail_next(at.settings.poll, 0));
    at.away = false;
    member_hands_answer_starts(&at.hands);
    expect_start(at.settings.intake, MAIL_START, 0, 40);
    expect_start(at.settings.intake, MAIL_START, 1, FIRST_OFFSET + 1);
    expect_fetch(40, FIRST_OFFSET + 1);
}

Test(member_start, one_that_begins_again_asks_where_too)
{
    start_at(1, MEMBER_START_POLICY);
    expect_start(at.settings.poll, MAIL_SEEK, 1, FIRST_OFFSET + 1);
    start_at(0, 40);
    expect_start(at.settings.poll, MAIL_SEEK, 0, 40);
    cr_expect_eq(brokers.asked, 1);
}

Test(member_start, one_that_begins_again_waits_for_brokers_that_are_away)
{
    at.away = true;
    start_at(1, MEMBER_START_POLICY);
    cr_assert_null(mail_next(at.settings.poll, 0));
    at.away = false;
    member_hands_answer_starts(&at.hands);
    expect_start(at.settings.poll, MAIL_SEEK, 1, FIRST_OFFSET + 1);
    member_hands_answer_starts(&at.hands);
}

Test(member_start, one_that_is_stopped_meanwhile_does_not_begin)
{
    at.away = true;
    start_at(0, MEMBER_START_POLICY);
    start_at(1, MEMBER_START_POLICY);
    stop(0);
    expect_stop(0);
    at.away = false;
    member_hands_answer_starts(&at.hands);
    expect_start(at.settings.poll, MAIL_SEEK, 1, FIRST_OFFSET + 1);
}

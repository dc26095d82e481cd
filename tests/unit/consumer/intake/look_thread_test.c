/* Which records are looked at once more before a build is ready, and what follows? The brokers are
 * a table of records here. */
#include <criterion/criterion.h>
#include <string.h>

#include "adapters/os/queue.h"
#include "consumer/intake/look_thread.h"
#include "consumer/intake/made_again.h"
#include "tests/support/query_stub.h"

enum { LOG_MAX = 8, WAIT_US = 5 * 1000 * 1000 };

static const char *records_of[LOG_MAX]; /* by offset; NULL: none */

bool source_query_partitions(struct source_query *query, int timeout_ms, int32_t *ret_counts,
                             struct err *err)
{
    (void)query;
    (void)timeout_ms;
    (void)err;
    ret_counts[0] = 1;
    return true;
}

static struct source_message message_at(int64_t offset, const char *value)
{
    return (struct source_message){
        .offset = offset, .has_value = true, .value = bytes_of_text(value)};
}

bool source_query_records(struct source_query *query, struct source_record *records, size_t count,
                          source_record_fn *take, void *context, int timeout_ms,
                          const atomic_bool *stop, struct err *err)
{
    (void)timeout_ms;
    (void)stop;
    (void)err;
    for (size_t i = 0; i < count; i++) {
        const char *value = records_of[records[i].offset];
        records[i].state = value == NULL ? SOURCE_RECORD_MISSING : SOURCE_RECORD_FOUND;
        query->asked++;
        if (value != NULL) {
            struct source_message message = message_at(records[i].offset, value);
            take(context, i, &message);
        }
    }
    return true;
}

bool source_query_ends(struct source_query *query, int timeout_ms, struct arena *arena,
                       struct source_ends **ret_ends, size_t *ret_count, struct err *err)
{
    (void)query;
    (void)timeout_ms;
    (void)arena;
    (void)err;
    *ret_ends = NULL;
    *ret_count = 0;
    return true;
}

static struct witness witness_of(int64_t offset, const char *value)
{
    struct source_message message = message_at(offset, value);
    return made_again_witness(&message);
}

/* One partition is sealed, whose oldest record is `own`; the CLOSE names `closed` (offset -1:
 * none). What becomes of it? */
static struct mail *look_at_all(struct witness own, struct witness head, struct witness closed)
{
    static const char *topic = "t";
    struct source_settings source = {.topics = &topic, .topic_count = 1};
    struct queue *member = queue_new(10);
    struct look_thread_settings settings = {.source = &source, .member = member};
    struct look_thread *thread = look_thread_new(&settings);
    struct intake_look look = {.log = {.topic = topic,
                                       .head_witness = head.offset,
                                       .head_hash = head.hash,
                                       .head_run = "b1-r"}};
    struct mail *sealed = mail_new(MAIL_SEALED);
    cr_assert(witness_add(&look.witnesses, own));
    sealed->sealed.ok = true;
    sealed->sealed.sealed.looks = &look;
    sealed->sealed.sealed.look_count = 1;
    struct intake_look record = {
        .log = {.topic = topic, .head_witness = closed.offset, .head_hash = closed.hash}};
    cr_assert(witness_add(&record.witnesses, closed));
    sealed->sealed.records = &record;
    sealed->sealed.record_count = closed.offset >= 0;
    brokers.asked = 0;
    look_thread_send(thread, sealed);
    struct mail *answer = mail_next(member, WAIT_US);
    cr_assert_not_null(answer);
    look_thread_free(thread);
    queue_free(member);
    return answer;
}

static struct mail *look_at(struct witness own, struct witness head)
{
    return look_at_all(own, head, (struct witness){.offset = -1});
}

static void set_log(const char *first, const char *second)
{
    records_of[1] = first;
    records_of[3] = second;
}

Test(look_thread, the_same_records_let_it_pass)
{
    set_log("a", "b");
    struct mail *answer = look_at(witness_of(1, "a"), witness_of(3, "b"));
    cr_expect_eq(answer->kind, MAIL_SEALED);
    cr_expect_eq(brokers.asked, 2);
    mail_free(answer);
}

/* This member has read nothing but the new log; what the head has was read by another one. */
Test(look_thread, another_record_than_the_heads_stops_it)
{
    set_log("a", "b");
    struct mail *answer = look_at(witness_of(1, "a"), witness_of(3, "of the topic that is gone"));
    cr_assert_eq(answer->kind, MAIL_FAILED);
    cr_expect_eq(answer->err.kind, ERR_SETTINGS);
    cr_expect_not_null(strstr(answer->err.message, "on record by run b1-r"), "%s",
                       answer->err.message);
    mail_free(answer);
}

Test(look_thread, one_record_is_asked_for_where_both_are_the_same)
{
    set_log("a", NULL);
    struct mail *answer = look_at(witness_of(1, "a"), witness_of(1, "a"));
    cr_expect_eq(answer->kind, MAIL_SEALED);
    cr_expect_eq(brokers.asked, 1);
    mail_free(answer);
}

Test(look_thread, another_record_than_the_oldest_stops_it)
{
    set_log("a", "b");
    struct mail *answer =
        look_at(witness_of(1, "of the topic that is gone"), (struct witness){.offset = -1});
    cr_expect_eq(answer->kind, MAIL_FAILED);
    mail_free(answer);
}

/* All that this member has read is of the new log, and the head has nothing of the topic. */
Test(look_thread, another_record_than_the_close_names_stops_it)
{
    struct witness none = {.offset = -1};
    set_log("a", "b");
    struct mail *answer = look_at_all(witness_of(1, "a"), none, witness_of(3, "b"));
    cr_expect_eq(answer->kind, MAIL_SEALED);
    mail_free(answer);
    answer = look_at_all(witness_of(1, "a"), none, witness_of(3, "of the topic that is gone"));
    cr_assert_eq(answer->kind, MAIL_FAILED);
    cr_expect_eq(answer->err.kind, ERR_SETTINGS);
    cr_expect_not_null(
        strstr(answer->err.message, "offset 3 than the one on record for this build"), "%s",
        answer->err.message);
    mail_free(answer);
}

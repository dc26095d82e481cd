/* Which record of a topic do PROGRESS, CLOSE and SEAL name, so that a build is of one log (R9)? */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/one_member.h"

TestSuite(topic_witness, .init = one_member_open, .fini = one_member_close);

static const char *said(void)
{
    static char text[4000];
    for (size_t i = 0; i < out.command_count; i++) {
        if (out.commands[i].kind == MEMBER_APPEND) {
            struct bytes value = out.commands[i].append.records[0].value;
            snprintf(text, sizeof text, "%.*s", (int)value.size, (const char *)value.data);
            return text;
        }
    }
    return "";
}

static void read_to(int64_t position, struct witness newest)
{
    struct member_reading one = {.id = a0,
                                 .from = 0,
                                 .position = position,
                                 .watermark_us = EVENT_TIME_LOW,
                                 .low_us = EVENT_TIME_HIGH,
                                 .state = DATA_READING,
                                 .has_witness = newest.offset >= 0,
                                 .witness = newest};
    step((struct member_event){.kind = MEMBER_EVENT_PROGRESS,
                               .progress = {.readings = &one, .count = 1}});
}

static void begin(void)
{
    assign();
    step((struct member_event){.kind = MEMBER_EVENT_LEDGER_END});
    for (uint64_t id = 1; id < 5; id++) { /* its first words are on record, the next are due */
        step((struct member_event){.kind = MEMBER_EVENT_APPENDED, .appended = {.command = id}});
    }
    now_us += settings.progress_interval_us;
}

Test(topic_witness, is_said_where_the_head_has_none)
{
    begin();
    read_to(10, (struct witness){9, 77});
    cr_expect_not_null(strstr(said(), "\"witnesses\":[{\"partition\":0,\"topic\":\"a\",\"witness\":"
                                      "{\"hash\":77,\"offset\":9}}]"),
                       "%s", said());
}

Test(topic_witness, is_not_said_where_nothing_was_read)
{
    begin();
    read_to(0, (struct witness){-1, 0});
    cr_expect_not_null(strstr(said(), "\"PROGRESS\""));
    cr_expect_null(strstr(said(), "witness"), "%s", said());
}

/* Another partition's will do. */
Test(topic_witness, is_not_said_where_the_head_has_one)
{
    record("commit", "{\"build\":3,\"close_us\":1,\"commit_kind\":\"empty\",\"fingerprint\":\"f\","
                     "\"kind\":\"COMMIT\",\"partitions\":[{\"account\":{},\"cut\":5,\"partition\":"
                     "1,\"tail_from\":5,\"topic\":\"a\",\"witness\":{\"hash\":7,\"offset\":4}}],"
                     "\"run_id\":\"r3\",\"term\":0,\"time_us\":1,\"trigger\":\"manual\",\"v\":1}");
    begin();
    read_to(10, (struct witness){9, 77});
    cr_expect_not_null(strstr(said(), "\"PROGRESS\""));
    cr_expect_null(strstr(said(), "witness"), "%s", said());
}

/* Those of topics that this member has no rows of are for others to look at. */
Test(topic_witness, is_looked_at_by_who_has_rows_of_the_topic)
{
    begin();
    read_to(10, (struct witness){9, 77});
    record("close/1",
           "{\"build\":1,\"contents\":\"window\",\"fingerprint\":\"f\",\"kind\":\"CLOSE\","
           "\"parent\":\"\",\"partitions\":[{\"cut\":10,\"partition\":0,\"seen_end\":0,"
           "\"tail_from\":0,\"topic\":\"a\"}],\"term\":0,\"time_us\":1,\"topics\":[{\"id\":\"t\","
           "\"name\":\"a\"}],\"trigger\":\"manual\",\"v\":1,\"witnesses\":[{\"partition\":5,"
           "\"topic\":\"a\",\"witness\":{\"hash\":8,\"offset\":3}},{\"partition\":0,\"topic\":"
           "\"b\",\"witness\":{\"hash\":9,\"offset\":4}}]}");
    const struct member_command *seal = NULL;
    for (size_t i = 0; i < out.command_count; i++) {
        seal = out.commands[i].kind == MEMBER_SEAL ? &out.commands[i] : seal;
    }
    cr_assert_not_null(seal);
    cr_assert_eq(seal->seal.witness_count, 1);
    cr_expect_eq(seal->seal.witnesses[0].id.number, 5);
    cr_expect_eq(seal->seal.witnesses[0].witness.offset, 3);
    cr_expect_eq(seal->seal.witnesses[0].witness.hash, 8);
}

Test(topic_witness, of_the_head_is_that_of_which_most_was_read)
{
    struct commit_partition partitions[] = {
        {.id = {"a", 0}, .account = {.read = 90}},
        {.id = {"a", 1}, .account = {.read = 2}, .has_witness = true},
        {.id = {"a", 2}, .account = {.read = 3}, .has_witness = true},
        {.id = {"b", 0}, .account = {.read = 9}, .has_witness = true}};
    struct message_commit head = {.partitions = partitions,
                                  .partition_count = LENGTH_OF(partitions)};
    cr_expect_eq(message_commit_witness(&head, "a"), &partitions[2]);
    cr_expect_eq(message_commit_witness(&head, "b"), &partitions[3]);
    cr_expect_null(message_commit_witness(&head, "c"));
    cr_expect_null(message_commit_witness(NULL, "a"));
}

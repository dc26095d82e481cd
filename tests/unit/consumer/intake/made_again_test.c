/* Is it told when a log is another one, and what was there and is there now? */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "consumer/intake/made_again.h"

static const struct made_again_log log_of = {
    .topic = "t", .number = 3, .head_witness = 9, .head_run = "b1-r"};

static struct source_message message(int64_t offset, const char *key, const char *value)
{
    return (struct source_message){
        .offset = offset,
        .timestamp_ms = 1700000000123,
        .has_key = key != NULL,
        .has_value = value != NULL,
        .key = bytes_of_text(key),
        .value = bytes_of_text(value),
    };
}

static bool says(const struct err *err, const char *words)
{
    return strstr(err->message, words) != NULL;
}

Test(made_again, the_same_record_is_the_same)
{
    struct err err;
    struct source_message then = message(9, "k", "v");
    struct witness witness = made_again_witness(&then);
    cr_expect_eq(witness.offset, 9);
    cr_expect(made_again_compare(&log_of, witness, &then, &err));
}

/* Null and empty are two things, wherever the bytes of an empty one lie. */
Test(made_again, null_is_not_empty)
{
    struct source_message null = message(9, NULL, "v");
    struct source_message empty = message(9, "", "v");
    struct source_message nowhere = empty;
    nowhere.key.data = NULL;
    cr_expect_neq(made_again_witness(&null).hash, made_again_witness(&empty).hash);
    cr_expect_eq(made_again_witness(&nowhere).hash, made_again_witness(&empty).hash);
}

Test(made_again, another_record_is_named)
{
    struct err err;
    struct source_message then = message(9, "k", "v");
    struct source_message now = message(9, "k", "w");
    struct witness witness = made_again_witness(&then);
    char hashes[80];
    snprintf(hashes, sizeof hashes, "hash %016llx then, %016llx now (of 2023-11-14T22:13:20.123",
             (unsigned long long)witness.hash, (unsigned long long)made_again_witness(&now).hash);
    cr_assert_not(made_again_compare(&log_of, witness, &now, &err));
    cr_expect_eq(err.kind, ERR_SETTINGS);
    cr_expect(says(&err, "t[3] has another record at offset 9 than the one on record by run b1-r"),
              "%s", err.message);
    cr_expect(says(&err, hashes), "%s", err.message);
    cr_expect(says(&err, "another `group`"));
    /* one that the head knows nothing of, and a broker that gives no time */
    then.offset = now.offset = 12;
    now.timestamp_ms = -1;
    cr_assert_not(made_again_compare(&log_of, made_again_witness(&then), &now, &err));
    cr_expect(says(&err, "at offset 12 than the one that this member has read"), "%s", err.message);
    cr_expect(says(&err, "(of no time)"), "%s", err.message);
}

/* With long names what to do is still said. */
Test(made_again, long_names_fit)
{
    char topic[101];
    char run[27];
    memset(topic, 't', sizeof topic - 1);
    memset(run, 'r', sizeof run - 1);
    topic[sizeof topic - 1] = run[sizeof run - 1] = '\0';
    struct made_again_log longest = {
        .topic = topic, .number = INT32_MAX, .head_witness = INT64_MAX, .head_run = run};
    struct source_message then = message(INT64_MAX, "k", "v");
    struct source_message now = message(INT64_MAX, "k", "w");
    struct err err;
    cr_assert_not(made_again_compare(&longest, made_again_witness(&then), &now, &err));
    cr_expect(says(&err, "another `group` and `snapshot.store`"), "%s", err.message);
    cr_assert_not(made_again_too_short(&longest, INT64_MAX, &err));
    cr_expect(says(&err, "another `group` and `snapshot.store`"), "%s", err.message);
}

Test(made_again, ends_cuts_and_gone_topics_are_named)
{
    struct err err;
    cr_expect_not(made_again_ends("t", 3, 5, 7, &err));
    cr_expect_eq(err.kind, ERR_SETTINGS);
    cr_expect(says(&err, "t[3] ends at 5, below 7"), "%s", err.message);
    cr_expect_not(made_again_too_short(&log_of, 5, &err));
    cr_expect_eq(err.kind, ERR_SETTINGS);
    cr_expect(
        says(&err,
             "t[3] ends at 5, and has no record at offset 9, as the one on record by run b1-r"),
        "%s", err.message);
    cr_expect_not(made_again_differ(&log_of, 9, &err));
    cr_expect(says(&err, "t[3] had another record at offset 9"), "%s", err.message);
    made_again_truncated("t", 3, 7, &err);
    cr_expect(says(&err, "t[3] was cut below offset 7"), "%s", err.message);
    err_set_code(&err, ERR_MISSING, 3, "topic t: Broker: Unknown topic");
    made_again_gone("t", 3, &err);
    cr_expect_eq(err.kind, ERR_SETTINGS);
    cr_expect_eq(err.code, 3);
    cr_expect(says(&err, "t[3] is gone") && says(&err, "Unknown topic"), "%s", err.message);
}

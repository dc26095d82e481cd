/* Is each number of an account that lies named, and compaction told from a lie? */
#include <criterion/criterion.h>

#include "consumer/verify/verify_account.h"

struct story {
    struct verify_partition partition;
    struct commit_partition said;
    struct close_partition cut;
    struct verify_plan plan;
    struct verify_count count;
    struct verify_report report;
};

static void story_init(struct story *story)
{
    struct partition_id id = {"t", 3};
    *story = (struct story){
        .said = {.id = id,
                 .tail_from = 18,
                 .cut = 20,
                 .account = {.read = 10,
                             .carried_in = 2,
                             .stored = 5,
                             .superseded = 3,
                             .tombstones = 1,
                             .rejected = 1,
                             .carried_out = 2}},
        .cut = {.id = id, .cut = 20},
        .partition = {.id = id, .from = 5, .seen_end = 10, .cut = 20},
        .count = {.ready = {.id = id,
                            .from = 5,
                            .to = 20,
                            .read = 10,
                            .carried_in = 2,
                            .rows = 9,
                            .rejected = 1,
                            .carried_out = 2,
                            .carried_from = 18},
                  .stored = {.stored = 5, .superseded = 3, .tombstones = 1}},
    };
    story->partition.said = &story->said;
    story->plan = (struct verify_plan){.partitions = &story->partition, .partition_count = 1};
    story->plan.commit.partitions = &story->said;
    story->plan.commit.partition_count = 1;
    story->plan.commit.made_of.partitions = &story->cut;
    story->plan.commit.made_of.partition_count = 1;
    verify_report_init(&story->report, 20);
}

static const char *said(struct story *story, bool whole)
{
    AUTO(buf) struct buf text;
    buf_init(&text, 10000);
    verify_account(&story->plan, &story->count, whole, &story->report);
    for (size_t i = 0; i < story->report.count; i++) {
        verify_finding_print(&story->report.findings[i], &text);
        buf_add_text(&text, "\n");
    }
    return arena_text(story->report.arena, buf_bytes(&text));
}

Test(verify_account, right)
{
    struct story story;
    story_init(&story);
    cr_assert_str_eq(said(&story, true), "");
    cr_assert_str_eq(said(&story, false), "");
    verify_report_done(&story.report);
}

Test(verify_account, lies_are_named)
{
    struct story story;
    story_init(&story);
    story.said.account.read = 11;
    story.said.account.stored = 6;
    story.said.tail_from = 20;
    cr_assert_str_eq(said(&story, true), "account of t/3: read is 11, should be 10\n"
                                         "account of t/3: tail_from is 20, should be 18\n"
                                         "account of t/3: stored is 6, should be 5\n");
    verify_report_done(&story.report);
    story_init(&story);
    story.said.account.superseded = 0;
    cr_assert_str_eq(said(&story, false), "account of t/3: stored + superseded + tombstones is 6, "
                                          "should be 9\n");
    verify_report_done(&story.report);
}

Test(verify_account, what_compaction_took)
{
    struct story story;
    story_init(&story);
    story.count.ready.read = 7;
    story.count.ready.rows = 6;
    story.count.stored.superseded = 0;
    cr_assert_eq(verify_account_lost(&story.partition, &story.count.ready), 3);
    story.count.lost = 3;
    cr_assert_str_eq(said(&story, true), "t/3 offsets 5 to 19: 3 superseded records or tombstones "
                                         "were compacted away since\n");
    cr_assert_eq(story.report.counts[VERIFY_NOTE], 1);
    verify_report_done(&story.report);

    story_init(&story);
    story.count.lost = 3;
    story.count.stored = (struct dedupe_source){.stored = 4, .superseded = 1, .tombstones = 1};
    (void)said(&story, true);
    cr_assert_eq(story.report.counts[VERIFY_UNPROVED], 1);
    cr_assert_eq(verify_report_differences(&story.report), 0);
    verify_report_done(&story.report);
}

/* A range without offsets has nothing anywhere. */
Test(verify_account, an_empty_range)
{
    struct story story;
    story_init(&story);
    story.plan.partition_count = 0;
    story.said.account = (struct account){.stored = 4};
    cr_assert_str_eq(said(&story, true), "account of t/3: stored is 4, should be 0\n");
    verify_report_done(&story.report);
}

Test(verify_report, counted_in_full_and_listed_up_to_the_limit)
{
    AUTO(verify_report) struct verify_report report;
    verify_report_init(&report, 2);
    for (int i = 0; i < 5; i++) {
        struct verify_finding finding = verify_finding(VERIFY_ROW_MISSING);
        finding.shard = i;
        finding.key = "\"k\"";
        finding.topic = "t";
        finding.partition = 1;
        finding.from = 220 + i;
        finding.expected = "3 bytes";
        verify_report_add(&report, &finding);
    }
    AUTO(buf) struct buf text;
    buf_init(&text, 1000);
    verify_finding_print(&report.findings[1], &text);
    cr_assert_eq(report.count, 2);
    cr_assert_eq(verify_report_differences(&report), 5);
    cr_assert_str_eq(buf_text(&text), "shard 1: key \"k\": not in the snapshot; t/1 offset 221 has "
                                      "3 bytes");
    cr_assert_str_eq(verify_value_text(bytes_of("a\n\\", 3), report.arena),
                     "3 bytes, sha256 "
                     "3f8514ed07e72a318563d9c2563ed6e42d732fbdc756ec2cbde718d4f6e8c750, "
                     "\"a\\x0a\\x5c\"");
}

/* The account of each partition, counted again, against what the manifest says. */
#include "consumer/verify/verify_account.h"

#include <inttypes.h>
#include <stdio.h>

enum { NUMBER_MAX = 32 };

static void add(struct verify_report *report, struct partition_id id, const char *what,
                uint64_t expected, uint64_t found)
{
    char expected_text[NUMBER_MAX];
    char found_text[NUMBER_MAX];
    snprintf(expected_text, sizeof expected_text, "%" PRIu64, expected);
    snprintf(found_text, sizeof found_text, "%" PRIu64, found);
    struct verify_finding finding = verify_finding(VERIFY_ACCOUNT);
    finding.topic = id.topic;
    finding.partition = id.number;
    finding.what = what;
    finding.expected = expected_text;
    finding.found = found_text;
    verify_report_add(report, &finding);
}

static void check(struct verify_report *report, struct partition_id id, const char *what,
                  uint64_t expected, uint64_t found)
{
    if (expected != found) {
        add(report, id, what, expected, found);
    }
}

uint64_t verify_account_lost(const struct verify_partition *partition,
                             const struct ready_partition *ready)
{
    const struct account *said = &partition->said->account;
    uint64_t then = said->read + said->carried_in;
    uint64_t now = ready->read + ready->carried_in;
    return then > now ? then - now : 0;
}

static int64_t next_tail(const struct ready_partition *ready)
{
    return ready->carried_out == 0 ? ready->to : ready->carried_from;
}

static void check_whole(const struct verify_partition *of, const struct verify_count *count,
                        bool winners, struct verify_report *report)
{
    const struct account *said = &of->said->account;
    const struct ready_partition *ready = &count->ready;
    check(report, of->id, "read", ready->read, said->read);
    check(report, of->id, "carried_in", ready->carried_in, said->carried_in);
    check(report, of->id, "late", ready->late, said->late);
    check(report, of->id, "future", ready->future, said->future);
    check(report, of->id, "rejected", ready->rejected, said->rejected);
    check(report, of->id, "filtered", ready->filtered, said->filtered);
    check(report, of->id, "carried_out", ready->carried_out, said->carried_out);
    check(report, of->id, "cut", (uint64_t)of->cut, (uint64_t)of->said->cut);
    check(report, of->id, "tail_from", (uint64_t)next_tail(ready), (uint64_t)of->said->tail_from);
    if (winners) {
        check(report, of->id, "stored", count->stored.stored, said->stored);
        check(report, of->id, "superseded", count->stored.superseded, said->superseded);
        check(report, of->id, "tombstones", count->stored.tombstones, said->tombstones);
    } else {
        check(report, of->id, "stored + superseded + tombstones", ready->rows,
              said->stored + said->superseded + said->tombstones);
    }
}

/* The log cleaner takes what is superseded and old tombstones, so the rest must be as it was. */
static bool is_explained(const struct verify_partition *of, const struct verify_count *count)
{
    const struct account *said = &of->said->account;
    const struct ready_partition *ready = &count->ready;
    return said->stored == count->stored.stored && said->late == ready->late &&
           said->future == ready->future && said->rejected == ready->rejected &&
           said->filtered == ready->filtered && said->carried_out == ready->carried_out &&
           said->superseded + said->tombstones ==
               count->stored.superseded + count->stored.tombstones + count->lost;
}

static void add_lost(const struct verify_partition *of, const struct verify_count *count,
                     bool explained, struct verify_report *report)
{
    char text[160];
    snprintf(text, sizeof text,
             explained ? "%" PRIu64 " superseded records or tombstones were compacted away since"
                       : "%" PRIu64 " records were compacted away since: its account cannot be "
                         "proved",
             count->lost);
    struct verify_finding finding = verify_finding(explained ? VERIFY_NOTE : VERIFY_UNPROVED);
    finding.topic = of->id.topic;
    finding.partition = of->id.number;
    finding.from = of->from;
    finding.to = of->cut;
    finding.found = text;
    verify_report_add(report, &finding);
}

static bool is_read(const struct verify_plan *plan, struct partition_id id)
{
    for (size_t i = 0; i < plan->partition_count; i++) {
        if (partition_id_compare(plan->partitions[i].id, id) == 0) {
            return true;
        }
    }
    return false;
}

/* Of a range without offsets, or one that was given up, nothing is anywhere. */
static void check_empty(const struct verify_plan *plan, struct verify_report *report)
{
    const struct commit_made_of *made_of = &plan->commit.made_of;
    for (size_t i = 0; i < made_of->partition_count; i++) {
        struct partition_id id = made_of->partitions[i].id;
        for (size_t k = 0; k < plan->commit.partition_count && !is_read(plan, id); k++) {
            const struct commit_partition *said = &plan->commit.partitions[k];
            if (partition_id_compare(said->id, id) == 0) {
                check(report, id, "read", 0, said->account.read);
                check(report, id, "stored", 0, said->account.stored);
                check(report, id, "cut", (uint64_t)made_of->partitions[i].cut, (uint64_t)said->cut);
            }
        }
    }
}

void verify_account(const struct verify_plan *plan, const struct verify_count *counts, bool whole,
                    struct verify_report *report)
{
    bool lost = false;
    for (size_t i = 0; i < plan->partition_count; i++) {
        lost = lost || counts[i].lost > 0;
    }
    for (size_t i = 0; i < plan->partition_count; i++) {
        if (counts[i].lost > 0) {
            add_lost(&plan->partitions[i], &counts[i],
                     whole && is_explained(&plan->partitions[i], &counts[i]), report);
        } else {
            /* which of two partitions has a key's newest row may depend on what is lost */
            check_whole(&plan->partitions[i], &counts[i], whole && !lost, report);
        }
    }
    check_empty(plan, report);
}

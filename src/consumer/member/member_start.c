/* Where the partitions of a member begin to be read: all of an assignment together, and one that
 * begins again elsewhere by itself. */
#include <stdlib.h>

#include "adapters/os/clock.h"
#include "adapters/os/log.h"
#include "consumer/member/member_command.h"

enum { START_KAFKA_MS = 30 * 1000 };

void member_hands_assignment(struct member_hands *hands, const struct mail *mail, bool assigned)
{
    if (assigned && mail->partitions.count == 0) {
        log_info("member", "no partition is left for this member: it waits, ready to take over");
    } else {
        log_info("member", "%s %zu partitions", assigned ? "assigned" : "revoked",
                 mail->partitions.count);
    }
    free(hands->waiting);
    hands->waiting = NULL;
    hands->waiting_count = 0;
    hands->waiting_open = assigned;
    if (assigned) {
        hands->waiting_count = mail->partitions.count;
        hands->waiting = calloc(mail->partitions.count + 1, sizeof *hands->waiting);
        CHECK(hands->waiting != NULL);
        for (size_t i = 0; i < mail->partitions.count; i++) {
            hands->waiting[i].partition = mail->partitions.partitions[i];
        }
    }
}

/* A partition, its offset, and what the head's builds took of it: START for the intake, which must
 * know it before its first batch comes, or SEEK for the poll thread. */
static struct mail *start_mail(struct member_hands *hands, enum mail_kind kind,
                               const struct waiting_start *how)
{
    struct mail *mail = mail_new(kind);
    const struct fold *fold = member_fold(hands->member);
    const struct message_commit *head = fold_head(fold);
    mail->start.partition = how->partition;
    mail->start.offset = how->offset;
    mail->start.leader_epoch = how->leader_epoch;
    mail->start.head.closed_to_us = EVENT_TIME_LOW;
    mail->start.head.run = "";
    mail->start.head.goes_on = how->goes_on;
    mail->start.head.void_held = how->void_held;
    mail->start.head.watermark_us = how->watermark_us;
    if (head != NULL) {
        mail->start.head.run = arena_text(mail->arena, bytes_of_text(head->run_id));
        struct partition_id id = {hands->settings->source.topics[how->partition.topic],
                                  how->partition.partition};
        struct cut_step *steps = NULL;
        mail->start.head.step_count = fold_steps(head, NULL, id, mail->arena, &steps);
        mail->start.head.steps = steps;
        mail->start.head.closed_to_us = head->closed_to_us;
        const struct commit_partition *said = message_commit_partition(head, id);
        if (said != NULL) {
            mail->start.head.seen_end = said->cut;
            mail->start.head.tail_from = said->tail_from;
            mail->start.head.has_witness = said->has_witness;
            mail->start.head.witness = said->witness;
        }
    }
    member_hands_fetch_from(hands, mail);
    return mail;
}

/* Offsets that the setting `start` decides are asked for together. */
static bool resolve(struct member_hands *hands, struct waiting_start *list, size_t count,
                    struct err *err)
{
    size_t open = 0;
    struct source_start *asked = arena_zero(hands->arena, (count + 1) * sizeof *asked);
    for (size_t i = 0; i < count; i++) {
        if (list[i].offset == MEMBER_START_POLICY) {
            asked[open++].partition = list[i].partition;
        }
    }
    if (open == 0) {
        return true;
    }
    if (!source_query_starts(hands->query, hands->settings->start, hands->settings->start_time_ms,
                             asked, open, START_KAFKA_MS, err)) {
        log_failure(LOG_WARN, "member", err, "where to start is not known yet");
        return false;
    }
    for (size_t i = 0, k = 0; i < count; i++) {
        if (list[i].offset == MEMBER_START_POLICY) {
            list[i].offset = asked[k++].offset;
        }
    }
    return true;
}

/* When the machine has said of every partition where to start, the group gets its answer. */
static void answer_assignment(struct member_hands *hands)
{
    size_t going_on = 0;
    if (!hands->waiting_open) {
        return;
    }
    for (size_t i = 0; i < hands->waiting_count; i++) {
        if (!hands->waiting[i].started) {
            return;
        }
        going_on += hands->waiting[i].goes_on;
    }
    struct err err;
    if (!resolve(hands, hands->waiting, hands->waiting_count, &err)) {
        return;
    }
    struct mail *mail = mail_new(MAIL_FETCH);
    struct source_start *starts =
        arena_zero(mail->arena, (hands->waiting_count + 1) * sizeof *starts);
    for (size_t i = 0; i < hands->waiting_count; i++) {
        const struct waiting_start *waiting = &hands->waiting[i];
        struct mail *start = start_mail(hands, MAIL_START, waiting);
        starts[i] = (struct source_start){.partition = waiting->partition,
                                          .offset = start->start.fetch_from,
                                          .leader_epoch = waiting->leader_epoch};
        mail_send(hands->settings->intake, start);
    }
    if (going_on > 0) {
        log_info("member", "%zu of %zu partitions go on where they were read to", going_on,
                 hands->waiting_count);
    }
    mail->fetch.starts = starts;
    mail->fetch.count = hands->waiting_count;
    mail_send(hands->settings->poll, mail);
    hands->waiting_open = false;
}

static void answer_seeks(struct member_hands *hands)
{
    struct err err;
    if (!resolve(hands, hands->seeks, hands->seek_count, &err)) {
        return;
    }
    for (size_t i = 0; i < hands->seek_count; i++) {
        mail_send(hands->settings->poll, start_mail(hands, MAIL_SEEK, &hands->seeks[i]));
    }
    hands->seek_count = 0;
}

void member_hands_answer_starts(struct member_hands *hands)
{
    answer_assignment(hands);
    answer_seeks(hands);
}

static struct waiting_start *find(struct waiting_start *list, size_t count,
                                  struct source_partition partition)
{
    for (size_t i = 0; i < count; i++) {
        if (source_partition_equal(list[i].partition, partition)) {
            return &list[i];
        }
    }
    return NULL;
}

/* One that is not of an assignment that waits for its answer is read already, and goes on
 * elsewhere: a skipped range, or a head that went back. */
static struct waiting_start *add_seek(struct member_hands *hands)
{
    hands->seeks = realloc(hands->seeks, (hands->seek_count + 1) * sizeof *hands->seeks);
    CHECK(hands->seeks != NULL);
    return &hands->seeks[hands->seek_count++];
}

void member_hands_start(struct member_hands *hands, const struct member_command *command)
{
    struct source_partition partition;
    if (!member_hands_partition(hands, command->start.id, &partition)) {
        return;
    }
    size_t waiting_count = hands->waiting_open ? hands->waiting_count : 0;
    struct waiting_start *waiting = find(hands->waiting, waiting_count, partition);
    waiting = waiting == NULL ? add_seek(hands) : waiting;
    *waiting = (struct waiting_start){.partition = partition,
                                      .started = true,
                                      .offset = command->start.offset,
                                      .goes_on = command->start.goes_on,
                                      .void_held = command->start.void_held,
                                      .leader_epoch = command->start.leader_epoch,
                                      .watermark_us = command->start.watermark_us};
    member_hands_answer_starts(hands);
}

void member_hands_stop(struct member_hands *hands, const struct member_command *command)
{
    struct source_partition partition;
    if (!member_hands_partition(hands, command->stop, &partition)) {
        return;
    }
    struct waiting_start *seek = find(hands->seeks, hands->seek_count, partition);
    if (seek != NULL) {
        *seek = hands->seeks[--hands->seek_count];
    }
    struct mail *mail = mail_new(MAIL_STOP);
    mail->stop = partition;
    mail_send(hands->settings->intake, mail);
}

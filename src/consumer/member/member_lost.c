/* Is a log still the one that was read? Where it is read again from, and what to do when it does
 * not hold what is asked for. */
#include <stdlib.h>
#include <string.h>

#include "adapters/os/clock.h"
#include "adapters/os/log.h"
#include "consumer/intake/made_again.h"
#include "consumer/member/member_command.h"

/* The member thread waits for the answer, and says no PROGRESS meanwhile. */
enum { LOST_QUERY_MS = 5 * 1000, LOST_PAUSE_US = 10 * 1000 * 1000 };

bool member_hands_partition(const struct member_hands *hands, struct partition_id id,
                            struct source_partition *ret)
{
    for (size_t i = 0; i < hands->settings->source.topic_count; i++) {
        if (strcmp(hands->settings->source.topics[i], id.topic) == 0) {
            *ret = (struct source_partition){(uint32_t)i, id.number};
            return true;
        }
    }
    return false;
}

static struct adopted_witness *find_adopted(const struct member_hands *hands,
                                            struct source_partition partition)
{
    for (size_t i = 0; i < hands->adopted_count; i++) {
        if (source_partition_equal(hands->adopted[i].partition, partition)) {
            return &hands->adopted[i];
        }
    }
    return NULL;
}

void member_hands_adopted(struct member_hands *hands, const struct mail *mail)
{
    const struct checkpoint_partition *given = &mail->adopt.partition;
    struct partition_id id = {given->topic, given->number};
    struct source_partition partition;
    if (mail->adopt.error != NULL || !member_hands_partition(hands, id, &partition)) {
        return;
    }
    struct adopted_witness *adopted = find_adopted(hands, partition);
    if (adopted == NULL) {
        hands->adopted =
            realloc(hands->adopted, (hands->adopted_count + 1) * sizeof *hands->adopted);
        CHECK(hands->adopted != NULL);
        adopted = &hands->adopted[hands->adopted_count++];
    }
    adopted->partition = partition;
    adopted->offset = given->witness_count == 0 ? -1
                                                : given->witnesses[given->witness_count - 1].offset;
}

/* Of what another member or a local checkpoint has brought; -1: none. */
static int64_t held_witness(const struct member_hands *hands, struct source_partition partition,
                            struct partition_id id)
{
    const struct adopted_witness *adopted = find_adopted(hands, partition);
    if (adopted != NULL) {
        return adopted->offset;
    }
    for (size_t i = 0; i < hands->settings->held_count; i++) {
        if (partition_id_compare(hands->settings->held[i].id, id) == 0) {
            return hands->settings->held[i].witness;
        }
    }
    return -1;
}

void member_hands_fetch_from(const struct member_hands *hands, struct mail *mail)
{
    struct partition_id id = {hands->settings->source.topics[mail->start.partition.topic],
                              mail->start.partition.partition};
    int64_t head = mail->start.head.has_witness ? mail->start.head.witness.offset : -1;
    int64_t held = mail->start.head.goes_on ? held_witness(hands, mail->start.partition, id) : -1;
    held = held < mail->start.offset ? held : -1;
    head = head < mail->start.offset ? head : -1;
    mail->start.fetch_from = witness_fetch_from(mail->start.offset, held > head ? held : head);
}

void member_hands_records(const struct member_hands *hands, const struct member_command *command,
                          struct mail *mail)
{
    struct intake_look *looks =
        arena_zero(mail->arena, (command->seal.witness_count + 1) * sizeof *looks);
    for (size_t i = 0; i < command->seal.witness_count; i++) {
        const struct topic_witness *said = &command->seal.witnesses[i];
        struct intake_look *look = &looks[mail->seal.record_count];
        if (member_hands_partition(hands, said->id, &look->partition)) {
            look->log = (struct made_again_log){
                .topic = hands->settings->source.topics[look->partition.topic],
                .number = said->id.number,
                .head_witness = said->witness.offset,
                .head_hash = said->witness.hash};
            CHECK(witness_add(&look->witnesses, said->witness));
            mail->seal.record_count++;
        }
    }
    mail->seal.records = looks;
}

static void seek_behind_lost(const struct member_hands *hands, struct source_partition partition,
                             int64_t low)
{
    struct mail *mail = mail_new(MAIL_SEEK);
    mail->start.partition = partition;
    mail->start.offset = low;
    mail->start.fetch_from = low;
    mail->start.leader_epoch = -1;
    mail->start.behind_lost = true;
    mail_send(hands->settings->poll, mail);
}

/* The log has the position, though it did not a moment ago, or had not the witness: the witness is
 * read once more if it is there. */
static void seek_again(const struct member_hands *hands, struct source_partition partition,
                       const struct member_reading *reading, int64_t low)
{
    struct mail *mail = mail_new(MAIL_SEEK);
    int64_t from =
        witness_fetch_from(reading->position, reading->has_witness ? reading->witness.offset : -1);
    mail->start.partition = partition;
    mail->start.offset = reading->position;
    mail->start.fetch_from = from < low ? reading->position : from;
    mail->start.leader_epoch = -1;
    mail->start.read_on = true;
    log_info("member", "%s[%d] goes on at %lld, after a look at the records from %lld on",
             reading->id.topic, (int)reading->id.number, (long long)reading->position,
             (long long)mail->start.fetch_from);
    mail_send(hands->settings->poll, mail);
}

/* What the head has on record of a partition. */
static struct made_again_log log_of(const struct member_hands *hands, struct partition_id id)
{
    const struct message_commit *head = fold_head(member_fold(hands->member));
    struct made_again_log log = {.topic = id.topic, .number = id.number, .head_witness = -1};
    for (size_t i = 0; head != NULL && i < head->partition_count; i++) {
        const struct commit_partition *said = &head->partitions[i];
        if (said->has_witness && partition_id_compare(said->id, id) == 0) {
            log.head_witness = said->witness.offset;
            log.head_hash = said->witness.hash;
            log.head_run = head->run_id;
        }
    }
    return log;
}

static bool settle(const struct member_hands *hands, struct member_reading *reading,
                   struct source_partition partition, const struct source_ends *ends,
                   struct err *err)
{
    struct made_again_log log = log_of(hands, reading->id);
    if (ends->high >= reading->position && ends->high <= log.head_witness) {
        mail_send(hands->settings->intake, mail_new(MAIL_DISCARD));
        return made_again_too_short(&log, ends->high, err);
    }
    if (ends->high < reading->position) {
        mail_send(hands->settings->intake, mail_new(MAIL_DISCARD));
        return made_again_ends(reading->id.topic, reading->id.number, ends->high, reading->position,
                               err);
    }
    if (ends->low > reading->position) {
        reading->lost_to = ends->low;
        seek_behind_lost(hands, partition, ends->low);
    } else {
        seek_again(hands, partition, reading, ends->low);
    }
    return true;
}

/* *ret_ends stays NULL when the cluster does not say, or is not to be asked yet. */
static bool ask_ends(struct member_hands *hands, struct source_ends **ret_ends, size_t *ret_count,
                     struct err *err)
{
    if (clock_mono_us() < hands->lost_retry_us ||
        source_query_ends(hands->query, LOST_QUERY_MS, hands->arena, ret_ends, ret_count, err)) {
        return true;
    }
    if (err->kind == ERR_SETTINGS) {
        return false;
    }
    log_warn("member", "where the logs of lost positions begin is not known: %s", err->message);
    hands->lost_retry_us = clock_mono_us() + LOST_PAUSE_US;
    *ret_ends = NULL;
    return true;
}

static bool settle_of(const struct member_hands *hands, struct member_reading *reading,
                      const struct source_ends *ends, size_t end_count, struct err *err)
{
    struct source_partition partition;
    reading->lost_to = 0;
    if (!member_hands_partition(hands, reading->id, &partition)) {
        return true;
    }
    for (size_t k = 0; k < end_count; k++) {
        if (source_partition_equal(ends[k].partition, partition)) {
            TRY(settle(hands, reading, partition, &ends[k], err));
        }
    }
    return true;
}

/* The machine says what is lost, and asks for a SKIP; reading goes on behind it meanwhile. */
bool member_hands_find_lost(struct member_hands *hands, struct member_reading *readings,
                            size_t *count, struct err *err)
{
    struct source_ends *ends = NULL;
    size_t end_count = 0;
    size_t kept = 0;
    bool asked = false;
    for (size_t i = 0; i < *count; i++) {
        struct member_reading reading = readings[i];
        if (reading.lost_to == INTAKE_LOST) {
            if (!asked) {
                TRY(ask_ends(hands, &ends, &end_count, err));
                asked = true;
            }
            if (ends == NULL) {
                continue;
            }
            TRY(settle_of(hands, &reading, ends, end_count, err));
        }
        readings[kept++] = reading;
    }
    *count = kept;
    return true;
}

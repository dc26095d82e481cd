/* A term: the transactional producer that fences the leader before, and its appends.
 *
 * The happy path: init_transactions takes over the id; each append is one transaction, whose
 * records are all acknowledged before it is committed.
 *
 * What can go wrong: before the commit is asked for, nothing can ever become visible, whatever
 * happens: aborted for sure. From then on only a clear answer counts; no answer is AMBIGUOUS and
 * ends the term (PROTOCOL R19), since the truth is what the next term reads below its own LEADER.
 */
#include <stdlib.h>
#include <string.h>

#include "adapters/kafka/client_error.h"
#include "adapters/kafka/kafka_leadership.h"
#include "adapters/kafka/kafka_topics.h"
#include "adapters/os/clock.h"

enum { ABORT_RESERVE_MS = 2000 };

static bool open_producer(struct leadership *leadership, struct err *err)
{
    const struct cluster_property own[] = {{"transactional.id", leadership->id},
                                           {"message.max.bytes", LEDGER_MESSAGE_BYTES}};
    const struct cluster_property defaults[] = {
        {"transaction.timeout.ms", leadership->transaction_timeout_ms},
        {"linger.ms", "0"},
        {"compression.codec", "gzip"},
    };
    const struct client_options options = {
        .role = CLIENT_LEADER,
        .properties = {own, LENGTH_OF(own), defaults, LENGTH_OF(defaults)},
        .delivery = delivery_on_report,
        .borrowed_owner = leadership,
    };
    return client_new(settings_copy_cluster(leadership->settings), &options, &leadership->producer,
                      err);
}

static bool init_transactions(struct leadership *leadership, int64_t deadline_us, struct err *err)
{
    rd_kafka_error_t *failed =
        rd_kafka_init_transactions(leadership->producer->rk, client_wait_ms(deadline_us));
    if (failed == NULL) {
        return true;
    }
    rd_kafka_resp_err_t code = rd_kafka_error_code(failed);
    client_error_take(err, failed, "beginning a term");
    if (client_error_is_right(code)) {
        client_error_set(err, code, "beginning a term"); /* the other's words say it three times */
        return client_error_right(err, "Write on the transactional id %s", leadership->id);
    }
    if (err->kind != ERR_FENCED && err->kind != ERR_SETTINGS) {
        err->kind = ERR_TRANSIENT;
    }
    return client_explain(leadership->producer, err);
}

bool leadership_begin_term(struct leadership *leadership, int timeout_ms, struct err *err)
{
    int64_t deadline_us = clock_mono_us() + (int64_t)timeout_ms * 1000;
    leadership_drop_producer(leadership);
    if (!leadership->is_elected) {
        return err_set(err, ERR_CONFLICT, "beginning a term: not elected");
    }
    TRY(leadership_confirm(leadership, deadline_us, err));
    TRY(open_producer(leadership, err));
    if (!init_transactions(leadership, deadline_us, err) ||
        !kafka_topics_warm(leadership->producer, leadership->topic, deadline_us, err)) {
        leadership_drop_producer(leadership);
        return false;
    }
    leadership->in_term = true;
    return true;
}

/* "Purged in queue" is what the records of a producer that was fenced say: its own reason is
 * better. */
static void prefer_fatal(struct leadership *leadership, struct err *err)
{
    char words[256] = "";
    rd_kafka_resp_err_t code = rd_kafka_fatal_error(leadership->producer->rk, words, sizeof(words));
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        err_set_code(err, client_error_kind(code), (int)code, "appending to %s: %s",
                     leadership->topic, words);
    }
}

/* Nothing was committed. In the same term only when the producer could be saved. */
static bool abort_append(struct leadership *leadership, int64_t deadline_us, struct err *err)
{
    int wait_ms = client_wait_ms(deadline_us);
    rd_kafka_error_t *failed =
        rd_kafka_abort_transaction(leadership->producer->rk, wait_ms < 1 ? 1 : wait_ms);
    if (failed == NULL) {
        if (err->kind != ERR_SETTINGS && err->kind != ERR_INPUT) {
            err->kind = ERR_TRANSIENT;
        }
        return false;
    }
    rd_kafka_error_destroy(failed);
    if (err->kind != ERR_SETTINGS) {
        prefer_fatal(leadership, err);
    }
    leadership_drop_producer(leadership);
    if (err->kind != ERR_SETTINGS) {
        err->kind = ERR_FENCED;
    }
    return false;
}

static bool send_all(struct leadership *leadership, const struct ledger_record *records,
                     size_t count, int64_t deadline_us, struct err *err)
{
    rd_kafka_t *rk = leadership->producer->rk;
    struct delivery *delivery = &leadership->delivery;
    *delivery = (struct delivery){.last_offset = -1};
    TRY(delivery_send(delivery, rk, leadership->topic, records, count, err));
    if (!delivery_wait(delivery, rk, deadline_us)) {
        client_error_set(err, RD_KAFKA_RESP_ERR__TIMED_OUT, "appending to %s", leadership->topic);
        return client_explain(leadership->producer, err);
    }
    if (delivery->stored < count) {
        delivery_explain(delivery, rk, leadership->topic, err);
        return client_explain(leadership->producer, err);
    }
    return true;
}

/* The reports of a transaction that is given up must be in before `delivery` is used again. */
static void drain_reports(struct leadership *leadership)
{
    if (leadership->producer != NULL &&
        !delivery_wait(&leadership->delivery, leadership->producer->rk,
                       clock_mono_us() + 1000 * 1000)) {
        leadership_drop_producer(leadership);
    }
}

static bool commit(struct leadership *leadership, int64_t deadline_us, struct err *err)
{
    for (;;) {
        int wait_ms = client_wait_ms(deadline_us);
        rd_kafka_error_t *failed =
            rd_kafka_commit_transaction(leadership->producer->rk, wait_ms < 1 ? 1 : wait_ms);
        if (failed == NULL) {
            return true;
        }
        bool again = rd_kafka_error_is_retriable(failed) && client_wait_ms(deadline_us) > 0;
        bool may_abort = rd_kafka_error_txn_requires_abort(failed);
        if (again) {
            rd_kafka_error_destroy(failed);
            continue;
        }
        client_error_take(err, failed, "committing to %s", leadership->topic);
        if (may_abort) {
            /* The broker aborts only what it has not begun to commit. */
            rd_kafka_error_t *not_aborted =
                rd_kafka_abort_transaction(leadership->producer->rk, ABORT_RESERVE_MS);
            if (not_aborted == NULL) {
                err->kind = ERR_TRANSIENT;
                return false;
            }
            rd_kafka_error_destroy(not_aborted);
        }
        if (err->kind != ERR_FENCED) {
            err->kind = ERR_AMBIGUOUS;
        }
        client_explain(leadership->producer, err);
        leadership_drop_producer(leadership);
        return false;
    }
}

bool leadership_append(struct leadership *leadership, const struct ledger_record *records,
                       size_t count, int timeout_ms, int64_t *ret_offset, struct err *err)
{
    int64_t deadline_us = clock_mono_us() + (int64_t)timeout_ms * 1000;
    if (!leadership->is_elected || !leadership->in_term) {
        return err_set(err, ERR_CONFLICT, "appending to %s: %s", leadership->topic,
                       leadership->is_elected ? "no term" : "not elected");
    }
    TRY(delivery_check(records, count, err));
    rd_kafka_error_t *failed = rd_kafka_begin_transaction(leadership->producer->rk);
    if (failed != NULL) {
        client_error_take(err, failed, "beginning a transaction");
        err->kind = ERR_FENCED; /* of no further use, whatever it is */
        leadership_drop_producer(leadership);
        return false;
    }
    int reserve_ms = timeout_ms / 4 < ABORT_RESERVE_MS ? timeout_ms / 4 : ABORT_RESERVE_MS;
    if (!send_all(leadership, records, count, deadline_us - (int64_t)reserve_ms * 1000, err)) {
        abort_append(leadership, deadline_us, err);
        drain_reports(leadership);
        return false;
    }
    TRY(commit(leadership, deadline_us, err));
    if (ret_offset != NULL) {
        *ret_offset = leadership->delivery.last_offset;
    }
    return true;
}

/* The candidate: a member of the leader group, elected while it is given the ledger's partition.
 *
 * The happy path: the group gives the partition, which is assigned and paused at once, since
 * nothing is read here. What can go wrong: a revoke, a loss or a process that slept. Each ends the
 * term first, in the callback, before anything else is asked; a sleeper is found out by a commit of
 * its offset, which the coordinator refuses to a member it no longer knows. */
#include "adapters/kafka/kafka_leadership.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/kafka/client_error.h"
#include "adapters/os/clock.h"
#include "adapters/os/log.h"

enum { SESSION_TIMEOUT_MS = 10000, MAX_POLL_INTERVAL_MS = 60000, TRANSACTION_TIMEOUT_MS = 15000 };

static void unelect(struct leadership *leadership)
{
    leadership_end_term(leadership);
    leadership->is_elected = false;
    leadership->must_unelect = leadership->is_told;
}

static void complete(rd_kafka_t *rk, rd_kafka_resp_err_t code,
                     rd_kafka_topic_partition_list_t *partitions)
{
    bool gives = code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
    if (!client_settings_cooperative()) {
        rd_kafka_resp_err_t failed = rd_kafka_assign(rk, gives ? partitions : NULL);
        if (failed != RD_KAFKA_RESP_ERR_NO_ERROR) {
            log_warn("kafka", "candidate: rebalance: %s", rd_kafka_err2str(failed));
        }
        return;
    }
    rd_kafka_error_t *failed = gives ? rd_kafka_incremental_assign(rk, partitions)
                                     : rd_kafka_incremental_unassign(rk, partitions);
    if (failed != NULL) {
        log_warn("kafka", "candidate: rebalance: %s", rd_kafka_error_string(failed));
        rd_kafka_error_destroy(failed);
    }
}

static void on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t code,
                         rd_kafka_topic_partition_list_t *partitions, void *opaque)
{
    struct leadership *leadership = client_owner(opaque);
    rd_kafka_yield(rk);
    if (code != RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        if (partitions->cnt > 0) {
            unelect(leadership);
        }
        complete(rk, code, partitions);
        return;
    }
    for (int i = 0; i < partitions->cnt; i++) {
        partitions->elems[i].offset = RD_KAFKA_OFFSET_END;
    }
    complete(rk, code, partitions);
    if (partitions->cnt > 0) {
        rd_kafka_pause_partitions(rk, partitions); /* nothing is read here */
        leadership->is_elected = true;
    }
}

static void on_error(rd_kafka_t *rk, int code, const char *reason, void *opaque)
{
    (void)rk;
    (void)opaque;
    log_debug("kafka", "candidate: %s (%d)", reason, code);
}

static void set_number(char text[16], int given, int otherwise)
{
    snprintf(text, 16, "%d", given > 0 ? given : otherwise);
}

static bool open_candidate(struct leadership *leadership, struct err *err)
{
    const struct cluster_property own[] = {
        {"group.id", leadership->id},
        {"queued.max.messages.kbytes", "1024"},
    };
    const struct cluster_property defaults[] = {
        {"session.timeout.ms", leadership->session_timeout_ms},
        {"max.poll.interval.ms", leadership->max_poll_interval_ms},
        {"heartbeat.interval.ms", "1000"},
    };
    const struct client_options options = {
        .role = CLIENT_CANDIDATE,
        .properties = {own, LENGTH_OF(own), defaults, LENGTH_OF(defaults)},
        .rebalance = on_rebalance,
        .error = on_error,
        .borrowed_owner = leadership,
    };
    TRY(client_new(settings_copy_cluster(leadership->settings), &options, &leadership->candidate,
                   err));
    rd_kafka_poll_set_consumer(leadership->candidate->rk);
    return true;
}

bool leadership_new(const struct leadership_settings *settings, struct leadership **ret_leadership,
                    struct err *err)
{
    struct leadership *leadership = calloc(1, sizeof(*leadership));
    CHECK(leadership != NULL);
    leadership->settings = settings_copy_new(&settings->ledger.cluster);
    leadership->topic = settings_copy_topic(&settings->ledger);
    if (asprintf(&leadership->id, "%s.leader", settings->ledger.group) < 0) {
        leadership->id = NULL;
    }
    CHECK(leadership->id != NULL);
    set_number(leadership->session_timeout_ms, settings->session_timeout_ms, SESSION_TIMEOUT_MS);
    set_number(leadership->max_poll_interval_ms, settings->max_poll_interval_ms,
               MAX_POLL_INTERVAL_MS);
    set_number(leadership->transaction_timeout_ms, settings->transaction_timeout_ms,
               TRANSACTION_TIMEOUT_MS);
    if (!open_candidate(leadership, err) || !leadership_run(leadership, err)) {
        leadership_free(leadership, 0);
        return false;
    }
    *ret_leadership = leadership;
    return true;
}

struct leadership *leadership_free(struct leadership *leadership, int timeout_ms)
{
    if (leadership == NULL) {
        return NULL;
    }
    leadership_drop_producer(leadership);
    if (leadership->candidate != NULL) {
        client_close(leadership->candidate, timeout_ms);
        client_free(leadership->candidate);
    }
    settings_copy_free(leadership->settings);
    free(leadership->topic);
    free(leadership->id);
    free(leadership);
    return NULL;
}

bool leadership_run(struct leadership *leadership, struct err *err)
{
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(topics, leadership->topic, RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t code = rd_kafka_subscribe(leadership->candidate->rk, topics);
    rd_kafka_topic_partition_list_destroy(topics);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ||
           client_error_set(err, code, "joining the leader group");
}

bool leadership_resign(struct leadership *leadership, struct err *err)
{
    unelect(leadership);
    rd_kafka_resp_err_t code = rd_kafka_unsubscribe(leadership->candidate->rk);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ||
           client_error_set(err, code, "leaving the leader group");
}

static enum leadership_event next_event(struct leadership *leadership)
{
    if (leadership->must_unelect) {
        leadership->must_unelect = false;
        leadership->is_told = false;
        return LEADERSHIP_UNELECTED;
    }
    if (leadership->is_elected && !leadership->is_told) {
        leadership->is_told = true;
        return LEADERSHIP_ELECTED;
    }
    return LEADERSHIP_NONE;
}

static void need_right(const struct leadership *leadership, struct err *err)
{
    if (err->code == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED) {
        client_error_right(err, "Read on the group %s", leadership->id);
    } else {
        client_error_right(err, "Read on the topic %s", leadership->topic);
    }
}

static bool hear_message(struct leadership *leadership, rd_kafka_message_t *message,
                         struct err *err)
{
    rd_kafka_resp_err_t code = message->err;
    bool good = true;
    if (code == RD_KAFKA_RESP_ERR__FATAL) {
        char words[256] = "";
        code = rd_kafka_fatal_error(leadership->candidate->rk, words, sizeof(words));
        unelect(leadership);
        err_set_code(err, client_error_kind(code), (int)code, "the leader group: %s", words);
        good = false;
    } else if (code != RD_KAFKA_RESP_ERR_NO_ERROR && client_error_kind(code) == ERR_SETTINGS) {
        err_set_code(err, ERR_SETTINGS, (int)code, "the leader group: %s",
                     rd_kafka_message_errstr(message));
        need_right(leadership, err);
        good = false;
    } else if (code != RD_KAFKA_RESP_ERR_NO_ERROR && code != RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        log_debug("kafka", "candidate: %s", rd_kafka_message_errstr(message));
        if (client_error_kind(code) == ERR_MISSING) {
            leadership->candidate->is_stuck = true;
        }
    }
    rd_kafka_message_destroy(message);
    return good;
}

bool leadership_poll(struct leadership *leadership, int timeout_ms,
                     enum leadership_event *ret_event, struct err *err)
{
    int64_t deadline_us = clock_mono_us() + (int64_t)timeout_ms * 1000;
    for (;;) {
        enum leadership_event event = next_event(leadership);
        int wait_ms = event == LEADERSHIP_NONE ? client_wait_ms(deadline_us) : 0;
        rd_kafka_message_t *message = rd_kafka_consumer_poll(leadership->candidate->rk, wait_ms);
        if (message != NULL) {
            TRY(hear_message(leadership, message, err));
        }
        if (event == LEADERSHIP_NONE) {
            event = next_event(leadership);
        }
        if (event != LEADERSHIP_NONE || wait_ms == 0) {
            *ret_event = event;
            return true;
        }
    }
}

/* The refusal of a member that the coordinator no longer knows, against what only says "not now".
 */
static bool judge_commit(const struct leadership *leadership, rd_kafka_resp_err_t code,
                         struct err *err)
{
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        return true;
    }
    client_error_set(err, code, "asking the leader group whether we are elected");
    need_right(leadership, err);
    if (code == RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS ||
        (err->kind != ERR_CONFLICT && err->kind != ERR_FENCED && err->kind != ERR_SETTINGS)) {
        err->kind = ERR_TRANSIENT;
    } else if (err->kind == ERR_FENCED) {
        err->kind = ERR_CONFLICT;
    }
    return false;
}

bool leadership_confirm(struct leadership *leadership, int64_t deadline_us, struct err *err)
{
    rd_kafka_t *rk = leadership->candidate->rk;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, leadership->topic, 0)->offset = 0;
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_resp_err_t code = rd_kafka_commit_queue(rk, list, queue, NULL, NULL);
    rd_kafka_topic_partition_list_destroy(list);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        rd_kafka_event_t *answer = rd_kafka_queue_poll(queue, client_wait_ms(deadline_us));
        code = answer == NULL ? RD_KAFKA_RESP_ERR__TIMED_OUT : rd_kafka_event_error(answer);
        if (answer != NULL) {
            rd_kafka_event_destroy(answer);
        }
    }
    rd_kafka_queue_destroy(queue);
    TRY(judge_commit(leadership, code, err));

    /* What the group said meanwhile counts as well. */
    rd_kafka_message_t *message = rd_kafka_consumer_poll(rk, 0);
    if (message != NULL) {
        TRY(hear_message(leadership, message, err));
    }
    return leadership->is_elected || err_set(err, ERR_CONFLICT, "not elected any more");
}

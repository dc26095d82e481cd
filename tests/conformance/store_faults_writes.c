/* Refusals, lost answers and deadlines: what becomes of a write. */
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "adapters/os/clock.h"
#include "adapters/os/thread.h"
#include "tests/conformance/store_faults_case.h"

/* ---- refusals that are retried ---- */

CASE(slow_down_is_retried)
{
    BEGIN;
    store_faults_set(
        "[{'action':'status','status':503,'code':'SlowDown','method':'PUT','times':2}]");
    EXPECT_OK(store_put(store, "o", &content, store_if_absent(), NULL, &err));
    EXPECT(requests(store, STORE_PUT) == 3 && retries(store, STORE_PUT) == 2);
    store_suite_expect(store, "o", "content");
}

CASE(retry_after_is_honoured)
{
    BEGIN;
    store_faults_set("[{'action':'status','status':503,'headers':{'Retry-After':'1'},'times':1}]");
    int64_t before_us = clock_mono_us();
    EXPECT_OK(store_put(store, "o", &content, store_always(), NULL, &err));
    int64_t took_us = clock_mono_us() - before_us;
    EXPECT(took_us >= SECOND && took_us < 3 * SECOND);
}

CASE(a_retry_after_beyond_the_deadline_ends_it_at_once)
{
    BEGIN;
    store_faults_set("[{'action':'status','status':503,'code':'SlowDown',"
                     "'headers':{'Retry-After':'3600'}}]");
    int64_t before_us = clock_mono_us();
    EXPECT_ERR(store_put(store, "o", &content, store_always(), NULL, &err), ERR_TRANSIENT);
    EXPECT(clock_mono_us() - before_us < SECOND);
    EXPECT(err.code == 503 && requests(store, STORE_PUT) == 1);
}

CASE(retries_end)
{
    BEGIN;
    store_faults_set("[{'action':'status','status':503,'code':'SlowDown'}]");
    EXPECT_ERR(store_put(store, "o", &content, store_always(), NULL, &err), ERR_TRANSIENT);
    EXPECT(requests(store, STORE_PUT) == 5 && retries(store, STORE_PUT) == 4);
    EXPECT(strstr(err.message, "SlowDown") != NULL && strstr(err.message, "4 retries") != NULL);
    EXPECT(strstr(err.message, "/o") != NULL);
    struct store_info info;
    EXPECT_ERR(store_head(store, "o", &info, &err), ERR_TRANSIENT);
}

CASE(the_budget_of_retries_is_shared)
{
    BEGIN;
    store_faults_set("[{'action':'status','status':503,'code':'SlowDown'}]");
    for (int i = 0; i < 30; i++) {
        EXPECT_ERR(store_put(store, "o", &content, store_always(), NULL, &err), ERR_TRANSIENT);
    }
    /* 500 tokens, 5 a retry: 100 retries for 30 calls that would like 120 */
    EXPECT(retries(store, STORE_PUT) == 100);
    EXPECT(requests(store, STORE_PUT) == 130);
}

CASE(no_connection_is_no_request)
{
    BEGIN;
    struct s3_settings settings = store_faults_quick();
    settings.endpoint = "http://127.0.0.1:1";
    settings.retries_max = 2;
    struct store *none = store_server_open(&settings, "none");
    EXPECT_ERR(store_put(none, "o", &content, store_if_absent(), NULL, &err), ERR_TRANSIENT);
    EXPECT(requests(none, STORE_PUT) == 0 && retries(none, STORE_PUT) == 2);
    store_free(none);
    EXPECT(store != NULL);
}

/* ---- writes whose outcome is unknown ---- */

CASE(a_lost_answer_of_a_plain_put_is_sent_again)
{
    BEGIN;
    store_faults_set("[{'action':'drop_after','method':'PUT','times':1}]");
    EXPECT_OK(store_put(store, "o", &content, store_always(), NULL, &err));
    EXPECT(store_faults_seen("PUT ") == 2);
    store_suite_expect(store, "o", "content");
}

CASE(a_lost_answer_of_a_conditional_put_is_ambiguous)
{
    BEGIN;
    store_faults_set("[{'action':'drop_after','method':'PUT','times':1}]");
    EXPECT_ERR(store_put(store, "o", &content, store_if_absent(), NULL, &err), ERR_AMBIGUOUS);
    EXPECT(store_faults_seen("PUT ") == 1);
    store_suite_expect(store, "o", "content");
}

CASE(a_lost_create_is_settled_by_reading_back)
{
    BEGIN;
    struct store_etag etag;
    struct store_info info;
    store_faults_set("[{'action':'drop_after','method':'PUT','times':1}]");
    EXPECT_OK(store_put_settled(store, "o", &content, store_if_absent(), &etag, &err));
    EXPECT(store_faults_seen("PUT ") == 1);
    EXPECT_OK(store_head(store, "o", &info, &err));
    EXPECT(strcmp(info.etag.text, etag.text) == 0);
}

CASE(a_lost_swap_is_settled_by_reading_back)
{
    BEGIN;
    struct store_etag etag;
    struct store_content next = suite_text("next");
    EXPECT_OK(store_put(store, "o", &content, store_if_absent(), &etag, &err));
    store_faults_set("[{'action':'drop_after','method':'PUT','times':1}]");
    EXPECT_OK(store_put_settled(store, "o", &next, store_if_match(&etag), NULL, &err));
    EXPECT(store_faults_seen("PUT ") == 1);
    store_suite_expect(store, "o", "next");
}

CASE(a_write_that_never_came_is_sent_again_when_settled)
{
    BEGIN;
    struct store_etag etag;
    struct store_content next = suite_text("next");
    store_faults_set("[{'action':'drop','method':'PUT','times':1}]");
    EXPECT_OK(store_put_settled(store, "o", &content, store_if_absent(), &etag, &err));
    EXPECT(store_faults_seen("PUT ") == 2);
    store_faults_set("[{'action':'status','status':500,'method':'PUT','times':1}]");
    EXPECT_OK(store_put_settled(store, "o", &next, store_if_match(&etag), NULL, &err));
    EXPECT(store_faults_seen("PUT ") == 2);
    store_suite_expect(store, "o", "next");
}

CASE(a_500_after_the_write_is_settled)
{
    BEGIN;
    store_faults_set("[{'action':'after_status','status':500,'method':'PUT','times':1}]");
    EXPECT_OK(store_put_settled(store, "o", &content, store_if_absent(), NULL, &err));
    EXPECT(store_faults_seen("PUT ") == 1);
}

CASE(a_412_behind_our_own_success_is_settled)
{
    BEGIN;
    store_faults_set(
        "[{'action':'after_status','status':503,'code':'SlowDown','method':'PUT','times':1}]");
    EXPECT_ERR(store_put(store, "a", &content, store_if_absent(), NULL, &err), ERR_AMBIGUOUS);
    EXPECT(err.code == 412 && store_faults_seen("PUT ") == 2);
    store_faults_set(
        "[{'action':'after_status','status':503,'code':'SlowDown','method':'PUT','times':1}]");
    EXPECT_OK(store_put_settled(store, "b", &content, store_if_absent(), NULL, &err));
    EXPECT(store_faults_seen("PUT ") == 2);
}

CASE(somebody_else_in_between_is_a_conflict)
{
    BEGIN;
    struct store_content other = suite_text("other");
    EXPECT_OK(store_put(store, "o", &other, store_if_absent(), NULL, &err));
    store_faults_set("[{'action':'drop','method':'PUT','times':1}]");
    EXPECT_ERR(store_put_settled(store, "o", &content, store_if_absent(), NULL, &err),
               ERR_CONFLICT);
    store_suite_expect(store, "o", "other");
}

CASE(a_409_without_an_object_is_tried_again)
{
    BEGIN;
    store_faults_set("[{'action':'status','status':409,'code':'ConditionalRequestConflict',"
                     "'method':'PUT','times':1}]");
    EXPECT_ERR(store_put(store, "a", &content, store_if_absent(), NULL, &err), ERR_CONFLICT);
    store_faults_set("[{'action':'status','status':409,'code':'ConditionalRequestConflict',"
                     "'method':'PUT','times':1}]");
    EXPECT_OK(store_put_settled(store, "b", &content, store_if_absent(), NULL, &err));
    store_suite_expect(store, "b", "content");
}

CASE(not_settled_without_an_answer)
{
    BEGIN;
    store_faults_set("[{'action':'drop_after','method':'PUT','times':1},{'action':'drop'}]");
    EXPECT_ERR(store_put_settled(store, "o", &content, store_if_absent(), NULL, &err),
               ERR_AMBIGUOUS);
    EXPECT(store_faults_seen("PUT ") == 1);
}

/* A write that arrives after we gave it up: the one sent instead has moved the tag, so it fails. */
CASE(a_late_write_does_not_undo_a_newer_one)
{
    BEGIN;
    struct store_etag first;
    struct store_etag second;
    struct store_content next = suite_text("next");
    struct store_content last = suite_text("last");
    EXPECT_OK(store_put(store, "o", &content, store_if_absent(), &first, &err));
    store_faults_set("[{'action':'late','seconds':3,'method':'PUT','times':1}]");
    EXPECT_OK(store_put_settled(store, "o", &next, store_if_match(&first), &second, &err));
    EXPECT_OK(store_put(store, "o", &last, store_if_match(&second), NULL, &err));
    clock_sleep_us(3 * SECOND);
    EXPECT(store_faults_seen("PUT ") == 3);
    store_suite_expect(store, "o", "last");
}

/* ---- deadlines ---- */

/* The swap took the whole deadline, and the content is what it was: whether nobody touched it, or
 * somebody restored it meanwhile, cannot be told. */
CASE(a_swap_that_outlived_the_deadline_is_not_sent_again)
{
    BEGIN;
    struct store_etag etag;
    struct store_content next = suite_text("next");
    struct s3_settings settings = store_faults_quick();
    settings.total_deadline_us = SECOND / 2;
    struct store *hasty = store_server_open(&settings, "suite/hasty");
    EXPECT(store != NULL);
    EXPECT_OK(store_put(hasty, "o", &content, store_if_absent(), &etag, &err));
    store_faults_set("[{'action':'hang','seconds':2,'method':'PUT'}]");
    EXPECT_ERR(store_put_settled(hasty, "o", &next, store_if_match(&etag), NULL, &err),
               ERR_AMBIGUOUS);
    EXPECT(store_faults_seen("PUT ") == 1);
    store_suite_expect(hasty, "o", "content");
    store_free(hasty);
}

CASE(a_server_that_hangs_costs_the_deadline_and_no_more)
{
    BEGIN;
    struct store_info info;
    store_faults_set("[{'action':'hang','seconds':20}]");
    int64_t before_us = clock_mono_us();
    EXPECT_ERR(store_put(store, "o", &content, store_if_absent(), NULL, &err), ERR_AMBIGUOUS);
    int64_t took_us = clock_mono_us() - before_us;
    EXPECT(took_us > SECOND / 2 && took_us < 2 * SECOND);
    before_us = clock_mono_us();
    EXPECT_ERR(store_head(store, "o", &info, &err), ERR_TRANSIENT);
    took_us = clock_mono_us() - before_us;
    EXPECT(took_us > 3 * SECOND && took_us < 7 * SECOND);
    unsigned sent = store_faults_seen("HEAD ");
    EXPECT(sent >= 3 && sent <= 5);
    clock_sleep_us(SECOND);
    EXPECT(store_faults_seen("HEAD ") == sent);
}

/* The child's connection breaks while it sleeps past its deadline; awake, it must not resend. The
 * connection is one that was kept: libcurl itself would send again on a new one. */
CASE(a_process_that_slept_past_the_deadline_does_not_resend)
{
    BEGIN;
    store_faults_set("[{'action':'hang','seconds':1,'match':'/sleeper/o'}]");
    pid_t child = fork();
    if (child == 0) {
        struct s3_settings settings = store_faults_quick();
        settings.request_timeout_us = 2 * SECOND;
        settings.total_deadline_us = 2 * SECOND;
        settings.retries_max = 100;
        struct store *mine = store_server_open(&settings, "suite/sleeper");
        bool ok = store_put(mine, "first", &content, store_always(), NULL, &err) &&
                  store_put(mine, "o", &content, store_always(), NULL, &err);
        _exit(ok ? 100 : (int)err.kind);
    }
    for (int i = 0; i < 100 && store_faults_seen("/sleeper/o ") == 0; i++) {
        clock_sleep_us(20000);
    }
    EXPECT(store_faults_seen("/sleeper/o ") == 1);
    kill(child, SIGSTOP);
    clock_sleep_us(3 * SECOND);
    unsigned before = store_faults_seen("/sleeper/o ");
    kill(child, SIGCONT);
    int status = 0;
    EXPECT(waitpid(child, &status, 0) == child);
    EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == ERR_AMBIGUOUS);
    EXPECT(before == 1 && store_faults_seen("/sleeper/o ") == 1);
    EXPECT(store != NULL);
}

static void stop_soon(void *argument)
{
    clock_sleep_us(300000);
    store_stop(argument);
}

CASE(a_stop_ends_what_waits)
{
    BEGIN;
    struct store_info info;
    store_faults_set("[{'action':'status','status':503,'headers':{'Retry-After':'4'}}]");
    struct thread *thread = thread_new("stopper", stop_soon, store);
    int64_t before_us = clock_mono_us();
    bool ok = store_head(store, "o", &info, &err);
    int64_t took_us = clock_mono_us() - before_us;
    thread_join(thread);
    EXPECT(!ok && err.kind == ERR_STOPPED);
    EXPECT(took_us < SECOND);
}

CASE(a_stop_ends_a_request_under_way)
{
    BEGIN;
    struct store_info info;
    struct s3_settings settings = store_faults_quick();
    settings.request_timeout_us = 20 * SECOND;
    settings.total_deadline_us = 20 * SECOND;
    settings.stall_timeout_us = 20 * SECOND;
    struct store *slow = store_server_open(&settings, "suite/slow");
    store_faults_set("[{'action':'hang','seconds':15}]");
    struct thread *thread = thread_new("stopper", stop_soon, slow);
    int64_t before_us = clock_mono_us();
    bool ok = store_head(slow, "o", &info, &err);
    int64_t took_us = clock_mono_us() - before_us;
    thread_join(thread);
    store_free(slow);
    EXPECT(!ok && err.kind == ERR_STOPPED);
    EXPECT(took_us < 3 * SECOND && store != NULL);
}

static void want_no_more(void *argument)
{
    clock_sleep_us(300000);
    atomic_store((atomic_bool *)argument, true);
}

/* A write that nobody wants any more ends, under way or before its next try; the store goes on. */
CASE(one_write_is_stopped_and_no_other)
{
    BEGIN;
    static const char *const rules[] = {
        "[{'action':'hang','method':'PUT','seconds':15}]",
        "[{'action':'status','method':'PUT','status':503,'headers':{'Retry-After':'4'}}]"};
    struct s3_settings settings = store_faults_quick();
    settings.request_timeout_us = 20 * SECOND;
    settings.total_deadline_us = 20 * SECOND;
    settings.stall_timeout_us = 20 * SECOND;
    struct store *slow = store_server_open(&settings, "suite/unwanted");
    for (size_t i = 0; i < LENGTH_OF(rules); i++) {
        atomic_bool stop = false;
        struct store_content unwanted = {.bytes = bytes_of_text("late"), .stop = &stop};
        store_faults_set(rules[i]);
        struct thread *thread = thread_new("stopper", want_no_more, &stop);
        int64_t before_us = clock_mono_us();
        bool ok = store_put_settled(slow, "o", &unwanted, store_always(), NULL, &err);
        int64_t took_us = clock_mono_us() - before_us;
        thread_join(thread);
        EXPECT(!ok && err.kind == ERR_STOPPED);
        EXPECT(took_us < 3 * SECOND);
        EXPECT(!store_put_settled(slow, "o", &unwanted, store_always(), NULL, &err) &&
               err.kind == ERR_STOPPED);
        EXPECT(store_faults_seen("/unwanted/o ") == 1);
        store_faults_set("[]");
        unwanted.stop = NULL;
        EXPECT(store_put_settled(slow, "o", &unwanted, store_always(), NULL, &err));
    }
    store_free(slow);
    EXPECT(store != NULL);
}

const struct store_case store_faults_writes[] = {
    STORE_FAULTS_CASE(slow_down_is_retried),
    STORE_FAULTS_CASE(retry_after_is_honoured),
    STORE_FAULTS_CASE(a_retry_after_beyond_the_deadline_ends_it_at_once),
    STORE_FAULTS_CASE(retries_end),
    STORE_FAULTS_CASE(the_budget_of_retries_is_shared),
    STORE_FAULTS_CASE(no_connection_is_no_request),
    STORE_FAULTS_CASE(a_lost_answer_of_a_plain_put_is_sent_again),
    STORE_FAULTS_CASE(a_lost_answer_of_a_conditional_put_is_ambiguous),
    STORE_FAULTS_CASE(a_lost_create_is_settled_by_reading_back),
    STORE_FAULTS_CASE(a_lost_swap_is_settled_by_reading_back),
    STORE_FAULTS_CASE(a_write_that_never_came_is_sent_again_when_settled),
    STORE_FAULTS_CASE(a_500_after_the_write_is_settled),
    STORE_FAULTS_CASE(a_412_behind_our_own_success_is_settled),
    STORE_FAULTS_CASE(somebody_else_in_between_is_a_conflict),
    STORE_FAULTS_CASE(a_409_without_an_object_is_tried_again),
    STORE_FAULTS_CASE(not_settled_without_an_answer),
    STORE_FAULTS_CASE(a_late_write_does_not_undo_a_newer_one),
    STORE_FAULTS_CASE(a_swap_that_outlived_the_deadline_is_not_sent_again),
    STORE_FAULTS_CASE(a_server_that_hangs_costs_the_deadline_and_no_more),
    STORE_FAULTS_CASE(a_process_that_slept_past_the_deadline_does_not_resend),
    STORE_FAULTS_CASE(a_stop_ends_what_waits),
    STORE_FAULTS_CASE(a_stop_ends_a_request_under_way),
    STORE_FAULTS_CASE(one_write_is_stopped_and_no_other),
    {NULL, NULL},
};

/* Does a waiting operator hear exactly what became of the wish, whatever else happens meanwhile? */
#include "consumer/operator/operator_watch.h"

#include "tests/support/ledger_says.h"

static struct ledger_says new_ledger(void)
{
    struct ledger_says ledger = {.fold = fold_new(), .timestamp_us = 1000000};
    ledger_says_leader(&ledger, "m");
    return ledger;
}

static struct operator_watch watch_of(enum message_kind kind, const char *id, int64_t offset)
{
    struct operator_watch watch;
    operator_watch_init(&watch, kind, id);
    watch.offset = offset;
    return watch;
}

static void expect(struct operator_watch *watch, const struct ledger_says *ledger,
                   enum operator_state state)
{
    operator_watch_look(watch, ledger->fold);
    cr_assert_eq(watch->state, state, "%d: %s", (int)watch->state, watch->text);
}

Test(operator_watch, held)
{
    struct ledger_says ledger = new_ledger();
    struct operator_watch watch =
        watch_of(MESSAGE_HOLD, "h1", ledger_says_hold(&ledger, MESSAGE_HOLD, "h1", ""));
    expect(&watch, &ledger, OPERATOR_WAITING);
    ledger_says_progress(&ledger, "m", false, 3);
    expect(&watch, &ledger, OPERATOR_WAITING);
    ledger_says_hold(&ledger, MESSAGE_HELD, "h1", "");
    expect(&watch, &ledger, OPERATOR_DONE);
    cr_assert_str_empty(watch.run_id);
    fold_free(ledger.fold);
}

/* R20: the write that was under way is named. */
Test(operator_watch, held_with_a_write_under_way)
{
    struct ledger_says ledger = new_ledger();
    ledger_says_commit(&ledger, 1, COMMIT_BUILD, "r1", NULL, 0);
    cr_assert_str_eq(operator_watch_may_appear(ledger.fold), "r1");
    struct operator_watch watch =
        watch_of(MESSAGE_HOLD, "h1", ledger_says_hold(&ledger, MESSAGE_HOLD, "h1", ""));
    ledger_says_hold(&ledger, MESSAGE_HELD, "h1", "r1");
    expect(&watch, &ledger, OPERATOR_DONE);
    cr_assert_str_eq(watch.run_id, "r1");
    ledger_says_published(&ledger, 1, "r1");
    cr_assert_null(operator_watch_may_appear(ledger.fold));
    fold_free(ledger.fold);
}

Test(operator_watch, somebody_else_takes_the_hold)
{
    struct ledger_says ledger = new_ledger();
    struct operator_watch first =
        watch_of(MESSAGE_HOLD, "h1", ledger_says_hold(&ledger, MESSAGE_HOLD, "h1", ""));
    struct operator_watch second = first;
    ledger_says_hold(&ledger, MESSAGE_HOLD, "h2", "");
    expect(&first, &ledger, OPERATOR_REFUSED);
    ledger_says_resume(&ledger, "x");
    expect(&second, &ledger, OPERATOR_REFUSED);
    cr_assert_not_null(strstr(second.text, "bob@host"), "%s", second.text);
    fold_free(ledger.fold);
}

Test(operator_watch, resumed)
{
    struct ledger_says ledger = new_ledger();
    ledger_says_commit(&ledger, 1, COMMIT_BUILD, "r1", NULL, 0);
    ledger_says_published(&ledger, 1, "r1");
    ledger_says_hold(&ledger, MESSAGE_HELD, "h1", "");
    int64_t offset = ledger_says_resume(&ledger, "x");
    struct operator_watch watch = watch_of(MESSAGE_RESUME, "x", offset);
    expect(&watch, &ledger, OPERATOR_WAITING);
    ledger_says_commit(&ledger, 1, COMMIT_RESUMED, "r1", NULL, (uint64_t)offset);
    expect(&watch, &ledger, OPERATOR_DONE);
    cr_assert_str_eq(watch.run_id, "r1");
    fold_free(ledger.fold);
}

/* A RESUME whose pointer bytes were not what the leader found is answered with a HOLD. */
Test(operator_watch, resume_is_void)
{
    struct ledger_says ledger = new_ledger();
    ledger_says_hold(&ledger, MESSAGE_HELD, "h1", "");
    struct operator_watch watch = watch_of(MESSAGE_RESUME, "x", ledger_says_resume(&ledger, "x"));
    expect(&watch, &ledger, OPERATOR_WAITING);
    ledger_says_hold(&ledger, MESSAGE_HOLD, "h2", "");
    expect(&watch, &ledger, OPERATOR_REFUSED);
    cr_assert_not_null(strstr(watch.text, "because"), "%s", watch.text);
    fold_free(ledger.fold);
}

static int64_t say_trigger(struct ledger_says *ledger, const char *id)
{
    struct message message = {.kind = MESSAGE_TRIGGER,
                              .trigger = {.id = id, .who = "ann@host", .why = ""}};
    return ledger_says(ledger, &message);
}

Test(operator_watch, trigger_to_published)
{
    struct ledger_says ledger = new_ledger();
    ledger_says_commit(&ledger, 1, COMMIT_BUILD, "r1", NULL, 0);
    ledger_says_published(&ledger, 1, "r1");
    struct operator_watch watch = watch_of(MESSAGE_TRIGGER, "t1", say_trigger(&ledger, "t1"));
    expect(&watch, &ledger, OPERATOR_WAITING);
    /* a build that was open already does not answer it */
    ledger_says_commit(&ledger, 2, COMMIT_BUILD, "r2", NULL, 0);
    expect(&watch, &ledger, OPERATOR_WAITING);
    ledger_says_published(&ledger, 2, "r2");
    expect(&watch, &ledger, OPERATOR_WAITING);
    ledger_says_commit(&ledger, 3, COMMIT_BUILD, "r3", "t1", 0);
    expect(&watch, &ledger, OPERATOR_WAITING);
    cr_assert_eq(watch.build, 3);
    ledger_forgets(&ledger, "trigger/t1");
    expect(&watch, &ledger, OPERATOR_WAITING);
    ledger_says_published(&ledger, 3, "r3");
    expect(&watch, &ledger, OPERATOR_DONE);
    cr_assert_str_eq(watch.run_id, "r3");
    fold_free(ledger.fold);
}

Test(operator_watch, trigger_without_rows)
{
    struct ledger_says ledger = new_ledger();
    struct operator_watch watch = watch_of(MESSAGE_TRIGGER, "t1", say_trigger(&ledger, "t1"));
    ledger_says_commit(&ledger, 1, COMMIT_EMPTY, "r1", "t1", 0);
    expect(&watch, &ledger, OPERATOR_DONE);
    cr_assert(watch.empty);
    cr_assert_str_empty(watch.run_id);
    fold_free(ledger.fold);
}

Test(operator_watch, skip_is_used)
{
    struct ledger_says ledger = new_ledger();
    struct message message = {.kind = MESSAGE_SKIP,
                              .skip = {.id = "s1",
                                       .who = "ann@host",
                                       .why = "retention",
                                       .range = {.id = {.topic = "t"}, .from = 3, .to = 5}}};
    struct operator_watch watch = watch_of(MESSAGE_SKIP, "s1", ledger_says(&ledger, &message));
    expect(&watch, &ledger, OPERATOR_WAITING);
    ledger_says_commit(&ledger, 1, COMMIT_BUILD, "r1", "s1", 0);
    expect(&watch, &ledger, OPERATOR_DONE);
    fold_free(ledger.fold);
}

Test(operator_watch, accepted_to_published)
{
    struct ledger_says ledger = new_ledger();
    struct message message = {
        .kind = MESSAGE_ACCEPT,
        .accept = {
            .id = "a1", .who = "ann@host", .why = "it is right", .build = 1, .run_id = "r1"}};
    struct operator_watch watch = watch_of(MESSAGE_ACCEPT, "a1", ledger_says(&ledger, &message));
    expect(&watch, &ledger, OPERATOR_WAITING);
    ledger_says_commit(&ledger, 1, COMMIT_BUILD, "r1", "a1", 0);
    expect(&watch, &ledger, OPERATOR_WAITING);
    ledger_says_published(&ledger, 1, "r1");
    expect(&watch, &ledger, OPERATOR_DONE);
    cr_assert_str_eq(watch.run_id, "r1");
    fold_free(ledger.fold);
}

/* Before the record itself was read back, nothing is an answer. */
Test(operator_watch, not_before_it_is_there)
{
    struct ledger_says ledger = new_ledger();
    ledger_says_hold(&ledger, MESSAGE_HELD, "h1", "");
    struct operator_watch watch = watch_of(MESSAGE_HOLD, "h1", -1);
    expect(&watch, &ledger, OPERATOR_WAITING);
    fold_free(ledger.fold);
}

Test(operator_watch, silence)
{
    const int64_t quiet_us = 30 * 1000000;
    char text[ERR_MESSAGE_MAX];
    struct ledger_says ledger = {.fold = fold_new(), .timestamp_us = 1000000};
    cr_assert(operator_watch_silent(ledger.fold, 2000000, quiet_us, text));
    cr_assert_str_eq(text, "no member was ever here");
    ledger_says_leader(&ledger, "a");
    cr_assert_not(operator_watch_silent(ledger.fold, 2000000, quiet_us, text));
    ledger_says_progress(&ledger, "a", false, 3);
    cr_assert_not(operator_watch_silent(ledger.fold, 1000000 + quiet_us, quiet_us, text));
    cr_assert(operator_watch_silent(ledger.fold, 1000001 + quiet_us, quiet_us, text));
    /* another member lives */
    ledger.timestamp_us = 20 * 1000000;
    ledger_says_progress(&ledger, "b", false, -1);
    cr_assert_not(operator_watch_silent(ledger.fold, 1000001 + quiet_us, quiet_us, text));
    cr_assert_not_null(strstr(text, "member b"), "%s", text);
    /* and then both say good-bye */
    ledger_says_progress(&ledger, "a", true, 3);
    ledger_says_progress(&ledger, "b", true, -1);
    cr_assert(operator_watch_silent(ledger.fold, ledger.timestamp_us, quiet_us, text));
    cr_assert_str_eq(text, "all members have left");
    fold_free(ledger.fold);
}

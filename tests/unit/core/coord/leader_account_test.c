/* What does the leader make of an account that does not say what the head's said? */
#include "core/coord/leader.h"
#include "core/coord/leader_state.h"
#include "tests/support/ledger_says.h"

static struct coord_settings settings;
static struct leader *leader;
static struct leader_out out;
static struct ledger_says ledger;
static const struct partition_id t0 = {.topic = "t", .number = 0};
static const struct message_topic topic = {.name = "t", .id = ""};

/* The head left 3 records of t/0 for the next build, whose READY counts `carried_in`. */
static void set_up_build(const char *fingerprint, uint64_t carried_in, uint64_t rows)
{
    coord_settings_init(&settings);
    settings.fingerprint = fingerprint;
    settings.topics = &topic;
    settings.topic_count = 1;
    leader = leader_new(&settings, "m1", 1);
    leader_out_init(&out);
    leader->out = &out;
    leader->phase = LEADER_ACTIVE;
    leader->now_us = 1000;
    ledger = (struct ledger_says){.fold = leader->fold, .timestamp_us = 1000};
    ledger_says_leader(&ledger, "m1");
    struct commit_partition head = {.id = t0,
                                    .tail_from = 4,
                                    .cut = 10,
                                    .account = {.read = 10, .stored = 7, .carried_out = 3}};
    struct message message = {.kind = MESSAGE_COMMIT,
                              .commit = {.build = 1,
                                         .kind = COMMIT_EMPTY,
                                         .run_id = "r1",
                                         .parent = "",
                                         .future_bound_us = INT64_MAX,
                                         .fingerprint = "before",
                                         .topics = &topic,
                                         .topic_count = 1,
                                         .partitions = &head,
                                         .partition_count = 1}};
    ledger_says(&ledger, &message);
    ledger_says_progress(&ledger, "m1", false, 12);
    struct close_partition cut = {.id = t0, .tail_from = 4, .seen_end = 10, .cut = 12};
    message = (struct message){.kind = MESSAGE_CLOSE,
                               .close = {.build = 2,
                                         .parent = "r1",
                                         .to_us = EVENT_TIME_HIGH,
                                         .future_bound_us = INT64_MAX,
                                         .fingerprint = fingerprint,
                                         .topics = &topic,
                                         .topic_count = 1,
                                         .partitions = &cut,
                                         .partition_count = 1}};
    ledger_says(&ledger, &message);
    struct ready_partition said = {.id = t0,
                                   .owned = true,
                                   .from = 4,
                                   .to = 12,
                                   .read = 2,
                                   .carried_in = carried_in,
                                   .rows = rows,
                                   .late = 2 + carried_in - rows,
                                   .carried_from = 12};
    struct shard_size size = {.shard = 0, .rows = rows, .bytes = 9};
    message = (struct message){.kind = MESSAGE_READY,
                               .ready = {.member = "m1",
                                         .incarnation = 1,
                                         .build = 2,
                                         .fingerprint = fingerprint,
                                         .partitions = &said,
                                         .partition_count = 1,
                                         .shards = &size,
                                         .shard_count = rows > 0,
                                         .rows = rows,
                                         .bytes = 9}};
    ledger_says(&ledger, &message);
}

static void tear_down(void)
{
    leader->out = NULL;
    leader_free(leader);
    leader_out_done(&out);
}

TestSuite(leader_account, .fini = tear_down);

/* All of it is one shard, which is built. */
static void build_it(uint64_t rows)
{
    struct plan_range range = {.id = t0, .from = 4, .to = 12};
    struct plan_contribution contribution = {
        .member = "m1", .incarnation = 1, .ranges = &range, .range_count = 1};
    static const char *const members[] = {"m1"};
    struct plan_shard shard = {.builder = 0, .attempt = 1};
    struct message message = {.kind = MESSAGE_PLAN,
                              .plan = {.build = 2,
                                       .run_id = "r2",
                                       .time_us = 1,
                                       .contributions = &contribution,
                                       .contribution_count = 1,
                                       .members = members,
                                       .member_count = 1,
                                       .shards = &shard,
                                       .shard_count = 1}};
    ledger_says(&ledger, &message);
    struct attempt_partition stored = {.id = t0, .stored = rows};
    message = (struct message){.kind = MESSAGE_ATTEMPT,
                               .attempt = {.member = "m1",
                                           .incarnation = 1,
                                           .build = 2,
                                           .run_id = "r2",
                                           .attempt = 1,
                                           .ok = true,
                                           .error = "",
                                           .url = "u",
                                           .row_count = rows,
                                           .db_bytes = 1,
                                           .partitions = &stored,
                                           .partition_count = 1}};
    ledger_says(&ledger, &message);
}

/* What the duty asks for; then it is as if that had been answered. */
static const struct leader_command *asked(leader_duty duty, enum leader_command_kind kind)
{
    out.commands = NULL;
    out.command_count = 0;
    leader->purpose = FOR_NOTHING;
    cr_assert(duty(leader), "%s", leader->doing);
    for (size_t i = 0; i < out.command_count; i++) {
        if (out.commands[i].kind == kind) {
            return &out.commands[i];
        }
    }
    return NULL;
}

static bool appends(leader_duty duty, const char *text)
{
    const struct leader_command *append = asked(duty, LEADER_APPEND);
    struct bytes value = append == NULL ? bytes_of_text("") : append->append.records[0].value;
    return value.size > 0 && memmem(value.data, value.size, text, strlen(text)) != NULL;
}

Test(leader_account, rows_that_are_missing_are_never_committed)
{
    set_up_build("before", 2, 4);
    build_it(4);
    cr_assert(appends(leader_duty_commit, "\"kind\":\"ABORTED\""));
}

/* Other settings make something else of the same records, for ever: an operator decides. */
Test(leader_account, settings_that_changed_are_a_question)
{
    static const uint64_t carried[] = {0, 2, 5}; /* the head has 3 */
    for (size_t i = 0; i < LENGTH_OF(carried); i++) {
        set_up_build("f", carried[i], 2 + carried[i]);
        build_it(2 + carried[i]);
        cr_assert(appends(leader_duty_commit, "\"kind\":\"GATED\""), "%d", (int)carried[i]);
        const char *reason = "the settings changed, and with them what is made of records that "
                             "wait: t/0: 2 carried in, and the head carried out 3";
        cr_assert(carried[i] != 2 || strstr(leader->doing, reason) != NULL, "%s", leader->doing);
        struct message accept = {
            .kind = MESSAGE_ACCEPT,
            .accept = {.id = "a", .who = "ann", .why = "known", .build = 2, .run_id = "r2"}};
        ledger_says(&ledger, &accept);
        cr_assert_not_null(asked(leader_duty_commit, LEADER_STAGE_MANIFEST));
        if (i + 1 < LENGTH_OF(carried)) {
            tear_down();
        }
    }
}

/* As many of them: nothing to ask. */
Test(leader_account, settings_that_make_the_same_of_them_are_none)
{
    set_up_build("f", 3, 5);
    build_it(5);
    cr_assert_not_null(asked(leader_duty_commit, LEADER_STAGE_MANIFEST));
}

/* A build without rows has no run that could be accepted; so it is planned like others. */
Test(leader_account, without_rows_it_is_a_question_too)
{
    set_up_build("f", 1, 0);
    cr_assert(appends(leader_duty_plan, "\"kind\":\"PLAN\""));
    tear_down();
    set_up_build("f", 3, 0);
    cr_assert(appends(leader_duty_plan, "\"kind\":\"COMMIT\""));
}

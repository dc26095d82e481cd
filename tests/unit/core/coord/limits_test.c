/* Is what comes from outside and is more than the protocol takes a clear error, with its number and
 * the limit, and never the end of the process? */
#include <criterion/criterion.h>
#include <stdio.h>

#include "core/coord/leader.h"
#include "core/coord/leader_shards.h"
#include "core/coord/member.h"
#include "core/coord/member_state.h"

static struct coord_settings settings;
static const struct message_topic topics[] = {{"a", "t"}};

static void set_up(void)
{
    coord_settings_init(&settings);
    settings.fingerprint = "f";
    settings.topics = topics;
    settings.topic_count = 1;
    settings.trigger = TRIGGER_MANUAL;
}

TestSuite(limits, .init = set_up);

Test(limits, more_members_than_a_plan_can_name)
{
    enum { COUNT = MEMBERS_MAX + 1 };
    static char names[COUNT][16];
    static struct message_ready readies[COUNT];
    static struct ready_partition partitions[COUNT];
    static struct leader_share shares[COUNT];
    static struct close_partition cuts[COUNT];
    static const struct shard_size size = {.rows = 1, .bytes = 9};
    for (int i = 0; i < COUNT; i++) {
        struct partition_id id = {"a", i};
        snprintf(names[i], sizeof names[i], "m%d", i);
        readies[i] = (struct message_ready){.member = names[i], .shards = &size, .shard_count = 1};
        partitions[i] = (struct ready_partition){.id = id, .rows = 1};
        shares[i] = (struct leader_share){.ready = &readies[i], .partition = &partitions[i]};
        cuts[i] = (struct close_partition){.id = id};
    }
    struct leader_out out = {.arena = arena_new(4096)};
    struct leader leader = {.settings = &settings, .fold = fold_new(), .out = &out, .now_us = 1};
    for (size_t count = MEMBERS_MAX; count <= COUNT; count++) {
        for (unsigned contents = CONTENTS_WINDOW; contents <= CONTENTS_STATE; contents++) {
            struct message_close close = {.contents = (enum contents)contents,
                                          .fingerprint = "f",
                                          .partitions = cuts,
                                          .partition_count = count};
            struct message_plan plan = {.build = 1};
            const char *why = "";
            bool fits = shards_assign(&leader, &close, shares, &plan, &why);
            cr_assert_eq(fits, count == MEMBERS_MAX, "%zu: %s", count, why);
            cr_assert(fits || strstr(why, "1025 members deliver rows, at most 1024") != NULL, "%s",
                      why);
        }
    }
    fold_free(leader.fold);
    arena_free(out.arena);
}

/* ---- the leader ---- */

static struct leader *leader;
static struct leader_out leader_out;
static int64_t now_us = INT64_C(1767225600000000);

static void lead(struct leader_event event)
{
    now_us += 1000;
    event.now_us = now_us;
    leader_step(leader, &event, &leader_out);
}

static const struct leader_command *told(enum leader_command_kind kind)
{
    for (size_t i = 0; i < leader_out.command_count; i++) {
        if (leader_out.commands[i].kind == kind) {
            return &leader_out.commands[i];
        }
    }
    return NULL;
}

static void answer(const struct leader_command *command, struct leader_event event)
{
    cr_assert_not_null(command);
    event.kind = LEADER_EVENT_RESULT;
    event.result.command = command->id;
    event.result.message = "";
    lead(event);
}

static void read_record(int64_t offset, struct bytes key, struct bytes value)
{
    lead(
        (struct leader_event){.kind = LEADER_EVENT_RECORD, .record = {offset, now_us, key, value}});
}

/* To the first question for the ends of all partitions. */
static const struct leader_command *to_the_ends(void)
{
    static char value[300];
    leader = leader_new(&settings, "m1", 1);
    leader_out_init(&leader_out);
    lead((struct leader_event){.kind = LEADER_EVENT_ELECTED});
    answer(told(LEADER_INIT_TRANSACTIONS), (struct leader_event){0});
    const struct coord_record *said = &told(LEADER_APPEND)->append.records[0];
    snprintf(value, sizeof value, "%.*s", (int)said->value.size, (const char *)said->value.data);
    answer(told(LEADER_APPEND), (struct leader_event){.result = {.append_offset = 5}});
    read_record(5, bytes_of_text("leader"), bytes_of_text(value));
    lead((struct leader_event){.kind = LEADER_EVENT_TICK});
    answer(told(LEADER_GET_POINTER),
           (struct leader_event){
               .result = {
                   .pointer = {.missing = true, .etag = "", .run_id = "", .newer_run_id = ""}}});
    read_record(6, bytes_of_text("trigger/t"),
                bytes_of_text("{\"id\":\"t\",\"kind\":\"TRIGGER\",\"v\":1}"));
    return told(LEADER_QUERY_ENDS);
}

static void done(void)
{
    leader_free(leader);
    leader_out_done(&leader_out);
}

Test(limits, more_partitions_than_a_build_can_have)
{
    enum { COUNT = PARTITIONS_MAX + 1 };
    static struct coord_ends ends[COUNT];
    for (int i = 0; i < COUNT; i++) {
        ends[i] = (struct coord_ends){.id = {"a", i}, .topic_id = "t", .last_stable = 9, .high = 9};
    }
    const struct leader_command *query = to_the_ends();
    answer(query, (struct leader_event){.result = {.ends = ends, .end_count = COUNT}});
    const struct leader_command *alert = told(LEADER_ALERT);
    cr_assert_not_null(alert);
    cr_assert_not_null(strstr(alert->alert, "4097 partitions together, at most 4096"), "%s",
                       alert->alert);
    cr_assert_null(told(LEADER_APPEND));
    now_us += settings.retry_max_us;
    lead((struct leader_event){.kind = LEADER_EVENT_TICK});
    answer(told(LEADER_QUERY_ENDS),
           (struct leader_event){.result = {.ends = ends, .end_count = PARTITIONS_MAX}});
    cr_assert_not_null(told(LEADER_APPEND), "one less, and it closes");
    done();
}

/* The broker's answer to a record that is too large is the same for ever: somebody must know. */
Test(limits, a_record_that_the_ledger_refuses)
{
    static const struct coord_ends ends = {
        .id = {"a", 0}, .topic_id = "t", .last_stable = 9, .high = 9};
    answer(to_the_ends(), (struct leader_event){.result = {.ends = &ends, .end_count = 1}});
    const struct leader_command *append = told(LEADER_APPEND);
    cr_assert_not_null(append);
    now_us += 1000;
    leader_step(leader,
                &(struct leader_event){.kind = LEADER_EVENT_RESULT,
                                       .now_us = now_us,
                                       .result = {.command = append->id,
                                                  .outcome = ERR_INPUT,
                                                  .message = "close/1 has 9 bytes, at most 8"}},
                &leader_out);
    const struct leader_command *alert = told(LEADER_ALERT);
    cr_assert(alert != NULL && strstr(alert->alert, "close/1 has 9 bytes") != NULL);
    cr_assert_eq(leader_phase(leader), LEADER_ACTIVE);
    done();
}

/* ---- the member ---- */

static struct member_out member_out;

static void step(struct member *member, struct member_event event)
{
    now_us += 1000;
    event.now_us = now_us;
    member_step(member, &event, &member_out);
}

static const struct member_command *asked(enum member_command_kind kind)
{
    for (size_t i = 0; i < member_out.command_count; i++) {
        if (member_out.commands[i].kind == kind) {
            return &member_out.commands[i];
        }
    }
    return NULL;
}

Test(limits, more_partitions_than_a_member_can_have)
{
    enum { COUNT = PARTITIONS_MAX + 1 };
    static struct partition_id ids[COUNT];
    for (int i = 0; i < COUNT; i++) {
        ids[i] = (struct partition_id){"a", i};
    }
    struct member *member = member_new(&settings, "m1", 7, 1);
    member_out_init(&member_out);
    step(member, (struct member_event){.kind = MEMBER_EVENT_ASSIGNED,
                                       .assignment = {.partitions = ids, .count = COUNT}});
    const struct member_command *alert = asked(MEMBER_ALERT);
    cr_assert_not_null(alert);
    cr_assert_not_null(strstr(alert->alert, "a/4096 is not read: a member has at most 4096"), "%s",
                       alert->alert);
    cr_assert_eq(member->partition_count, PARTITIONS_MAX);
    member_free(member);
    member_out_done(&member_out);
}

static bool says(const char *text)
{
    for (size_t i = 0; i < member_out.command_count; i++) {
        const struct member_command *command = &member_out.commands[i];
        struct bytes value = command->kind == MEMBER_APPEND ? command->append.records[0].value
                                                            : bytes_of_text("");
        if (value.size > 0 && memmem(value.data, value.size, text, strlen(text)) != NULL) {
            return true;
        }
    }
    return false;
}

/* Of what a builder says nothing is skipped in silence by those who read it: the shard fails. */
Test(limits, an_attempt_that_no_record_can_hold)
{
    static char key[MESSAGE_TEXT_MAX + 2];
    memset(key, 'k', sizeof key - 1);
    struct member *member = member_new(&settings, "m1", 7, 1);
    member_out_init(&member_out);
    static const char *const records[][2] = {
        {"close/1", "{\"build\":1,\"contents\":\"state\",\"fingerprint\":\"f\",\"kind\":\"CLOSE\","
                    "\"term\":0,\"time_us\":1,\"trigger\":\"manual\",\"v\":1}"},
        {"plan/r", "{\"build\":1,\"kind\":\"PLAN\",\"members\":[\"m1\"],\"run_id\":\"r\","
                   "\"shards\":[[0,1]],\"term\":0,\"time_us\":1,\"v\":1}"},
    };
    for (size_t i = 0; i < LENGTH_OF(records); i++) {
        step(member,
             (struct member_event){.kind = MEMBER_EVENT_RECORD,
                                   .record = {(int64_t)i, now_us, bytes_of_text(records[i][0]),
                                              bytes_of_text(records[i][1])}});
    }
    step(member, (struct member_event){.kind = MEMBER_EVENT_LEDGER_END});
    cr_assert_not_null(asked(MEMBER_BUILD));
    struct message_attempt built = {.run_id = "r",
                                    .attempt = 1,
                                    .ok = true,
                                    .error = "",
                                    .url = "u",
                                    .row_count = 1,
                                    .min_key = key};
    step(member, (struct member_event){.kind = MEMBER_EVENT_BUILT, .built = built});
    const struct member_command *alert = asked(MEMBER_ALERT);
    cr_assert_not_null(alert);
    cr_assert_not_null(strstr(alert->alert, "ATTEMPT: min_key: 4097 bytes, at most 4096"), "%s",
                       alert->alert);
    cr_assert(says("its ATTEMPT is too large"));
    cr_assert_not(says("\"ok\":true"));
    member_free(member);
    member_out_done(&member_out);
}

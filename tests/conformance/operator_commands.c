/* Is what an operator wishes in the ledger, and is the truth said about what came of it? */
#include <sys/wait.h>

#include "adapters/os/clock.h"
#include "consumer/operator/rollback.h"
#include "tests/conformance/kafka_bed.h"
#include "tests/conformance/operator_leader.h"

#define FOLDER_STORE_MUST(condition) WORKS(condition)
#include "tests/support/folder_store.h"

static const char *const LEDGER_LIKE =
    "cleanup.policy=compact,message.timestamp.type=LogAppendTime";

enum { SECOND_US = 1000 * 1000 };

static struct settings settings_of(const char *group)
{
    return (struct settings){
        .group = group,
        .member_id = "test",
        .kafka = {.brokers = bed_settings().brokers, .session_timeout_us = 6 * SECOND_US}};
}

static struct operator_leader leader_of(struct arena *arena, const char *group)
{
    return (struct operator_leader){.settings = {.cluster = bed_settings(),
                                                 .group = group,
                                                 .topic = ledger_topic_name(arena, group)}};
}

static struct operator_session *open_session(const struct settings *settings)
{
    struct err err;
    struct operator_session *session = NULL;
    WORKS(operator_new(settings, &session, &err));
    return session;
}

/* A ledger that every broker knows about: right after it was made one may not. */
static void new_ledger(struct arena *arena, const char *group)
{
    struct err err;
    struct cluster_topic topic;
    const char *name = ledger_topic_name(arena, group);
    bed_topic(name, 1, LEDGER_LIKE);
    int64_t deadline_us = clock_mono_us() + 20 * SECOND_US;
    while (!ledger_check(bed_cluster(), name, 5000, &topic, &err)) {
        IS(err.kind == ERR_MISSING && clock_mono_us() < deadline_us);
        clock_sleep_us(SECOND_US / 10);
    }
}

/* Until the leader of the thread is in the ledger. */
static void wait_for_leader(struct operator_session *session)
{
    struct err err;
    int64_t deadline_us = clock_mono_us() + 20 * SECOND_US;
    while (fold_leader(operator_fold(session)) == NULL) {
        IS(clock_mono_us() < deadline_us);
        WORKS(operator_refresh(session, 200 * 1000, &err));
    }
}

static struct operator_watch wish(struct operator_session *session, struct message *message,
                                  int64_t timeout_us)
{
    struct err err;
    struct operator_watch watch;
    WORKS(operator_append(session, message, &watch, &err));
    IS(watch.offset >= 0);
    WORKS(operator_wait(session, &watch, timeout_us, NULL, &err));
    fprintf(stderr, "   %s %d: %s\n", message_kind_name(message->kind), (int)watch.state,
            watch.text);
    return watch;
}

static struct operator_watch send_hold(struct operator_session *session, const char *id,
                                       int64_t timeout_us)
{
    struct message message = {.kind = MESSAGE_HOLD,
                              .hold = {.id = id,
                                       .who = operator_who(session),
                                       .why = "a test",
                                       .target = "",
                                       .may_appear = ""}};
    return wish(session, &message, timeout_us);
}

static struct operator_watch send_resume(struct operator_session *session, const char *id,
                                         const char *pointer)
{
    struct message message = {.kind = MESSAGE_RESUME,
                              .resume = {.id = id,
                                         .who = operator_who(session),
                                         .why = "a test",
                                         .mode = RESUME_ADOPT,
                                         .pointer = pointer}};
    return wish(session, &message, 20 * SECOND_US);
}

static struct operator_watch send_trigger(struct operator_session *session, const char *id)
{
    struct message message = {.kind = MESSAGE_TRIGGER,
                              .trigger = {.id = id, .who = operator_who(session), .why = "a test"}};
    return wish(session, &message, 20 * SECOND_US);
}

/* ---- stories ---- */

static void no_ledger_is_said(void)
{
    struct settings settings = settings_of("none");
    struct operator_session *session = NULL;
    struct err err = {0};
    IS(!operator_new(&settings, &session, &err));
    IS_NUMBER(err.kind, ERR_MISSING);
    bed_topic("wrong.coordination", 2, NULL);
    settings = settings_of("wrong");
    IS(!operator_new(&settings, &session, &err));
    IS_NUMBER(err.kind, ERR_SETTINGS);
    fprintf(stderr, "   %s\n", err.message);
}

static void nobody_leads(void)
{
    struct arena *arena = arena_new(4096);
    new_ledger(arena, "alone");
    struct settings settings = settings_of("alone");
    struct operator_session *session = open_session(&settings);
    int64_t start_us = clock_mono_us();
    struct operator_watch watch = send_hold(session, "h1", 60 * SECOND_US);
    IS_NUMBER(watch.state, OPERATOR_NO_LEADER);
    IS(clock_mono_us() - start_us < 20 * SECOND_US);
    IS(fold_hold(operator_fold(session)) != NULL);
    operator_free(session);
    /* the next one who looks finds the hold */
    session = open_session(&settings);
    IS(fold_hold(operator_fold(session)) != NULL);
    operator_free(session);
    arena_free(arena);
}

static void a_leader_answers(void)
{
    struct err err;
    struct arena *arena = arena_new(4096);
    new_ledger(arena, "led");
    struct settings settings = settings_of("led");
    struct operator_leader leader = leader_of(arena, "led");
    leader.pointer = "bytes";
    struct operator_session *session = open_session(&settings);
    operator_leader_start(&leader);
    wait_for_leader(session);
    IS_NUMBER(send_trigger(session, "t1").state, OPERATOR_DONE);
    IS_NUMBER(send_hold(session, "h1", 20 * SECOND_US).state, OPERATOR_DONE);
    IS_NUMBER(send_resume(session, "x1", "other bytes").state, OPERATOR_REFUSED);
    struct operator_watch held;
    WORKS(operator_wait_for_held(session, 20 * SECOND_US, &held, &err));
    IS_NUMBER(held.state, OPERATOR_DONE);
    IS_NUMBER(send_resume(session, "x2", "bytes").state, OPERATOR_DONE);
    struct message skip = {.kind = MESSAGE_SKIP,
                           .skip = {.id = "s1",
                                    .who = "test",
                                    .why = "a test",
                                    .range = {.id = {.topic = "t"}, .from = 1, .to = 2}}};
    IS_NUMBER(wish(session, &skip, 20 * SECOND_US).state, OPERATOR_DONE);
    operator_leader_stop(&leader);
    operator_free(session);
    arena_free(arena);
}

static void a_trigger_finds_no_rows(void)
{
    struct arena *arena = arena_new(4096);
    new_ledger(arena, "empty");
    struct settings settings = settings_of("empty");
    struct operator_leader leader = leader_of(arena, "empty");
    leader.mood = OPERATOR_LEADER_EMPTY;
    struct operator_session *session = open_session(&settings);
    operator_leader_start(&leader);
    wait_for_leader(session);
    struct operator_watch watch = send_trigger(session, "t1");
    IS_NUMBER(watch.state, OPERATOR_DONE);
    IS(watch.empty);
    operator_leader_stop(&leader);
    operator_free(session);
    arena_free(arena);
}

/* Two snapshots in a folder, the newer one current. */
static void publish_two(struct folder_store *at)
{
    folder_store_open(at);
    folder_store_publish(at, "one", "one", 1000000);
    const char *two = folder_store_publish(at, "two", "two", 2000000);
    folder_store_point(at, two, "two", 2000001);
}

static const char *current_run(struct folder_store *at)
{
    struct err err;
    struct catalog_pointer pointer = {0};
    WORKS(catalog_read_pointer(&at->catalog, at->arena, &pointer, &err));
    return pointer.pointer.run_id;
}

static enum err_kind roll_back(struct folder_store *at, struct operator_session *session,
                               int64_t timeout_us, struct rollback_result *result)
{
    struct err err = {0};
    struct rollback_request request = {.catalog = at->catalog,
                                       .session = session,
                                       .run_id = "one",
                                       .why = "a test",
                                       .timeout_us = timeout_us};
    bool ok = rollback_run(&request, at->arena, result, &err);
    fprintf(stderr, "   rollback: %s\n", ok ? "done" : err.message);
    return ok ? ERR_NONE : err.kind;
}

/* R15, R20: HOLD with the target is answered before the pointer moves. */
static void rollback_holds_first(void)
{
    struct folder_store at;
    publish_two(&at);
    new_ledger(at.arena, "back");
    struct settings settings = settings_of("back");
    struct operator_leader leader = leader_of(at.arena, "back");
    struct operator_session *session = open_session(&settings);
    operator_leader_start(&leader);
    wait_for_leader(session);
    struct rollback_result result;
    IS_NUMBER(roll_back(&at, session, 20 * SECOND_US, &result), ERR_NONE);
    IS(result.held && !result.nobody_led && result.may_appear == NULL);
    IS(strcmp(current_run(&at), "one") == 0);
    const struct fold_entry *hold = fold_hold(operator_fold(session));
    IS(hold != NULL && hold->message.kind == MESSAGE_HELD);
    IS(strcmp(hold->message.hold.target, "one") == 0);
    operator_leader_stop(&leader);
    operator_free(session);
    folder_store_close(&at);
}

/* A leader that lives and does not answer may be writing: the pointer is not touched. */
static void rollback_waits_for_an_answer(void)
{
    struct folder_store at;
    publish_two(&at);
    new_ledger(at.arena, "mute");
    struct settings settings = settings_of("mute");
    struct operator_leader leader = leader_of(at.arena, "mute");
    leader.mood = OPERATOR_LEADER_MUTE;
    struct operator_session *session = open_session(&settings);
    operator_leader_start(&leader);
    wait_for_leader(session);
    struct rollback_result result;
    IS_NUMBER(roll_back(&at, session, 6 * SECOND_US, &result), ERR_STOPPED);
    IS(result.held);
    IS(strcmp(current_run(&at), "two") == 0);
    operator_leader_stop(&leader);
    /* gone with a good-bye, nobody is there to answer, and it may go on */
    IS_NUMBER(roll_back(&at, session, 20 * SECOND_US, &result), ERR_NONE);
    IS(result.nobody_led);
    IS(strcmp(current_run(&at), "one") == 0);
    operator_free(session);
    folder_store_close(&at);
}

static void rollback_refuses_a_condemned_run(void)
{
    struct err err;
    struct folder_store at;
    publish_two(&at);
    new_ledger(at.arena, "doomed");
    struct settings settings = settings_of("doomed");
    struct operator_leader leader = leader_of(at.arena, "doomed");
    struct ledger_writer *writer = NULL;
    WORKS(ledger_writer_new(&leader.settings, &writer, &err));
    struct message message = {.kind = MESSAGE_LEADER, .leader = {.member = "fake", .nonce = "n"}};
    operator_leader_append(writer, &message);
    message = (struct message){
        .kind = MESSAGE_CONDEMN,
        .condemn = {.term = 0, .run_id = "one", .whole_run = true, .reason = "keep_last"}};
    operator_leader_append(writer, &message);
    struct operator_session *session = open_session(&settings);
    struct rollback_result result;
    IS_NUMBER(roll_back(&at, session, 20 * SECOND_US, &result), ERR_CONFLICT);
    IS(!result.held);
    IS(strcmp(current_run(&at), "two") == 0);
    operator_free(session);
    ledger_writer_free(writer);
    folder_store_close(&at);
}

/* ---- the commands themselves ---- */

/* Runs the program with these arguments after `-c FILE`; its exit code. */
static int run_command(struct folder_store *at, const char *group, const char *arguments,
                       struct buf *output)
{
    struct err err;
    const char *file = arena_format(at->arena, "%s/settings.cfg", at->folder);
    const char *text = arena_format(
        at->arena,
        "group = \"%s\"; member_id = \"test\";\nkafka: { brokers = \"%s\"; session_timeout = "
        "\"6s\"; };\n"
        "topics = ( { name = \"data\"; key = { from = \"key\"; encoding = \"utf8\"; }; } );\n"
        "window: { trigger = \"manual\"; };\nsnapshot: { store = \"%s\"; shards = 1; };\n",
        group, bed_settings().brokers, store_url_of(at->store));
    WORKS(file_write(file, bytes_of_text(text), 0600, &err));
    const char *line =
        arena_format(at->arena, "%s %s -c %s 2>&1", TIDEMARK_BINARY, arguments, file);
    FILE *pipe = popen(line, "r");
    IS(pipe != NULL);
    char chunk[4096];
    size_t size = 0;
    buf_clear(output);
    while ((size = fread(chunk, 1, sizeof chunk, pipe)) > 0) {
        buf_add(output, chunk, size);
    }
    int status = pclose(pipe);
    IS(WIFEXITED(status));
    fprintf(stderr, "   %s: %d\n%s", arguments, WEXITSTATUS(status), buf_text(output));
    return WEXITSTATUS(status);
}

static void says(struct folder_store *at, const char *group, const char *arguments, int code,
                 const char *text)
{
    struct buf output;
    buf_init(&output, 1024 * 1024);
    IS_NUMBER(run_command(at, group, arguments, &output), code);
    IS(strstr(buf_text(&output), text) != NULL);
    buf_done(&output);
}

static void commands_without_a_service(void)
{
    struct folder_store at;
    publish_two(&at);
    bed_topic("data", 2, NULL);
    bed_produce("data", 0, 0, 7);
    says(&at, "unheard", "status", 4, "no service of the group unheard has ever run");
    new_ledger(at.arena, "quiet");
    says(&at, "quiet", "status", 0, "no member was ever here");
    says(&at, "quiet", "status --json", 0, "\"lag\":7");
    says(&at, "quiet", "trigger --json", 0, "\"state\":\"accepted\"");
    says(&at, "quiet", "resume --adopt", 0, "nothing to resume");
    says(&at, "quiet", "resume", 2, "--adopt or --from-here");
    says(&at, "quiet", "hold --why 'a look'", 0, "nobody leads");
    says(&at, "quiet", "status", 0, "a hold is wished by");
    says(&at, "quiet", "skip data 0 5 3 --why x", 2, "FROM must be below TO");
    says(&at, "quiet", "skip nodata 0 3 5 --why x", 2, "no topic of the settings");
    says(&at, "quiet", "skip data 0 3 5 --why x --json", 0, "\"state\":\"accepted\"");
    says(&at, "quiet", "status --json", 0, "\"skips_waiting\":1,\"term\":null");
    says(&at, "quiet", "trigger --cut data/0=5 --cut data/0=6", 2, "given twice");
    says(&at, "quiet", "rollback one", 0, "_CURRENT names one now; it named two");
    says(&at, "quiet", "cleanup --keep-last 1 --grace 0s", 0, "run_id=two");
    IS(strcmp(current_run(&at), "one") == 0);
    folder_store_close(&at);
}

static void commands_with_a_leader(void)
{
    struct folder_store at;
    publish_two(&at);
    new_ledger(at.arena, "full");
    struct settings settings = settings_of("full");
    struct operator_leader leader = leader_of(at.arena, "full");
    struct operator_session *session = open_session(&settings);
    operator_leader_start(&leader);
    wait_for_leader(session);
    operator_free(session);
    says(&at, "full", "trigger --wait", 0, "is published as run");
    says(&at, "full", "hold", 0, "held: the pointer stays");
    says(&at, "full", "status", 0, "held by");
    says(&at, "full", "resume --adopt", 8, "the RESUME is void");
    says(&at, "full", "cleanup", 7, "the service runs");
    says(&at, "full", "cleanup --dry-run", 0, "run_id=one");
    says(&at, "full", "rollback one --json", 0, "\"leader_answered\":true");
    operator_leader_stop(&leader);
    folder_store_close(&at);
}

int main(void)
{
    bed_start(1, NULL);
    STORY(no_ledger_is_said);
    STORY(nobody_leads);
    STORY(a_leader_answers);
    STORY(a_trigger_finds_no_rows);
    STORY(rollback_holds_first);
    STORY(rollback_waits_for_an_answer);
    STORY(rollback_refuses_a_condemned_run);
    STORY(commands_without_a_service);
    STORY(commands_with_a_leader);
    return 0;
}

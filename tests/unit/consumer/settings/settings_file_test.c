/* Settings files: every mistake named, every right value stored, no secret shown. */
#include "consumer/settings/settings_file.h"

#include <criterion/criterion.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "adapters/os/file.h"
#include "core/fingerprint.h"

#define VECTORS TESTS_FOLDER "/vectors/settings/"

static void set_environment(void)
{
    setenv("TIDEMARK_TEST_SECRET", "hunter2", 1);
    setenv("TIDEMARK_TEST_EMPTY", "", 1);
    setenv("TIDEMARK_TEST_PORT", "9092", 1);
    setenv("TIDEMARK_TEST_SHARDS", "12", 1);
    unsetenv("TIDEMARK_TEST_UNSET");
}

static void print_all(const struct settings_mistakes *mistakes, struct buf *out)
{
    for (size_t i = 0; i < mistakes->count; i++) {
        settings_mistake_print(&mistakes->items[i], out);
        buf_add_byte(out, '\n');
    }
}

/* The content of x.txt beside x.cfg. */
static void read_expected(const char *path, struct buf *out)
{
    char name[512];
    struct err err = {0};
    snprintf(name, sizeof name, "%.*s.txt", (int)(strlen(path) - 4), path);
    cr_assert(file_read(name, out, &err), "%s", err.message);
}

TestSuite(settings_file, .init = set_environment);

Test(settings_file, every_mistake_of_a_bad_file_is_reported)
{
    cr_assert(chdir(VECTORS "bad") == 0);
    glob_t files;
    cr_assert(glob("*.cfg", 0, NULL, &files) == 0);
    cr_assert(files.gl_pathc >= 29, "%zu", files.gl_pathc);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        AUTO(settings_mistakes) struct settings_mistakes mistakes;
        settings_mistakes_init(&mistakes);
        AUTO(buf) struct buf got;
        AUTO(buf) struct buf expected;
        buf_init(&got, 1 << 20);
        buf_init(&expected, 1 << 20);
        struct settings *settings = NULL;
        struct err err = {0};
        cr_expect(!settings_load(files.gl_pathv[i], NULL, &settings, &mistakes, &err), "%s",
                  files.gl_pathv[i]);
        cr_expect(settings == NULL && err.kind == ERR_SETTINGS, "%s", files.gl_pathv[i]);
        print_all(&mistakes, &got);
        read_expected(files.gl_pathv[i], &expected);
        cr_expect_str_eq(buf_text(&got), buf_text(&expected), "%s:\n%s", files.gl_pathv[i],
                         buf_text(&got));
        if (strcmp(files.gl_pathv[i], "environment.cfg") == 0) {
            cr_expect(strstr(buf_text(&got), "hunter2") == NULL, "a secret is shown");
        }
        cr_expect(strstr(err.message, "hunter2") == NULL, "%s", err.message);
    }
    globfree(&files);
}

Test(settings_file, right_files_are_read)
{
    cr_assert(chdir(VECTORS "good") == 0);
    glob_t files;
    cr_assert(glob("*.cfg", 0, NULL, &files) == 0);
    cr_assert(files.gl_pathc >= 5);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        AUTO(settings_mistakes) struct settings_mistakes mistakes;
        settings_mistakes_init(&mistakes);
        AUTO(settings) struct settings *settings = NULL;
        AUTO(buf) struct buf got;
        AUTO(buf) struct buf expected;
        buf_init(&got, 1 << 20);
        buf_init(&expected, 1 << 20);
        struct err err = {0};
        cr_assert(settings_load(files.gl_pathv[i], NULL, &settings, &mistakes, &err), "%s",
                  err.message);
        fingerprint_print(settings, &got);
        read_expected(files.gl_pathv[i], &expected);
        cr_expect_str_eq(buf_text(&got), buf_text(&expected), "%s:\n%s", files.gl_pathv[i],
                         buf_text(&got));
    }
    globfree(&files);
}

Test(settings_file, examples_are_right)
{
    setenv("KAFKA_USER", "u", 1);
    setenv("KAFKA_PASSWORD", "p", 1);
    setenv("SNAPSHOT_BUCKET", "bucket", 1);
    setenv("SNAPSHOT_KMS_KEY", "k", 1);
    setenv("DEMO_BROKERS", "localhost:9092", 1);
    setenv("DEMO_STORE", "file:///tmp/demo/store", 1);
    setenv("DEMO_WORK", "/tmp/demo/work", 1);
    glob_t files;
    cr_assert(glob(TESTS_FOLDER "/../etc/tidemark.cfg", 0, NULL, &files) == 0);
    cr_assert(glob(TESTS_FOLDER "/../etc/examples/*.cfg", GLOB_APPEND, NULL, &files) == 0);
    cr_assert(glob(TESTS_FOLDER "/../etc/demo/demo.cfg", GLOB_APPEND, NULL, &files) == 0);
    cr_assert(files.gl_pathc >= 7);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        AUTO(settings_mistakes) struct settings_mistakes mistakes;
        settings_mistakes_init(&mistakes);
        AUTO(settings) struct settings *settings = NULL;
        struct err err = {0};
        cr_expect(settings_load(files.gl_pathv[i], NULL, &settings, &mistakes, &err), "%s",
                  err.message);
    }
    globfree(&files);
}

static struct settings *load_good(const char *name, const char *const *overrides, size_t count)
{
    char path[512];
    snprintf(path, sizeof path, VECTORS "good/%s.cfg", name);
    AUTO(settings_mistakes) struct settings_mistakes mistakes;
    settings_mistakes_init(&mistakes);
    struct settings_options options = {.overrides = overrides, .override_count = count};
    struct settings *settings = NULL;
    struct err err = {0};
    cr_assert(settings_load(path, &options, &settings, &mistakes, &err), "%s", err.message);
    return settings;
}

Test(settings_file, every_value_reaches_its_place)
{
    AUTO(settings) struct settings *s = load_good("full", NULL, 0);
    cr_expect_str_eq(s->group, "g.1");
    cr_expect_str_eq(s->member_id, "m1");
    cr_expect_str_eq(s->kafka.brokers, "a:1,[::1]:2");
    cr_expect_str_eq(s->kafka.ledger_topic, "led");
    cr_expect(s->kafka.session_timeout_us == 10000000);
    cr_assert(s->kafka.property_count == 4);
    cr_expect_str_eq(s->kafka.properties[1].name, "fetch.min.bytes");
    cr_expect_str_eq(s->kafka.properties[1].value, "5");
    cr_expect_str_eq(s->kafka.properties[2].value, "20");
    cr_expect_str_eq(s->kafka.properties[3].value, "true");
    cr_expect(s->kafka.properties[3].line == 11);

    cr_assert(s->topic_count == 2);
    const struct topic_settings *topic = &s->topics[0];
    cr_expect(topic->format == PAYLOAD_JSON && topic->key.source == FIELD_HEADER);
    cr_expect_str_eq(topic->key.name, "k");
    cr_expect(topic->key_encoding == KEY_ENCODING_U32BE);
    cr_assert(topic->field_count == 2);
    cr_expect_str_eq(topic->fields[0].name, "v");
    cr_expect_str_eq(topic->fields[0].from.name, "/a~0b/~1c");
    cr_expect(topic->fields[0].required && !topic->fields[1].required);
    cr_expect(topic->fields[1].from.source == FIELD_TOPIC);
    cr_expect(topic->event_time.source == FIELD_JSON && topic->time_unit == TIME_RFC3339);
    cr_expect(s->topics[1].format == PAYLOAD_JSON && s->topics[1].fields == NULL);
    cr_expect(s->topics[1].event_time.source == FIELD_TIMESTAMP);
}

Test(settings_file, every_value_of_a_window_and_a_snapshot_reaches_its_place)
{
    AUTO(settings) struct settings *s = load_good("full", NULL, 0);
    const struct window_settings *w = &s->window;
    cr_expect(w->trigger == TRIGGER_EVENT_TIME && w->size_us == INT64_C(5400000000));
    cr_expect(w->out_of_orderness_us == 1000000 && w->allowed_lateness_us == 2000000);
    cr_expect(w->idle_after_us == 3000000 && w->max_future_skew_us == 4000000);
    cr_expect(w->late == LATE_DEAD_LETTER && w->future == FUTURE_DEAD_LETTER);
    cr_expect(w->empty == EMPTY_PUBLISH && w->start == START_TIME);
    cr_expect(w->start_time_us == INT64_C(1773480600500000), "%ld", (long)w->start_time_us);
    cr_expect(w->max_open_windows == 5 && w->max_unpublished_windows == 6);

    const struct snapshot_settings *n = &s->snapshot;
    cr_expect_str_eq(n->store, "s3://bucket/a/b");
    cr_expect(n->contents == CONTENTS_WINDOW && n->routing == ROUTING_HASH);
    cr_expect(n->shards == 0 && n->max_keys_per_shard == UINT64_C(5000000000));
    cr_expect(n->order == ROW_ORDER_EVENT_TIME && n->page_size == 8192 && !n->sidecar);
    cr_expect_str_eq(n->key_column, "id");
    cr_expect_str_eq(n->shard_prefix, "sh");
    cr_expect_str_eq(n->run_registry_prefix, "ru");
    cr_expect_str_eq(n->db_path_template, "d-{db_id:03d}");
    cr_expect(n->keep_last == 7 && n->keep_for_us == INT64_C(691200000000));
    cr_expect(n->cleanup_grace_us == INT64_C(540000000) && n->max_attempts == 10);
    cr_expect(n->attempt_timeout_us == INT64_C(660000000));
    cr_expect(n->attempt_backoff_us == 15000000 && n->attempt_backoff_max_us == 16000000);
    cr_expect(n->cleanup_every_us == INT64_C(840000000));
    cr_expect(!n->speculative && n->speculative_after_us == 14000000);
    cr_expect(n->speculative_factor == 3 && n->speculative_share > 0.74 &&
              n->speculative_share < 0.76);
    cr_expect(n->pointer_check_us == 12000000 && n->max_clock_skew_us == 13000000);

    cr_expect(s->gates.min_rows == 7 && s->gates.max_empty_shards == 2);
    cr_expect(s->gates.max_row_change > 0.29 && s->gates.max_row_change < 0.31);
    cr_assert_eq(s->gates.canary_key_count, 2);
    cr_expect_str_eq(s->gates.canary_keys[0], "a key");
    cr_expect_str_eq(s->gates.canary_keys[1], "17");
    cr_expect(s->dead_letter.policy == DEAD_LETTER_TOPIC && s->dead_letter.max_errors == 14);
    cr_expect(s->dead_letter.max_error_ratio > 0.49 && s->dead_letter.max_error_ratio < 0.51);
    cr_expect_str_eq(s->dead_letter.topic, "dead");
    cr_expect_str_eq(s->s3.endpoint, "http://minio:9000");
    cr_expect_str_eq(s->s3.region, "r");
    cr_expect_str_eq(s->s3.profile, "p");
    cr_expect_str_eq(s->s3.addressing, "path");
    cr_expect_str_eq(s->s3.sse, "aws:kms");
    cr_expect_str_eq(s->s3.kms_key, "k");
    cr_expect_str_eq(s->s3.ca_file, "/ca.pem");
    cr_expect_str_eq(s->s3.proxy, "http://u:p@proxy:3128");
    cr_expect(s->s3.connect_timeout_us == 1000000 && s->s3.request_timeout_us == 2000000);
    cr_expect(s->s3.deadline_us == 3000000 && s->s3.max_retries == 0);
    cr_expect(s->limits.memory_budget == UINT64_C(1) << 30);
    cr_expect(s->limits.disk_budget == UINT64_C(68719476736));
    cr_expect_str_eq(s->limits.work_folder, "/w");
    cr_expect(s->limits.max_key_bytes == 16 && s->limits.max_value_bytes == 1000000);
    cr_expect(s->limits.build_threads == 3 && s->limits.stop_timeout_us == 4000000);
    cr_expect(s->log_level == 3 && s->log_format == LOG_FORMAT_JSON);
}

Test(settings_file, defaults)
{
    AUTO(settings) struct settings *s = load_good("minimal", NULL, 0);
    cr_expect_str_eq(s->kafka.ledger_topic, "orders.coordination");
    cr_expect(s->member_id != NULL && s->member_id[0] != '\0');
    cr_expect(s->topics[0].key.source == FIELD_KEY && s->topics[0].format == PAYLOAD_RAW);
    cr_expect(s->topics[0].event_time.source == FIELD_TIMESTAMP);
    cr_expect(s->window.start == START_EARLIEST && s->window.empty == EMPTY_SKIP);
    cr_expect(s->snapshot.page_size == 0 && s->snapshot.sidecar);
    cr_expect_str_eq(s->snapshot.db_path_template, "db={db_id:05d}");
    cr_expect(s->limits.memory_budget == UINT64_C(256) << 20);
    cr_expect(s->s3.endpoint == NULL);
    cr_expect(s->log_level == 2);
}

Test(settings_file, offsets_are_not_cut)
{
    AUTO(settings) struct settings *s = load_good("offsets", NULL, 0);
    cr_assert(s->window.target_count == 3);
    cr_expect(s->window.targets[0].offset == INT64_C(5000000000));
    cr_expect(s->window.targets[1].offset == INT64_C(5000000000));
    cr_expect(s->window.targets[2].offset == 7 && s->window.targets[2].partition == 2);
}

Test(settings_file, texts_take_variables_and_files)
{
    AUTO(settings) struct settings *s = load_good("environment", NULL, 0);
    cr_expect_str_eq(s->group, "g-x");
    cr_expect_str_eq(s->kafka.brokers, "localhost:9092");
    cr_expect_str_eq(s->kafka.properties[0].value, "hunter2");
    cr_expect_str_eq(s->kafka.properties[1].value, "from a file");
    cr_expect_str_eq(s->kafka.properties[2].value, "${x}$");
    cr_expect(!s->kafka.properties[0].shown && !s->kafka.properties[1].shown);
    cr_expect(s->kafka.properties[2].shown);
    cr_expect(s->snapshot.shards == 12 && !s->snapshot.sidecar);
    cr_expect(s->s3.endpoint == NULL);
}

Test(settings_file, overrides_are_stronger)
{
    const char *overrides[] = {
        "group=h",
        "topics[0].name=x=y",
        "topics[0].name=second",
        "snapshot.shards=9",
        "snapshot.sidecar=false",
        "limits.build_threads=7",
        "kafka.properties.client.id=one",
        "kafka.properties.client.id=two",
        "dead_letter.max_error_ratio=0.25",
    };
    AUTO(settings) struct settings *s = load_good("minimal", overrides, LENGTH_OF(overrides));
    cr_expect_str_eq(s->group, "h");
    cr_expect_str_eq(s->kafka.ledger_topic, "h.coordination");
    cr_expect_str_eq(s->topics[0].name, "second");
    cr_expect(s->snapshot.shards == 9 && !s->snapshot.sidecar && s->limits.build_threads == 7);
    cr_assert(s->kafka.property_count == 1);
    cr_expect_str_eq(s->kafka.properties[0].value, "two");
    cr_expect(s->dead_letter.max_error_ratio > 0.24 && s->dead_letter.max_error_ratio < 0.26);
}

Test(settings_file, wrong_overrides_are_mistakes_too)
{
    static const struct {
        const char *override;
        const char *report; /* the first line begins with it */
    } cases[] = {
        {"", "--set: not an override"},
        {"group", "--set: not an override"},
        {"=x", "--set: not an override"},
        {"a..b=1", "--set: a..b: not a path"},
        {"group.x=1", "--set: group.x: what is before the last dot is not a group"},
        {"topics[1].name=x", "--set: topics[1].name: there is no such item"},
        {"topics[x].name=x", "--set: topics[x].name: there is no such item"},
        {"topics[0]=x", "--set: topics[0]: a group or an item"},
        {"topics=x", "--set: topics: wrong type"},
        {"9x=1", "--set: 9x: not a name"},
        {"snapshot.shrads=3", "--set: snapshot.shrads: unknown setting; did you mean 'shards'?"},
        {"snapshot.shards=many", "--set: snapshot.shards: wrong type: \"many\""},
        {"snapshot.shards=0", "--set: snapshot.shards: out of range: \"0\""},
        /* no COMMIT names more of them, so members would never pause */
        {"window.max_unpublished_windows=65",
         "--set: window.max_unpublished_windows: out of range: \"65\""},
        {"kafka.properties.sasl.password=hunter2\n", NULL},
        {"kafka.properties.no.such=1", "--set: kafka.properties[0]: librdkafka"},
        {"s3.proxy=${TIDEMARK_TEST_UNSET}hunter2", "--set: s3.proxy: environment variable"},
    };
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        AUTO(settings_mistakes) struct settings_mistakes mistakes;
        settings_mistakes_init(&mistakes);
        struct settings_options options = {.overrides = &cases[i].override, .override_count = 1};
        AUTO(settings) struct settings *settings = NULL;
        AUTO(buf) struct buf got;
        buf_init(&got, 1 << 16);
        struct err err = {0};
        bool good = settings_load(VECTORS "good/minimal.cfg", &options, &settings, &mistakes, &err);
        print_all(&mistakes, &got);
        cr_expect(good == (cases[i].report == NULL), "%s: %s", cases[i].override, buf_text(&got));
        cr_expect(cases[i].report == NULL ||
                      strncmp(buf_text(&got), cases[i].report, strlen(cases[i].report)) == 0,
                  "%s: %s", cases[i].override, buf_text(&got));
        cr_expect(strstr(buf_text(&got), "hunter2") == NULL);
    }
}

Test(settings_file, an_unknown_property_is_named_and_its_value_is_not)
{
    static const char text[] =
        "group = \"g\"; kafka: { brokers = \"b\";\n"
        "properties = ( (\"security.protocl\", \"hunter2\"), (\"sasl.pasword\", \"hunter2\") ); "
        "};\n"
        "topics = ( { name = \"t\"; key = { encoding = \"raw\"; }; } );\n"
        "window: { trigger = \"manual\"; }; snapshot: { store = \"file:///a\"; shards = 1; };";
    AUTO(settings_mistakes) struct settings_mistakes mistakes;
    settings_mistakes_init(&mistakes);
    AUTO(settings) struct settings *settings = NULL;
    AUTO(buf) struct buf got;
    buf_init(&got, 1 << 16);
    struct err err = {0};
    cr_assert(!settings_parse(bytes_of_text(text), "m.cfg", NULL, &settings, &mistakes, &err));
    print_all(&mistakes, &got);
    cr_expect(mistakes.count == 2);
    cr_expect(strstr(buf_text(&got), "m.cfg:2: kafka.properties[0]: ") != NULL);
    cr_expect(strstr(buf_text(&got), "no property \"security.protocl\"") != NULL, "%s",
              buf_text(&got));
    cr_expect(strstr(buf_text(&got), "did you mean 'security.protocol'?") != NULL);
    cr_expect(strstr(buf_text(&got), "no property \"sasl.pasword\"") != NULL);
    cr_expect(strstr(buf_text(&got), "did you mean 'sasl.password'?") != NULL);
    cr_expect(strstr(buf_text(&got), "hunter2") == NULL);
}

Test(settings_file, a_file_that_is_not_there)
{
    AUTO(settings_mistakes) struct settings_mistakes mistakes;
    settings_mistakes_init(&mistakes);
    AUTO(settings) struct settings *settings = NULL;
    struct err err = {0};
    cr_expect(!settings_load("/no/such.cfg", NULL, &settings, &mistakes, &err));
    cr_expect(err.kind == ERR_MISSING && mistakes.count == 1);
    cr_expect(strstr(err.message, "/no/such.cfg") != NULL);
}

Test(settings_file, too_many_mistakes_are_counted)
{
    AUTO(buf) struct buf text;
    buf_init(&text, 1 << 20);
    for (int i = 0; i < 500; i++) {
        buf_add_format(&text, "unknown_%d = 1;\n", i);
    }
    AUTO(settings_mistakes) struct settings_mistakes mistakes;
    settings_mistakes_init(&mistakes);
    AUTO(settings) struct settings *settings = NULL;
    struct err err = {0};
    cr_expect(!settings_parse(buf_bytes(&text), "m", NULL, &settings, &mistakes, &err));
    cr_expect(mistakes.count == SETTINGS_MISTAKES_MAX);
    cr_expect(mistakes.count + mistakes.dropped == 506, "%zu", mistakes.dropped);
    cr_expect(strstr(err.message, "506 mistakes") != NULL, "%s", err.message);
}

/* Whether this build has SlateDB or not: what does not go with it is said at its line. */
Test(settings_file, slatedb)
{
    static const char good[] = "group = \"g\"; kafka: { brokers = \"h:1\"; };\n"
                               "topics = ( { name = \"t\"; key = { encoding = \"utf8\"; }; } );\n"
                               "window: { trigger = \"manual\"; };\n"
                               "snapshot: { store = \"file:///s\"; shards = 1; %s };\n"
                               "kv: { backend = \"slatedb\"; };\n"
                               "limits: { max_key_bytes = \"%s\"; };\n";
    AUTO(buf) struct buf text;
    AUTO(buf) struct buf got;
    buf_init(&text, 4096);
    buf_init(&got, 1 << 20);
    buf_add_format(&text, good, "", "4KiB");
    AUTO(settings_mistakes) struct settings_mistakes mistakes;
    settings_mistakes_init(&mistakes);
    AUTO(settings) struct settings *settings = NULL;
    struct err err = {0};
    bool loaded = settings_parse(buf_bytes(&text), "m.cfg", NULL, &settings, &mistakes, &err);
    print_all(&mistakes, &got);
    cr_assert_eq(loaded, TIDEMARK_WITH_SLATEDB, "%s", buf_text(&got));
    if (loaded) {
        cr_assert(settings->kv.backend == BACKEND_SLATEDB && !settings->snapshot.sidecar);
    } else {
        cr_assert(strstr(buf_text(&got), "m.cfg:5: kv.backend: \"slatedb\": this build of tidemark "
                                         "has no SlateDB; build it with cmake "
                                         "-DTIDEMARK_WITH_SLATEDB=ON") != NULL,
                  "%s", buf_text(&got));
    }
    AUTO(settings_mistakes) struct settings_mistakes more;
    settings_mistakes_init(&more);
    buf_clear(&text);
    buf_clear(&got);
    buf_add_format(&text, good, "contents = \"state\"; page_size = 4096; sidecar = true;", "64KiB");
    cr_assert_not(settings_parse(buf_bytes(&text), "m.cfg", NULL, &settings, &more, &err));
    print_all(&more, &got);
    cr_assert(strstr(buf_text(&got), "m.cfg:4: snapshot.contents: kv.backend is") != NULL, "%s",
              buf_text(&got));
    cr_assert(strstr(buf_text(&got), "m.cfg:4: snapshot.page_size: ") != NULL);
    cr_assert(strstr(buf_text(&got), "m.cfg:4: snapshot.sidecar: ") != NULL);
    cr_assert(strstr(buf_text(&got), "m.cfg:6: limits.max_key_bytes: ") != NULL);
}

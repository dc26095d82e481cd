/* What is wrong between settings that are each right: conflicts, gaps, names that do not go
 * together. */
#include "consumer/settings/settings_check.h"

#include "adapters/store_url.h"
#include "consumer/settings/settings_cel.h"
#include "consumer/settings/settings_names.h"
#include "adapters/os/listen.h"
#include "core/snapshot/names_check.h"

static bool has(const struct settings_reader *reader, const char *path)
{
    return settings_reader_has(reader, path);
}

static void refuse(struct settings_reader *reader, const char *path, const char *problem,
                   const char *allowed)
{
    settings_reader_refuse(reader, path, problem, NULL, allowed, NULL);
}

/* `rule` says what is wrong with a text, NULL when nothing. */
static void check_text(struct settings_reader *reader, const char *path, const char *text,
                       const char *(*rule)(const char *))
{
    const char *problem = text == NULL ? NULL : rule(text);
    if (problem != NULL) {
        settings_reader_refuse(reader, path, problem, settings_reader_written(reader, path), NULL,
                               NULL);
    }
}

static void check_state_order(struct settings_reader *reader)
{
    const struct snapshot_settings *snapshot = &reader->settings->snapshot;
    if (snapshot->state_order == STATE_ORDER_EXACT && snapshot->contents != CONTENTS_STATE) {
        refuse(reader, "snapshot.state_order",
               "\"exact\" is of contents \"state\" alone: a window is one build",
               "\"build\", or snapshot.contents is \"state\"");
    }
}

static void check_shards(struct settings_reader *reader)
{
    if (reader->settings->snapshot.routing == ROUTING_CEL) {
        settings_cel_check(reader);
        return;
    }
    settings_cel_check_unused(reader);
    bool shards = has(reader, "snapshot.shards");
    bool max_keys = has(reader, "snapshot.max_keys_per_shard");
    if (shards && max_keys) {
        refuse(reader, "snapshot.max_keys_per_shard", "conflicts with snapshot.shards",
               "one of the two");
    } else if (!shards && !max_keys) {
        refuse(reader, "snapshot.shards", "missing, and there is no default",
               "a number of shards, or snapshot.max_keys_per_shard");
    }
    if (max_keys && reader->settings->snapshot.contents == CONTENTS_STATE) {
        refuse(reader, "snapshot.max_keys_per_shard",
               "contents is \"state\": with another number of shards all of it is made anew, which "
               "must not come by itself",
               "snapshot.shards");
    }
}

/* The rules of names and stores belong to others, whose messages quote the text: they are not shown
 * when it came from outside. */
static void check_rule(struct settings_reader *reader, const char *path, bool good,
                       const struct err *err, const char *problem)
{
    if (good) {
        return;
    }
    const char *written = settings_reader_written(reader, path);
    bool outside = written == NULL || strstr(written, "${") != NULL;
    settings_reader_refuse(reader, path, outside ? problem : err->message, outside ? written : NULL,
                           NULL, NULL);
}

static void check_store(struct settings_reader *reader)
{
    const char *store = reader->settings->snapshot.store;
    struct store_url url;
    struct err err = {0};
    if (store != NULL) {
        bool good = store_url_parse(store, &url, &err) && names_check_prefix(store, &err);
        check_rule(reader, "snapshot.store", good, &err,
                   "not s3://bucket/prefix or file:///folder");
    }
}

static void check_folders(struct settings_reader *reader)
{
    const struct snapshot_settings *snapshot = &reader->settings->snapshot;
    struct names_template parts;
    struct err err = {0};
    bool good = names_check_segment("shard_prefix", snapshot->shard_prefix, &err);
    check_rule(reader, "snapshot.shard_prefix", good, &err, "not a folder's name");
    good = names_check_segment("run_registry_prefix", snapshot->run_registry_prefix, &err);
    check_rule(reader, "snapshot.run_registry_prefix", good, &err, "not a folder's name");
    good = names_check_template(snapshot->db_path_template, &parts, &err);
    check_rule(reader, "snapshot.db_path_template", good, &err, "not a folder's name with {db_id}");
    if (strcmp(snapshot->shard_prefix, snapshot->run_registry_prefix) == 0) {
        const char *which = has(reader, "snapshot.run_registry_prefix")
                                ? "snapshot.run_registry_prefix"
                                : "snapshot.shard_prefix";
        refuse(reader, which, "shard_prefix and run_registry_prefix are the same folder", NULL);
    }
}

static void check_attempts(struct settings_reader *reader)
{
    const struct snapshot_settings *snapshot = &reader->settings->snapshot;
    if (has(reader, "snapshot.speculative") && snapshot->speculative &&
        snapshot->max_attempts == 1) {
        refuse(reader, "snapshot.speculative", "has no effect with max_attempts = 1", NULL);
    }
    static const char *const pauses[] = {"snapshot.attempt_backoff",
                                         "snapshot.attempt_backoff_max"};
    for (size_t i = 0; i < LENGTH_OF(pauses); i++) {
        if (has(reader, pauses[i]) && snapshot->max_attempts == 1) {
            refuse(reader, pauses[i], "has no effect with max_attempts = 1", NULL);
        }
    }
    if (snapshot->attempt_backoff_us > snapshot->attempt_backoff_max_us) {
        refuse(reader, pauses[has(reader, pauses[1]) ? 1 : 0],
               "attempt_backoff is longer than attempt_backoff_max", NULL);
    }
    if (has(reader, "snapshot.speculative_after") &&
        snapshot->speculative_after_us >= snapshot->attempt_timeout_us) {
        refuse(reader, "snapshot.speculative_after",
               "not shorter than attempt_timeout: an attempt is overdue before it is slow", NULL);
    }
}

static void check_snapshot(struct settings_reader *reader)
{
    const struct settings *settings = reader->settings;
    check_attempts(reader);
    check_store(reader);
    check_shards(reader);
    check_state_order(reader);
    check_folders(reader);
    if (settings->s3.kms_key != NULL &&
        (settings->s3.sse == NULL || strcmp(settings->s3.sse, "aws:kms") != 0)) {
        refuse(reader, "s3.kms_key", "has no effect without sse = \"aws:kms\"", NULL);
    }
    if (settings->s3.endpoint != NULL && strncmp(settings->s3.endpoint, "https://", 8) != 0 &&
        strncmp(settings->s3.endpoint, "http://", 7) != 0) {
        refuse(reader, "s3.endpoint", "not a URL", "https://host:port, http://host:port");
    }
    if (settings->s3.connect_timeout_us > settings->s3.deadline_us) {
        refuse(reader, "s3.deadline", "shorter than s3.connect_timeout", NULL);
    }
    if (settings->s3.request_timeout_us > settings->s3.deadline_us) {
        refuse(reader, "s3.deadline", "shorter than s3.request_timeout", NULL);
    }
}

static void check_topics(struct settings_reader *reader)
{
    static const char *const encodings[] = {"u64be", "u32be", "utf8", "raw"};
    const struct settings *settings = reader->settings;
    size_t first_encoding = settings->topic_count;
    for (size_t i = 0; i < settings->topic_count; i++) {
        const struct topic_settings *topic = &settings->topics[i];
        const char *path = arena_format(reader->arena, "topics[%zu].name", i);
        check_text(reader, path, topic->name, settings_names_topic);
        for (size_t j = 0; j < i && topic->name != NULL; j++) {
            if (settings->topics[j].name != NULL &&
                strcmp(settings->topics[j].name, topic->name) == 0) {
                refuse(reader, path, arena_format(reader->arena, "the topic of topics[%zu]", j),
                       "each topic once");
                break;
            }
        }
        const char *encoding = arena_format(reader->arena, "topics[%zu].key.encoding", i);
        if (!settings_reader_is_right(reader, encoding)) {
            continue;
        }
        if (first_encoding == settings->topic_count) {
            first_encoding = i;
        } else if (topic->key_encoding != settings->topics[first_encoding].key_encoding) {
            settings_reader_refuse(reader, encoding,
                                   "differs from an earlier topic: a snapshot has one key encoding",
                                   settings_reader_written(reader, encoding),
                                   encodings[settings->topics[first_encoding].key_encoding], NULL);
        }
    }
}

static void check_dead_letter(struct settings_reader *reader)
{
    const struct settings *settings = reader->settings;
    const struct dead_letter_settings *dead = &settings->dead_letter;
    if (dead->policy == DEAD_LETTER_TOPIC && dead->topic == NULL) {
        refuse(reader, "dead_letter.topic", "missing: policy is \"topic\"", "a topic's name");
    }
    if (dead->policy == DEAD_LETTER_FILE && dead->path == NULL) {
        refuse(reader, "dead_letter.path", "missing: policy is \"file\"", "a file's path");
    }
    if (dead->policy != DEAD_LETTER_TOPIC && dead->topic != NULL) {
        refuse(reader, "dead_letter.topic", "has no effect without policy = \"topic\"", NULL);
    }
    if (dead->policy != DEAD_LETTER_FILE && dead->path != NULL) {
        refuse(reader, "dead_letter.path", "has no effect without policy = \"file\"", NULL);
    }
    check_text(reader, "dead_letter.topic", dead->topic, settings_names_topic);
    for (size_t i = 0; i < settings->topic_count && dead->topic != NULL; i++) {
        if (settings->topics[i].name != NULL &&
            strcmp(settings->topics[i].name, dead->topic) == 0) {
            refuse(reader, "dead_letter.topic", "a topic that is read: it would feed itself", NULL);
        }
    }
    bool kept = dead->policy == DEAD_LETTER_TOPIC || dead->policy == DEAD_LETTER_FILE;
    if (settings->window.late == LATE_DEAD_LETTER && !kept) {
        refuse(reader, "window.late", "\"dead_letter\" needs a place for them",
               "dead_letter.policy = \"topic\" or \"file\"");
    }
    if (settings->window.future == FUTURE_DEAD_LETTER && !kept) {
        refuse(reader, "window.future", "\"dead_letter\" needs a place for them",
               "dead_letter.policy = \"topic\" or \"file\"");
    }
}

static void check_limits(struct settings_reader *reader)
{
    const struct limit_settings *limits = &reader->settings->limits;
    if (limits->max_value_bytes > limits->memory_budget / 4) {
        const char *which = has(reader, "limits.max_value_bytes") ? "limits.max_value_bytes"
                                                                  : "limits.memory_budget";
        refuse(reader, which, "max_value_bytes is more than a quarter of memory_budget", NULL);
    }
    if (limits->work_folder[0] != '/') {
        refuse(reader, "limits.work_folder", "not an absolute path", NULL);
    }
}

static void check_status(struct settings_reader *reader)
{
    const char *listen = reader->settings->status.listen;
    struct listen_place place;
    const char *problem = listen == NULL ? NULL : listen_parse(listen, &place);
    if (problem != NULL) {
        settings_reader_refuse(
            reader, "status.listen", problem, settings_reader_written(reader, "status.listen"),
            "\"127.0.0.1:9464\", \"[::1]:9464\", \"0.0.0.0:9464\", \"off\"", NULL);
    }
}

void settings_check(struct settings_reader *reader)
{
    settings_check_kafka(reader);
    check_topics(reader);
    settings_check_window(reader);
    check_snapshot(reader);
    settings_check_vectors(reader);
    settings_check_kv(reader);
    check_dead_letter(reader);
    check_limits(reader);
    check_status(reader);
}

/* Whether a service with these settings could work here: tried, not guessed. */
#include "consumer/doctor/doctor.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/os/clock.h"
#include "adapters/os/os_random.h"
#include "checkpoint/reading/catalog.h"
#include "consumer/doctor/doctor_machine.h"
#include "consumer/intake/poll_thread.h"
#include "consumer/service_settings.h"
#include "consumer/wiring/wiring.h"
#include "core/snapshot/lineage.h"

enum {
    DOCTOR_KAFKA_MS = 10 * 1000,
    DOCTOR_READ_US = 10 * 1000 * 1000, /* for the end of every partition to be told */
    DOCTOR_POLL_MS = 100,
    DOCTOR_CLOSE_MS = 2 * 1000,
    STORE_CLOCK_US = 1000 * 1000, /* S3 knows whole seconds */
    RETENTION_WINDOWS = 3,        /* fewer are a warning: an outage is longer than a window */
};

/* ---- Kafka ---- */

static bool check_client(struct doctor *doctor)
{
    struct err err;
    int major = 0;
    int minor = 0;
    int patch = 0;
    const char *version = cluster_client_version();
    if (!cluster_check_version(&err)) {
        doctor_say(doctor, DOCTOR_FAIL, "client", "%s", err.message);
        return false;
    }
    bool known = sscanf(version, "librdkafka %d.%d.%d", &major, &minor, &patch) == 3;
    if (known && (major * 10000 + minor * 100 + patch) < 21001) {
        doctor_say(
            doctor, DOCTOR_WARN, "client",
            "%s works; 2.10.1 or newer is recommended: it knows the ids of topics and moves only "
            "the partitions that change hands",
            version);
    } else {
        doctor_say(doctor, DOCTOR_OK, "client", "%s", version);
    }
    return true;
}

static struct cluster *check_brokers(struct doctor *doctor, const struct settings *settings,
                                     const struct cluster_settings *how)
{
    struct cluster *cluster = NULL;
    struct err err;
    int32_t brokers = 0;
    char id[CLUSTER_ID_TEXT_MAX];
    bool made = cluster_new(how, &cluster, &err);
    const char *warning = made ? cluster_login_warning(cluster) : NULL;
    if (warning != NULL) {
        doctor_say(doctor, DOCTOR_WARN, "login", "%s", warning);
    }
    if (!made || !cluster_identity(cluster, DOCTOR_KAFKA_MS, &brokers, id, &err)) {
        doctor_say(doctor, DOCTOR_FAIL, "brokers", "%s%s", err.message,
                   err.kind == ERR_SETTINGS
                       ? ""
                       : "; look at kafka.brokers, kafka.properties and the network");
        return cluster_free(cluster);
    }
    doctor_say(doctor, DOCTOR_OK, "brokers", "%s: %" PRId32 " up, cluster %s",
               settings->kafka.brokers, brokers, id[0] == '\0' ? "without an id" : id);
    return cluster;
}

int64_t doctor_retention_us(const struct window_settings *window)
{
    switch (window->trigger) {
    case TRIGGER_EVENT_TIME:
        return window->size_us + window->allowed_lateness_us + window->out_of_orderness_us;
    case TRIGGER_SCHEDULE:
        return window->every_us;
    case TRIGGER_OFFSETS:
    case TRIGGER_MANUAL:
        break;
    }
    return 0;
}

static const char *hours(int64_t us, char text[32])
{
    if (us < INT64_C(3600) * 1000000) {
        snprintf(text, 32, "%.1f min", (double)us / 60e6);
    } else {
        snprintf(text, 32, "%.1f h", (double)us / 3600e6);
    }
    return text;
}

static void check_retention(struct doctor *doctor, const char *check,
                            const struct cluster_topic *topic, const struct window_settings *window)
{
    char has[32];
    char needs[32];
    int64_t needed = doctor_retention_us(window);
    bool deletes = strstr(topic->cleanup_policy, "delete") != NULL;
    if (!deletes || topic->retention_ms < 0 || topic->retention_ms > INT64_MAX / 1000) {
        doctor_say(doctor, DOCTOR_OK, check,
                   "%" PRId32 " partitions, cleanup.policy %s, kept for ever", topic->partitions,
                   topic->cleanup_policy);
        return;
    }
    hours(topic->retention_ms * 1000, has);
    hours(needed, needs);
    if (topic->retention_ms * 1000 < needed) {
        doctor_say(
            doctor, DOCTOR_FAIL, check,
            "retention.ms is %s, and one window takes %s: records go before they are published; "
            "raise retention.ms or lower the window",
            has, needs);
    } else if (topic->retention_ms * 1000 / RETENTION_WINDOWS < needed) {
        doctor_say(doctor, DOCTOR_WARN, check,
                   "retention.ms is %s, less than %d windows of %s: a short outage loses records",
                   has, RETENTION_WINDOWS, needs);
    } else {
        doctor_say(doctor, DOCTOR_OK, check, "%" PRId32 " partitions, kept for %s",
                   topic->partitions, has);
    }
}

/* Without the name of the check, which stands before it in the line. */
static const char *without_name(const char *text, const char *check)
{
    size_t size = strlen(check);
    return strncmp(text, check, size) == 0 && text[size] == ':' && text[size + 1] == ' '
               ? text + size + 2
               : text;
}

/* False: some topic cannot be read at all. */
static bool check_topics(struct doctor *doctor, const struct settings *settings,
                         struct cluster *cluster)
{
    bool all = true;
    for (size_t i = 0; i < settings->topic_count; i++) {
        struct cluster_topic topic;
        struct err err;
        const char *check = arena_format(doctor->arena, "topic %s", settings->topics[i].name);
        if (cluster_describe_topic(cluster, settings->topics[i].name, DOCTOR_KAFKA_MS, &topic,
                                   &err)) {
            check_retention(doctor, check, &topic, &settings->window);
        } else {
            doctor_say(doctor, DOCTOR_FAIL, check, "%s%s", without_name(err.message, check),
                       err.kind == ERR_MISSING ? "; make it, or correct topics[].name" : "");
            all = false;
        }
    }
    return all;
}

static void check_letters(struct doctor *doctor, const struct settings *settings,
                          struct cluster *cluster)
{
    int32_t partitions = 0;
    struct err err;
    if (settings->dead_letter.policy != DEAD_LETTER_TOPIC) {
        return;
    }
    if (cluster_partitions(cluster, settings->dead_letter.topic, DOCTOR_KAFKA_MS, &partitions,
                           &err)) {
        doctor_say(doctor, DOCTOR_OK, "dead letters", "topic %s, %" PRId32 " partitions",
                   settings->dead_letter.topic, partitions);
    } else {
        doctor_say(doctor, DOCTOR_FAIL, "dead letters",
                   "%s; dead_letter.topic must be there, with Write", err.message);
    }
}

/* True: it is there, and right. */
static bool check_ledger(struct doctor *doctor, const struct settings *settings,
                         struct cluster *cluster)
{
    struct cluster_topic topic;
    struct err err;
    const char *name = settings->kafka.ledger_topic != NULL
                           ? settings->kafka.ledger_topic
                           : ledger_topic_name(doctor->arena, settings->group);
    if (ledger_check(cluster, name, DOCTOR_KAFKA_MS, &topic, &err)) {
        doctor_say(doctor, topic.replicas < 3 ? DOCTOR_WARN : DOCTOR_OK, "ledger",
                   topic.replicas < 3 ? "%s is right, with %" PRId32
                                        " replica(s): with fewer than 3 it "
                                        "is as safe as one broker"
                                      : "%s is right, with %" PRId32 " replicas",
                   name, topic.replicas);
        AUTO(buf) struct buf advice;
        buf_init(&advice, ERR_MESSAGE_MAX);
        if (ledger_advice(&topic, &advice)) {
            doctor_say(doctor, DOCTOR_WARN, "ledger settings",
                       "%s works, but every start reads more of it than it must, or its records "
                       "are kept small: %s",
                       name, buf_text(&advice));
        }
        return true;
    }
    if (err.kind == ERR_MISSING) {
        doctor_say(doctor, DOCTOR_WARN, "ledger",
                   "%s is not there yet: the first start makes it, for which Create is needed",
                   name);
    } else {
        doctor_say(doctor, DOCTOR_FAIL, "ledger", "%s", err.message);
    }
    return false;
}

/* Every partition is asked for what comes behind its end: the fetch itself shows the right. */
static bool read_ends(struct source *source, const struct source_ends *ends, size_t count,
                      struct arena *arena, struct err *err)
{
    struct source_start *starts = arena_zero(arena, (count + 1) * sizeof *starts);
    for (size_t i = 0; i < count; i++) {
        starts[i] = (struct source_start){
            .partition = ends[i].partition, .offset = ends[i].stable, .leader_epoch = -1};
    }
    TRY(source_assign(source, starts, count, err));
    struct source_batch *batch = source_batch_new(POLL_BATCH_MESSAGES);
    int64_t until = clock_mono_us() + DOCTOR_READ_US;
    size_t told = 0;
    bool *heard = arena_zero(arena, (count + 1) * sizeof *heard);
    bool done = true;
    err_set(err, ERR_TRANSIENT, "no answer to a fetch");
    while (done && told < count && clock_mono_us() < until) {
        done = source_poll(source, DOCTOR_POLL_MS, batch, err);
        for (size_t i = 0; done && i < batch->event_count; i++) {
            const struct source_event *event = &batch->events[i];
            if (event->kind == SOURCE_TOPIC_GONE) {
                *err = *event->err;
                done = false;
            } else if (event->kind == SOURCE_ERROR) {
                *err = *event->err;
            }
        }
        for (size_t i = 0; i < count; i++) {
            bool news = false;
            for (size_t k = 0; k < batch->event_count; k++) {
                news = news ||
                       (batch->events[k].kind == SOURCE_END &&
                        source_partition_equal(batch->events[k].partition, ends[i].partition));
            }
            news = news || source_position(source, ends[i].partition) > ends[i].stable;
            told += news && !heard[i];
            heard[i] = heard[i] || news;
        }
    }
    source_batch_free(batch);
    return done && told == count;
}

static void check_reading(struct doctor *doctor, const struct source_settings *how)
{
    struct source_settings settings = *how;
    struct source_query *query = NULL;
    struct source *source = NULL;
    struct source_ends *ends = NULL;
    size_t count = 0;
    struct err err;
    settings.member_id = NULL; /* joins nothing */
    if (source_query_new(&settings, &query, &err) &&
        source_query_ends(query, DOCTOR_KAFKA_MS, doctor->arena, &ends, &count, &err) &&
        source_new(&settings, &source, &err) &&
        read_ends(source, ends, count, doctor->arena, &err)) {
        doctor_say(doctor, DOCTOR_OK, "reading", "%zu partitions can be read", count);
    } else {
        doctor_say(doctor, DOCTOR_FAIL, "reading", "%s", err.message);
    }
    struct source_offset *offsets = arena_zero(doctor->arena, (count + 1) * sizeof *offsets);
    for (size_t i = 0; i < count; i++) {
        offsets[i].partition = ends[i].partition;
    }
    if (count > 0) {
        if (source_query_mirrored(query, offsets, count, DOCTOR_KAFKA_MS, &err)) {
            doctor_say(doctor, DOCTOR_OK, "group", "%s can be asked for its offsets",
                       settings.group);
        } else {
            doctor_say(doctor, DOCTOR_FAIL, "group", "%s", err.message);
        }
    }
    source_query_free(query);
    source_free(source, DOCTOR_CLOSE_MS);
}

/* ---- the store ---- */

/* An object's time is the server's clock at the moment of its writing. */
static void check_store_clock(struct doctor *doctor, struct store *store, int64_t max_skew_us)
{
    char id[17];
    struct err err;
    struct store_info info;
    os_random_hex(id, 16);
    const char *key = arena_format(doctor->arena, "_probe/doctor-%s", id);
    struct store_content content = {.bytes = bytes_of_text("probe")};
    int64_t before = clock_now_us();
    bool done = store_put_settled(store, key, &content, store_always(), NULL, &err) &&
                store_head(store, key, &info, &err);
    int64_t after = clock_now_us();
    struct err ignored;
    bool removed = store_delete(store, key, &ignored);
    (void)removed;
    if (!done) {
        doctor_say(doctor, DOCTOR_FAIL, "store clock", "%s", err.message);
        return;
    }
    int64_t off = info.modified_us < before - STORE_CLOCK_US ? info.modified_us - before
                  : info.modified_us > after                 ? info.modified_us - after
                                                             : 0;
    if (llabs(off) > max_skew_us) {
        doctor_say(doctor, DOCTOR_FAIL, "store clock",
                   "the store's clock and this one are %.1f s apart: set this machine's by NTP",
                   (double)off / 1e6);
    } else {
        doctor_say(doctor, DOCTOR_OK, "store clock", "within %.1f s of this machine's",
                   (double)(llabs(off) + STORE_CLOCK_US) / 1e6);
    }
}

/* The leader of a new group holds where another group publishes (PROTOCOL R21). */
static void check_store_group(struct doctor *doctor, struct store *store, const char *group)
{
    struct catalog catalog = {.borrowed_store = store};
    struct catalog_choice choice = {0};
    struct catalog_snapshot snapshot;
    struct lineage_maker maker;
    struct err err;
    if (!catalog_open(&catalog, &choice, doctor->arena, &snapshot, &err)) {
        bool nothing = err.kind == ERR_MISSING;
        doctor_say(doctor, nothing ? DOCTOR_OK : DOCTOR_FAIL, "store group", "%s", err.message);
        return;
    }
    const struct manifest *manifest = &snapshot.manifest;
    if (manifest->lineage.size == 0 ||
        !lineage_maker(manifest->lineage, doctor->arena, &maker, &err) || maker.group[0] == '\0') {
        doctor_say(doctor, DOCTOR_WARN, "store group",
                   "_CURRENT names %s, which does not say whose it is", manifest->run_id);
    } else if (strcmp(maker.group, group) != 0) {
        doctor_say(
            doctor, DOCTOR_FAIL, "store group",
            "_CURRENT names %s of group %s, and this is group %s: set another snapshot.store, or "
            "end group %s and take over with `tidemark resume --adopt`",
            manifest->run_id, maker.group, group, maker.group);
    } else {
        doctor_say(doctor, DOCTOR_OK, "store group", "_CURRENT names %s of this group",
                   manifest->run_id);
    }
}

static void check_store(struct doctor *doctor, const struct settings *settings)
{
    struct store *store = NULL;
    struct err err;
    struct store_probe_result probe;
    struct store_probe_settings how = {.writers = 3, .rounds = 2, .body_bytes = 64 * 1024};
    const char *url = settings->snapshot.store;
    if (!wiring_open_store(url, &settings->s3, &store, &err) ||
        !store_probe(store, &how, &probe, &err)) {
        doctor_say(doctor, DOCTOR_FAIL, "store",
                   "%s: %s; look at snapshot.store, s3 and the credentials", url, err.message);
        store_free(store);
        return;
    }
    if ((probe.features & STORE_CAS) == 0 || (probe.features & STORE_CREATE_ONLY) == 0) {
        doctor_say(
            doctor, DOCTOR_WARN, "store",
            "%s can be written, read, listed and deleted, and does not honour conditional writes "
            "(%s): the pointer may go back for up to snapshot.pointer_check",
            url, probe.text);
    } else {
        doctor_say(doctor, DOCTOR_OK, "store",
                   "%s can be written, read, listed and deleted, and honours conditional writes",
                   url);
    }
    check_store_clock(doctor, store, settings->snapshot.max_clock_skew_us);
    check_store_group(doctor, store, settings->group);
    store_free(store);
}

static void check_kafka(struct doctor *doctor, const struct settings *settings,
                        const struct service_settings *parts)
{
    if (!check_client(doctor)) {
        return;
    }
    struct cluster *cluster = check_brokers(doctor, settings, &parts->cluster);
    if (cluster == NULL) {
        return;
    }
    bool all = check_topics(doctor, settings, cluster);
    if (check_ledger(doctor, settings, cluster)) {
        doctor_check_broker_clock(doctor, settings);
    }
    check_letters(doctor, settings, cluster);
    cluster_free(cluster);
    if (all) {
        check_reading(doctor, &parts->source);
    }
}

void doctor_run(const struct settings *settings, struct doctor *doctor)
{
    struct service_settings parts = {0};
    struct err err;
    if (service_settings_init(&parts, settings, doctor->arena, &err)) {
        check_kafka(doctor, settings, &parts);
    } else {
        doctor_say(doctor, DOCTOR_FAIL, "settings", "%s", err.message);
    }
    service_settings_done(&parts);
    check_store(doctor, settings);
    doctor_check_work_folder(doctor, settings);
    doctor_check_listen(doctor, settings);
}

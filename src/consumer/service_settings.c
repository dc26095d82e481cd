/* What the settings mean for each part of the service. */
#include "consumer/service_settings.h"

#include <stdlib.h>
#include <string.h>

#include "consumer/operator/cluster_reach.h"
#include "core/base/json.h"
#include "core/route/hash.h"
#include "core/spill/spill_format.h"

enum {
    SERVICE_QUEUE_MIN_BYTES = 4 << 20, /* librdkafka's prefetch queue */
    SERVICE_QUEUE_MAX_BYTES = 64 << 20,
    SERVICE_BATCH_BYTES = 1 << 20,
    SERVICE_BATCH_MESSAGES = 8192,
    SERVICE_BUILD_BYTES = 16 << 20,        /* memory of one build thread, beside what its kv has */
    SERVICE_WRITER_BYTES = 2 << 20,        /* what lays out SQLite files, a build thread, or … */
    SERVICE_SQLITE_CACHE = 8 << 20,        /* … where SQLite itself does, for vectors */
    SERVICE_SLATEDB_CACHE = 16 << 20,      /* likewise, or, when that is more, … */
    SERVICE_SLATEDB_PART = 16,             /* … this part of the budget */
    SERVICE_LEADER_SESSION_MS = 10 * 1000, /* at most */
    SERVICE_OWNER_MIN_US = 5 * 1000 * 1000,
};

/* A static member that comes back is given what it had, whatever it asks for now: with other topics
 * it must come as another one, or a new topic would be nobody's until the next rebalance. */
static const char *instance_of(const struct settings *settings, struct arena *arena)
{
    uint64_t topics = 0;
    for (size_t i = 0; i < settings->topic_count; i++) {
        topics ^= spill_checksum(bytes_of_text(settings->topics[i].name));
    }
    return arena_format(arena, "%s-%08llx", settings->member_id,
                        (unsigned long long)(topics & UINT32_MAX));
}

static void set_kafka(struct service_settings *to, const struct settings *settings,
                      struct arena *arena)
{
    to->cluster = cluster_reach(settings, arena);
    const char **topics = arena_zero(arena, (settings->topic_count + 1) * sizeof *topics);
    for (size_t i = 0; i < settings->topic_count; i++) {
        topics[i] = settings->topics[i].name;
    }
    uint64_t queue = settings->limits.memory_budget / 8;
    queue = queue < SERVICE_QUEUE_MIN_BYTES ? SERVICE_QUEUE_MIN_BYTES : queue;
    queue = queue > SERVICE_QUEUE_MAX_BYTES ? SERVICE_QUEUE_MAX_BYTES : queue;
    /* with a limit, a batch is no more than a second's share: many small pauses, not a long one */
    uint64_t records = settings->limits.records_per_second;
    uint64_t bytes = settings->limits.bytes_per_second;
    to->batch_messages = records > 0 && records < SERVICE_BATCH_MESSAGES ? (size_t)records
                                                                         : SERVICE_BATCH_MESSAGES;
    size_t batch_bytes = bytes > 0 && bytes < SERVICE_BATCH_BYTES ? (size_t)bytes
                                                                  : SERVICE_BATCH_BYTES;
    int session_ms = (int)(settings->kafka.session_timeout_us / 1000);
    to->source = (struct source_settings){
        .cluster = to->cluster,
        .group = settings->group,
        .member_id = instance_of(settings, arena),
        .topics = topics,
        .topic_count = settings->topic_count,
        .queue_bytes_max = (size_t)queue,
        .batch_bytes_max = batch_bytes,
        .session_timeout_ms = session_ms,
    };
    to->ledger = (struct ledger_settings){
        .cluster = to->cluster,
        .group = settings->group,
        .topic = settings->kafka.ledger_topic,
    };
    to->leadership = (struct leadership_settings){.ledger = to->ledger};
    /* a shorter session is a wish for a quick take-over, also of the leadership */
    if (session_ms < SERVICE_LEADER_SESSION_MS) {
        to->leadership.session_timeout_ms = session_ms;
    }
    to->start = settings->window.start == START_LATEST ? SOURCE_LATEST
                : settings->window.start == START_TIME ? SOURCE_TIME
                                                       : SOURCE_EARLIEST;
    to->start_time_ms = settings->window.start_time_us / 1000;
}

static int compare_topics(const void *a, const void *b)
{
    return strcmp(((const struct message_topic *)a)->name, ((const struct message_topic *)b)->name);
}

static enum shard_count_policy shard_policy(const struct snapshot_settings *snapshot)
{
    if (snapshot->shards > 0 || snapshot->cel.has_routing_values) {
        return SHARDS_FIXED;
    }
    if (snapshot->routing == ROUTING_HASH) {
        return SHARDS_BY_ROWS;
    }
    return snapshot->cel.infers ? SHARDS_BY_TOKEN : SHARDS_BY_TOKEN_ID;
}

static struct sharding sharding_of(const struct snapshot_settings *snapshot)
{
    if (snapshot->routing == ROUTING_HASH) {
        return (struct sharding){.strategy = SHARDING_HASH};
    }
    const struct cel_settings *cel = &snapshot->cel;
    return (struct sharding){
        .strategy = SHARDING_CEL,
        .cel_expr = cel->expr,
        .columns = cel->columns,
        .column_count = cel->column_count,
        .has_routing_values = cel->has_routing_values,
        .routing_values = cel->routing_values,
        .routing_value_count = cel->routing_value_count,
    };
}

/* What a shard of a state depends on, in as many characters as a message can have of it. Columns
 * other than the key cannot matter: an expression that uses one makes no state. */
static const char *routing_of(const struct service_settings *to, struct arena *arena)
{
    const struct sharding *sharding = &to->sharding;
    if (sharding->strategy == SHARDING_HASH) {
        return "hash";
    }
    AUTO(buf) struct buf text;
    buf_init(&text, SIZE_MAX / 2);
    json_print_text(bytes_of_text(sharding->cel_expr), &text);
    for (size_t i = 0; i < sharding->column_count; i++) {
        if (strcmp(sharding->columns[i].name, "key") == 0) {
            buf_add_text(&text, sharding_column_type_name(sharding->columns[i].type));
        }
    }
    for (size_t i = 0; i < sharding->routing_value_count; i++) {
        const char *value = route_token_of_value(&sharding->routing_values[i], arena);
        json_print_text(bytes_of_text(value), &text);
    }
    return arena_format(arena, "cel %016llx", (unsigned long long)hash_routing(buf_bytes(&text)));
}

/* `topic_ids` NULL: none is known. */
static void set_topics(struct service_settings *to, const struct settings *settings,
                       const char *const *topic_ids, struct arena *arena)
{
    struct message_topic *topics = arena_zero(arena, (settings->topic_count + 1) * sizeof *topics);
    for (size_t i = 0; i < settings->topic_count; i++) {
        topics[i] =
            (struct message_topic){settings->topics[i].name, topic_ids == NULL ? "" : topic_ids[i]};
    }
    qsort(topics, settings->topic_count, sizeof *topics, compare_topics);
    to->coord.topics = topics;
    to->coord.topic_count = settings->topic_count;
}

static bool set_coord(struct service_settings *to, const struct settings *settings,
                      struct arena *arena, struct err *err)
{
    fingerprint_settings(settings, to->fingerprint);
    AUTO(buf) struct buf text;
    buf_init(&text, SIZE_MAX / 2);
    fingerprint_print(settings, &text);
    to->fingerprint_text = arena_text(arena, buf_bytes(&text));
    const struct window_settings *window = &settings->window;
    const struct snapshot_settings *snapshot = &settings->snapshot;
    struct coord_settings *coord = &to->coord;
    coord_settings_init(coord);
    coord->group = settings->group;
    coord->ledger_id = "";
    coord->fingerprint = to->fingerprint;
    /* rows of inferred routing values are held by numbers that one process alone knows */
    coord->handover_wait_us = snapshot->cel.infers ? 0 : settings->limits.handover_wait_us;
    coord->handover_bytes = settings->limits.handover_bytes;
    coord->handover_at_stop = settings->limits.handover_at_stop;
    set_topics(to, settings, NULL, arena);
    coord->trigger = window->trigger;
    coord->contents = snapshot->contents;
    coord->window_size_us = window->size_us;
    coord->out_of_orderness_us = window->out_of_orderness_us;
    coord->allowed_lateness_us = window->allowed_lateness_us;
    coord->idle_after_us = window->idle_after_us;
    coord->max_future_skew_us = window->max_future_skew_us;
    coord->late = window->late;
    coord->empty = window->empty;
    coord->interval_us = window->every_us;
    if (window->cron != NULL) {
        TRY(cron_parse(window->cron, &to->cron, err));
        coord->cron = &to->cron;
    }
    coord->every_records = (uint64_t)window->every_records;
    coord->gates = (struct gate_settings){
        .min_rows = settings->gates.min_rows,
        .max_row_change = settings->gates.max_row_change,
        .limits_empty_shards = settings->gates.max_empty_shards >= 0,
        .max_empty_shards =
            (uint32_t)(settings->gates.max_empty_shards < 0 ? 0 : settings->gates.max_empty_shards),
        .canaries = settings->gates.canary_keys,
        .canary_count = settings->gates.canary_key_count,
    };
    coord->shape = (struct state_shape){
        .keys = key_encoding_name(to->key_encoding),
        .routing = routing_of(to, arena),
        .files = arena_format(arena, "page size %u, %s sidecar", snapshot->page_size,
                              snapshot->sidecar ? "with" : "without"),
        .order = snapshot->state_order == STATE_ORDER_EXACT ? "exact" : "",
        .vectors = settings->vectors.dim == 0
                       ? "none"
                       : arena_format(arena, "dim %u, %s", settings->vectors.dim,
                                      vector_metric_name(settings->vectors.metric)),
    };
    coord->shard_policy = shard_policy(snapshot);
    coord->shards = snapshot->cel.has_routing_values ? (uint32_t)snapshot->cel.routing_value_count
                                                     : snapshot->shards;
    coord->max_keys_per_shard = snapshot->max_keys_per_shard;
    coord->max_attempts = (uint32_t)snapshot->max_attempts;
    coord->attempt_backoff_us = snapshot->attempt_backoff_us;
    coord->attempt_backoff_max_us = snapshot->attempt_backoff_max_us;
    /* the group has given its partitions away by then; PROGRESS itself comes once a second */
    int64_t owner_us = settings->kafka.session_timeout_us / 3 * 4;
    coord->owner_timeout_us = owner_us > SERVICE_OWNER_MIN_US ? owner_us : SERVICE_OWNER_MIN_US;
    coord->attempt_deadline_us = snapshot->attempt_timeout_us;
    coord->speculative = snapshot->speculative;
    coord->speculative_after_us = snapshot->speculative_after_us;
    coord->speculative_factor = (uint32_t)snapshot->speculative_factor;
    coord->speculative_share = snapshot->speculative_share;
    coord->max_open_windows = (uint32_t)window->max_open_windows;
    coord->max_unpublished_windows = (uint32_t)window->max_unpublished_windows;
    coord->keep_last = snapshot->keep_last;
    coord->keep_for_us = snapshot->keep_for_us;
    coord->cleanup_grace_us = snapshot->cleanup_grace_us;
    coord->sweep_every_us = snapshot->cleanup_every_us;
    coord->pointer_check_us = snapshot->pointer_check_us;
    coord->max_clock_skew_us = snapshot->max_clock_skew_us;
    return true;
}

static int compare_cuts(const void *a, const void *b)
{
    return partition_id_compare(((const struct trigger_cut *)a)->id,
                                ((const struct trigger_cut *)b)->id);
}

static void set_targets(struct service_settings *to, const struct settings *settings,
                        struct arena *arena)
{
    const struct window_settings *window = &settings->window;
    struct trigger_cut *cuts = arena_zero(arena, (window->target_count + 1) * sizeof *cuts);
    for (size_t i = 0; i < window->target_count; i++) {
        cuts[i].id = (struct partition_id){window->targets[i].topic, window->targets[i].partition};
        cuts[i].cut = window->targets[i].offset;
    }
    qsort(cuts, window->target_count, sizeof *cuts, compare_cuts);
    AUTO(buf) struct buf text;
    buf_init(&text, SIZE_MAX / 2);
    for (size_t i = 0; i < window->target_count; i++) {
        buf_add_format(&text, "%s/%d=%lld\n", cuts[i].id.topic, (int)cuts[i].id.number,
                       (long long)cuts[i].cut);
    }
    to->targets = cuts;
    to->target_count = window->target_count;
    to->targets_id =
        arena_format(arena, "offsets-%016llx", (unsigned long long)hash_routing(buf_bytes(&text)));
}

/* SlateDB's files have a quarter of it each: more memory makes fewer of them. */
static uint64_t kv_cache_bytes(const struct settings *settings)
{
    if (settings->kv.backend != BACKEND_SLATEDB) {
        return settings->vectors.dim > 0 ? SERVICE_SQLITE_CACHE : SERVICE_WRITER_BYTES;
    }
    uint64_t share = settings->limits.memory_budget / SERVICE_SLATEDB_PART;
    return share > SERVICE_SLATEDB_CACHE ? share : SERVICE_SLATEDB_CACHE;
}

bool service_settings_init(struct service_settings *to, const struct settings *settings,
                           struct arena *arena, struct err *err)
{
    *to = (struct service_settings){.sharding = sharding_of(&settings->snapshot)};
    to->key_encoding = settings->topics[0].key_encoding;
    to->base_bytes =
        settings->snapshot.contents == CONTENTS_STATE ? settings->limits.disk_budget / 4 : 0;
    to->kv_cache_bytes = kv_cache_bytes(settings);
    to->build_bytes =
        (uint64_t)settings->limits.build_threads * (SERVICE_BUILD_BYTES + to->kv_cache_bytes);
    set_kafka(to, settings, arena);
    set_targets(to, settings, arena);
    TRY(set_coord(to, settings, arena, err));
    const struct snapshot_settings *snapshot = &settings->snapshot;
    TRY(names_init(&to->names, snapshot->store, snapshot->shard_prefix,
                   snapshot->run_registry_prefix, snapshot->db_path_template, err));
    uint64_t max_keys = snapshot->shards > 0 ? 0 : snapshot->max_keys_per_shard;
    TRY(route_init(&to->router, &to->sharding, snapshot->shards, max_keys, snapshot->cel.infers,
                   err));
    to->coord.routes_by_key = route_needs_key_only(&to->router) &&
                              to->router.kind != ROUTE_CEL_INFERRED;
    return true;
}

void service_settings_know(struct service_settings *to, const struct settings *settings,
                           const char *const *topic_ids, const char *ledger_id, struct arena *arena)
{
    set_topics(to, settings, topic_ids, arena);
    to->coord.ledger_id = ledger_id;
}

void service_settings_done(struct service_settings *to)
{
    route_done(&to->router);
}

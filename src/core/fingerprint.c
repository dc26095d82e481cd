/* One hash of all settings that shape what a snapshot holds: members with different ones must not
 * build together. */
#include "core/fingerprint.h"

#include <inttypes.h>
#include <stdlib.h>
#include <xxhash.h>

#include "core/base/json.h"
#include "core/record/field.h"
#include "core/spill/spill_format.h"

enum { TEXT_MAX = 16 << 20, FORM_VERSION = 1 };

static void add_text(struct buf *out, const char *text)
{
    json_print_text(bytes_of_text(text == NULL ? "" : text), out);
}

static void add_field(struct buf *out, const struct field_ref *field)
{
    buf_add_text(out, field_source_text(field->source));
    if (field->name != NULL) {
        add_text(out, field->name);
    }
}

static void add_topic(struct buf *out, const struct topic_settings *topic)
{
    static const char *const formats[] = {"raw", "json"};
    static const char *const encodings[] = {"u64be", "u32be", "utf8", "raw"};
    static const char *const units[] = {"ms", "us", "s", "rfc3339"};
    buf_add_text(out, "topic=");
    add_text(out, topic->name);
    buf_add_format(out, " format=%s key=", formats[topic->format]);
    add_field(out, &topic->key);
    buf_add_format(out, " encoding=%s time=", encodings[topic->key_encoding]);
    add_field(out, &topic->event_time);
    buf_add_format(out, " unit=%s value=%s\n", units[topic->time_unit],
                   topic->fields == NULL ? "whole" : "fields");
    const struct topic_vector *vector = &topic->vector;
    if (vector->on) {
        buf_add_text(out, "  vector=");
        add_field(out, &vector->from);
        buf_add_format(out, " required=%d id=", vector->required);
        if (vector->has_id) {
            add_field(out, &vector->id);
        }
        buf_add_text(out, " payload=");
        if (vector->has_payload) {
            add_field(out, &vector->payload);
        }
        buf_add_byte(out, '\n');
    }
    for (size_t i = 0; i < topic->field_count; i++) {
        buf_add_text(out, "  field=");
        add_text(out, topic->fields[i].name);
        buf_add_text(out, " from=");
        add_field(out, &topic->fields[i].from);
        buf_add_format(out, " required=%d\n", topic->fields[i].required);
    }
}

static int compare_topics(const void *a, const void *b)
{
    const struct topic_settings *const *x = a;
    const struct topic_settings *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

static void add_topics(struct buf *out, const struct settings *settings)
{
    if (settings->topic_count == 0) {
        return;
    }
    const struct topic_settings **sorted = calloc(settings->topic_count, sizeof(void *));
    CHECK(sorted != NULL);
    for (size_t i = 0; i < settings->topic_count; i++) {
        sorted[i] = &settings->topics[i];
    }
    qsort(sorted, settings->topic_count, sizeof(void *), compare_topics);
    for (size_t i = 0; i < settings->topic_count; i++) {
        add_topic(out, sorted[i]);
    }
    free(sorted);
}

static void add_cel(struct buf *out, const struct cel_settings *cel)
{
    buf_add_text(out, "cel=");
    add_text(out, cel->expr);
    buf_add_format(out, " infers=%d\n", cel->infers);
    for (size_t i = 0; i < cel->column_count; i++) {
        buf_add_text(out, "  column=");
        add_text(out, cel->columns[i].name);
        buf_add_format(out, " type=%s from=", sharding_column_type_name(cel->columns[i].type));
        add_field(out, &cel->sources[i]);
        buf_add_byte(out, '\n');
    }
    for (size_t i = 0; i < cel->routing_value_count; i++) {
        const struct logical_key *value = &cel->routing_values[i];
        buf_add_text(out, "  value=");
        if (value->type == KEY_TEXT) {
            json_print_text(value->bytes, out);
        } else {
            buf_add_format(out, "%s%" PRIu64, value->negative ? "-" : "", value->magnitude);
        }
        buf_add_byte(out, '\n');
    }
}

void fingerprint_print(const struct settings *settings, struct buf *out)
{
    static const char *const orders[] = {"offset", "event_time"};
    static const char *const routings[] = {"hash", "cel"};
    const struct window_settings *window = &settings->window;
    const struct snapshot_settings *snapshot = &settings->snapshot;
    bool by_time = window->trigger == TRIGGER_EVENT_TIME;

    buf_add_format(out, "tidemark-fingerprint=%d\nspill=%d\n", FORM_VERSION, SPILL_VERSION);
    add_topics(out, settings);
    buf_add_format(out, "limits=%" PRIu64 " %" PRIu64 "\n", settings->limits.max_key_bytes,
                   settings->limits.max_value_bytes);
    buf_add_format(out, "window=%s %" PRId64 "\n", close_trigger_names[window->trigger],
                   by_time ? window->size_us : 0);
    buf_add_format(out, "late=%s future=%s\n", late_policy_names[window->late],
                   future_policy_names[window->future]);
    buf_add_format(out, "contents=%s order=%s routing=%s shards=%" PRIu32 " max_keys=%" PRIu64 "\n",
                   contents_names[snapshot->contents], orders[snapshot->order],
                   routings[snapshot->routing], snapshot->shards, snapshot->max_keys_per_shard);
    if (snapshot->state_order == STATE_ORDER_EXACT) {
        buf_add_text(out, "state_order=exact\n");
    }
    if (snapshot->routing == ROUTING_CEL) {
        add_cel(out, &snapshot->cel);
    }
    buf_add_text(out, "key_column=");
    add_text(out, snapshot->key_column);
    buf_add_format(out, " page_size=%" PRIu32 " sidecar=%d\nstore=", snapshot->page_size,
                   snapshot->sidecar);
    add_text(out, snapshot->store);
    buf_add_text(out, " shard_prefix=");
    add_text(out, snapshot->shard_prefix);
    buf_add_text(out, " db_path_template=");
    add_text(out, snapshot->db_path_template);
    buf_add_byte(out, '\n');
    for (size_t i = 0; i < snapshot->custom_count; i++) {
        buf_add_text(out, "custom=");
        add_text(out, snapshot->custom[i].name);
        buf_add_format(out, " %s\n", snapshot->custom[i].json);
    }
    if (settings->kv.backend != BACKEND_SQLITE) {
        buf_add_format(out, "kv=%s\n", backend_name(settings->kv.backend));
    }
    if (settings->vectors.dim > 0) {
        buf_add_format(out, "vectors=%" PRIu32 " %s\n", settings->vectors.dim,
                       vector_metric_name(settings->vectors.metric));
    }
}

void fingerprint_settings(const struct settings *settings, char ret_text[FINGERPRINT_TEXT_SIZE])
{
    AUTO(buf) struct buf text;
    buf_init(&text, TEXT_MAX);
    fingerprint_print(settings, &text);
    CHECK(!text.overflowed); /* a settings file is smaller */
    XXH128_canonical_t digest;
    XXH128_canonicalFromHash(&digest, XXH3_128bits(text.data, text.size));
    AUTO(buf) struct buf hex;
    buf_init(&hex, FINGERPRINT_TEXT_SIZE);
    buf_add_hex(&hex, bytes_of(digest.digest, sizeof digest.digest));
    CHECK(hex.size == FINGERPRINT_TEXT_SIZE - 1);
    memcpy(ret_text, hex.data, hex.size);
    ret_text[hex.size] = '\0';
}

/* What a settings file means, in words and as JSON, without secrets. */
#include "cli/commands/settings_summary.h"

#include <inttypes.h>

#include "core/base/utc.h"
#include "core/fingerprint.h"
#include "core/record/field.h"
#include "core/secret_name.h"
#include "core/units.h"

static const char *const encodings[] = {"u64be", "u32be", "utf8", "raw"};
static const char *const dead_names[] = {"fail", "drop", "topic", "file"};

/* A duration as text, in one of a few buffers used in turn: enough for one line. */
struct spelled {
    char text[UNITS_TEXT_SIZE];
};

static struct spelled duration(int64_t us)
{
    struct spelled spelled;
    units_print_duration(us, spelled.text);
    return spelled;
}

static struct spelled size(uint64_t bytes)
{
    struct spelled spelled;
    units_print_size(bytes, spelled.text);
    return spelled;
}

static void print_topic(struct output *output, const struct topic_settings *topic)
{
    AUTO(buf) struct buf line;
    buf_init(&line, SIZE_MAX);
    buf_add_text(&line, "key ");
    buf_add_text(&line, field_label(&topic->key).text);
    buf_add_format(&line, " as %s, ", encodings[topic->key_encoding]);
    if (topic->fields == NULL) {
        buf_add_text(&line, "value unchanged");
    } else {
        buf_add_format(&line, "value of %zu fields", topic->field_count);
    }
    buf_add_text(&line, ", event time ");
    buf_add_text(&line, field_label(&topic->event_time).text);
    output_print(output, "  topic        %s: %s\n", topic->name, buf_text(&line));
}

static void print_window(struct output *output, const struct window_settings *window)
{
    switch (window->trigger) {
    case TRIGGER_EVENT_TIME:
        output_print(output,
                     "  a snapshot   every %s of event time, closed %s behind the newest record "
                     "and %s later; late rows: %s\n",
                     duration(window->size_us).text, duration(window->out_of_orderness_us).text,
                     duration(window->allowed_lateness_us).text, late_policy_names[window->late]);
        break;
    case TRIGGER_SCHEDULE:
        if (window->cron != NULL) {
            output_print(output, "  a snapshot   at cron \"%s\" (UTC)\n", window->cron);
        } else {
            output_print(output, "  a snapshot   every %s by the clock\n",
                         duration(window->every_us).text);
        }
        break;
    case TRIGGER_OFFSETS:
        if (window->target_count > 0) {
            output_print(output, "  a snapshot   once, at the offsets of %zu partitions\n",
                         window->target_count);
        } else {
            output_print(output, "  a snapshot   after every %" PRId64 " records\n",
                         window->every_records);
        }
        break;
    case TRIGGER_MANUAL:
        output_print(output, "  a snapshot   when `tidemark trigger` asks for it\n");
        break;
    }
    if (window->start == START_TIME) {
        char time[UTC_TEXT_SIZE];
        utc_format_json(window->start_time_us, time);
        output_print(output, "  first build  from %s\n", time);
    } else {
        output_print(output, "  first build  from the %s offsets\n",
                     window->start == START_LATEST ? "latest" : "earliest");
    }
}

static void print_shards(struct output *output, const struct snapshot_settings *snapshot)
{
    const struct cel_settings *cel = &snapshot->cel;
    if (snapshot->shards > 0) {
        output_print(output, "  shards       %u", snapshot->shards);
    } else if (snapshot->max_keys_per_shard > 0) {
        output_print(output, "  shards       one for %" PRIu64 " keys",
                     snapshot->max_keys_per_shard);
    } else if (cel->has_routing_values) {
        output_print(output, "  shards       %zu, one a routing value", cel->routing_value_count);
    } else {
        output_print(output, "  shards       %s",
                     cel->infers ? "one for each value that the expression has in the window"
                                 : "as many as the expression gives numbers");
    }
}

static void print_snapshot(struct output *output, const struct snapshot_settings *snapshot)
{
    output_print(output, "  store        %s\n", snapshot->store);
    if (snapshot->routing == ROUTING_CEL) {
        output_print(output, "  routing      %s\n", snapshot->cel.expr);
    }
    print_shards(output, snapshot);
    output_print(output, ", holding %s%s\n",
                 snapshot->contents == CONTENTS_STATE ? "the newest row of every key so far"
                                                      : "the rows of the window",
                 snapshot->state_order == STATE_ORDER_EXACT ? ", late ones in their order" : "");
    if (snapshot->keep_last == 0 && snapshot->keep_for_us == 0) {
        output_print(output, "  keeps        every snapshot\n");
        return;
    }
    output_print(output, "  keeps        ");
    if (snapshot->keep_last > 0) {
        output_print(output, "the last %u", snapshot->keep_last);
    }
    if (snapshot->keep_for_us > 0) {
        output_print(output, "%sthose of the last %s", snapshot->keep_last > 0 ? " and " : "",
                     duration(snapshot->keep_for_us).text);
    }
    output_print(output, "\n");
}

void settings_summary_print(struct output *output, const struct settings *settings)
{
    output_print(output, "  group        %s, this member %s\n", settings->group,
                 settings->member_id);
    output_print(output, "  brokers      %s, ledger %s\n", settings->kafka.brokers,
                 settings->kafka.ledger_topic);
    for (size_t i = 0; i < settings->kafka.property_count; i++) {
        const struct kafka_property *property = &settings->kafka.properties[i];
        output_print(output, "  property     %s = %s\n", property->name,
                     property->shown ? property->value : SECRET_SHOWN);
    }
    for (size_t i = 0; i < settings->topic_count; i++) {
        print_topic(output, &settings->topics[i]);
    }
    print_window(output, &settings->window);
    print_snapshot(output, &settings->snapshot);
    output_print(output, "  bad records  %s\n", dead_names[settings->dead_letter.policy]);
    output_print(output, "  budgets      %s of memory, %s of disk in %s\n",
                 size(settings->limits.memory_budget).text, size(settings->limits.disk_budget).text,
                 settings->limits.work_folder);
}

void settings_summary_json(cJSON *object, const struct settings *settings)
{
    char fingerprint[FINGERPRINT_TEXT_SIZE];
    fingerprint_settings(settings, fingerprint);
    json_put_text(object, "group", settings->group);
    json_put_text(object, "member_id", settings->member_id);
    json_put_text(object, "ledger_topic", settings->kafka.ledger_topic);
    json_put_text(object, "store", settings->snapshot.store);
    json_put_text(object, "trigger", close_trigger_names[settings->window.trigger]);
    json_put_text(object, "fingerprint", fingerprint);
    json_put_u64(object, "shards", settings->snapshot.shards);
    cJSON *topics = json_put_array(object, "topics");
    for (size_t i = 0; i < settings->topic_count; i++) {
        json_add_text(topics, settings->topics[i].name);
    }
    cJSON *properties = json_put_object(object, "kafka_properties");
    for (size_t i = 0; i < settings->kafka.property_count; i++) {
        const struct kafka_property *property = &settings->kafka.properties[i];
        json_put_text(properties, property->name, property->shown ? property->value : SECRET_SHOWN);
    }
}

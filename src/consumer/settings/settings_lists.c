/* The lists of a settings file: topics with their fields, librdkafka's properties, explicit
 * offsets. */
#include "consumer/settings/settings_lists.h"

#include <math.h>
#include <stdlib.h>

#include "consumer/settings/settings_cel.h"
#include "consumer/settings/settings_group.h"
#include "consumer/settings/settings_value.h"
#include "core/base/json.h"
#include "core/secret_name.h"

static const char topics_form[] = "a list of groups: ( { name = \"…\"; … }, … )";
static const char fields_form[] = "a list of groups: ( { name = \"…\"; from = \"…\"; }, … )";
static const char properties_form[] = "a list of pairs: ( (\"name\", \"value\"), … )";
static const char canaries_form[] = "a list of keys: ( \"a\", 17, … )";
static const char offsets_form[] = "a list of triples: ( (\"topic\", partition, offset), … )";

static void read_fields(struct settings_reader *reader, const char *topic_path,
                        struct topic_settings *topic)
{
    const char *path = settings_reader_join(reader, topic_path, "value.fields");
    size_t count = 0;
    const config_setting_t *list =
        settings_reader_list(reader, path, SETTINGS_FIELDS_MAX, fields_form, &count);
    if (list == NULL) {
        return;
    }
    if (count == 0) {
        settings_reader_refuse(reader, path, "empty", NULL, fields_form, NULL);
        return;
    }
    struct value_field *fields = arena_zero(reader->arena, count * sizeof *fields);
    for (size_t i = 0; i < count; i++) {
        const char *item = arena_format(reader->arena, "%s[%zu]", path, i);
        settings_group_read(reader, config_setting_get_elem(list, (unsigned)i),
                            "topics[].value.fields[]", item, &fields[i]);
        for (size_t j = 0; j < i && fields[i].name != NULL; j++) {
            if (fields[j].name != NULL && strcmp(fields[i].name, fields[j].name) == 0) {
                settings_reader_refuse(reader, settings_reader_join(reader, item, "name"),
                                       "the name of an earlier field", NULL, "each name once",
                                       NULL);
                break;
            }
        }
    }
    topic->fields = fields;
    topic->field_count = count;
    const char *from = settings_reader_join(reader, topic_path, "value.from");
    if (settings_reader_has(reader, from)) {
        settings_reader_refuse(reader, from, "conflicts with fields", NULL,
                               "either the whole payload or a list of fields", NULL);
    }
}

static bool uses_json(const struct topic_settings *topic)
{
    bool json = topic->key.source == FIELD_JSON || topic->event_time.source == FIELD_JSON;
    const struct topic_vector *vector = &topic->vector;
    json = json || (vector->on && vector->from.source == FIELD_JSON) || vector->has_payload ||
           (vector->has_id && vector->id.source == FIELD_JSON);
    for (size_t i = 0; i < topic->field_count; i++) {
        json = json || topic->fields[i].from.source == FIELD_JSON;
    }
    for (size_t i = 0; i < topic->column_count; i++) {
        json = json || topic->columns[i].source == FIELD_JSON;
    }
    return json;
}

static void finish_topic(struct settings_reader *reader, const char *path,
                         struct topic_settings *topic)
{
    const char *vector = settings_reader_join(reader, path, "vector");
    topic->vector.dim = reader->settings->vectors.dim;
    topic->vector.metric = reader->settings->vectors.metric;
    topic->vector.on = settings_reader_has(reader, settings_reader_join(reader, vector, "from"));
    topic->vector.has_id = settings_reader_has(reader, settings_reader_join(reader, vector, "id"));
    topic->vector.has_payload =
        settings_reader_has(reader, settings_reader_join(reader, vector, "payload"));
    const char *format = settings_reader_join(reader, path, "format");
    if (!settings_reader_has(reader, format)) {
        topic->format = uses_json(topic) ? PAYLOAD_JSON : PAYLOAD_RAW;
    } else if (settings_reader_is_right(reader, format) && topic->format == PAYLOAD_RAW &&
               uses_json(topic)) {
        settings_reader_refuse(reader, format, "conflicts with a field that is taken from JSON",
                               "\"raw\"", "\"json\"", NULL);
    }
    const char *unit = settings_reader_join(reader, path, "event_time.unit");
    if (topic->event_time.source == FIELD_TIMESTAMP && settings_reader_has(reader, unit) &&
        topic->time_unit != TIME_MS) {
        settings_reader_refuse(reader, unit, "Kafka's timestamp is in milliseconds", NULL, "\"ms\"",
                               NULL);
    }
}

static void read_topics(struct settings_reader *reader)
{
    size_t count = 0;
    if (!settings_reader_has(reader, "topics")) {
        settings_reader_refuse(reader, "topics", "missing, and there is no default", NULL,
                               topics_form, NULL);
        return;
    }
    const config_setting_t *list =
        settings_reader_list(reader, "topics", SETTINGS_TOPICS_MAX, topics_form, &count);
    if (list == NULL) {
        return;
    }
    if (count == 0) {
        settings_reader_refuse(reader, "topics", "empty", NULL, topics_form, NULL);
        return;
    }
    struct topic_settings *topics = arena_zero(reader->arena, count * sizeof *topics);
    for (size_t i = 0; i < count; i++) {
        const char *path = arena_format(reader->arena, "topics[%zu]", i);
        settings_group_read(reader, config_setting_get_elem(list, (unsigned)i), "topics[]", path,
                            &topics[i]);
        read_fields(reader, path, &topics[i]);
        topics[i].columns = reader->settings->snapshot.cel.sources;
        topics[i].column_count = reader->settings->snapshot.cel.column_count;
        finish_topic(reader, path, &topics[i]);
    }
    reader->settings->topics = topics;
    reader->settings->topic_count = count;
}

/* Item `index` of a pair or triple, as text or number. */
static bool read_part(struct settings_reader *reader, const config_setting_t *tuple,
                      const char *path, unsigned index, bool secret,
                      struct setting_value *ret_value)
{
    const config_setting_t *part = config_setting_get_elem(tuple, index);
    return settings_value_read(reader, part, path, secret, ret_value);
}

static bool is_tuple(const config_setting_t *setting, int length)
{
    return (config_setting_is_list(setting) || config_setting_is_array(setting)) &&
           config_setting_length(setting) == length;
}

/* Item i of a list of pairs, and the first part of it, which is a name. False: refused. */
static bool read_pair(struct settings_reader *reader, const config_setting_t *list, size_t i,
                      const char *item, const char *form, const config_setting_t **ret_pair,
                      struct setting_value *ret_name)
{
    *ret_pair = config_setting_get_elem(list, (unsigned)i);
    if (!is_tuple(*ret_pair, 2)) {
        return settings_reader_refuse(reader, item, "not a pair", NULL, form, NULL);
    }
    return read_part(reader, *ret_pair, item, 0, false, ret_name);
}

static void read_properties(struct settings_reader *reader)
{
    static const char path[] = "kafka.properties";
    size_t count = 0;
    const config_setting_t *list =
        settings_reader_list(reader, path, SETTINGS_PROPERTIES_MAX, properties_form, &count);
    if (list == NULL) {
        return;
    }
    struct kafka_property *properties = arena_zero(reader->arena, (count + 1) * sizeof *properties);
    size_t good = 0;
    for (size_t i = 0; i < count; i++) {
        const config_setting_t *pair = NULL;
        const char *item = arena_format(reader->arena, "%s[%zu]", path, i);
        struct setting_value name;
        struct setting_value value;
        if (!read_pair(reader, list, i, item, properties_form, &pair, &name)) {
            continue;
        }
        if (name.type != VALUE_TEXT || name.text[0] == '\0') {
            settings_reader_refuse(reader, item, "the property's name is not a text", NULL,
                                   properties_form, NULL);
            continue;
        }
        if (!read_part(reader, pair, item, 1, secret_name(name.text), &value)) {
            continue;
        }
        if (value.type == VALUE_OTHER) {
            settings_reader_refuse(reader, item, "the property's value is not a text or number",
                                   NULL, properties_form, NULL);
            continue;
        }
        const char *file = NULL;
        struct kafka_property *property = &properties[good++];
        *property = (struct kafka_property){
            .name = name.text, .value = value.text, .shown = name.shown && value.shown, .index = i};
        settings_text_place(reader->text, (int)config_setting_source_line(pair), &file,
                            &property->line);
    }
    reader->settings->kafka.properties = properties;
    reader->settings->kafka.property_count = good;
}

static bool read_target(struct settings_reader *reader, const config_setting_t *triple,
                        const char *item, struct offset_target *target)
{
    struct setting_value parts[3];
    if (!is_tuple(triple, 3)) {
        return settings_reader_refuse(reader, item, "not a triple", NULL, offsets_form, NULL);
    }
    for (unsigned i = 0; i < 3; i++) {
        TRY(read_part(reader, triple, item, i, false, &parts[i]));
    }
    if (parts[0].type != VALUE_TEXT || parts[1].type != VALUE_INTEGER ||
        parts[2].type != VALUE_INTEGER) {
        return settings_reader_refuse(reader, item, "not a triple", NULL, offsets_form, NULL);
    }
    if (parts[1].integer < 0 || parts[1].integer > INT32_MAX || parts[2].integer < 0) {
        return settings_reader_refuse(reader, item, "out of range", NULL,
                                      "a partition and an offset, both from 0", NULL);
    }
    *target = (struct offset_target){
        .topic = parts[0].text,
        .partition = (int32_t)parts[1].integer,
        .offset = parts[2].integer,
    };
    return true;
}

static void read_targets(struct settings_reader *reader)
{
    static const char path[] = "window.offsets";
    size_t count = 0;
    const config_setting_t *list =
        settings_reader_list(reader, path, SETTINGS_TARGETS_MAX, offsets_form, &count);
    if (list == NULL) {
        return;
    }
    if (count == 0) {
        settings_reader_refuse(reader, path, "empty", NULL, offsets_form, NULL);
        return;
    }
    struct offset_target *targets = arena_zero(reader->arena, count * sizeof *targets);
    size_t good = 0;
    for (size_t i = 0; i < count; i++) {
        const char *item = arena_format(reader->arena, "%s[%zu]", path, i);
        good +=
            read_target(reader, config_setting_get_elem(list, (unsigned)i), item, &targets[good]);
    }
    if (good == count) { /* else the checks between items would name wrong ones */
        reader->settings->window.targets = targets;
        reader->settings->window.target_count = good;
    }
}

/* Keys as `tidemark get` takes them; numbers may stand without quotes. */
static void read_canaries(struct settings_reader *reader)
{
    static const char path[] = "gates.canary_keys";
    size_t count = 0;
    const config_setting_t *list =
        settings_reader_list(reader, path, SETTINGS_CANARIES_MAX, canaries_form, &count);
    if (list == NULL) {
        return;
    }
    const char **keys = arena_zero(reader->arena, (count + 1) * sizeof *keys);
    size_t good = 0;
    for (size_t i = 0; i < count; i++) {
        const char *item = arena_format(reader->arena, "%s[%zu]", path, i);
        struct setting_value value;
        if (!read_part(reader, list, item, (unsigned)i, false, &value)) {
            continue;
        }
        if (value.type != VALUE_TEXT && value.type != VALUE_INTEGER) {
            settings_reader_refuse(reader, item, "not a key", NULL, canaries_form, NULL);
            continue;
        }
        keys[good++] = value.type == VALUE_TEXT
                           ? value.text
                           : arena_format(reader->arena, "%lld", (long long)value.integer);
    }
    reader->settings->gates.canary_keys = keys;
    reader->settings->gates.canary_key_count = good;
}

/* ---- snapshot.custom ---- */

static const char custom_form[] = "a list of pairs: ( (\"name\", value), … )";

/* Whether a number of JSON comes out of the manifest as it was written. cJSON holds it as a double;
 * readers hold what has no fraction and no exponent as an integer of any length. */
static bool is_exact(const char *number, size_t size)
{
    if (strcspn(number, ".eE") < size) {
        return isfinite(strtod(number, NULL));
    }
    size_t digits = size - (number[0] == '-');
    return digits <= 16 && llabs(strtoll(number, NULL, 10)) <= JSON_INTEGER_MAX;
}

/* Of a text that is JSON. */
static bool has_exact_numbers(const char *json)
{
    bool quoted = false;
    for (const char *at = json; *at != '\0'; at++) {
        if (*at == '\\') {
            at++; /* only within quotes, and something follows */
        } else if (*at == '"') {
            quoted = !quoted;
        } else if (!quoted && strchr("-0123456789", *at) != NULL) {
            size_t size = strspn(at, "+-.0123456789eE");
            if (!is_exact(at, size)) {
                return false;
            }
            at += size - 1;
        }
    }
    return true;
}

/* NULL, or what is wrong. `json` is a text that the settings say is JSON. */
static const char *print_custom_json(const char *json, struct buf *to)
{
    AUTO(json) cJSON *root = NULL;
    struct err err = {0};
    if (!json_parse(bytes_of_text(json), &root, &err)) {
        return "not JSON behind json:";
    }
    if (!has_exact_numbers(json)) {
        return "a number that is not exact: above 2^53 - 1, or endless; write it as a text";
    }
    json_print(root, to); /* in the form that all of the manifest's JSON has */
    return NULL;
}

static const char *print_custom_real(double real, struct buf *to)
{
    AUTO(json) cJSON *number = cJSON_CreateNumber(real);
    CHECK(number != NULL);
    json_print(number, to);
    return isfinite(real) ? NULL : "a number without end, which JSON does not have";
}

/* NULL: refused. */
static const char *custom_json(struct settings_reader *reader, const char *item,
                               const struct setting_value *value)
{
    static const char mark[] = "json:";
    AUTO(buf) struct buf json;
    buf_init(&json, MANIFEST_MEMBER_BYTES_MAX);
    if (value->type == VALUE_OTHER) {
        settings_reader_refuse(reader, item, "the value is no text, number or truth value", NULL,
                               "a text that begins with json: for all else", NULL);
        return NULL;
    }
    const char *problem = NULL;
    if (value->type == VALUE_REAL) {
        problem = print_custom_real(value->real, &json);
    } else if (value->type != VALUE_TEXT) {
        buf_add_text(&json, value->text);
    } else if (strncmp(value->text, mark, sizeof mark - 1) == 0) {
        problem = print_custom_json(value->text + sizeof mark - 1, &json);
    } else {
        json_print_text(bytes_of_text(value->text), &json);
    }
    if (problem != NULL) {
        settings_reader_refuse(reader, item, problem, NULL, NULL, NULL);
        return NULL;
    }
    if (json.overflowed) {
        settings_reader_refuse(reader, item, "too large", NULL, "at most 64 KiB", NULL);
        return NULL;
    }
    return arena_text(reader->arena, buf_bytes(&json));
}

static const char *custom_name_problem(const struct manifest_member *members, size_t count,
                                       const struct setting_value *name)
{
    if (name->type != VALUE_TEXT) {
        return "the member's name is not a text";
    }
    for (size_t i = 0; i < count; i++) {
        if (strcmp(members[i].name, name->text) == 0) {
            return "the name of an earlier member";
        }
    }
    return manifest_member_problem(name->text);
}

static void read_custom(struct settings_reader *reader)
{
    static const char path[] = "snapshot.custom";
    size_t count = 0;
    const config_setting_t *list =
        settings_reader_list(reader, path, MANIFEST_MEMBERS_MAX, custom_form, &count);
    if (list == NULL) {
        return;
    }
    struct manifest_member *members = arena_zero(reader->arena, (count + 1) * sizeof *members);
    size_t good = 0;
    for (size_t i = 0; i < count; i++) {
        const config_setting_t *pair = NULL;
        const char *item = arena_format(reader->arena, "%s[%zu]", path, i);
        struct setting_value name;
        struct setting_value value;
        if (!read_pair(reader, list, i, item, custom_form, &pair, &name) ||
            !read_part(reader, pair, item, 1, false, &value)) {
            continue;
        }
        const char *problem = custom_name_problem(members, good, &name);
        const char *json = problem == NULL ? custom_json(reader, item, &value) : NULL;
        if (problem != NULL) {
            settings_reader_refuse(reader, item, problem, NULL, NULL, NULL);
        } else if (json != NULL) {
            members[good++] = (struct manifest_member){.name = name.text, .json = json};
        }
    }
    reader->settings->snapshot.custom = members;
    reader->settings->snapshot.custom_count = good;
}

void settings_lists_read(struct settings_reader *reader)
{
    settings_cel_read(reader);
    read_topics(reader);
    read_properties(reader);
    read_targets(reader);
    read_canaries(reader);
    read_custom(reader);
}

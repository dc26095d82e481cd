/* The settings of routing by an expression: group snapshot.cel. */
#include "consumer/settings/settings_cel.h"

#include "consumer/settings/settings_group.h"
#include "consumer/settings/settings_value.h"
#include "core/base/json.h"
#include "core/route/cel/cel.h"
#include "core/route/column.h"
#include "core/route/route.h"

static const char columns_form[] =
    "a list of groups: ( { name = \"…\"; type = \"…\"; from = \"…\"; }, … )";
static const char values_form[] = "a list of distinct texts, or of integers: ( \"eu\", \"us\" )";
static const char columns_path[] = "snapshot.cel.columns";
static const char values_path[] = "snapshot.cel.routing_values";
static const char expr_path[] = "snapshot.cel.expr";
static const char infers_path[] = "snapshot.cel.infer_routing_values";

static void refuse(struct settings_reader *reader, const char *path, const char *problem,
                   const char *allowed)
{
    settings_reader_refuse(reader, path, problem, NULL, allowed, NULL);
}

/* ---- reading ---- */

static void read_column(struct settings_reader *reader, const config_setting_t *group,
                        const char *item, struct settings_column *column)
{
    settings_group_read(reader, group, "snapshot.cel.columns[]", item, column);
    const char *from = settings_reader_join(reader, item, "from");
    bool given = settings_reader_has(reader, from);
    bool is_key = column->name != NULL && strcmp(column->name, "key") == 0;
    const char *fault = column->name == NULL ? NULL
                                             : cel_column_name_fault(bytes_of_text(column->name));
    if (fault != NULL) {
        const char *name = settings_reader_join(reader, item, "name");
        settings_reader_refuse(reader, name, fault, settings_reader_written(reader, name), NULL,
                               NULL);
    }
    if (is_key && given) {
        refuse(reader, from, "the column 'key' is the record's key, wherever that is taken from",
               "another name for another column");
    } else if (!is_key && !given && column->name != NULL) {
        refuse(reader, from, "missing, and there is no default",
               "\"json:/pointer\", \"header:name\", \"key\", \"topic\", \"partition\", "
               "\"timestamp\"");
    }
    if (column->type == COLUMN_BYTES && column->from.source == FIELD_JSON && given) {
        refuse(reader, from, "JSON has no bytes", "type = \"string\"");
    }
}

static void read_columns(struct settings_reader *reader)
{
    struct cel_settings *cel = &reader->settings->snapshot.cel;
    size_t count = 0;
    const config_setting_t *list =
        settings_reader_list(reader, columns_path, SETTINGS_COLUMNS_MAX, columns_form, &count);
    if (list == NULL) {
        return;
    }
    struct sharding_column *columns = arena_zero(reader->arena, (count + 1) * sizeof *columns);
    struct field_ref *sources = arena_zero(reader->arena, (count + 1) * sizeof *sources);
    for (size_t i = 0; i < count; i++) {
        const char *item = arena_format(reader->arena, "%s[%zu]", columns_path, i);
        struct settings_column column = {0};
        read_column(reader, config_setting_get_elem(list, (unsigned)i), item, &column);
        for (size_t j = 0; j < i && column.name != NULL; j++) {
            if (columns[j].name != NULL && strcmp(columns[j].name, column.name) == 0) {
                refuse(reader, settings_reader_join(reader, item, "name"),
                       "the name of an earlier column", "each name once");
                break;
            }
        }
        columns[i] = (struct sharding_column){.name = column.name, .type = column.type};
        sources[i] = column.from;
    }
    cel->columns = columns;
    cel->sources = sources;
    cel->column_count = count;
}

static bool same_value(const struct logical_key *a, const struct logical_key *b)
{
    return a->type == b->type &&
           (a->type == KEY_TEXT ? bytes_equal(a->bytes, b->bytes)
                                : a->magnitude == b->magnitude && a->negative == b->negative);
}

static bool read_value(struct settings_reader *reader, const config_setting_t *setting,
                       const char *item, struct logical_key *ret_value)
{
    struct setting_value value;
    TRY(settings_value_read(reader, setting, item, false, &value));
    if (value.type == VALUE_TEXT) {
        *ret_value = key_of_text(bytes_of_text(value.text));
        return true;
    }
    if (value.type != VALUE_INTEGER) {
        return settings_reader_refuse(reader, item, "neither a text nor an integer", NULL,
                                      values_form, NULL);
    }
    uint64_t magnitude = value.integer < 0 ? 0 - (uint64_t)value.integer : (uint64_t)value.integer;
    *ret_value = key_of_u64(magnitude);
    ret_value->negative = value.integer < 0;
    return magnitude <= (uint64_t)JSON_INTEGER_MAX ||
           settings_reader_refuse(reader, item, "out of range", value.written,
                                  "up to 2^53 - 1, as a manifest can hold it", NULL);
}

static void read_values(struct settings_reader *reader)
{
    struct cel_settings *cel = &reader->settings->snapshot.cel;
    size_t count = 0;
    const config_setting_t *list =
        settings_reader_list(reader, values_path, SETTINGS_ROUTING_VALUES_MAX, values_form, &count);
    if (list == NULL) {
        return;
    }
    if (count == 0) {
        refuse(reader, values_path, "empty", values_form);
    }
    struct logical_key *values = arena_zero(reader->arena, (count + 1) * sizeof *values);
    for (size_t i = 0; i < count; i++) {
        const char *item = arena_format(reader->arena, "%s[%zu]", values_path, i);
        if (!read_value(reader, config_setting_get_elem(list, (unsigned)i), item, &values[i])) {
            return;
        }
        if (values[i].type != values[0].type) {
            refuse(reader, item, "texts and integers do not mix", values_form);
        }
        for (size_t j = 0; j < i; j++) {
            if (same_value(&values[i], &values[j])) {
                refuse(reader, item, "an earlier value", "each value once");
                break;
            }
        }
    }
    cel->has_routing_values = true;
    cel->routing_values = values;
    cel->routing_value_count = count;
}

void settings_cel_read(struct settings_reader *reader)
{
    read_columns(reader);
    read_values(reader);
}

/* ---- checking ---- */

/* What came from the environment or a file is not shown, nor what depends on it. */
static void show_fault(struct settings_reader *reader, const char *path, const char *expression,
                       const char *problem, size_t at)
{
    const char *written = settings_reader_written(reader, path);
    if (written != NULL && strstr(written, "${") != NULL) {
        settings_reader_refuse(reader, path, "does not compile", written, NULL, NULL);
        return;
    }
    AUTO(buf) struct buf picture;
    buf_init(&picture, 4096);
    cel_problem_show(bytes_of_text(expression), at, "    ", &picture);
    settings_reader_add(
        reader,
        (struct settings_mistake){.path = path, .problem = problem, .picture = buf_text(&picture)});
}

/* Without an expression the columns make one; without a count the values are inferred then. */
static void make_expression(struct settings_reader *reader)
{
    struct snapshot_settings *snapshot = &reader->settings->snapshot;
    struct cel_settings *cel = &snapshot->cel;
    if (cel->column_count == 0) {
        refuse(reader, expr_path, "missing, and there are no columns to make it of",
               "an expression, or snapshot.cel.columns");
        return;
    }
    if (cel->has_routing_values) {
        refuse(reader, values_path, "has no effect without expr", NULL);
        return;
    }
    if (settings_reader_has(reader, infers_path) && cel->infers != (snapshot->shards == 0)) {
        refuse(reader, infers_path,
               "without expr the values are inferred where there is no snapshot.shards, and only "
               "there",
               NULL);
        return;
    }
    cel->infers = snapshot->shards == 0;
    cel->expr = route_expression(cel->columns, cel->column_count, cel->separator, snapshot->shards,
                                 reader->arena);
}

static bool columns_are_right(const struct cel_settings *cel)
{
    for (size_t i = 0; i < cel->column_count; i++) {
        if (cel->columns[i].name == NULL ||
            cel_column_name_fault(bytes_of_text(cel->columns[i].name)) != NULL) {
            return false; /* said already */
        }
    }
    return true;
}

/* A state carries its shards over, and what it carries over has keys and values alone. */
static void check_state(struct settings_reader *reader, const struct cel *compiled)
{
    const struct snapshot_settings *snapshot = &reader->settings->snapshot;
    const struct cel_settings *cel = &snapshot->cel;
    for (size_t i = 0; i < cel->column_count; i++) {
        const char *name = cel->columns[i].name;
        if (cel_uses_column(compiled, i) && strcmp(name, "key") != 0) {
            const char *problem = arena_format(
                reader->arena,
                "\"state\" is possible only with an expression over the key alone: this one uses "
                "'%s', and a key whose %s changes would stay in its old shard, too",
                name, name);
            refuse(reader, "snapshot.contents", problem, "\"window\"");
            return;
        }
    }
    if (snapshot->shards == 0 && !cel->has_routing_values) {
        refuse(reader, "snapshot.contents",
               "\"state\" needs shards that are known before a build, and here its rows tell them",
               "\"window\"; or snapshot.shards or routing_values are given");
    }
}

static void check_expression(struct settings_reader *reader)
{
    const struct cel_settings *cel = &reader->settings->snapshot.cel;
    const char *path = settings_reader_has(reader, expr_path) ? expr_path : columns_path;
    struct cel_problem problem = {0};
    AUTO(cel) struct cel *compiled = NULL;
    if (!cel_new(bytes_of_text(cel->expr), cel->columns, cel->column_count, &compiled, &problem)) {
        show_fault(reader, path, cel->expr, problem.text, problem.at);
        return;
    }
    bool texts = cel->routing_value_count > 0 && cel->routing_values[0].type == KEY_TEXT;
    const char *fault =
        route_result_fault(cel_result_kind(compiled), cel->has_routing_values, texts, cel->infers);
    if (fault != NULL) {
        show_fault(reader, path, cel->expr, fault, 0);
    } else if (reader->settings->snapshot.contents == CONTENTS_STATE) {
        check_state(reader, compiled);
    }
}

static void check_modes(struct settings_reader *reader)
{
    const struct snapshot_settings *snapshot = &reader->settings->snapshot;
    const struct cel_settings *cel = &snapshot->cel;
    if (settings_reader_has(reader, "snapshot.max_keys_per_shard")) {
        refuse(reader, "snapshot.max_keys_per_shard", "does not go with routing = \"cel\"",
               "snapshot.shards, or what the expression gives");
    }
    if (cel->has_routing_values && cel->infers) {
        refuse(reader, infers_path, "conflicts with routing_values", "one of the two");
    }
    if (snapshot->shards > 0 && (cel->has_routing_values || cel->infers)) {
        refuse(reader, "snapshot.shards", "the routing values are the shards", "nothing");
    }
    if (settings_reader_has(reader, "snapshot.cel.separator") &&
        settings_reader_has(reader, expr_path)) {
        refuse(reader, "snapshot.cel.separator", "has no effect with expr", NULL);
    }
}

static void check_key(struct settings_reader *reader)
{
    const struct settings *settings = reader->settings;
    const struct cel_settings *cel = &settings->snapshot.cel;
    for (size_t i = 0; i < cel->column_count && settings->topic_count > 0; i++) {
        if (cel->columns[i].name != NULL && strcmp(cel->columns[i].name, "key") == 0 &&
            !column_takes_key(cel->columns[i].type, settings->topics[0].key_encoding)) {
            const char *path = arena_format(reader->arena, "%s[%zu].type", columns_path, i);
            refuse(reader, path, "not the type of keys of this topics[0].key.encoding",
                   "u64be and u32be: \"int\", \"uint\"; utf8: \"string\"; raw: \"bytes\"");
        }
    }
}

void settings_cel_check(struct settings_reader *reader)
{
    struct cel_settings *cel = &reader->settings->snapshot.cel;
    check_modes(reader);
    check_key(reader);
    if (cel->expr == NULL) {
        make_expression(reader);
    }
    if (cel->expr != NULL && columns_are_right(cel)) {
        check_expression(reader);
    }
}

void settings_cel_check_unused(struct settings_reader *reader)
{
    if (settings_reader_has(reader, "snapshot.cel")) {
        refuse(reader, "snapshot.cel", "has no effect without routing = \"cel\"", NULL);
    }
}

/* One value of a settings file: read, expanded, checked against its line of the table, stored. */
#include "consumer/settings/settings_value.h"

#include <inttypes.h>
#include <stdlib.h>

#include "consumer/settings/settings_expand.h"
#include "core/base/utc.h"
#include "core/nearest.h"
#include "core/units.h"

/* What a conversion works on, and how it says no. */
struct conversion {
    struct settings_reader *reader;
    const struct setting *schema;
    const char *path;
    const struct setting_value *value;
    uint8_t *to; /* NULL: checked only */
};

bool settings_value_read(struct settings_reader *reader, const config_setting_t *setting,
                         const char *path, bool secret, struct setting_value *ret_value)
{
    struct setting_value value = {.shown = !secret};
    const char *raw = NULL;
    switch (config_setting_type(setting)) {
    case CONFIG_TYPE_STRING:
        value.type = VALUE_TEXT;
        raw = config_setting_get_string(setting);
        break;
    case CONFIG_TYPE_INT:
    case CONFIG_TYPE_INT64:
        value.type = VALUE_INTEGER;
        value.integer = config_setting_type(setting) == CONFIG_TYPE_INT
                            ? config_setting_get_int(setting)
                            : config_setting_get_int64(setting);
        value.text = arena_format(reader->arena, "%" PRId64, value.integer);
        break;
    case CONFIG_TYPE_FLOAT:
        value.type = VALUE_REAL;
        value.real = config_setting_get_float(setting);
        value.text = arena_format(reader->arena, "%.10g", value.real);
        break;
    case CONFIG_TYPE_BOOL:
        value.type = VALUE_BOOL;
        value.truth = config_setting_get_bool(setting) != 0;
        value.text = value.truth ? "true" : "false";
        break;
    default:
        value.type = VALUE_OTHER;
        value.text = settings_reader_type_name(setting);
        break;
    }
    value.written = value.text;
    if (raw != NULL) {
        struct err err = {0};
        bool outside = false;
        if (!settings_expand(reader->arena, raw, settings_reader_file(reader, setting), &value.text,
                             &outside, &err)) {
            return settings_reader_refuse(reader, path, err.message, NULL, NULL, NULL);
        }
        value.loose = strstr(raw, "${") != NULL || settings_reader_is_override(setting);
        value.shown = value.shown && !outside;
        value.written = arena_format(reader->arena, "\"%s\"", raw);
    }
    value.written = secret ? NULL : value.written;
    *ret_value = value;
    return true;
}

static void add_choices(const struct setting *schema, struct buf *out)
{
    for (size_t i = 0; schema->choices[i] != NULL; i++) {
        buf_add_format(out, "%s\"%s\"", i == 0 ? "" : ", ", schema->choices[i]);
    }
}

static void add_sources(const struct setting *schema, struct buf *out)
{
    static const char *const names[] = {
        [FIELD_KEY] = "key",
        [FIELD_VALUE] = "value",
        [FIELD_JSON] = "json:/…",
        [FIELD_HEADER] = "header:…",
        [FIELD_TIMESTAMP] = "timestamp",
        [FIELD_TOPIC] = "topic",
        [FIELD_PARTITION] = "partition",
        [FIELD_OFFSET] = "offset",
    };
    const char *comma = "";
    for (size_t i = 0; i < LENGTH_OF(names); i++) {
        if ((schema->max & (INT64_C(1) << i)) != 0) {
            buf_add_format(out, "%s\"%s\"", comma, names[i]);
            comma = ", ";
        }
    }
}

void settings_value_allowed(const struct setting *schema, struct buf *out)
{
    char low[UNITS_TEXT_SIZE];
    char high[UNITS_TEXT_SIZE];
    switch (schema->kind) {
    case SETTING_TEXT:
        if (schema->choices == NULL) {
            buf_add_text(out, "a text in quotes");
            return;
        }
        add_choices(schema, out);
        return;
    case SETTING_CHOICE:
        add_choices(schema, out);
        return;
    case SETTING_BOOL:
        buf_add_text(out, "true, false");
        return;
    case SETTING_INT:
    case SETTING_U32:
    case SETTING_U64:
    case SETTING_I64:
        if (schema->max == INT64_MAX) {
            buf_add_format(out, "a whole number from %" PRId64, schema->min);
        } else {
            buf_add_format(out, "%" PRId64 " to %" PRId64, schema->min, schema->max);
        }
        return;
    case SETTING_RATIO:
        buf_add_text(out, "0 to 1");
        return;
    case SETTING_DURATION:
        units_print_duration(schema->min, low);
        units_print_duration(schema->max, high);
        buf_add_format(out, "\"%s\" to \"%s\"", low, high);
        return;
    case SETTING_SIZE:
        units_print_size((uint64_t)schema->min, low);
        units_print_size((uint64_t)schema->max, high);
        buf_add_format(out, "\"%s\" to \"%s\"", low, high);
        return;
    case SETTING_PAGE_SIZE:
        buf_add_text(out, "\"auto\", 4096, 8192, 16384, 32768, 65536");
        return;
    case SETTING_START:
        buf_add_text(out, "\"earliest\", \"latest\", a time as in \"2026-03-14T10:30:00Z\"");
        return;
    case SETTING_FIELD:
        add_sources(schema, out);
        return;
    case SETTING_LIST:
        buf_add_text(out, "a list in ( )");
        return;
    }
}

/* `detail` may quote a part of the value. */
static bool refuse(const struct conversion *c, const char *problem, const char *detail,
                   const char *nearest)
{
    AUTO(buf) struct buf allowed;
    buf_init(&allowed, 1024);
    settings_value_allowed(c->schema, &allowed);
    bool shown = c->value->shown;
    if (detail != NULL && shown) {
        problem = arena_format(c->reader->arena, "%s (%s)", problem, detail);
    }
    return settings_reader_refuse(c->reader, c->path, problem, c->value->written,
                                  buf_text(&allowed), shown ? nearest : NULL);
}

static bool refuse_type(const struct conversion *c)
{
    return refuse(c, "wrong type", NULL, NULL);
}

static void put(const struct conversion *c, const void *value, size_t size)
{
    if (c->to != NULL) {
        memcpy(c->to, value, size);
    }
}

static bool store_text(const struct conversion *c)
{
    if (c->value->type != VALUE_TEXT) {
        return refuse_type(c);
    }
    const char *text = c->value->text;
    if (text[0] == '\0') {
        if (c->schema->required || c->schema->fallback != NULL) {
            return refuse(c, "empty", NULL, NULL);
        }
        text = NULL; /* `x = "${X:-}"` is a way to leave x out */
    } else if (c->schema->choices != NULL) {
        size_t count = 0;
        bool found = false;
        for (; c->schema->choices[count] != NULL; count++) {
            found = found || strcmp(c->schema->choices[count], text) == 0;
        }
        if (!found) {
            return refuse(c, "unknown value", NULL, nearest_name(text, c->schema->choices, count));
        }
    }
    put(c, &text, sizeof text);
    return true;
}

static bool store_choice(const struct conversion *c)
{
    if (c->value->type != VALUE_TEXT) {
        return refuse_type(c);
    }
    int count = 0;
    for (; c->schema->choices[count] != NULL; count++) {
        if (strcmp(c->schema->choices[count], c->value->text) == 0) {
            put(c, &count, sizeof count);
            return true;
        }
    }
    return refuse(c, "unknown value", NULL,
                  nearest_name(c->value->text, c->schema->choices, (size_t)count));
}

static bool store_bool(const struct conversion *c)
{
    bool truth = c->value->truth;
    if (c->value->type == VALUE_TEXT && c->value->loose) {
        truth = strcmp(c->value->text, "true") == 0;
        if (!truth && strcmp(c->value->text, "false") != 0) {
            return refuse(c, "unknown value", NULL, NULL);
        }
    } else if (c->value->type != VALUE_BOOL) {
        return refuse_type(c);
    }
    put(c, &truth, sizeof truth);
    return true;
}

static bool get_integer(const struct conversion *c, int64_t *ret_integer)
{
    if (c->value->type == VALUE_INTEGER) {
        *ret_integer = c->value->integer;
        return true;
    }
    if (c->value->type != VALUE_TEXT || !c->value->loose || c->value->text[0] == '\0') {
        return false;
    }
    char *end = NULL;
    *ret_integer = strtoll(c->value->text, &end, 10);
    return *end == '\0';
}

static bool store_integer(const struct conversion *c)
{
    int64_t integer = 0;
    if (!get_integer(c, &integer)) {
        return refuse_type(c);
    }
    if (integer < c->schema->min || integer > c->schema->max) {
        return refuse(c, "out of range", NULL, NULL);
    }
    int as_int = (int)integer;
    uint32_t as_u32 = (uint32_t)integer;
    bool wide = c->schema->kind == SETTING_U64 || c->schema->kind == SETTING_I64;
    if (wide) {
        put(c, &integer, sizeof integer); /* not negative: the same bytes as unsigned */
    } else if (c->schema->kind == SETTING_U32) {
        put(c, &as_u32, sizeof as_u32);
    } else {
        put(c, &as_int, sizeof as_int);
    }
    return true;
}

static bool store_ratio(const struct conversion *c)
{
    double ratio = c->value->real;
    if (c->value->type == VALUE_INTEGER) {
        ratio = (double)c->value->integer;
    } else if (c->value->type == VALUE_TEXT && c->value->loose && c->value->text[0] != '\0') {
        char *end = NULL;
        ratio = strtod(c->value->text, &end);
        if (*end != '\0') {
            return refuse_type(c);
        }
    } else if (c->value->type != VALUE_REAL) {
        return refuse_type(c);
    }
    if (!(ratio >= 0 && ratio <= 1)) {
        return refuse(c, "out of range", NULL, NULL);
    }
    put(c, &ratio, sizeof ratio);
    return true;
}

static bool store_duration(const struct conversion *c)
{
    if (c->value->type == VALUE_INTEGER) {
        return refuse(c, "a duration needs a unit and quotes, as in \"30s\"", NULL, NULL);
    }
    if (c->value->type != VALUE_TEXT) {
        return refuse_type(c);
    }
    struct err err = {0};
    int64_t us = 0;
    if (!units_duration(bytes_of_text(c->value->text), &us, &err)) {
        return refuse(c, "not a duration", err.message, NULL);
    }
    if (us < c->schema->min || us > c->schema->max) {
        return refuse(c, "out of range", NULL, NULL);
    }
    put(c, &us, sizeof us);
    return true;
}

static bool store_size(const struct conversion *c)
{
    uint64_t size = 0;
    if (c->value->type == VALUE_INTEGER) {
        size = c->value->integer < 0 ? UINT64_MAX : (uint64_t)c->value->integer;
    } else if (c->value->type == VALUE_TEXT) {
        struct err err = {0};
        if (!units_size(bytes_of_text(c->value->text), &size, &err)) {
            return refuse(c, "not a size", err.message, NULL);
        }
    } else {
        return refuse_type(c);
    }
    if (size < (uint64_t)c->schema->min || size > (uint64_t)c->schema->max) {
        return refuse(c, "out of range", NULL, NULL);
    }
    put(c, &size, sizeof size);
    return true;
}

static bool store_page_size(const struct conversion *c)
{
    int64_t size = 0;
    bool automatic = c->value->type == VALUE_TEXT && strcmp(c->value->text, "auto") == 0;
    if (!automatic) {
        if (!get_integer(c, &size)) {
            return refuse(c, "unknown value", NULL, NULL);
        }
        if (size < 4096 || size > 65536 || (size & (size - 1)) != 0) {
            return refuse(c, "not a page size", NULL, NULL);
        }
    }
    uint32_t page_size = (uint32_t)size;
    put(c, &page_size, sizeof page_size);
    return true;
}

static bool store_start(const struct conversion *c)
{
    struct window_settings *window = &c->reader->settings->window;
    if (c->value->type != VALUE_TEXT) {
        return refuse_type(c);
    }
    if (strcmp(c->value->text, "earliest") == 0) {
        window->start = START_EARLIEST;
        return true;
    }
    if (strcmp(c->value->text, "latest") == 0) {
        window->start = START_LATEST;
        return true;
    }
    struct err err = {0};
    int64_t time_us = 0;
    if (!utc_parse(bytes_of_text(c->value->text), &time_us, &err)) {
        static const char *const words[] = {"earliest", "latest"};
        return refuse(c, "unknown value", NULL,
                      nearest_name(c->value->text, words, LENGTH_OF(words)));
    }
    if (time_us < 0) {
        return refuse(c, "out of range (before 1970)", NULL, NULL);
    }
    window->start = START_TIME;
    window->start_time_us = time_us;
    return true;
}

/* RFC 6901: begins with a slash, and every "~" is followed by 0 or 1. */
static bool is_pointer(const char *text)
{
    if (text[0] != '/') {
        return false;
    }
    for (; *text != '\0'; text++) {
        if (*text == '~' && text[1] != '0' && text[1] != '1') {
            return false;
        }
    }
    return true;
}

static bool store_field(const struct conversion *c)
{
    static const char *const words[] = {"key",   "value",     "timestamp",
                                        "topic", "partition", "offset"};
    static const enum field_source sources[] = {FIELD_KEY,   FIELD_VALUE,     FIELD_TIMESTAMP,
                                                FIELD_TOPIC, FIELD_PARTITION, FIELD_OFFSET};
    if (c->value->type != VALUE_TEXT) {
        return refuse_type(c);
    }
    const char *text = c->value->text;
    struct field_ref field = {0};
    bool known = true;
    if (strncmp(text, "json:", 5) == 0) {
        field = (struct field_ref){.source = FIELD_JSON, .name = text + 5};
        if (!is_pointer(field.name)) {
            return refuse(c, "not a JSON pointer after \"json:\", as in \"json:/order/id\"", NULL,
                          NULL);
        }
    } else if (strncmp(text, "header:", 7) == 0) {
        field = (struct field_ref){.source = FIELD_HEADER, .name = text + 7};
        if (field.name[0] == '\0') {
            return refuse(c, "no header's name after \"header:\"", NULL, NULL);
        }
    } else {
        known = false;
        for (size_t i = 0; i < LENGTH_OF(words) && !known; i++) {
            known = strcmp(words[i], text) == 0;
            field.source = sources[i];
        }
    }
    if (!known) {
        return refuse(c, "unknown value", NULL, nearest_name(text, words, LENGTH_OF(words)));
    }
    if ((c->schema->max & (INT64_C(1) << field.source)) == 0) {
        return refuse(c, "not possible here", NULL, NULL);
    }
    put(c, &field, sizeof field);
    return true;
}

bool settings_value_store(struct settings_reader *reader, const struct setting *schema,
                          const char *path, const struct setting_value *value, void *base)
{
    struct conversion c = {.reader = reader, .schema = schema, .path = path, .value = value};
    c.to = schema->home == HOME_NONE ? NULL : (uint8_t *)base + schema->offset;
    switch (schema->kind) {
    case SETTING_TEXT:
        return store_text(&c);
    case SETTING_CHOICE:
        return store_choice(&c);
    case SETTING_BOOL:
        return store_bool(&c);
    case SETTING_INT:
    case SETTING_U32:
    case SETTING_U64:
    case SETTING_I64:
        return store_integer(&c);
    case SETTING_RATIO:
        return store_ratio(&c);
    case SETTING_DURATION:
        return store_duration(&c);
    case SETTING_SIZE:
        return store_size(&c);
    case SETTING_PAGE_SIZE:
        return store_page_size(&c);
    case SETTING_START:
        return store_start(&c);
    case SETTING_FIELD:
        return store_field(&c);
    case SETTING_LIST:
        break;
    }
    return refuse_type(&c);
}

void settings_value_default(struct settings_reader *reader, const struct setting *schema,
                            void *base)
{
    if (schema->fallback == NULL) {
        return;
    }
    struct setting_value value = {.type = VALUE_TEXT,
                                  .text = schema->fallback,
                                  .loose = true,
                                  .shown = true,
                                  .written = schema->fallback};
    CHECK(settings_value_store(reader, schema, schema->path, &value, base));
}

/* One flat YAML mapping of known members, printed and read with libyaml. */
#include "core/snapshot/run_yaml.h"

#include <yaml.h>

/* ---- printing ---- */

static int append(void *context, unsigned char *data, size_t size)
{
    struct buf *out = context;
    buf_add(out, data, size);
    return !out->overflowed;
}

/* libyaml does not look at what a reader will take a plain text for: numbers, dates and the words
 * for true, false and null in YAML 1.1 are quoted. */
static bool looks_like_something_else(const char *text)
{
    static const char *const words[] = {"",   "~",   "null", "true", "false", "yes", "no",
                                        "on", "off", "y",    "n",    "=",     "<<"};
    for (size_t i = 0; i < LENGTH_OF(words); i++) {
        size_t j = 0;
        while (text[j] != '\0' && ((text[j] | 0x20) == words[i][j] || text[j] == words[i][j])) {
            j++;
        }
        if (text[j] == '\0' && words[i][j] == '\0') {
            return true;
        }
    }
    return strchr("0123456789+-.", text[0]) != NULL;
}

static yaml_scalar_style_t style_of(enum run_yaml_kind kind, const char *text)
{
    if (text == NULL || kind == RUN_YAML_PLAIN) {
        return YAML_PLAIN_SCALAR_STYLE;
    }
    for (const char *at = text; *at != '\0'; at++) {
        if ((unsigned char)*at < 0x20 || *at == 0x7f) {
            return YAML_DOUBLE_QUOTED_SCALAR_STYLE;
        }
    }
    return kind == RUN_YAML_QUOTED || looks_like_something_else(text)
               ? YAML_SINGLE_QUOTED_SCALAR_STYLE
               : YAML_ANY_SCALAR_STYLE;
}

static bool emit(yaml_emitter_t *emitter, int initialized, yaml_event_t *event)
{
    CHECK(initialized); /* out of memory, or not UTF-8, which was looked at */
    return yaml_emitter_emit(emitter, event) != 0;
}

static bool emit_scalar(yaml_emitter_t *emitter, const char *text, yaml_scalar_style_t style)
{
    yaml_event_t event;
    return emit(emitter,
                yaml_scalar_event_initialize(&event, NULL, NULL, (const yaml_char_t *)text,
                                             (int)strlen(text), 1, 1, style),
                &event);
}

static bool emit_document(yaml_emitter_t *emitter, const struct run_yaml_member *members,
                          const char *const *texts, size_t count)
{
    yaml_event_t event;
    TRY(emit(emitter, yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING), &event));
    TRY(emit(emitter, yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1), &event));
    TRY(emit(emitter,
             yaml_mapping_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_MAPPING_STYLE),
             &event));
    for (size_t i = 0; i < count; i++) {
        const char *text = texts[i] == NULL ? "null" : texts[i];
        TRY(emit_scalar(emitter, members[i].name, YAML_PLAIN_SCALAR_STYLE));
        TRY(emit_scalar(emitter, text, style_of(members[i].kind, texts[i])));
    }
    TRY(emit(emitter, yaml_mapping_end_event_initialize(&event), &event));
    TRY(emit(emitter, yaml_document_end_event_initialize(&event, 1), &event));
    return emit(emitter, yaml_stream_end_event_initialize(&event), &event);
}

bool run_yaml_print(const struct run_yaml_member *members, const char *const *texts, size_t count,
                    struct buf *out, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        CHECK(texts[i] != NULL || members[i].kind == RUN_YAML_TEXT_OR_NULL);
        struct bytes text = bytes_of_text(texts[i]);
        if (!bytes_are_utf8(text) || text.size > INT32_MAX) {
            return err_set(err, ERR_INPUT, "%s: not UTF-8", members[i].name);
        }
    }
    yaml_emitter_t emitter;
    CHECK(yaml_emitter_initialize(&emitter));
    yaml_emitter_set_output(&emitter, append, out);
    yaml_emitter_set_unicode(&emitter, 1);
    yaml_emitter_set_width(&emitter, -1);
    bool good = emit_document(&emitter, members, texts, count);
    if (!good) {
        err_set(err, ERR_INPUT, "YAML: %s", emitter.problem == NULL ? "no room" : emitter.problem);
    }
    yaml_emitter_delete(&emitter);
    return good;
}

/* ---- reading: one event after the other ---- */

struct reader {
    yaml_parser_t parser;
    const struct run_yaml_member *members;
    size_t count;
    struct arena *arena;
    const char **texts;
    bool *given;
};

static bool next_event(struct reader *reader, yaml_event_t *ret_event, struct err *err)
{
    if (!yaml_parser_parse(&reader->parser, ret_event)) {
        return err_set(err, ERR_INPUT, "YAML, line %zu: %s", reader->parser.problem_mark.line + 1,
                       reader->parser.problem == NULL ? "cannot be read" : reader->parser.problem);
    }
    return true;
}

static bool expect(struct reader *reader, yaml_event_type_t type, struct err *err)
{
    yaml_event_t event;
    TRY(next_event(reader, &event, err));
    yaml_event_type_t seen = event.type;
    yaml_event_delete(&event);
    return seen == type || err_set(err, ERR_INPUT, "YAML: not one mapping");
}

/* Past the value that begins with an event of `type`. */
static bool pass_over(struct reader *reader, yaml_event_type_t type, struct err *err)
{
    int depth = 0;
    for (;;) {
        depth += type == YAML_MAPPING_START_EVENT || type == YAML_SEQUENCE_START_EVENT;
        depth -= type == YAML_MAPPING_END_EVENT || type == YAML_SEQUENCE_END_EVENT;
        if (depth == 0) {
            return true;
        }
        yaml_event_t event;
        TRY(next_event(reader, &event, err));
        type = event.type;
        yaml_event_delete(&event);
    }
}

static struct bytes scalar_of(const yaml_event_t *event)
{
    return bytes_of(event->data.scalar.value, event->data.scalar.length);
}

static bool is_null(const yaml_event_t *event)
{
    static const char *const words[] = {"", "~", "null", "Null", "NULL"};
    for (size_t i = 0; i < LENGTH_OF(words); i++) {
        if (bytes_equal(scalar_of(event), bytes_of_text(words[i]))) {
            return event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
        }
    }
    return false;
}

static bool take_value(struct reader *reader, size_t member, const yaml_event_t *event,
                       struct err *err)
{
    const char *name = reader->members[member].name;
    if (reader->given[member]) {
        return err_set(err, ERR_INPUT, "%s: given twice", name);
    }
    reader->given[member] = true;
    if (event->type != YAML_SCALAR_EVENT) {
        return err_set(err, ERR_INPUT, "%s: not a text", name);
    }
    if (is_null(event)) {
        return true; /* missing, as far as those are concerned that must not be null */
    }
    struct bytes value = scalar_of(event);
    if (memchr(value.data, 0, value.size) != NULL) {
        return err_set(err, ERR_INPUT, "%s: with a NUL character", name);
    }
    reader->texts[member] = arena_text(reader->arena, value);
    return true;
}

static size_t find_member(const struct reader *reader, const yaml_event_t *key)
{
    size_t i = 0;
    while (i < reader->count &&
           (key->type != YAML_SCALAR_EVENT ||
            !bytes_equal(scalar_of(key), bytes_of_text(reader->members[i].name)))) {
        i++;
    }
    return i;
}

/* One member, whose key's event has been read. */
static bool take_member(struct reader *reader, const yaml_event_t *key, struct err *err)
{
    size_t member = find_member(reader, key);
    TRY(pass_over(reader, key->type, err));
    yaml_event_t value;
    TRY(next_event(reader, &value, err));
    bool good = member == reader->count ? pass_over(reader, value.type, err)
                                        : take_value(reader, member, &value, err);
    yaml_event_delete(&value);
    return good;
}

static bool read_document(struct reader *reader, struct err *err)
{
    TRY(expect(reader, YAML_STREAM_START_EVENT, err));
    TRY(expect(reader, YAML_DOCUMENT_START_EVENT, err));
    TRY(expect(reader, YAML_MAPPING_START_EVENT, err));
    for (;;) {
        yaml_event_t key;
        TRY(next_event(reader, &key, err));
        bool end = key.type == YAML_MAPPING_END_EVENT;
        bool good = end || take_member(reader, &key, err);
        yaml_event_delete(&key);
        if (!good) {
            return false;
        }
        if (end) {
            break;
        }
    }
    TRY(expect(reader, YAML_DOCUMENT_END_EVENT, err));
    TRY(expect(reader, YAML_STREAM_END_EVENT, err));
    for (size_t i = 0; i < reader->count; i++) {
        if (reader->texts[i] == NULL && reader->members[i].kind != RUN_YAML_TEXT_OR_NULL) {
            return err_set(err, ERR_INPUT, "%s: missing", reader->members[i].name);
        }
    }
    return true;
}

bool run_yaml_parse(struct bytes text, const struct run_yaml_member *members, size_t count,
                    struct arena *arena, const char **texts, struct err *err)
{
    struct reader reader = {
        .members = members,
        .count = count,
        .arena = arena,
        .texts = texts,
        .given = arena_zero(arena, count),
    };
    for (size_t i = 0; i < count; i++) {
        texts[i] = NULL;
    }
    CHECK(yaml_parser_initialize(&reader.parser));
    yaml_parser_set_input_string(&reader.parser, text.data, text.size);
    yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
    bool good = read_document(&reader, err);
    yaml_parser_delete(&reader.parser);
    return good;
}

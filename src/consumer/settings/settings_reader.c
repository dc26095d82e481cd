/* What the parts of the settings loader share: the parsed file, and how a mistake is reported. */
#include "consumer/settings/settings_reader.h"

#include <stdlib.h>

#include "consumer/settings/settings_schema.h"

/* Follows `path`; *ret_found is false when only a part of it is there, and the result is that part.
 */
static config_setting_t *follow(const struct settings_reader *reader, const char *path,
                                bool *ret_found)
{
    config_setting_t *at = config_root_setting(&reader->config);
    *ret_found = true;
    while (*path != '\0') {
        config_setting_t *next = NULL;
        if (*path == '[') {
            char *end = NULL;
            unsigned long index = strtoul(path + 1, &end, 10);
            if (config_setting_is_aggregate(at) && *end == ']' && index <= INT32_MAX) {
                next = config_setting_get_elem(at, (unsigned)index);
            }
            path = *end == ']' ? end + 1 : end;
        } else {
            size_t size = strcspn(path, ".[");
            char name[256];
            if (size > 0 && size < sizeof name && config_setting_is_group(at)) {
                memcpy(name, path, size);
                name[size] = '\0';
                next = config_setting_get_member(at, name);
            }
            path += size;
        }
        path += *path == '.';
        if (next == NULL) {
            *ret_found = false;
            return at;
        }
        at = next;
    }
    return at;
}

config_setting_t *settings_reader_find(const struct settings_reader *reader, const char *path)
{
    bool found = false;
    config_setting_t *setting = follow(reader, path, &found);
    return found ? setting : NULL;
}

bool settings_reader_is_override(const config_setting_t *setting)
{
    while (setting != NULL) {
        if (config_setting_get_hook(setting) != NULL) {
            return true;
        }
        setting = config_setting_parent(setting);
    }
    return false;
}

const char *settings_reader_file(const struct settings_reader *reader,
                                 const config_setting_t *setting)
{
    const char *file = NULL;
    int line = 0;
    settings_text_place(reader->text, (int)config_setting_source_line(setting), &file, &line);
    return file;
}

bool settings_reader_add(struct settings_reader *reader, struct settings_mistake mistake)
{
    bool found = false;
    const config_setting_t *at = follow(reader, mistake.path, &found);
    if (settings_reader_is_override(at)) {
        mistake.file = "--set";
    } else if (config_setting_is_root(at)) {
        mistake.file = reader->text->runs[0].file;
    } else {
        settings_text_place(reader->text, (int)config_setting_source_line(at), &mistake.file,
                            &mistake.line);
    }
    settings_mistakes_add(reader->mistakes, &mistake);
    return false;
}

bool settings_reader_refuse(struct settings_reader *reader, const char *path, const char *problem,
                            const char *seen, const char *allowed, const char *nearest)
{
    return settings_reader_add(reader, (struct settings_mistake){.path = path,
                                                                 .problem = problem,
                                                                 .seen = seen,
                                                                 .allowed = allowed,
                                                                 .nearest = nearest});
}

const config_setting_t *settings_reader_list(struct settings_reader *reader, const char *path,
                                             size_t count_max, const char *form, size_t *ret_count)
{
    const config_setting_t *list = settings_reader_find(reader, path);
    if (list == NULL) {
        return NULL;
    }
    if (!config_setting_is_list(list)) {
        settings_reader_refuse(reader, path, "wrong type", settings_reader_type_name(list), form,
                               NULL);
        return NULL;
    }
    *ret_count = (size_t)config_setting_length(list);
    if (*ret_count > count_max) {
        settings_reader_refuse(reader, path, "too many items",
                               arena_format(reader->arena, "%zu", *ret_count),
                               arena_format(reader->arena, "at most %zu", count_max), NULL);
        return NULL;
    }
    return list;
}

bool settings_reader_is_right(const struct settings_reader *reader, const char *path)
{
    for (size_t i = 0; i < reader->mistakes->count; i++) {
        if (strcmp(reader->mistakes->items[i].path, path) == 0) {
            return false;
        }
    }
    return settings_reader_has(reader, path);
}

const char *settings_reader_written(struct settings_reader *reader, const char *path)
{
    const struct setting *schema = settings_schema_find(path);
    const config_setting_t *setting = settings_reader_find(reader, path);
    if (setting == NULL || config_setting_type(setting) != CONFIG_TYPE_STRING ||
        (schema != NULL && schema->secret)) {
        return NULL;
    }
    return arena_format(reader->arena, "\"%s\"", config_setting_get_string(setting));
}

const char *settings_reader_join(struct settings_reader *reader, const char *prefix,
                                 const char *name)
{
    return prefix[0] == '\0' ? arena_text(reader->arena, bytes_of_text(name))
                             : arena_format(reader->arena, "%s.%s", prefix, name);
}

const char *settings_reader_type_name(const config_setting_t *setting)
{
    switch (config_setting_type(setting)) {
    case CONFIG_TYPE_GROUP:
        return "a group";
    case CONFIG_TYPE_LIST:
        return "a list";
    case CONFIG_TYPE_ARRAY:
        return "an array";
    case CONFIG_TYPE_STRING:
        return "a text";
    case CONFIG_TYPE_BOOL:
        return "true or false";
    case CONFIG_TYPE_FLOAT:
        return "a fraction";
    default:
        return "a whole number";
    }
}

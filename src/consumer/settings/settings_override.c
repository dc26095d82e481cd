/* `--set path=value`: settings of the command line, put into the parsed file before it is read. */
#include "consumer/settings/settings_override.h"

#include <stdlib.h>

static const char form[] = "path=value, as in window.size=5m";
static const char properties_path[] = "kafka.properties.";

static void refuse(struct settings_reader *reader, const char *path, const char *problem)
{
    struct settings_mistake mistake = {
        .file = "--set", .path = path, .problem = problem, .allowed = form};
    settings_mistakes_add(reader->mistakes, &mistake);
}

/* Makes sure that `parent` has a member `name` of that type, or NULL. The mark tells later where a
 * value came from; only what the override made has it. */
static config_setting_t *put_member(config_setting_t *parent, const char *name, int type,
                                    const char *mark)
{
    config_setting_t *member = config_setting_add(parent, name, type);
    if (member != NULL) {
        config_setting_set_hook(member, (void *)(uintptr_t)mark);
    }
    return member;
}

static void set_property(struct settings_reader *reader, const char *name, const char *value,
                         const char *mark)
{
    config_setting_t *root = config_root_setting(&reader->config);
    config_setting_t *kafka = config_setting_get_member(root, "kafka");
    if (kafka == NULL) {
        kafka = put_member(root, "kafka", CONFIG_TYPE_GROUP, mark);
    }
    if (!config_setting_is_group(kafka)) {
        return; /* reported when it is read */
    }
    config_setting_t *list = config_setting_get_member(kafka, "properties");
    if (list == NULL) {
        list = put_member(kafka, "properties", CONFIG_TYPE_LIST, mark);
    }
    if (!config_setting_is_list(list)) {
        return;
    }
    for (int i = config_setting_length(list); i-- > 0;) {
        const config_setting_t *pair = config_setting_get_elem(list, (unsigned)i);
        const char *other = config_setting_is_aggregate(pair) && config_setting_length(pair) == 2
                                ? config_setting_get_string_elem(pair, 0)
                                : NULL;
        if (other != NULL && strcmp(other, name) == 0) {
            config_setting_remove_elem(list, (unsigned)i);
        }
    }
    config_setting_t *pair = put_member(list, NULL, CONFIG_TYPE_LIST, mark);
    config_setting_set_string(config_setting_add(pair, NULL, CONFIG_TYPE_STRING), name);
    config_setting_set_string(config_setting_add(pair, NULL, CONFIG_TYPE_STRING), value);
}

/* One step of a path from `at`: "name" or "[2]". NULL: refused. */
static config_setting_t *step(struct settings_reader *reader, config_setting_t *at,
                              const char **path, const char *whole, const char *mark)
{
    if (**path == '[') {
        char *end = NULL;
        unsigned long index = strtoul(*path + 1, &end, 10);
        if (end == *path + 1 || *end != ']' || !config_setting_is_list(at) ||
            index >= (unsigned long)config_setting_length(at)) {
            refuse(reader, whole, "there is no such item in the file");
            return NULL;
        }
        *path = end + 1;
        return config_setting_get_elem(at, (unsigned)index);
    }
    size_t size = strcspn(*path, ".[");
    const char *name = arena_text(reader->arena, bytes_of(*path, size));
    *path += size;
    if (!config_setting_is_group(at)) {
        refuse(reader, whole, "what is before the last dot is not a group");
        return NULL;
    }
    config_setting_t *member = config_setting_get_member(at, name);
    if (**path == '\0') {
        if (member != NULL) {
            config_setting_remove(at, name);
        }
        member = put_member(at, name, CONFIG_TYPE_STRING, mark);
    } else if (member == NULL) {
        member = put_member(at, name, CONFIG_TYPE_GROUP, mark);
    }
    if (member == NULL) {
        refuse(reader, whole, "not a name");
    }
    return member;
}

void settings_override_apply(struct settings_reader *reader, const char *text)
{
    const char *equals = strchr(text, '=');
    if (equals == NULL || equals == text) {
        refuse(reader, "", "not an override");
        return;
    }
    const char *path = arena_text(reader->arena, bytes_of(text, (size_t)(equals - text)));
    const char *value = equals + 1;
    if (strncmp(path, properties_path, sizeof properties_path - 1) == 0 &&
        path[sizeof properties_path - 1] != '\0') {
        set_property(reader, path + sizeof properties_path - 1, value, text);
        return;
    }
    const char *rest = path;
    config_setting_t *at = config_root_setting(&reader->config);
    while (*rest != '\0') {
        at = step(reader, at, &rest, path, text);
        if (at == NULL) {
            return;
        }
        rest += *rest == '.' && rest[1] != '\0';
        if (rest[0] == '.') {
            refuse(reader, path, "not a path");
            return;
        }
    }
    if (config_setting_type(at) != CONFIG_TYPE_STRING || config_setting_get_hook(at) == NULL) {
        refuse(reader, path, "a group or an item of a list cannot be set as a whole");
        return;
    }
    config_setting_set_string(at, value);
}

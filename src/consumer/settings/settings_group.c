/* A group of a settings file, read by the table: every name known, every value stored or defaulted.
 */
#include "consumer/settings/settings_group.h"

#include "consumer/settings/settings_value.h"
#include "core/nearest.h"

/* What people look for that this version does not have. */
static const struct {
    const char *path;
    const char *why;
} refused[] = {
    {"window.slide", "sliding windows are not in this version: windows do not overlap"},
    {"window.hop", "hopping windows are not in this version: windows do not overlap"},
    {"window.session_gap", "session windows are not in this version"},
    {"snapshot.cel", "routing by an expression is not in this version"},
    {"snapshot.cel_expr", "routing by an expression is not in this version"},
};

/* The first name of `path` below `prefix`, up to a dot or "[]"; size 0: not below it. */
static struct bytes child_name(const char *path, const char *prefix)
{
    size_t size = strlen(prefix);
    if (strncmp(path, prefix, size) != 0 || (size > 0 && path[size] != '.')) {
        return bytes_of(NULL, 0);
    }
    const char *name = path + size + (size > 0);
    return bytes_of(name, strcspn(name, ".["));
}

static void refuse_unknown(struct settings_reader *reader, const char *prefix, const char *path,
                           const char *name)
{
    const char *here = settings_reader_join(reader, prefix, name);
    for (size_t i = 0; i < LENGTH_OF(refused); i++) {
        if (strcmp(refused[i].path, here) == 0) {
            settings_reader_refuse(reader, path, refused[i].why, NULL, NULL, NULL);
            return;
        }
    }
    const char *best = NULL;
    size_t best_distance = 0;
    for (size_t i = 0; i < settings_schema_size; i++) {
        struct bytes child = child_name(settings_schema[i].path, prefix);
        if (child.size > 0) {
            nearest_offer(name, arena_text(reader->arena, child), &best, &best_distance);
        }
    }
    /* the right name in the wrong group */
    for (size_t i = 0; i < settings_schema_size && best == NULL; i++) {
        const char *dot = strrchr(settings_schema[i].path, '.');
        if (dot != NULL && strcmp(dot + 1, name) == 0) {
            best = settings_schema[i].path;
        }
    }
    settings_reader_refuse(reader, path, "unknown setting", NULL, NULL, best);
}

static void check_names(struct settings_reader *reader, const config_setting_t *group,
                        const char *prefix, const char *path)
{
    int count = config_setting_length(group);
    for (int i = 0; i < count; i++) {
        const char *name = config_setting_name(config_setting_get_elem(group, (unsigned)i));
        const char *in_table = settings_reader_join(reader, prefix, name);
        if (settings_schema_find(in_table) == NULL && !settings_schema_is_group(in_table)) {
            refuse_unknown(reader, prefix, settings_reader_join(reader, path, name), name);
        }
    }
}

/* `needed`: whether a required setting that is absent is a mistake. */
static void read_leaf(struct settings_reader *reader, const config_setting_t *setting,
                      const struct setting *schema, const char *path, void *base, bool needed)
{
    if (schema->kind == SETTING_LIST) {
        return;
    }
    settings_value_default(reader, schema, base);
    if (setting != NULL) {
        struct setting_value value;
        if (settings_value_read(reader, setting, path, schema->secret, &value)) {
            /* a mistake is in the list; the default stays, so that later checks see a right value
             */
            bool stored = settings_value_store(reader, schema, path, &value, base);
            (void)stored;
        }
    } else if (schema->required && needed) {
        AUTO(buf) struct buf allowed;
        buf_init(&allowed, 1024);
        settings_value_allowed(schema, &allowed);
        settings_reader_refuse(reader, path, "missing, and there is no default", NULL,
                               buf_text(&allowed), NULL);
    }
}

/* Below a group that is no group at all nothing more is reported, but defaults are filled in. */
static void read_group(struct settings_reader *reader, const config_setting_t *group,
                       const char *prefix, const char *path, void *base, bool needed)
{
    if (group != NULL && !config_setting_is_group(group)) {
        settings_reader_refuse(reader, path, "wrong type", settings_reader_type_name(group),
                               "a group: { name = value; … }", NULL);
        group = NULL;
        needed = false;
    }
    if (group != NULL) {
        check_names(reader, group, prefix, path);
    }
    struct bytes last = bytes_of(NULL, 0);
    for (size_t i = 0; i < settings_schema_size; i++) {
        const struct setting *schema = &settings_schema[i];
        struct bytes child = child_name(schema->path, prefix);
        if (child.size == 0 || child.data[child.size] == '[' || bytes_equal(child, last)) {
            continue;
        }
        last = child;
        const char *name = arena_text(reader->arena, child);
        const char *below = settings_reader_join(reader, path, name);
        const config_setting_t *member = group == NULL ? NULL
                                                       : config_setting_get_member(group, name);
        if (child.data[child.size] == '.') {
            read_group(reader, member, settings_reader_join(reader, prefix, name), below, base,
                       needed);
        } else {
            read_leaf(reader, member, schema, below, base, needed);
        }
    }
}

void settings_group_read(struct settings_reader *reader, const config_setting_t *group,
                         const char *prefix, const char *path, void *base)
{
    read_group(reader, group, prefix, path, base, true);
}

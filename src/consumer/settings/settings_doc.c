/* docs/settings.md, made from the table of settings. */
#include "consumer/settings/settings_doc.h"

#include "consumer/settings/settings_schema.h"
#include "consumer/settings/settings_value.h"

static const char intro[] =
    "# Settings\n\n"
    "This page is made from the table that the program itself reads settings by\n"
    "(`tidemark check --list-settings > docs/settings.md`); a test compares the two.\n\n"
    "The file is in the format of [libconfig](https://hyperrealm.github.io/libconfig/): "
    "`name = value;`, groups in\n`{ }`, lists in `( )`, texts in `\" \"`, comments after `#`. "
    "`tidemark check -c FILE` names every mistake in\none go.\n\n"
    "- Durations are texts: `\"250ms\"`, `\"30s\"`, `\"1h30m\"`, `\"2d\"` (units d h m s ms us, "
    "largest "
    "first). Sizes\n  are texts, `\"64MiB\"`, `\"1GB\"` (B kB MB GB TB KiB MiB GiB TiB), or whole "
    "numbers "
    "of bytes.\n"
    "- `@include \"other.cfg\"` on a line of its own puts another file there; a relative path "
    "counts "
    "from the\n  file that has the line.\n"
    "- `${NAME}` in a text is an environment variable, `${NAME:-default}` has a default for one "
    "that "
    "is unset or\n  empty, `${file:/path}` is the content of a file without the newline at its "
    "end, "
    "`$${` is `${`. Such a text\n  may also stand for a number or `true`, `false`. What came from "
    "there is never shown, and neither are\n  properties of librdkafka whose names look like "
    "secrets "
    "(`sasl.…`, password, secret, key, token, …).\n"
    "- `--set path=value` on the command line is stronger than the file: `--set window.size=10m`,\n"
    "  `--set 'topics[0].name=orders'`, `--set kafka.properties.client.id=a`.\n"
    "- A field of a record is `key`, `value`, `json:/pointer` (RFC 6901, into the payload), "
    "`header:name`,\n  `timestamp`, `topic`, `partition` or `offset`.\n"
    "- A setting that has no effect beside the others is a mistake, not a no-op.\n";

static const char *type_name(const struct setting *setting)
{
    switch (setting->kind) {
    case SETTING_TEXT:
    case SETTING_CHOICE:
    case SETTING_START:
        return "text";
    case SETTING_BOOL:
        return "true or false";
    case SETTING_INT:
    case SETTING_U32:
    case SETTING_U64:
    case SETTING_I64:
        return "number";
    case SETTING_RATIO:
        return "fraction";
    case SETTING_DURATION:
        return "duration";
    case SETTING_SIZE:
    case SETTING_PAGE_SIZE:
        return "size";
    case SETTING_FIELD:
        return "field";
    case SETTING_LIST:
        return "list";
    }
    return "";
}

static void print_default(struct buf *out, const struct setting *setting)
{
    if (setting->required) {
        buf_add_text(out, "**required**");
    } else if (setting->fallback != NULL) {
        buf_add_format(out, "`%s`", setting->fallback);
    } else if (setting->also != NULL) {
        buf_add_text(out, setting->also);
    } else {
        buf_add_text(out, "none");
    }
}

static void print_setting(struct buf *out, const struct setting *setting)
{
    AUTO(buf) struct buf allowed;
    buf_init(&allowed, 4096);
    bool free_text = setting->kind == SETTING_LIST ||
                     (setting->kind == SETTING_TEXT && setting->choices == NULL);
    if (!free_text) {
        settings_value_allowed(setting, &allowed);
    }
    buf_add_format(out, "| `%s` | %s | ", setting->path, type_name(setting));
    print_default(out, setting);
    buf_add_format(out, " | %s | %s |\n", buf_text(&allowed), setting->doc);
}

/* Whether `path` is in the group: "a.b" and "a[].b" are in "a", "a" and a list "a" alone are not in
 * "". */
static bool is_in(const char *path, const char *group)
{
    size_t size = strlen(group);
    if (size == 0) {
        return strpbrk(path, ".[") == NULL && strcmp(path, "topics") != 0;
    }
    return strncmp(path, group, size) == 0 &&
           (path[size] == '\0' || path[size] == '.' || path[size] == '[');
}

void settings_doc_print(struct buf *out)
{
    buf_add_text(out, intro);
    for (size_t g = 0; g < settings_schema_group_count; g++) {
        const struct setting_group *group = &settings_schema_groups[g];
        if (group->path[0] == '\0') {
            buf_add_format(out, "\n## %s\n\n", group->doc);
        } else {
            buf_add_format(out, "\n## `%s`: %s\n\n", group->path, group->doc);
        }
        buf_add_text(out, "| setting | type | default | allowed | what it is |\n"
                          "|---|---|---|---|---|\n");
        for (size_t i = 0; i < settings_schema_size; i++) {
            if (is_in(settings_schema[i].path, group->path)) {
                print_setting(out, &settings_schema[i]);
            }
        }
    }
}

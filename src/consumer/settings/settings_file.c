/* A settings file, checked whole, as struct settings. */
#include "consumer/settings/settings_file.h"

#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "consumer/settings/settings_brackets.h"
#include "consumer/settings/settings_check.h"
#include "consumer/settings/settings_group.h"
#include "consumer/settings/settings_lists.h"
#include "consumer/settings/settings_override.h"
#include "consumer/settings/settings_reader.h"

/* The settings and the memory that all their texts are in. */
struct loaded {
    struct settings settings;
    struct arena *arena;
};

static const char syntax_form[] =
    "name = value; with groups in { }, lists in ( ), texts in \" \", and a semicolon after each";

/* libconfig says no more than where it stood still. */
static const char *syntax_problem(struct settings_reader *reader, int *line)
{
    int opened = 0;
    const char *wrong = settings_brackets_wrong(buf_bytes(&reader->text->text), *line,
                                                reader->arena, line, &opened);
    if (wrong == NULL) {
        return "syntax error, here or just before";
    }
    if (opened == 0) {
        return arena_format(reader->arena, "syntax error: %s", wrong);
    }
    const char *file = NULL;
    settings_text_place(reader->text, opened, &file, &opened);
    return arena_format(reader->arena, "syntax error: the bracket of %s:%d: %s", file, opened,
                        wrong);
}

/* libconfig's message, with the line of the file it belongs to. */
static bool parse(struct settings_reader *reader)
{
    if (config_read_string(&reader->config, buf_text(&reader->text->text)) == CONFIG_TRUE) {
        return true;
    }
    int line = config_error_line(&reader->config);
    struct settings_mistake mistake = {
        .path = "",
        .problem = config_error_text(&reader->config),
        .allowed = syntax_form,
    };
    if (strcmp(mistake.problem, "syntax error") == 0) {
        mistake.problem = syntax_problem(reader, &line);
    } else if (strcmp(mistake.problem, "duplicate setting name") == 0) {
        mistake.problem = "a setting twice in one group";
        mistake.allowed = "each name once";
    } else if (strcmp(mistake.problem, "mismatched element type in array") == 0) {
        mistake.allowed = "a list in ( )";
    }
    settings_text_place(reader->text, line, &mistake.file, &mistake.line);
    settings_mistakes_add(reader->mistakes, &mistake);
    return false;
}

static const char *host_name(struct arena *arena)
{
    char name[HOST_NAME_MAX + 1];
    if (gethostname(name, sizeof name) != 0 || name[0] == '\0') {
        return "localhost";
    }
    name[HOST_NAME_MAX] = '\0';
    return arena_text(arena, bytes_of_text(name));
}

/* Defaults that depend on other settings or on the machine. */
static void derive(struct settings_reader *reader)
{
    struct settings *settings = reader->settings;
    if (settings->member_id == NULL) {
        settings->member_id =
            reader->options->default_member_id == NULL
                ? host_name(reader->arena)
                : arena_text(reader->arena, bytes_of_text(reader->options->default_member_id));
    }
    if (settings->kafka.ledger_topic == NULL && settings->group != NULL) {
        settings->kafka.ledger_topic =
            arena_format(reader->arena, "%s.coordination", settings->group);
    }
    if (settings->snapshot.store != NULL) {
        size_t size = strlen(settings->snapshot.store);
        if (size > 1 && settings->snapshot.store[size - 1] == '/') {
            settings->snapshot.store =
                arena_text(reader->arena, bytes_of(settings->snapshot.store, size - 1));
        }
    }
}

/* From the whole text to the struct. */
static void read_all(struct settings_reader *reader)
{
    config_init(&reader->config);
    if (parse(reader)) {
        for (size_t i = 0; i < reader->options->override_count; i++) {
            settings_override_apply(reader, reader->options->overrides[i]);
        }
        settings_group_read(reader, config_root_setting(&reader->config), "", "", reader->settings);
        settings_lists_read(reader);
        derive(reader);
        settings_check(reader);
    }
    config_destroy(&reader->config);
}

static bool fail(struct settings_mistakes *mistakes, const char *name, enum err_kind kind,
                 struct err *err)
{
    settings_mistakes_sort(mistakes);
    AUTO(buf) struct buf first;
    buf_init(&first, 4096);
    if (mistakes->count > 0) {
        settings_mistake_print(&mistakes->items[0], &first);
    }
    size_t count = mistakes->count + mistakes->dropped;
    if (count == 1) {
        return err_set(err, kind, "%s", buf_text(&first));
    }
    return err_set(err, kind, "%.200s: %zu mistakes, the first: %s", name, count, buf_text(&first));
}

static bool load(const struct bytes *content, const char *name,
                 const struct settings_options *options, struct settings **ret_settings,
                 struct settings_mistakes *mistakes, struct err *err)
{
    static const struct settings_options no_options;
    struct arena *arena = arena_new(16 << 10);
    struct loaded *loaded = arena_zero(arena, sizeof *loaded);
    loaded->arena = arena;
    loaded->settings.file = arena_text(arena, bytes_of_text(name));

    struct settings_text *text = arena_zero(arena, sizeof *text);
    settings_text_init(text, arena);
    bool good = content == NULL ? settings_text_add_file(text, name, mistakes)
                                : settings_text_add(text, *content, name, mistakes);
    bool missing = !good && text->run_count == 0;
    if (good) {
        struct settings_reader reader = {
            .arena = arena,
            .text = text,
            .options = options == NULL ? &no_options : options,
            .settings = &loaded->settings,
            .mistakes = mistakes,
        };
        read_all(&reader);
        good = mistakes->count == 0;
    }
    settings_text_done(text);
    if (!good) {
        arena_free(arena);
        return fail(mistakes, name, missing ? ERR_MISSING : ERR_SETTINGS, err);
    }
    *ret_settings = &loaded->settings;
    return true;
}

bool settings_load(const char *path, const struct settings_options *options,
                   struct settings **ret_settings, struct settings_mistakes *mistakes,
                   struct err *err)
{
    return load(NULL, path, options, ret_settings, mistakes, err);
}

bool settings_parse(struct bytes text, const char *name, const struct settings_options *options,
                    struct settings **ret_settings, struct settings_mistakes *mistakes,
                    struct err *err)
{
    return load(&text, name, options, ret_settings, mistakes, err);
}

struct settings *settings_free(struct settings *settings)
{
    if (settings != NULL) {
        struct loaded *loaded = (struct loaded *)settings; /* its first member */
        arena_free(loaded->arena);
    }
    return NULL;
}

void settings_auto(struct settings **settings)
{
    *settings = settings_free(*settings);
}

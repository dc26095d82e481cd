/* What the parts of the settings loader share: the parsed file, and how a mistake is reported. */
#ifndef TIDEMARK_CONSUMER_SETTINGS_SETTINGS_READER_H
#define TIDEMARK_CONSUMER_SETTINGS_SETTINGS_READER_H

#include <libconfig.h>

#include "consumer/settings/settings_file.h"
#include "consumer/settings/settings_text.h"
#include "core/settings.h"

struct settings_reader {
    struct arena *arena; /* the settings' own */
    const struct settings_text *text;
    config_t config;
    const struct settings_options *options; /* not NULL */
    struct settings *settings;
    struct settings_mistakes *mistakes;
};

/* A setting by its path in our form, "topics[1].key.from"; NULL: not in the file. */
config_setting_t *settings_reader_find(const struct settings_reader *reader, const char *path);

static inline bool settings_reader_has(const struct settings_reader *reader, const char *path)
{
    return settings_reader_find(reader, path) != NULL;
}

/* The file a setting is in, for `${file:…}`; never NULL. */
const char *settings_reader_file(const struct settings_reader *reader,
                                 const config_setting_t *setting);

/* True when it was given on the command line. */
bool settings_reader_is_override(const config_setting_t *setting);

/* Adds a mistake, at the line of `path`, or of the innermost group of it that is there. `seen`,
 * `allowed` and `nearest` may be NULL. Returns false. */
bool settings_reader_refuse(struct settings_reader *reader, const char *path, const char *problem,
                            const char *seen, const char *allowed, const char *nearest);

/* The same for a whole mistake, whose file and line are found here. */
bool settings_reader_add(struct settings_reader *reader, struct settings_mistake mistake);

/* The list at `path`; NULL when it is absent or unfit (then a mistake is reported). */
const config_setting_t *settings_reader_list(struct settings_reader *reader, const char *path,
                                             size_t count_max, const char *form, size_t *ret_count);

/* True when it is in the file and nothing was found wrong with it so far. */
bool settings_reader_is_right(const struct settings_reader *reader, const char *path);

/* A text as it is written in the file, in quotes; NULL when it is absent, no text, or secret. */
const char *settings_reader_written(struct settings_reader *reader, const char *path);

/* prefix "" -> name, "a" -> "a.name"; in the arena. */
const char *settings_reader_join(struct settings_reader *reader, const char *prefix,
                                 const char *name);

/* "integer", "a text", "a group", … */
const char *settings_reader_type_name(const config_setting_t *setting);

#endif

/* A settings file, checked whole, as struct settings. */
#ifndef TIDEMARK_CONSUMER_SETTINGS_SETTINGS_FILE_H
#define TIDEMARK_CONSUMER_SETTINGS_SETTINGS_FILE_H

#include "consumer/settings/settings_mistakes.h"
#include "core/base/err.h"
#include "core/settings.h"

struct settings_options {
    const char *const *overrides; /* "window.size=5m", "topics[0].name=orders",
                                     "kafka.properties.client.id=x": stronger than the file */
    size_t override_count;
    const char *default_member_id; /* NULL: the host's name */
};

/* Reads the file at `path` (libconfig, with @include and ${…}), fills in defaults, and reports
 * every mistake in one go. False: ERR_SETTINGS, with the first mistake in the message and all of
 * them, sorted, in `mistakes` (which the caller has initialised); or ERR_MISSING when `path` cannot
 * be read, and then there is one mistake too. May block on files; one thread; `options` may be
 * NULL. */
MUST_CHECK bool settings_load(const char *path, const struct settings_options *options,
                              struct settings **ret_settings, struct settings_mistakes *mistakes,
                              struct err *err);

/* The same from bytes in memory; `name` stands for the path in mistakes and for `@include`. */
MUST_CHECK bool settings_parse(struct bytes text, const char *name,
                               const struct settings_options *options,
                               struct settings **ret_settings, struct settings_mistakes *mistakes,
                               struct err *err);

/* All strings die with it. Takes NULL, returns NULL. */
struct settings *settings_free(struct settings *settings);
void settings_auto(struct settings **settings); /* for AUTO(settings) */

#endif

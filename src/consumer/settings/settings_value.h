/* One value of a settings file: read, expanded, checked against its line of the table, stored. */
#ifndef TIDEMARK_CONSUMER_SETTINGS_SETTINGS_VALUE_H
#define TIDEMARK_CONSUMER_SETTINGS_SETTINGS_VALUE_H

#include "consumer/settings/settings_reader.h"
#include "consumer/settings/settings_schema.h"

enum setting_value_type { VALUE_TEXT, VALUE_INTEGER, VALUE_REAL, VALUE_BOOL, VALUE_OTHER };

struct setting_value {
    enum setting_value_type type;
    const char *text; /* with ${…} replaced; of every type but OTHER */
    int64_t integer;
    double real;
    bool truth;
    bool loose;          /* a text that may stand for a number: with ${…}, or from --set */
    bool shown;          /* false: neither the value nor what depends on it may be in a message */
    const char *written; /* as it is in the file; NULL: not to be shown */
};

/* False: the mistake is reported (a variable that is not set, …). `secret`: never to be shown. */
MUST_CHECK bool settings_value_read(struct settings_reader *reader, const config_setting_t *setting,
                                    const char *path, bool secret, struct setting_value *ret_value);

/* Converts by `schema` and stores into `base` (see enum setting_home; not used for HOME_NONE).
 * False: the mistake is reported, and nothing was stored. */
MUST_CHECK bool settings_value_store(struct settings_reader *reader, const struct setting *schema,
                                     const char *path, const struct setting_value *value,
                                     void *base);

/* The default of `schema`, when it has one. */
void settings_value_default(struct settings_reader *reader, const struct setting *schema,
                            void *base);

/* "1s to 366d", "\"a\", \"b\"", …: what messages and the documentation say. */
void settings_value_allowed(const struct setting *schema, struct buf *out);

#endif

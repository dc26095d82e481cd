/* The one table of all settings: path, type, default, range, and a line of explanation. */
#ifndef TIDEMARK_CONSUMER_SETTINGS_SETTINGS_SCHEMA_H
#define TIDEMARK_CONSUMER_SETTINGS_SETTINGS_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How a setting is written, and what it becomes in its struct. */
enum setting_kind {
    SETTING_TEXT,      /* const char *; with `choices`: one of them */
    SETTING_CHOICE,    /* an enum whose values number `choices` from 0 */
    SETTING_BOOL,      /* bool */
    SETTING_INT,       /* int */
    SETTING_U32,       /* uint32_t */
    SETTING_U64,       /* uint64_t */
    SETTING_I64,       /* int64_t, a count */
    SETTING_RATIO,     /* double, 0 to 1 */
    SETTING_DURATION,  /* int64_t, microseconds; min and max too */
    SETTING_SIZE,      /* uint64_t, bytes */
    SETTING_PAGE_SIZE, /* uint32_t: 4096, 8192, 16384, 32768, 65536, or 0 for "auto" */
    SETTING_START,     /* enum start_kind; the time goes into start_time_us */
    SETTING_FIELD,     /* struct field_ref; `max` is a mask of allowed sources */
    SETTING_LIST,      /* read by settings_lists */
};

/* The struct that `offset` counts in. */
enum setting_home { HOME_SETTINGS, HOME_TOPIC, HOME_VALUE_FIELD, HOME_CEL_COLUMN, HOME_NONE };

struct setting {
    const char *path; /* of names and dots; an item of a list is "[]": "topics[].key.from" */
    enum setting_kind kind;
    enum setting_home home;
    size_t offset;
    const char *fallback; /* the default as it would be written, without quotes; NULL: none */
    bool required;
    bool secret; /* the value is never shown */
    int64_t min; /* of numbers, durations (us) and sizes */
    int64_t max;
    const char *const *choices; /* ended by NULL */
    const char *also;           /* what the default is when there is none in `fallback`, or NULL */
    const char *doc;            /* one line */
};

extern const struct setting settings_schema[];
extern const size_t settings_schema_size;

/* A group of the file, for documentation: path ("" for the top) and what it is about. */
struct setting_group {
    const char *path;
    const char *doc;
};
extern const struct setting_group settings_schema_groups[];
extern const size_t settings_schema_group_count;

/* NULL: there is none. */
const struct setting *settings_schema_find(const char *path);

/* True when some setting's path begins with `path` and a dot. */
bool settings_schema_is_group(const char *path);

#endif

/* The options of a reader: names and values to what the parts below take. */
#include "library/library_options.h"

#include <stdlib.h>

#include "core/nearest.h"
#include "core/units.h"

#define CACHE_BYTES_DEFAULT (UINT64_C(2) << 30)

enum { RETRIES_DEFAULT = 8, RETRIES_MAX = 100 };

struct tidemark_options *tidemark_options_new(void)
{
    struct tidemark_options *options = calloc(1, sizeof *options);
    CHECK(options != NULL);
    options->arena = arena_new(1024);
    options->cache_bytes_max = CACHE_BYTES_DEFAULT;
    options->s3.max_retries = RETRIES_DEFAULT;
    return options;
}

void tidemark_options_free(struct tidemark_options *options)
{
    if (options != NULL) {
        arena_free(options->arena);
        free(options);
    }
}

/* ---- one value ---- */

static bool set_text(struct tidemark_options *options, size_t place, const char *value,
                     struct err *err)
{
    (void)err;
    const char *kept = arena_text(options->arena, bytes_of_text(value));
    memcpy((char *)options + place, &kept, sizeof kept);
    return true;
}

static bool set_size(struct tidemark_options *options, size_t place, const char *value,
                     struct err *err)
{
    uint64_t bytes = 0;
    TRY(units_size(bytes_of_text(value), &bytes, err));
    memcpy((char *)options + place, &bytes, sizeof bytes);
    return true;
}

static bool set_duration(struct tidemark_options *options, size_t place, const char *value,
                         struct err *err)
{
    int64_t us = 0;
    TRY(units_duration(bytes_of_text(value), &us, err));
    if (us <= 0) {
        return err_set(err, ERR_INPUT, "must be more than 0");
    }
    memcpy((char *)options + place, &us, sizeof us);
    return true;
}

static bool set_bool(struct tidemark_options *options, size_t place, const char *value,
                     struct err *err)
{
    bool is = strcmp(value, "true") == 0;
    if (!is && strcmp(value, "false") != 0) {
        return err_set(err, ERR_INPUT, "true or false, not \"%.40s\"", value);
    }
    memcpy((char *)options + place, &is, sizeof is);
    return true;
}

static bool set_retries(struct tidemark_options *options, size_t place, const char *value,
                        struct err *err)
{
    char *end = NULL;
    long number = strtol(value, &end, 10);
    if (end == value || *end != '\0' || number < 0 || number > RETRIES_MAX) {
        return err_set(err, ERR_INPUT, "a number from 0 to %d, not \"%.40s\"", RETRIES_MAX, value);
    }
    int retries = (int)number;
    memcpy((char *)options + place, &retries, sizeof retries);
    return true;
}

static bool set_reading(struct tidemark_options *options, size_t place, const char *value,
                        struct err *err)
{
    enum shard_reading reading;
    TRY(shard_reading_parse(value, &reading, err));
    memcpy((char *)options + place, &reading, sizeof reading);
    return true;
}

static bool set_addressing(struct tidemark_options *options, size_t place, const char *value,
                           struct err *err)
{
    if (strcmp(value, "auto") != 0 && strcmp(value, "path") != 0 && strcmp(value, "virtual") != 0) {
        return err_set(err, ERR_INPUT, "auto, path or virtual, not \"%.40s\"", value);
    }
    return set_text(options, place, value, err);
}

/* ---- all of them ---- */

static const struct option {
    const char *name;
    bool (*set)(struct tidemark_options *options, size_t place, const char *value, struct err *err);
    size_t place;
} table[] = {
#define OPTION(name, set, member)                                                                  \
    {                                                                                              \
        name, set, offsetof(struct tidemark_options, member)                                       \
    }
    OPTION("cache_folder", set_text, cache_folder),
    OPTION("cache_size", set_size, cache_bytes_max),
    OPTION("reading", set_reading, reading.reading),
    OPTION("range_from", set_size, reading.range_from_bytes),
    OPTION("page_memory", set_size, reading.page_bytes_max),
    OPTION("relocated", set_bool, relocated),
    OPTION("run_id", set_text, choice.run_id),
    OPTION("manifest", set_text, choice.manifest_ref),
    OPTION("extension", set_text, extension),
    OPTION("s3.endpoint", set_text, s3.endpoint),
    OPTION("s3.region", set_text, s3.region),
    OPTION("s3.profile", set_text, s3.profile),
    OPTION("s3.addressing", set_addressing, s3.addressing),
    OPTION("s3.ca_file", set_text, s3.ca_file),
    OPTION("s3.proxy", set_text, s3.proxy),
    OPTION("s3.connect_timeout", set_duration, s3.connect_timeout_us),
    OPTION("s3.request_timeout", set_duration, s3.request_timeout_us),
    OPTION("s3.deadline", set_duration, s3.deadline_us),
    OPTION("s3.max_retries", set_retries, s3.max_retries),
};

bool library_options_set(struct tidemark_options *options, const char *name, const char *value,
                         struct err *err)
{
    const char *nearest = NULL;
    size_t distance = 0;
    for (size_t i = 0; i < LENGTH_OF(table); i++) {
        if (strcmp(table[i].name, name) == 0) {
            bool ok = table[i].set(options, table[i].place, value, err);
            if (!ok) {
                err->kind = ERR_SETTINGS;
                (void)err_wrap(err, "option %s", name);
            }
            return ok;
        }
        nearest_offer(name, table[i].name, &nearest, &distance);
    }
    return err_set(err, ERR_SETTINGS, "there is no option \"%.60s\"%s%s%s", name,
                   nearest == NULL ? "" : "; did you mean '", nearest == NULL ? "" : nearest,
                   nearest == NULL ? "" : "'?");
}

struct tidemark_options *library_options_copy(const struct tidemark_options *options)
{
    struct tidemark_options *copy = tidemark_options_new();
    if (options == NULL) {
        return copy;
    }
    struct arena *arena = copy->arena;
    *copy = *options;
    copy->arena = arena;
    for (size_t i = 0; i < LENGTH_OF(table); i++) {
        const char *text = NULL;
        if (table[i].set != set_text && table[i].set != set_addressing) {
            continue;
        }
        memcpy(&text, (const char *)options + table[i].place, sizeof text);
        if (text != NULL) {
            text = arena_text(arena, bytes_of_text(text));
            memcpy((char *)copy + table[i].place, &text, sizeof text);
        }
    }
    return copy;
}

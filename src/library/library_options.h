/* The options of a reader: names and values to what the parts below take. */
#ifndef TIDEMARK_LIBRARY_LIBRARY_OPTIONS_H
#define TIDEMARK_LIBRARY_LIBRARY_OPTIONS_H

#include "checkpoint/reading/shard_files.h"
#include "core/settings.h"
#include "library/tidemark.h"

/* Texts in the arena. */
struct tidemark_options {
    struct arena *arena;
    const char *cache_folder; /* NULL: the usual one */
    uint64_t cache_bytes_max;
    struct shard_reading_choice reading;
    struct catalog_choice choice;
    bool relocated;
    const char *extension; /* of SQLite, for vectors; NULL: not given */
    struct store_settings s3;
};

struct tidemark_options *library_options_copy(const struct tidemark_options *options);
MUST_CHECK bool library_options_set(struct tidemark_options *options, const char *name,
                                    const char *value, struct err *err);

#endif

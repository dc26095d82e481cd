/* What is wrong between the settings of vectors. */
#include "consumer/settings/settings_check.h"

static void refuse(struct settings_reader *reader, const char *path, const char *problem,
                   const char *allowed)
{
    settings_reader_refuse(reader, path, problem, NULL, allowed, NULL);
}

/* Vectors are set for the snapshot: the topics say only where theirs are. */
static bool check_topics(struct settings_reader *reader)
{
    static const char *const parts[] = {"required", "id", "payload"};
    const struct settings *settings = reader->settings;
    bool some = false;
    for (size_t i = 0; i < settings->topic_count; i++) {
        const struct topic_vector *vector = &settings->topics[i].vector;
        const char *path = arena_format(reader->arena, "topics[%zu].vector", i);
        some = some || vector->on;
        if (vector->on && !settings_reader_has(reader, "vectors.dim")) {
            refuse(reader, settings_reader_join(reader, path, "from"),
                   "has no effect without vectors.dim", NULL);
        }
        for (size_t k = 0; !vector->on && k < LENGTH_OF(parts); k++) {
            const char *part = settings_reader_join(reader, path, parts[k]);
            if (settings_reader_has(reader, part)) {
                refuse(reader, part, "has no effect without from", NULL);
            }
        }
    }
    return some;
}

void settings_check_vectors(struct settings_reader *reader)
{
    const struct vector_settings *vectors = &reader->settings->vectors;
    bool some = check_topics(reader);
    bool on = settings_reader_has(reader, "vectors.dim");
    if (on && vectors->extension == NULL) {
        refuse(reader, "vectors.extension", "missing: vectors.dim is set",
               "the path of sqlite-vec's file, as in \"/usr/lib/sqlite-vec/vec0.so\"");
    }
    if (on && !some && settings_reader_is_right(reader, "topics")) {
        refuse(reader, "vectors.dim", "no topic has a vector", "topics[].vector.from");
    }
    if (!on && vectors->extension != NULL) {
        refuse(reader, "vectors.extension", "has no effect without vectors.dim", NULL);
    }
    if (!on && settings_reader_has(reader, "vectors.metric")) {
        refuse(reader, "vectors.metric", "has no effect without vectors.dim", NULL);
    }
    if (vectors->extension != NULL && vectors->extension[0] != '/') {
        refuse(reader, "vectors.extension", "not an absolute path", NULL);
    }
}

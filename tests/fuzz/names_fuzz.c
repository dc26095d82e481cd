/* Names of any text: what is read out of one gives that name again, and no name leaves its folder.
 */
#include <stdint.h>

#include "core/base/check.h"
#include "core/base/utc.h"
#include "core/record/decimal.h"
#include "core/snapshot/names.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct bytes without_slash(struct bytes text)
{
    text.size -= text.size > 0 && text.data[text.size - 1] == '/';
    return text;
}

static void try_folders(const struct names *names, struct bytes text, struct arena *arena)
{
    int64_t time_us = 0;
    struct bytes run_id;
    if (names_parse_manifest_folder(text, &time_us, &run_id) &&
        memchr(run_id.data, 0, run_id.size) == NULL) {
        const char *name = names_manifest(time_us, arena_text(arena, run_id), arena);
        struct bytes folder = without_slash(text);
        CHECK(memcmp(name + strlen(NAMES_MANIFESTS_FOLDER), folder.data, folder.size) == 0);
    }
    if (names_parse_run_record_folder(text, &time_us, &run_id)) {
        CHECK(run_id.size > 0 && memchr(run_id.data, '/', run_id.size) == NULL);
    }
    if (names_parse_run_folder(text, &run_id) && memchr(run_id.data, 0, run_id.size) == NULL) {
        const char *folder = names_run_folder(names, arena_text(arena, run_id), arena);
        struct bytes again;
        CHECK(names_parse_run_of(names, folder, &again));
        CHECK(bytes_equal(again, run_id));
    }
    int64_t attempt = 0;
    if (names_parse_attempt_folder(text, &attempt)) {
        const char *name = names_attempt(names, "r", 0, attempt, arena);
        CHECK(bytes_equal(bytes_of_text(strrchr(name, '/') + 1), without_slash(text)));
    }
}

static void try_settings(const char *text, struct arena *arena)
{
    struct names names;
    struct err err = {0};
    if (names_init(&names, "s3://b/p", "shards", "runs", text, &err)) {
        const char *path = names_db_path(&names, 12345, arena);
        CHECK(strstr(path, "12345") != NULL && strchr(path, '/') == NULL);
    }
    if (names_init(&names, text, "shards", "runs", "{db_id}", &err)) {
        const char *url = names_url(&names, "a/b", arena);
        CHECK(strcmp(names_from_url(&names, url), "a/b") == 0);
    }
    const char *part = names_part(1, text, text, 2, arena);
    CHECK(strncmp(part, "parts/build=1/", 14) == 0 && strchr(part + 14, '/') == NULL);
    if (names_run_id_is_valid(text)) {
        CHECK(strpbrk(text, "/?# \n") == NULL);
    }
}

static void try_times(struct bytes text)
{
    int64_t time_us = 0;
    struct err err = {0};
    if (utc_parse(text, &time_us, &err)) {
        char again[UTC_TEXT_SIZE];
        int64_t second_us = 0;
        utc_format_json(time_us, again);
        CHECK(utc_parse(bytes_of_text(again), &second_us, &err) && second_us == time_us);
    }
    int64_t value = 0;
    int64_t finer = 0;
    if (decimal_scale(text, 0, &value) && decimal_scale(text, 3, &finer)) {
        CHECK(finer / 1000 - (finer % 1000 < 0) == value);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(1 << 12);
    struct names names;
    struct err err = {0};
    CHECK(names_init(&names, "s3://b/p", "shards", "runs", "db={db_id:05d}", &err));
    try_folders(&names, bytes_of(data, size), arena);
    try_settings(arena_text(arena, bytes_of(data, size)), arena);
    try_times(bytes_of(data, size));
    arena_free(arena);
    return 0;
}

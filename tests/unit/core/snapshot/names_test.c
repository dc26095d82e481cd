/* Are all names what readers, listings and clean-up expect? */
#include "core/base/utc.h"
#include "core/snapshot/names.h"
#include "tests/support/vectors.h"

static struct names make_names(const char *prefix, const char *template)
{
    struct names names;
    struct err err = {0};
    cr_assert(names_init(&names, prefix, "shards", "runs", template, &err), "%s", err.message);
    return names;
}

/* A base with a "/" at its end is refused; else the joined URL is the URL of a name below it. */
static void hold_join(const cJSON *row, struct arena *arena)
{
    const char *base = vectors_text(row, "base");
    const char *url = vectors_text(row, "url");
    if (base[strlen(base) - 1] == '/') {
        struct names names;
        struct err err = {0};
        cr_assert_not(names_init(&names, base, "shards", "runs", "{db_id}", &err));
        return;
    }
    struct names names = make_names(base, "{db_id}");
    const char *name = names_from_url(&names, url);
    cr_assert_not_null(name);
    cr_assert_str_eq(names_url(&names, name, arena), url);
}

static void hold_shard_url(const cJSON *row, struct arena *arena)
{
    struct names names =
        make_names(vectors_text(row, "s3_prefix"), vectors_text(row, "db_path_template"));
    names.shard_prefix = vectors_text(row, "shard_prefix");
    const char *name =
        names_attempt(&names, vectors_text(row, "run_id"), (uint32_t)vectors_integer(row, "db_id"),
                      vectors_integer(row, "attempt"), arena);
    const char *url = names_url(&names, name, arena);
    cr_assert_str_eq(url, vectors_text(row, "url"));
    cr_assert_str_eq(names_from_url(&names, url), name);
    struct bytes run_id = {0};
    cr_assert(names_parse_run_of(&names, url, &run_id));
    cr_assert(bytes_equal(run_id, bytes_of_text(vectors_text(row, "run_id"))));
    int64_t attempt = -1;
    cr_assert(names_parse_attempt_folder(bytes_of_text(strrchr(url, '/') + 1), &attempt));
    cr_assert_eq(attempt, vectors_integer(row, "attempt"));
}

static void hold_time(const cJSON *row)
{
    char text[UTC_TEXT_SIZE];
    int64_t time_us = strtoll(vectors_text(row, "unix_micros"), NULL, 10);
    utc_format_name(time_us, text);
    cr_assert_str_eq(text, vectors_text(row, "name"));
    utc_format_json(time_us, text);
    cr_assert_str_eq(text, vectors_text(row, "iso"));
}

static void hold_manifest_dir(const cJSON *row, struct arena *arena)
{
    struct bytes run_id = {0};
    int64_t time_us = 0;
    bool listed =
        names_parse_manifest_folder(bytes_of_text(vectors_text(row, "name")), &time_us, &run_id);
    cr_assert_eq(listed, cJSON_IsTrue(vectors_member(row, "listed")), "%s",
                 vectors_text(row, "name"));
    if (listed) {
        cr_assert(bytes_equal(run_id, bytes_of_text(vectors_text(row, "run_id"))));
        struct names names = make_names("s3://b/p", "{db_id}");
        const char *name = names_manifest(time_us, arena_text(arena, run_id), arena);
        cr_assert_str_eq(names_url(&names, name, arena), vectors_text(row, "ref"));
    }
}

Test(names, layout_vectors)
{
    struct arena *arena = arena_new(1 << 16);
    struct bytes rest = vectors_read("layout.jsonl", arena);
    struct bytes line;
    int rows = 0;
    while (vectors_line(&rest, &line)) {
        AUTO(json) cJSON *row = vectors_json(line);
        const char *kind = vectors_text(row, "kind");
        if (strcmp(kind, "join") == 0) {
            hold_join(row, arena);
        } else if (strcmp(kind, "shard_url") == 0) {
            hold_shard_url(row, arena);
        } else if (strcmp(kind, "template") == 0) {
            struct names names = make_names("s3://b/p", vectors_text(row, "template"));
            cr_assert_str_eq(names_db_path(&names, (uint32_t)vectors_integer(row, "db_id"), arena),
                             vectors_text(row, "text"));
        } else if (strcmp(kind, "time") == 0) {
            hold_time(row);
        } else {
            cr_assert_str_eq(kind, "manifest_dir");
            hold_manifest_dir(row, arena);
        }
        rows++;
    }
    cr_assert_eq(rows, 41);
    arena_free(arena);
}

static const struct {
    const char *prefix;
    const char *shard_prefix;
    const char *runs;
    const char *template;
    const char *problem; /* NULL: good */
} settings[] = {
    {"s3://bucket/a/b", "shards", "runs", "db={db_id:05d}", NULL},
    {"file:///var/lib/x", "s.1-2_", "r", "{db_id}", NULL},
    {"s3://bucket/a b", "shards", "runs", "x{db_id:020d}y", NULL},
    {"s3://bucket", "shards", "runs", "{db_id}", "nothing behind"},
    {"s3://bucket/", "shards", "runs", "{db_id}", "nothing behind"},
    {"s3:///a", "shards", "runs", "{db_id}", "neither s3"},
    {"file:///", "shards", "runs", "{db_id}", "nothing behind"},
    {"file://a", "shards", "runs", "{db_id}", "neither s3"},
    {"http://a/b", "shards", "runs", "{db_id}", "neither s3"},
    {"s3://b/a/", "shards", "runs", "{db_id}", "ends with /"},
    {"s3://b//a", "shards", "runs", "{db_id}", "//"},
    {"s3://b/a//c", "shards", "runs", "{db_id}", "//"},
    {"s3://b/a?c", "shards", "runs", "{db_id}", "? or #"},
    {"s3://b/a#c", "shards", "runs", "{db_id}", "? or #"},
    {"s3://b/../c", "shards", "runs", "{db_id}", ".."},
    {"s3://b/a..c", "shards", "runs", "{db_id}", ".."},
    {"s3://b/./c", "shards", "runs", "{db_id}", ". or .."},
    {"s3://b/a/.", "shards", "runs", "{db_id}", ". or .."},
    {"s3://b/run_id=x", "shards", "runs", "{db_id}", "run_id="},
    {"s3://b/a\n", "shards", "runs", "{db_id}", "control"},
    {"s3://b/a\xff", "shards", "runs", "{db_id}", "UTF-8"},
    {"s3://b/a", "", "runs", "{db_id}", "shard_prefix"},
    {"s3://b/a", "a/b", "runs", "{db_id}", "shard_prefix"},
    {"s3://b/a", "manifests", "runs", "{db_id}", "cannot be"},
    {"s3://b/a", "..", "runs", "{db_id}", "cannot be"},
    {"s3://b/a", "shards", "_CURRENT", "{db_id}", "run_registry_prefix cannot be"},
    {"s3://b/a", "shards", "shards", "{db_id}", "the same"},
    {"s3://b/a", "shards", "runs", "", "db_path_template"},
    {"s3://b/a", "shards", "runs", "db", "db_path_template"},
    {"s3://b/a", "shards", "runs", "{db_id}{db_id}", "db_path_template"},
    {"s3://b/a", "shards", "runs", "{db_id:5d}", "db_path_template"},
    {"s3://b/a", "shards", "runs", "{db_id:05x}", "db_path_template"},
    {"s3://b/a", "shards", "runs", "{db_id:0d}", "db_path_template"},
    {"s3://b/a", "shards", "runs", "{db_id:099d}", "db_path_template"},
    {"s3://b/a", "shards", "runs", "{db_id", "db_path_template"},
    {"s3://b/a", "shards", "runs", "a/{db_id}", "db_path_template"},
    {"s3://b/a", "shards", "runs", "{x}{db_id}", "db_path_template"},
    {"s3://b/a", "shards", "runs", "{db_id}%s", "db_path_template"},
};

Test(names, settings)
{
    for (size_t i = 0; i < LENGTH_OF(settings); i++) {
        struct names names;
        struct err err = {0};
        bool ok = names_init(&names, settings[i].prefix, settings[i].shard_prefix, settings[i].runs,
                             settings[i].template, &err);
        cr_assert_eq(ok, settings[i].problem == NULL, "row %zu: %s", i, err.message);
        if (!ok) {
            cr_assert_eq(err.kind, ERR_SETTINGS);
            cr_assert_not_null(strstr(err.message, settings[i].problem), "row %zu: %s", i,
                               err.message);
        }
    }
}

Test(names, objects_of_a_run)
{
    struct arena *arena = arena_new(1 << 12);
    struct names names = make_names("s3://b/p", "db={db_id:05d}");
    const char *run = names_run_id(7, 1234, "00abcdef", arena);
    cr_assert_str_eq(run, "b7-t1234-00abcdef");
    cr_assert(names_run_id_is_valid(run));
    cr_assert_str_eq(names_staged_manifest(&names, "r", "manifest.staged-t7-1", arena),
                     "shards/run_id=r/manifest.staged-t7-1");
    cr_assert_str_eq(names_run_folder(&names, "r", arena), "shards/run_id=r/");
    cr_assert_str_eq(names_db_folder(&names, "r", 3, arena), "shards/run_id=r/db=00003/");
    cr_assert_str_eq(names_shards_folder(&names, arena), "shards/");
    cr_assert_str_eq(names_runs_folder(&names, arena), "runs/");
    const char *attempt = names_attempt(&names, "r", 3, 1, arena);
    cr_assert_str_eq(names_shard_file(attempt, arena),
                     "shards/run_id=r/db=00003/attempt=01/shard.db");
    cr_assert_str_eq(names_sidecar_file(attempt, arena),
                     "shards/run_id=r/db=00003/attempt=01/shard.sidecar");
    const uint8_t random[16] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    const char *uuid = names_uuid_hex(random, arena);
    cr_assert_str_eq(uuid, "ffffffffffff4fffbfffffffffffffff");
    const char *record = names_run_record(&names, 1773484200000000, "r_x", uuid, arena);
    cr_assert_str_eq(record, "runs/2026-03-14T10:30:00.000000Z_run_id=r_x_"
                             "ffffffffffff4fffbfffffffffffffff/run.yaml");
    int64_t started_us = 0;
    struct bytes run_id = {0};
    struct bytes folder = bytes_of(record + 5, strlen(record) - 5 - strlen("run.yaml"));
    cr_assert(names_parse_run_record_folder(folder, &started_us, &run_id));
    cr_assert_eq(started_us, 1773484200000000);
    cr_assert(bytes_equal(run_id, bytes_of_text("r_x")));
    cr_assert_str_eq(names_part(5, "host/../a%", "3", 9, arena),
                     "parts/build=5/host%2F..%2Fa%25-3-9.part");
    cr_assert_str_eq(names_part(5, "..", "3", 9, arena), "parts/build=5/%2E.-3-9.part");
    arena_free(arena);
}

Test(names, what_is_not_a_name)
{
    static const char *const folders[] = {"", "run_id", "run_id=", "run_id=/", "run_id=a/b", "x=a"};
    static const char *const attempts[] = {"attempt=",
                                           "attempt=1",
                                           "attempt=-1",
                                           "attempt=001",
                                           "attempt=1x",
                                           "attempt=01/x",
                                           "attempt=9999999999999999999"};
    static const char *const records[] = {
        "2026-03-14T10:30:00.000000Z_run_id=r",
        "2026-03-14T10:30:00.000000Z_run_id=_",
        "2026-03-14T10:30:00.000000Z_run_id=r_fffffffffffffffffffffffffffffff",
        "2026-03-14T10:30:00.000000Z_run_id=r_FFFFffffffffffffffffffffffffffff",
        "2026-03-14T10:30:00.000000Z_run_id=_ffffffffffffffffffffffffffffffff",
    };
    static const char *const outside[] = {
        "shards",  "shards/", "shards/x", "manifests/run_id=a", "s3://b/px/shards/run_id=a",
        "s3://b/p"};
    static const char *const bad_ids[] = {"",    ".",   "..",   "a/b",     "a b",
                                          "a?b", "a#b", "a\\b", "\xc3\xa9"};
    struct names names = make_names("s3://b/p", "{db_id}");
    struct bytes run_id;
    int64_t number;
    for (size_t i = 0; i < LENGTH_OF(folders); i++) {
        cr_assert_not(names_parse_run_folder(bytes_of_text(folders[i]), &run_id), "%s", folders[i]);
    }
    for (size_t i = 0; i < LENGTH_OF(attempts); i++) {
        cr_assert_not(names_parse_attempt_folder(bytes_of_text(attempts[i]), &number), "%s",
                      attempts[i]);
    }
    for (size_t i = 0; i < LENGTH_OF(records); i++) {
        cr_assert_not(names_parse_run_record_folder(bytes_of_text(records[i]), &number, &run_id),
                      "%s", records[i]);
    }
    for (size_t i = 0; i < LENGTH_OF(outside); i++) {
        cr_assert_not(names_parse_run_of(&names, outside[i], &run_id), "%s", outside[i]);
    }
    for (size_t i = 0; i < LENGTH_OF(bad_ids); i++) {
        cr_assert_not(names_run_id_is_valid(bad_ids[i]), "%s", bad_ids[i]);
    }
    cr_assert(names_parse_run_of(&names, "shards/run_id=a/db=00000/attempt=00", &run_id));
    cr_assert(bytes_equal(run_id, bytes_of_text("a")));
}

Test(names, the_build_of_a_run)
{
    static const char *const strange[] = {"",
                                          "b",
                                          "b-t1-00",
                                          "b0-t1-00",
                                          "b01-t1-0",
                                          "b1-t1-",
                                          "b1-t1-0g",
                                          "b1-t01-0",
                                          "b1-t-1-0",
                                          "b1-t1",
                                          "x1-t1-00",
                                          "b1-t1-00/",
                                          "b1_t1-00",
                                          "b1-t1-ABCDEF",
                                          "0f3c9a6b2d8e4c51",
                                          "b99999999999999999999-t1-00"};
    for (size_t i = 0; i < LENGTH_OF(strange); i++) {
        cr_assert_eq(names_build_of_run(strange[i]), 0, "%s", strange[i]);
    }
    cr_assert_eq(names_build_of_run("b7-t0-deaf44e1"), 7);
    cr_assert_eq(names_build_of_run("b18446744073709551615-t31-0f3c9a6b2d8e4c51"), UINT64_MAX);
}

Test(names, the_attempt_of_an_object)
{
    const char *object = "shards/run_id=r/db=00000/attempt=07/shard.db";
    cr_assert(bytes_equal(names_attempt_of(object),
                          bytes_of_text("shards/run_id=r/db=00000/attempt=07/")));
    const char *deeper = "shards/run_id=r/db=00000/attempt=07/manifest/1.manifest";
    cr_assert(bytes_equal(names_attempt_of(deeper),
                          bytes_of_text("shards/run_id=r/db=00000/attempt=07/")));
    cr_assert_eq(names_attempt_of("shards/run_id=r/db=00000/attempt=7/shard.db").size, 0);
    cr_assert_eq(names_attempt_of("shards/run_id=r/manifest.staged-t7-1").size, 0);
    cr_assert_eq(names_attempt_of("shard.db").size, 0);
}

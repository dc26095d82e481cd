/* Does run.yaml say what readers' tools look for, and does any text survive it? */
#include "core/snapshot/run_record.h"
#include "core/base/rng.h"
#include "core/base/utc.h"
#include "tests/support/vectors.h"

static const char *const examples[] = {
    "manifest_example",
    "manifest_example_cel",
    "manifest_example_cel_int",
    "manifest_example_sparse",
    "page_auto",
    "sidecar_64k",
    "sidecar_deep",
};

static void expect_text(const cJSON *parsed, const char *name, const char *text)
{
    const char *expected = vectors_text(parsed, name);
    cr_assert_eq(text == NULL, expected == NULL, "%s", name);
    cr_assert(text == NULL || strcmp(text, expected) == 0, "%s: %s", name, text);
}

static void expect_time(const cJSON *parsed, const char *name, int64_t time_us)
{
    char text[UTC_TEXT_SIZE];
    utc_format_json(time_us, text);
    cr_assert_str_eq(text, vectors_text(parsed, name));
}

static void expect_record(const cJSON *parsed, const struct run_record *record)
{
    expect_text(parsed, "db_path_template", record->db_path_template);
    expect_text(parsed, "error_message", record->error_message);
    expect_text(parsed, "error_type", record->error_type);
    expect_text(parsed, "manifest_ref", record->manifest_ref);
    expect_text(parsed, "run_id", record->run_id);
    expect_text(parsed, "s3_prefix", record->s3_prefix);
    expect_text(parsed, "shard_prefix", record->shard_prefix);
    expect_text(parsed, "status", run_status_name(record->status));
    expect_text(parsed, "writer_type", record->writer_type);
    expect_time(parsed, "lease_expires_at", record->lease_expires_at_us);
    expect_time(parsed, "started_at", record->started_at_us);
    expect_time(parsed, "updated_at", record->updated_at_us);
}

Test(run_record, examples)
{
    struct arena *arena = arena_new(1 << 16);
    for (size_t i = 0; i < LENGTH_OF(examples); i++) {
        const char *path = arena_format(arena, "%s/decoded.json", examples[i]);
        AUTO(json) cJSON *decoded = vectors_json(vectors_read(path, arena));
        const cJSON *run = vectors_member(decoded, "run");
        path = arena_format(arena, "%s/objects/%s", examples[i], vectors_text(run, "object"));
        struct bytes text = vectors_read(path, arena);
        struct run_record record;
        struct err err = {0};
        cr_assert(run_record_decode(text, arena, &record, &err), "%s", err.message);
        expect_record(vectors_member(run, "parsed"), &record);
        AUTO(buf) struct buf again;
        buf_init(&again, RUN_RECORD_BYTES_MAX);
        cr_assert(run_record_encode(&record, &again, &err), "%s", err.message);
        struct run_record second;
        cr_assert(run_record_decode(buf_bytes(&again), arena, &second, &err), "%s", err.message);
        expect_record(vectors_member(run, "parsed"), &second);
    }
    arena_free(arena);
}

static struct run_record make_record(const char *text)
{
    return (struct run_record){
        .db_path_template = "db={db_id:05d}",
        .error_message = text,
        .run_id = text == NULL ? "1e5" : text,
        .s3_prefix = "s3://b/p",
        .shard_prefix = "shards",
        .started_at_us = 1773484200000000,
        .updated_at_us = 1773484200000001,
        .lease_expires_at_us = 1773484800000001,
        .status = RUN_RUNNING,
        .writer_type = "tidemark",
    };
}

Test(run_record, form)
{
    struct run_record record = make_record(NULL);
    AUTO(buf) struct buf text;
    buf_init(&text, RUN_RECORD_BYTES_MAX);
    struct err err = {0};
    cr_assert(run_record_encode(&record, &text, &err), "%s", err.message);
    cr_assert_str_eq(buf_text(&text), "db_path_template: db={db_id:05d}\n"
                                      "error_message: null\n"
                                      "error_type: null\n"
                                      "format_version: 1\n"
                                      "lease_expires_at: '2026-03-14T10:40:00.000001Z'\n"
                                      "manifest_ref: null\n"
                                      "run_id: '1e5'\n"
                                      "s3_prefix: s3://b/p\n"
                                      "shard_prefix: shards\n"
                                      "started_at: '2026-03-14T10:30:00Z'\n"
                                      "status: running\n"
                                      "updated_at: '2026-03-14T10:30:00.000001Z'\n"
                                      "writer_type: tidemark\n");
}

static void round_trip(const char *text)
{
    struct arena *arena = arena_new(1 << 12);
    struct run_record record = make_record(text);
    struct run_record again;
    AUTO(buf) struct buf yaml;
    buf_init(&yaml, RUN_RECORD_BYTES_MAX);
    struct err err = {0};
    cr_assert(run_record_encode(&record, &yaml, &err), "%s", err.message);
    cr_assert(run_record_decode(buf_bytes(&yaml), arena, &again, &err), "%s\n%s", err.message,
              buf_text(&yaml));
    cr_assert_str_eq(again.error_message, text, "%s", buf_text(&yaml));
    cr_assert_str_eq(again.run_id, text);
    arena_free(arena);
}

Test(run_record, any_text_survives)
{
    static const char *const texts[] = {
        "",          "null",        "Null",
        "~",         "true",        "no",
        "12",        "1.5e3",       "2026-03-14",
        "-",         "- a",         "a: b",
        "a #b",      "'q'",         "\"q\"",
        " a ",       "a\nb",        "a\tb\x01",
        "{a}",       "[a",          "&a",
        "*a",        "!a",          "%a",
        "@a",        "`a",          "|",
        ">",         "?",           "a\\b",
        "<<",        "caf\xc3\xa9", "\xf0\x9f\x98\x80",
        "a\n\n b\n", "---",
    };
    for (size_t i = 0; i < LENGTH_OF(texts); i++) {
        round_trip(texts[i]);
    }
    struct rng rng;
    rng_init(&rng, 8);
    for (int i = 0; i < 3000; i++) {
        static const char alphabet[] = "ab0 '\"\\\n\t:#-?{}[],&*!|>%@`~=<.";
        char text[20] = {0};
        size_t size = (size_t)rng_below(&rng, sizeof text - 1);
        for (size_t j = 0; j < size; j++) {
            text[j] = alphabet[rng_below(&rng, sizeof alphabet - 1)];
        }
        round_trip(text);
    }
}

static const struct {
    const char *from;    /* a line of the good record … */
    const char *to;      /* … and what stands there instead */
    const char *problem; /* NULL: good */
} changes[] = {
    {"status: running", "status: failed", NULL},
    {"status: running", "status: running\nmore: [1, {a: b}]", NULL},
    {"status: running", "status: running\n[a, b]: c", NULL},
    {"status: running", "status: \"running\"", NULL},
    {"error_type: null\n", "", NULL},
    {"status: running", "status: asleep", "status"},
    {"status: running", "status: [running]", "status"},
    {"status: running", "status: null", "status: missing"},
    {"status: running\n", "", "status: missing"},
    {"status: running", "status: running\nstatus: running", "given twice"},
    {"format_version: 1", "format_version: 2", "format_version"},
    {"started_at: '2026-03-14T10:30:00Z'", "started_at: noon", "started_at"},
    {"status: running", "status: *x", "not a text"},
    {"status: running", "status: \"a\\0b\"", "NUL"},
    {"status: running", "\tstatus: running", "YAML"},
    {"writer_type: tidemark", "writer_type: tidemark\n--- {}", "not one mapping"},
};

Test(run_record, decode_is_strict)
{
    struct arena *arena = arena_new(1 << 12);
    struct run_record record = make_record(NULL);
    AUTO(buf) struct buf yaml;
    buf_init(&yaml, RUN_RECORD_BYTES_MAX);
    struct err err = {0};
    cr_assert(run_record_encode(&record, &yaml, &err));
    for (size_t i = 0; i < LENGTH_OF(changes); i++) {
        const char *at = strstr(buf_text(&yaml), changes[i].from);
        cr_assert_not_null(at, "%s", changes[i].from);
        const char *text =
            arena_format(arena, "%.*s%s%s", (int)(at - buf_text(&yaml)), buf_text(&yaml),
                         changes[i].to, at + strlen(changes[i].from));
        struct run_record again;
        err = (struct err){0};
        bool ok = run_record_decode(bytes_of_text(text), arena, &again, &err);
        cr_assert_eq(ok, changes[i].problem == NULL, "%s: %s", changes[i].to, err.message);
        cr_assert(ok || strstr(err.message, changes[i].problem) != NULL, "%s: %s", changes[i].to,
                  err.message);
    }
    static const char *const none[] = {"", "a", "- a", "{", "\xff\xfe"};
    for (size_t i = 0; i < LENGTH_OF(none); i++) {
        cr_assert_not(run_record_decode(bytes_of_text(none[i]), arena, &record, &err));
    }
    record = make_record("\xff");
    buf_clear(&yaml);
    cr_assert_not(run_record_encode(&record, &yaml, &err));
    cr_assert_eq(err.kind, ERR_INPUT);
    arena_free(arena);
}

Test(run_record, leases)
{
    struct run_record record = make_record(NULL);
    run_record_touch(&record, RUN_RUNNING, 1000);
    cr_assert_eq(record.lease_expires_at_us, 1000 + INT64_C(600000000));
    run_record_touch(&record, RUN_FAILED, 2000);
    cr_assert_eq(record.lease_expires_at_us, 2000);
    cr_assert_eq(record.updated_at_us, 2000);
}

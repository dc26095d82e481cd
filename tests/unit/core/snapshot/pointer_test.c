/* Is `_CURRENT` byte for byte what readers know, and is everything else refused? */
#include "core/snapshot/pointer.h"
#include "tests/support/vectors.h"

static const char *const examples[] = {
    "manifest_example/objects/_CURRENT",
    "manifest_example_cel/objects/_CURRENT",
    "manifest_example_cel_int/objects/_CURRENT",
    "manifest_example_sparse/objects/_CURRENT",
    "page_auto/objects/_CURRENT",
    "sidecar_64k/objects/_CURRENT",
    "sidecar_deep/objects/_CURRENT",
};

/* What the library wrote is read, and written again with the same bytes. */
Test(pointer, examples)
{
    struct arena *arena = arena_new(1 << 12);
    for (size_t i = 0; i < LENGTH_OF(examples); i++) {
        struct bytes text = vectors_read(examples[i], arena);
        struct pointer pointer = {0};
        struct err err = {0};
        cr_assert(pointer_decode(text, arena, &pointer, &err), "%s", err.message);
        cr_assert_not_null(strstr(pointer.manifest_ref, pointer.run_id));
        AUTO(buf) struct buf again;
        buf_init(&again, 10000);
        pointer_encode(&pointer, &again);
        cr_assert(bytes_equal(buf_bytes(&again), text), "%s", buf_text(&again));
    }
    arena_free(arena);
}

Test(pointer, encode)
{
    struct pointer pointer = {
        .manifest_ref = "s3://b/caf\xc3\xa9/m", .run_id = "r", .updated_at_us = 0};
    AUTO(buf) struct buf text;
    buf_init(&text, 10000);
    pointer_encode(&pointer, &text);
    cr_assert_str_eq(buf_text(&text),
                     "{\"format_version\":1,\"manifest_content_type\":\"application/x-sqlite3\","
                     "\"manifest_ref\":\"s3://b/caf\\u00e9/m\",\"run_id\":\"r\","
                     "\"updated_at\":\"1970-01-01T00:00:00Z\"}");
}

#define HEAD "{\"format_version\":1,\"manifest_content_type\":\"application/x-sqlite3\","

static const struct {
    const char *text;
    const char *problem; /* NULL: good */
} texts[] = {
    {HEAD "\"manifest_ref\":\"m\",\"run_id\":\"r\",\"updated_at\":\"2026-03-14T10:30:00Z\"}", NULL},
    {" " HEAD "\"manifest_ref\":\"m\",\"run_id\":\"r\",\"more\":[],"
     "\"updated_at\":\"2026-03-14T11:30:00.5+01:00\"}\n",
     NULL},
    {"", "no valid value"},
    {"[]", "not an object"},
    {"{}", "format_version"},
    {HEAD "\"manifest_ref\":\"m\",\"run_id\":\"r\"}", "updated_at"},
    {HEAD "\"manifest_ref\":\"m\",\"run_id\":\"r\",\"updated_at\":\"soon\"}", "updated_at"},
    {HEAD "\"manifest_ref\":\"m\",\"run_id\":\"a/b\",\"updated_at\":\"2026-03-14T10:30:00Z\"}",
     "run_id"},
    {HEAD "\"manifest_ref\":\"m\",\"run_id\":\"\",\"updated_at\":\"2026-03-14T10:30:00Z\"}",
     "run_id"},
    {HEAD "\"manifest_ref\":\"\",\"run_id\":\"r\",\"updated_at\":\"2026-03-14T10:30:00Z\"}",
     "manifest_ref"},
    {HEAD "\"manifest_ref\":7,\"run_id\":\"r\",\"updated_at\":\"2026-03-14T10:30:00Z\"}",
     "manifest_ref"},
    {"{\"format_version\":2,\"manifest_content_type\":\"application/x-sqlite3\"}",
     "format_version"},
    {"{\"format_version\":1,\"manifest_content_type\":\"text/plain\"}", "manifest_content_type"},
};

Test(pointer, decode_is_strict)
{
    struct arena *arena = arena_new(1 << 12);
    for (size_t i = 0; i < LENGTH_OF(texts); i++) {
        struct pointer pointer;
        struct err err = {0};
        bool ok = pointer_decode(bytes_of_text(texts[i].text), arena, &pointer, &err);
        cr_assert_eq(ok, texts[i].problem == NULL, "%s: %s", texts[i].text, err.message);
        cr_assert(ok || strstr(err.message, texts[i].problem) != NULL, "%s: %s", texts[i].text,
                  err.message);
        cr_assert(ok ? pointer.updated_at_us / 1000000 == 1773484200 : err.kind == ERR_INPUT);
    }
    arena_free(arena);
}

/* run.yaml: what is taken is printed, and taken again as the same record. */
#include <stdint.h>

#include "core/base/check.h"
#include "core/snapshot/run_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(1 << 12);
    struct run_record record;
    struct err err = {0};
    AUTO(buf) struct buf text;
    buf_init(&text, RUN_RECORD_BYTES_MAX);
    if (run_record_decode(bytes_of(data, size), arena, &record, &err) &&
        run_record_encode(&record, &text, &err)) {
        struct run_record again;
        CHECK(run_record_decode(buf_bytes(&text), arena, &again, &err));
        CHECK(same_text(again.error_message, record.error_message));
        CHECK(same_text(again.error_type, record.error_type));
        CHECK(same_text(again.manifest_ref, record.manifest_ref));
        CHECK(same_text(again.run_id, record.run_id));
        CHECK(same_text(again.s3_prefix, record.s3_prefix));
        CHECK(again.status == record.status && again.started_at_us == record.started_at_us);
        CHECK(again.lease_expires_at_us == record.lease_expires_at_us);
    }
    arena_free(arena);
    return 0;
}

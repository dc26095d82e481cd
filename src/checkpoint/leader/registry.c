/* Keeps a run's record in the store fresh, so that clean-up by other tools leaves it alone. */
#include "checkpoint/leader/registry.h"

#include <stdlib.h>
#include <string.h>

#include "adapters/os/log.h"
#include "adapters/os/os_random.h"

struct registry {
    struct store *store;
    const struct names *names;
    struct arena *arena; /* of the run */
    const char *key;     /* of the record; NULL: no run */
    struct run_record record;
    int64_t written_us;
};

struct registry *registry_new(struct store *borrowed_store, const struct names *borrowed_names)
{
    struct registry *registry = calloc(1, sizeof *registry);
    CHECK(registry != NULL);
    registry->store = borrowed_store;
    registry->names = borrowed_names;
    registry->arena = arena_new(4096);
    return registry;
}

struct registry *registry_free(struct registry *registry)
{
    if (registry != NULL) {
        arena_free(registry->arena);
        free(registry);
    }
    return NULL;
}

static void write_record(struct registry *registry, int64_t now_us)
{
    struct err err;
    AUTO(buf) struct buf text;
    buf_init(&text, RUN_RECORD_BYTES_MAX);
    run_record_touch(&registry->record, registry->record.status, now_us);
    registry->written_us = now_us;
    if (run_record_encode(&registry->record, &text, &err)) {
        struct store_content content = {.bytes = buf_bytes(&text), .type = NAMES_CONTENT_YAML};
        if (store_put(registry->store, registry->key, &content, store_always(), NULL, &err)) {
            return;
        }
    }
    log_failure(LOG_WARN, "leader", &err, "the record of run %s is not written",
                registry->record.run_id);
}

static void begin(struct registry *registry, const char *run_id, int64_t now_us)
{
    uint8_t random[16];
    os_random_bytes(random, sizeof random);
    arena_reset(registry->arena);
    registry->key = names_run_record(registry->names, now_us, run_id,
                                     names_uuid_hex(random, registry->arena), registry->arena);
    registry->record = (struct run_record){
        .db_path_template = registry->names->db_path_template,
        .run_id = arena_text(registry->arena, bytes_of_text(run_id)),
        .s3_prefix = registry->names->prefix,
        .shard_prefix = registry->names->shard_prefix,
        .started_at_us = now_us,
        .status = RUN_RUNNING,
        .writer_type = "tidemark",
    };
}

void registry_set(struct registry *registry, const char *run_id, enum run_status status,
                  const char *manifest_ref, const char *error, int64_t now_us)
{
    if (registry->key == NULL || strcmp(registry->record.run_id, run_id) != 0) {
        begin(registry, run_id, now_us);
    }
    registry->record.status = status;
    if (manifest_ref[0] != '\0') {
        registry->record.manifest_ref = arena_text(registry->arena, bytes_of_text(manifest_ref));
    }
    if (error[0] != '\0') {
        registry->record.error_type = "aborted";
        registry->record.error_message = arena_text(registry->arena, bytes_of_text(error));
    }
    write_record(registry, now_us);
    if (status != RUN_RUNNING) {
        registry->key = NULL;
    }
}

void registry_tick(struct registry *registry, int64_t now_us)
{
    if (registry->key != NULL && now_us - registry->written_us >= RUN_RECORD_REFRESH_US) {
        write_record(registry, now_us);
    }
}

void registry_release(struct registry *registry)
{
    registry->key = NULL;
}

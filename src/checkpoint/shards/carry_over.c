/* A shard of a state without new rows: the last file is copied within the store. */
#include "checkpoint/shards/carry_over.h"

#include "adapters/os/crash_point.h"
#include "adapters/os/log.h"
#include "core/snapshot/names.h"
#include "core/snapshot/sidecar.h"

enum { CARRY_SIDECAR_MAX = 1 << 30 };

/* The old body under the tag of the new object. */
static bool make_sidecar(const struct carry_over_request *request, const struct store_etag *etag,
                         struct arena *arena, struct err *err)
{
    const char *key = NULL;
    AUTO(buf) struct buf old;
    AUTO(buf) struct buf made;
    buf_init(&old, CARRY_SIDECAR_MAX);
    buf_init(&made, CARRY_SIDECAR_MAX);
    TRY(store_key_of_url(request->store, names_sidecar_file(request->from->db_url, arena), &key,
                         err));
    TRY(store_get(request->store, key, &old, NULL, err));
    struct sidecar sidecar;
    TRY(sidecar_decode(buf_bytes(&old), CARRY_SIDECAR_MAX, arena, &sidecar, err));
    TRY(sidecar_encode(sidecar.body_bytes, sidecar.page_size, etag->text, &made, err));
    struct store_content content = {.bytes = buf_bytes(&made), .type = NAMES_CONTENT_BYTES};
    return store_put_settled(request->store, names_sidecar_file(request->folder, arena), &content,
                             store_always(), NULL, err);
}

/* Mostly a copy has its source's tag: then the sidecar is copied, too, and no bytes pass here. */
static bool copy_sidecar(const struct carry_over_request *request, const struct store_etag *etag,
                         struct arena *arena, struct err *err)
{
    const char *key = NULL;
    struct store_info source = {0};
    TRY(store_key_of_url(request->store, names_shard_file(request->from->db_url, arena), &key,
                         err));
    TRY(store_head(request->store, key, &source, err));
    if (strcmp(source.etag.text, etag->text) != 0) {
        return make_sidecar(request, etag, arena, err);
    }
    return store_copy(request->store, names_sidecar_file(request->from->db_url, arena),
                      names_sidecar_file(request->folder, arena), NULL, err);
}

static bool copy_order(const struct carry_over_request *request, struct arena *arena,
                       uint64_t *ret_bytes, struct err *err)
{
    const char *to = names_order_file(request->folder, arena);
    struct store_info info = {0};
    TRY(store_copy(request->store, names_order_file(request->order_from, arena), to, NULL, err));
    TRY(store_head(request->store, to, &info, err));
    *ret_bytes = info.size;
    crash_point("carried-order");
    return true;
}

static bool copy_file(const struct carry_over_request *request, struct arena *arena,
                      struct err *err)
{
    struct store_etag etag;
    TRY(store_copy(request->store, names_shard_file(request->from->db_url, arena),
                   names_shard_file(request->folder, arena), &etag, err));
    crash_point("carried-file");
    struct err why = {0};
    if (request->sidecar && !copy_sidecar(request, &etag, arena, &why)) {
        log_failure(LOG_WARN, "build", &why, "%s goes without a sidecar", request->folder);
    }
    return true;
}

bool carry_over(const struct carry_over_request *request, uint64_t *ret_order_bytes,
                struct err *err)
{
    AUTO(arena) struct arena *arena = arena_new(4096);
    *ret_order_bytes = 0;
    TRY(request->order_from == NULL || copy_order(request, arena, ret_order_bytes, err));
    return request->from == NULL || copy_file(request, arena, err);
}

/* The sidecar of a stored shard against the file that it is of. */
#include "consumer/verify/verify_sidecar.h"

#include "checkpoint/shards/shard_sidecar.h"
#include "core/snapshot/names.h"
#include "core/snapshot/sidecar.h"

enum { SIDECAR_BYTES_MAX = 1 << 30 };

static void add(const struct verify_sidecar_request *request, enum verify_kind kind,
                const char *what)
{
    struct verify_finding finding = verify_finding(kind);
    finding.shard = request->shard;
    finding.what = what;
    verify_report_add(request->report, &finding);
}

static const char *beside(const char *name, struct arena *arena)
{
    const char *slash = strrchr(name, '/');
    size_t size = slash == NULL ? 0 : (size_t)(slash - name) + 1;
    return arena_format(arena, "%.*s%s", (int)size, name, NAMES_SIDECAR_FILE);
}

static void compare(const struct verify_sidecar_request *request, struct bytes object,
                    const struct store_info *file, struct arena *arena)
{
    struct sidecar sidecar;
    struct err err = {0};
    AUTO(buf) struct buf body;
    buf_init(&body, SIDECAR_BYTES_MAX);
    uint32_t page_size = 0;
    if (!sidecar_decode(object, SIDECAR_BYTES_MAX, arena, &sidecar, &err)) {
        add(request, VERIFY_SIDECAR,
            arena_format(arena, "its sidecar does not read: %s", err.message));
    } else if (!shard_sidecar_body(request->path, false, &body, &page_size, &err)) {
        add(request, VERIFY_SIDECAR,
            arena_format(arena, "the file has no sidecar to compare with: %s", err.message));
    } else if (sidecar.page_size != page_size ||
               !bytes_equal(sidecar.body_bytes, buf_bytes(&body))) {
        add(request, VERIFY_SIDECAR, "its sidecar holds other pages than the file");
    } else if (sidecar.tag.size > 0 && !bytes_equal(sidecar.tag, bytes_of_text(file->etag.text))) {
        add(request, VERIFY_SIDECAR,
            arena_format(arena, "its sidecar has the tag %.*s, the file %s", (int)sidecar.tag.size,
                         (const char *)sidecar.tag.data, file->etag.text));
    }
}

bool verify_sidecar(const struct verify_sidecar_request *request, struct err *err)
{
    AUTO(arena) struct arena *arena = arena_new(16 * 1024);
    AUTO(buf) struct buf object;
    buf_init(&object, SIDECAR_BYTES_MAX);
    struct store_info file;
    TRY(store_head(request->store, request->name, &file, err));
    if (!store_get(request->store, beside(request->name, arena), &object, NULL, err)) {
        if (err->kind != ERR_MISSING) {
            return false;
        }
        add(request, VERIFY_NOTE, "it has no sidecar, which readers can do without");
        return true;
    }
    compare(request, buf_bytes(&object), &file, arena);
    return true;
}

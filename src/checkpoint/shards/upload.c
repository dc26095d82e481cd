/* A finished shard file goes into the store, under a URL that nobody else writes. */
#include "checkpoint/shards/upload.h"

#include <string.h>

#include "adapters/os/file.h"
#include "adapters/os/file_tree.h"
#include "adapters/os/log.h"
#include "checkpoint/shards/shard_sidecar.h"
#include "core/snapshot/names.h"
#include "core/snapshot/sidecar.h"

enum { UPLOAD_SIDECAR_MAX = 1 << 30 };

static bool put_sidecar(const struct upload_request *request, struct bytes body, uint32_t page_size,
                        const struct store_etag *etag, struct arena *arena, struct err *err)
{
    AUTO(buf) struct buf object;
    buf_init(&object, UPLOAD_SIDECAR_MAX);
    TRY(sidecar_encode(body, page_size, etag->text, &object, err));
    struct store_content content = {
        .bytes = buf_bytes(&object), .type = NAMES_CONTENT_BYTES, .stop = request->stop};
    return store_put_settled(request->store, names_sidecar_file(request->folder, arena), &content,
                             store_always(), NULL, err);
}

static bool put_order(const struct upload_request *request, struct arena *arena, struct err *err)
{
    struct store_content content = {.path = request->order_path,
                                    .take_file = true,
                                    .type = NAMES_CONTENT_BYTES,
                                    .stop = request->stop};
    return store_put_settled(request->store, names_order_file(request->folder, arena), &content,
                             store_once(request->store), NULL, err);
}

static bool is_last(const struct upload_request *request, const char *name)
{
    const char *last = request->kv->named_last;
    return last != NULL && strncmp(name, last, strlen(last)) == 0;
}

static bool put_folder(const struct upload_request *request, struct arena *arena, struct err *err)
{
    struct tree_file *files = NULL;
    size_t count = 0;
    TRY(file_tree_list(request->path, arena, &files, &count, err));
    for (int last = 0; last < 2; last++) {
        for (size_t i = 0; i < count; i++) {
            if (is_last(request, files[i].name) != (last == 1)) {
                continue;
            }
            struct store_content content = {
                .path = arena_format(arena, "%s/%s", request->path, files[i].name),
                .take_file = true,
                .type = NAMES_CONTENT_BYTES,
                .stop = request->stop};
            const char *key = arena_format(arena, "%s/%s", request->folder, files[i].name);
            TRY(store_put_settled(request->store, key, &content, store_once(request->store), NULL,
                                  err));
        }
    }
    return file_remove_tree(request->path, err);
}

static bool put_file(const struct upload_request *request, struct arena *arena, struct err *err)
{
    AUTO(buf) struct buf body;
    buf_init(&body, UPLOAD_SIDECAR_MAX);
    struct err sidecar_err;
    bool with_sidecar = request->sidecar;
    uint32_t page_size = 0;
    /* It is made before the upload, which takes the file away. */
    if (with_sidecar &&
        !shard_sidecar_body(request->path, request->whole_rows, &body, &page_size, &sidecar_err)) {
        log_failure(LOG_WARN, "build", &sidecar_err, "%s goes without a sidecar", request->folder);
        with_sidecar = false;
    }
    struct store_content content = {.path = request->path,
                                    .take_file = true,
                                    .type = NAMES_CONTENT_SQLITE,
                                    .stop = request->stop};
    struct store_etag etag;
    TRY(store_put_settled(request->store, names_shard_file(request->folder, arena), &content,
                          store_once(request->store), &etag, err));
    if (with_sidecar &&
        !put_sidecar(request, buf_bytes(&body), page_size, &etag, arena, &sidecar_err)) {
        if (sidecar_err.kind == ERR_STOPPED) {
            *err = sidecar_err;
            return false;
        }
        log_failure(LOG_WARN, "build", &sidecar_err, "%s goes without a sidecar", request->folder);
    }
    return true;
}

bool upload_shard(const struct upload_request *request, struct err *err)
{
    AUTO(arena) struct arena *arena = arena_new(4096);
    TRY(request->order_path == NULL || put_order(request, arena, err));
    if (request->path == NULL) {
        return true;
    }
    return request->kv->folder ? put_folder(request, arena, err) : put_file(request, arena, err);
}

/* The files of a base that one shard of the next state is made from, open. */
#include "checkpoint/shards/state_files.h"

#include <unistd.h>

#include "checkpoint/spill/order_file.h"

enum { STATE_FILES_MAX = 1024 };

static const char **order_path_of(const struct state_files *files, size_t i)
{
    return &files->paths[2 * i + 1];
}

void state_files_close(struct state_files *files)
{
    for (size_t i = 0; i < files->count; i++) {
        kv_close(files->files[i].rows);
        row_set_free(files->files[i].order);
        for (size_t k = 2 * i; k < 2 * i + 2; k++) {
            if (files->paths[k] != NULL) {
                (void)unlink(files->paths[k]);
            }
        }
    }
    files->count = 0;
}

/* What was opened when it fails is closed by state_files_close. */
static bool open_rows(const struct state_files_request *request, const struct attempt *row,
                      struct arena *arena, struct state_files *files, struct err *err)
{
    size_t at = files->count - 1;
    const char *path = arena_format(arena, "%s-base%05u.db", request->stem, (unsigned)row->db_id);
    TRY(state_base_fetch(request->base, row, path, err));
    files->paths[2 * at] = path;
    return kv_open(request->kv, path, &files->files[at].rows, err);
}

static bool open_order(const struct state_files_request *request, uint32_t shard,
                       struct arena *arena, struct state_files *files, struct err *err)
{
    size_t at = files->count - 1;
    const char *path = arena_format(arena, "%s-base%05u.order", request->stem, shard);
    TRY(state_base_fetch_order(request->base, request->manifest, shard, path, err));
    *order_path_of(files, at) = path;
    return order_file_open(path, &files->files[at].order, err);
}

/* A shard of the base, if there is anything of it. The rows go through a local file: a merge reads
 * all of them. */
static bool open_one(const struct state_files_request *request, uint32_t shard, struct arena *arena,
                     struct state_files *files, struct err *err)
{
    const struct attempt *row = state_manifest_shard(request->manifest, shard);
    bool ordered = request->exact && state_manifest_order(request->manifest, shard) != NULL;
    if (row == NULL && !ordered) {
        return true;
    }
    if (files->count == STATE_FILES_MAX) {
        return err_set(err, ERR_LIMIT,
                       "shard %u of %u can have keys of more than %d of the base's %u shards: "
                       "choose numbers that share a factor, or go there in two steps",
                       request->shard, request->num_dbs, STATE_FILES_MAX,
                       state_manifest_of(request->manifest)->num_dbs);
    }
    if (request->stop != NULL && atomic_load(request->stop)) {
        return err_set(err, ERR_STOPPED, "stopped while the base is fetched");
    }
    files->count++;
    return (row == NULL || open_rows(request, row, arena, files, err)) &&
           (!ordered || open_order(request, shard, arena, files, err));
}

bool state_files_open(const struct state_files_request *request, struct arena *arena,
                      struct state_files *files, struct err *err)
{
    const struct manifest *manifest = state_manifest_of(request->manifest);
    size_t room = manifest->num_dbs < STATE_FILES_MAX ? manifest->num_dbs : STATE_FILES_MAX;
    *files = (struct state_files){.files = arena_zero(arena, (room + 1) * sizeof *files->files),
                                  .paths = arena_zero(arena, 2 * (room + 1) * sizeof(void *))};
    if (!request->whole) {
        return open_one(request, request->shard, arena, files, err);
    }
    struct base_rule *rule = arena_zero(arena, sizeof *rule);
    *rule = (struct base_rule){.router = request->router,
                               .num_dbs = request->num_dbs,
                               .shard = request->shard,
                               .from = manifest->key_encoding,
                               .to = request->key_encoding,
                               .vector_dim = request->kv->vector_dim,
                               .metric = request->metric};
    files->rule = rule;
    bool by_hash = manifest->sharding.strategy == SHARDING_HASH &&
                   request->router->sharding.strategy == SHARDING_HASH;
    for (uint32_t i = 0; i < manifest->num_dbs; i++) {
        if (!by_hash ||
            base_rows_may_share(request->shard, request->num_dbs, i, manifest->num_dbs)) {
            TRY(open_one(request, i, arena, files, err));
        }
    }
    return true;
}

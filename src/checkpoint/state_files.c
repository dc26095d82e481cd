/* The files of a base that one shard of the next state is made from, open. */
#include "checkpoint/state_files.h"

#include <unistd.h>

enum { STATE_FILES_MAX = 1024 };

void state_files_close(struct state_files *files)
{
    for (size_t i = 0; i < files->count; i++) {
        kv_close(files->files[i]);
        (void)unlink(files->paths[i]);
    }
    files->count = 0;
}

/* The rows go through a local file: a merge reads all of them. */
static bool open_one(const struct state_files_request *request, const struct attempt *shard,
                     struct arena *arena, struct state_files *files, struct err *err)
{
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
    const char *path = arena_format(arena, "%s-base%05u.db", request->stem, (unsigned)shard->db_id);
    TRY(state_base_fetch(request->base, shard, path, err));
    struct kv_file *file = NULL;
    if (!kv_open(request->kv, path, &file, err)) {
        (void)unlink(path);
        return false;
    }
    files->files[files->count] = file;
    files->paths[files->count++] = path;
    return true;
}

bool state_files_open(const struct state_files_request *request, struct arena *arena,
                      struct state_files *files, struct err *err)
{
    const struct manifest *manifest = state_manifest_of(request->manifest);
    size_t room = manifest->shard_count < STATE_FILES_MAX ? manifest->shard_count : STATE_FILES_MAX;
    *files = (struct state_files){.files = arena_zero(arena, (room + 1) * sizeof(void *)),
                                  .paths = arena_zero(arena, (room + 1) * sizeof(void *))};
    if (!request->whole) {
        const struct attempt *shard = state_manifest_shard(request->manifest, request->shard);
        return shard == NULL || open_one(request, shard, arena, files, err);
    }
    struct base_rule *rule = arena_zero(arena, sizeof *rule);
    *rule = (struct base_rule){.router = request->router,
                               .num_dbs = request->num_dbs,
                               .shard = request->shard,
                               .from = manifest->key_encoding,
                               .to = request->key_encoding};
    files->rule = rule;
    bool by_hash = manifest->sharding.strategy == SHARDING_HASH &&
                   request->router->sharding.strategy == SHARDING_HASH;
    for (size_t i = 0; i < manifest->shard_count; i++) {
        const struct attempt *shard = &manifest->shards[i];
        if (shard->db_url != NULL &&
            (!by_hash || base_rows_may_share(request->shard, request->num_dbs,
                                             (uint32_t)shard->db_id, manifest->num_dbs))) {
            TRY(open_one(request, shard, arena, files, err));
        }
    }
    return true;
}

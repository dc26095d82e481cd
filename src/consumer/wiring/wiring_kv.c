/* Which driver serves shards of other kinds than the ordinary one. */
#include "consumer/wiring/wiring_kv.h"

#include "adapters/sqlite/sqlite_kv.h"
#if TIDEMARK_WITH_SLATEDB
#include "adapters/slatedb/slatedb_kv.h"
#endif
#include "consumer/wiring/wiring.h"
#include "core/snapshot/sqlite_writer.h"

/* NULL: this build does not have it. */
static struct kv *slatedb(const char **ret_version)
{
#if TIDEMARK_WITH_SLATEDB
    *ret_version = slatedb_kv_version();
    return slatedb_kv();
#else
    *ret_version = "";
    return NULL;
#endif
}

bool wiring_backend_kv(enum shard_backend backend, struct kv **ret_kv, struct err *err)
{
    const char *version = NULL;
    struct kv *kv = backend == BACKEND_SQLITE    ? sqlite_kv()
                    : backend == BACKEND_SLATEDB ? slatedb(&version)
                                                 : NULL;
    if (kv == NULL && backend == BACKEND_SLATEDB) {
        return err_set(err, ERR_SETTINGS, "this build of tidemark has no SlateDB; %s",
                       SETTINGS_SLATEDB_HOW);
    }
    if (kv == NULL) {
        return err_set(err, ERR_SETTINGS,
                       "its shards are of a kind that this version of tidemark does not know");
    }
    *ret_kv = kv;
    return true;
}

bool wiring_open_kv(enum shard_backend backend, const struct vector_settings *vectors,
                    struct kv **ret_kv, struct err *err)
{
    if (vectors->dim == 0) {
        return wiring_backend_kv(backend, ret_kv, err);
    }
    return wiring_vector_kv(vectors, ret_kv, err);
}

const char *wiring_kv_version(enum shard_backend backend, uint32_t vector_dim)
{
    const char *version = "";
    if (backend == BACKEND_SLATEDB) {
        (void)slatedb(&version);
        return version;
    }
    return backend == BACKEND_SQLITE && vector_dim == 0 ? SQLITE_WRITER_VERSION : "";
}

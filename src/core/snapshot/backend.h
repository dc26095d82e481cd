/* What the shards of a snapshot are made of: which driver reads them. */
#ifndef TIDEMARK_CORE_SNAPSHOT_BACKEND_H
#define TIDEMARK_CORE_SNAPSHOT_BACKEND_H

/* The format itself does not say: a reader is told, or reads the lineage (`made_by.kv_backend`,
 * left out for SQLite). In the order of the setting `kv.backend`. */
enum shard_backend {
    BACKEND_SQLITE,  /* shard.db in the attempt's directory */
    BACKEND_SLATEDB, /* the attempt's directory is a database */
    BACKEND_UNKNOWN, /* the lineage has a name that this version does not know */
};

/* SlateDB's own limits of keys; records with other ones are rejected. */
enum { SLATEDB_KEY_BYTES_MIN = 1, SLATEDB_KEY_BYTES_MAX = 65535 };

/* "sqlite", "slatedb"; "unknown". */
static inline const char *backend_name(enum shard_backend backend)
{
    return backend == BACKEND_SQLITE    ? "sqlite"
           : backend == BACKEND_SLATEDB ? "slatedb"
                                        : "unknown";
}

#endif

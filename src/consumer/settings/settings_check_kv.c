/* What is wrong between the settings of shards that are not SQLite's. */
#include "consumer/settings/settings_check.h"

static void refuse(struct settings_reader *reader, const char *path, const char *problem,
                   const char *allowed)
{
    settings_reader_refuse(reader, path, problem, NULL, allowed, NULL);
}

static void check_slatedb(struct settings_reader *reader)
{
    struct settings *settings = reader->settings;
    if (!TIDEMARK_WITH_SLATEDB) {
        refuse(reader, "kv.backend",
               "\"slatedb\": this build of tidemark has no SlateDB; " SETTINGS_SLATEDB_HOW,
               "\"sqlite\"");
    }
    if (settings->snapshot.contents == CONTENTS_STATE) {
        refuse(reader, "snapshot.contents",
               "kv.backend is \"slatedb\": a state is made of shards that are copied and read in "
               "order, which is written for SQLite alone",
               "\"window\"");
    }
    if (settings_reader_has(reader, "vectors.dim")) {
        refuse(reader, "vectors.dim", "kv.backend is \"slatedb\", which has no vectors", NULL);
    }
    if (settings_reader_has(reader, "snapshot.sidecar") && settings->snapshot.sidecar) {
        refuse(reader, "snapshot.sidecar",
               "kv.backend is \"slatedb\": sidecars are of SQLite's pages", "false");
    }
    if (settings_reader_has(reader, "snapshot.page_size")) {
        refuse(reader, "snapshot.page_size",
               "has no effect: kv.backend is \"slatedb\", and pages are SQLite's", NULL);
    }
    if (settings->limits.max_key_bytes > SLATEDB_KEY_BYTES_MAX) {
        refuse(reader, "limits.max_key_bytes",
               "kv.backend is \"slatedb\", whose keys have 65535 bytes at the most", NULL);
    }
    settings->snapshot.sidecar = false;
}

void settings_check_kv(struct settings_reader *reader)
{
    if (reader->settings->kv.backend == BACKEND_SLATEDB) {
        check_slatedb(reader);
    }
}

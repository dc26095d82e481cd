/* The rows of one shard out of rows that were grouped before anybody knew the number of shards. */
#include "checkpoint/regroup.h"

#include <stdlib.h>

#include "core/record/key.h"

struct regroup_stream {
    struct row_stream base;
    const struct regroup *borrowed_regroup;
    uint32_t shard;
    struct row_stream *rows;
};

static bool regroup_next(struct row_stream *base, struct row *ret_row, bool *ret_more,
                         struct err *err)
{
    struct regroup_stream *stream = (struct regroup_stream *)base;
    const struct regroup *regroup = stream->borrowed_regroup;
    for (;;) {
        struct row row;
        bool more = false;
        TRY(row_stream_next(stream->rows, &row, &more, err));
        if (!more) {
            *ret_more = false;
            return true;
        }
        struct logical_key key;
        uint64_t token = 0;
        if (!key_load(regroup->key_encoding, row.key, &key, err) ||
            !route_key(regroup->router, &key, &token, err)) {
            err->kind = ERR_CORRUPT; /* it was routed when it came in */
            return err_wrap(err, "a stored key");
        }
        if (route_db_id(regroup->router, token, regroup->num_dbs) == stream->shard) {
            *ret_row = row;
            *ret_more = true;
            return true;
        }
    }
}

static void regroup_free(struct row_stream *base)
{
    struct regroup_stream *stream = (struct regroup_stream *)base;
    row_stream_free(stream->rows);
    free(stream);
}

struct row_stream *regroup_new(const struct regroup *regroup, uint32_t shard,
                               struct row_stream *take_rows)
{
    static const struct row_stream_ops ops = {.next = regroup_next, .free = regroup_free};
    struct regroup_stream *stream = calloc(1, sizeof *stream);
    CHECK(stream != NULL && shard < regroup->num_dbs);
    stream->base.ops = &ops;
    stream->borrowed_regroup = regroup;
    stream->shard = shard;
    stream->rows = take_rows;
    return &stream->base;
}

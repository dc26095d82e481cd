/* Vectors searched, for C programs. */
#include <inttypes.h>
#include <stdlib.h>

#include "core/record/vector.h"
#include "library/library.h"

struct tidemark_neighbours {
    struct arena *arena;
    struct kv_neighbour *found;
    const char **ids;
    size_t count;
};

static const struct manifest_vector *kind_of(const struct tidemark_snapshot *snapshot)
{
    return &snapshot_reader_snapshot(snapshot->reader)->manifest.vector;
}

uint32_t tidemark_vector_dim(const struct tidemark_snapshot *snapshot)
{
    return kind_of(snapshot)->dim;
}

const char *tidemark_vector_metric(const struct tidemark_snapshot *snapshot)
{
    return kind_of(snapshot)->dim == 0 ? "" : vector_metric_name(kind_of(snapshot)->metric);
}

/* As the store has them: float32, little-endian. */
static bool store_vector(const struct tidemark_snapshot *snapshot, const float *vector, size_t dim,
                         struct arena *arena, struct bytes *ret_vector, struct err *err)
{
    const struct manifest_vector *kind = kind_of(snapshot);
    const char *problem = NULL;
    size_t index = 0;
    if (kind->dim == 0) {
        return err_set(err, ERR_INPUT, "run %s has no vectors", tidemark_run_id(snapshot));
    }
    if (dim != kind->dim) {
        return err_set(err, ERR_INPUT, "run %s has vectors of %" PRIu32 " numbers, not of %zu",
                       tidemark_run_id(snapshot), kind->dim, dim);
    }
    if (snapshot->searcher == NULL) {
        return err_set(err, ERR_SETTINGS,
                       "a search needs SQLite's extension sqlite-vec: set the option extension to "
                       "its file, vec0.so");
    }
    uint8_t *bytes = arena_alloc(arena, 4 * dim);
    for (size_t i = 0; i < dim; i++) {
        uint32_t bits = 0;
        memcpy(&bits, &vector[i], sizeof bits);
        put_u32le(bytes + 4 * i, bits);
    }
    *ret_vector = bytes_of(bytes, 4 * dim);
    return vector_check(*ret_vector, kind->dim, kind->metric, &problem, &index) ||
           err_set(err, ERR_INPUT, "the vector: %s, number %zu", problem, index);
}

static bool search(struct tidemark_snapshot *snapshot, const float *vector, size_t dim,
                   size_t count, struct tidemark_neighbours *into, struct err *err)
{
    struct bytes stored = {0};
    TRY(store_vector(snapshot, vector, dim, into->arena, &stored, err));
    if (count < 1 || count > KV_NEIGHBOURS_MAX) {
        return err_set(err, ERR_INPUT, "from 1 to %d of the nearest, not %zu", KV_NEIGHBOURS_MAX,
                       count);
    }
    TRY(snapshot_reader_search(snapshot->searcher, stored, count, into->arena, &into->found,
                               &into->count, err));
    into->ids = arena_zero(into->arena, (into->count + 1) * sizeof *into->ids);
    for (size_t i = 0; i < into->count; i++) {
        into->ids[i] = vector_id_json(into->found[i].id, into->arena);
    }
    return true;
}

enum tidemark_code tidemark_search(struct tidemark_snapshot *snapshot, const float *vector,
                                   size_t dim, size_t count,
                                   struct tidemark_neighbours **ret_neighbours,
                                   struct tidemark_error *error)
{
    struct err err = {0};
    struct tidemark_neighbours *neighbours = calloc(1, sizeof *neighbours);
    CHECK(neighbours != NULL);
    neighbours->arena = arena_new(16 * 1024);
    if (!search(snapshot, vector, dim, count, neighbours, &err)) {
        tidemark_neighbours_free(neighbours);
        return library_fail(&err, error);
    }
    *ret_neighbours = neighbours;
    return library_ok(error);
}

size_t tidemark_neighbours_count(const struct tidemark_neighbours *neighbours)
{
    return neighbours->count;
}

struct tidemark_neighbour tidemark_neighbours_at(const struct tidemark_neighbours *neighbours,
                                                 size_t index)
{
    CHECK(index < neighbours->count);
    return (struct tidemark_neighbour){.distance = neighbours->found[index].distance,
                                       .id = neighbours->ids[index],
                                       .payload = neighbours->found[index].payload};
}

void tidemark_neighbours_free(struct tidemark_neighbours *neighbours)
{
    if (neighbours != NULL) {
        arena_free(neighbours->arena);
        free(neighbours);
    }
}

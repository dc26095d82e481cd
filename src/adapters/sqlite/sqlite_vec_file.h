/* A shard file with vectors, opened for reading. */
#ifndef TIDEMARK_ADAPTERS_SQLITE_SQLITE_VEC_FILE_H
#define TIDEMARK_ADAPTERS_SQLITE_SQLITE_VEC_FILE_H

#include "adapters/kv.h"

/* As the members of kv_ops. One of `path` and `take_range`. `borrowed_extension` outlives the file.
 */
MUST_CHECK bool sqlite_vec_file_open(const struct kv *kv, const char *borrowed_extension,
                                     const char *path, struct range_file *take_range,
                                     struct kv_file **ret_file, struct err *err);
void sqlite_vec_file_close(struct kv_file *file);
MUST_CHECK bool sqlite_vec_file_get(struct kv_file *file, struct bytes key, struct buf *value,
                                    bool *ret_found, struct err *err);
MUST_CHECK bool sqlite_vec_file_rows(struct kv_file *file, const struct kv_bounds *bounds,
                                     struct row_stream **ret_stream, struct err *err);
MUST_CHECK bool sqlite_vec_file_search(struct kv_file *file, struct bytes vector, size_t count,
                                       struct arena *arena, struct kv_neighbour *ret_neighbours,
                                       size_t *ret_count, struct err *err);

#endif

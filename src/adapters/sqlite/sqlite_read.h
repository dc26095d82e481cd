/* Shard files opened for reading: a local file, or one that stays in its store. */
#ifndef TIDEMARK_ADAPTERS_SQLITE_SQLITE_READ_H
#define TIDEMARK_ADAPTERS_SQLITE_SQLITE_READ_H

#include "adapters/kv.h"

/* As the members of kv_ops; `ops` is what the file gets. */
MUST_CHECK bool sqlite_read_open(const struct kv_ops *ops, const char *path,
                                 struct kv_file **ret_file, struct err *err);
MUST_CHECK bool sqlite_read_open_range(const struct kv_ops *ops, struct range_file *take_file,
                                       struct kv_file **ret_file, struct err *err);
void sqlite_read_close(struct kv_file *file);
MUST_CHECK bool sqlite_read_get(struct kv_file *file, struct bytes key, struct buf *value,
                                bool *ret_found, struct err *err);
MUST_CHECK bool sqlite_read_rows(struct kv_file *file, const struct kv_bounds *bounds,
                                 struct row_stream **ret_stream, struct err *err);

#endif

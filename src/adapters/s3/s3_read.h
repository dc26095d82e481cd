/* Content comes down, also when the connection breaks on the way. */
#ifndef TIDEMARK_ADAPTERS_S3_S3_READ_H
#define TIDEMARK_ADAPTERS_S3_S3_READ_H

#include "adapters/s3/s3_request.h"

/* As store_ops.get and store_ops.head; `key` is the whole key in the bucket. */
bool s3_read(struct s3_store *s3, const char *key, struct store_range range,
             const struct store_sink *sink, struct store_info *ret_info,
             struct err *err) MUST_CHECK;

struct s3_head {
    struct store_info info;
    char content_type[HTTP_HEADER_MAX];
};

/* `bucket` NULL: the store's. `operation`: which counters. */
bool s3_head_of(struct s3_store *s3, enum store_operation operation, const char *bucket,
                const char *key, struct s3_head *ret_head, struct err *err) MUST_CHECK;

#endif

/* Copies within the server. */
#ifndef TIDEMARK_ADAPTERS_S3_S3_COPY_H
#define TIDEMARK_ADAPTERS_S3_S3_COPY_H

#include "adapters/s3/s3_request.h"

/* As store_ops.copy; `key` is the whole key in the bucket. */
bool s3_copy(struct s3_store *s3, const struct store_url *from, const char *key,
             struct store_etag *ret_etag, struct err *err) MUST_CHECK;

/* The size of the parts in which an object is copied; 0: in one piece. Pure. */
uint64_t s3_copy_part_size(const struct s3_settings *settings, const char *etag, uint64_t size);

#endif

/* Where an object's request goes: host, path and URL. Pure. */
#ifndef TIDEMARK_ADAPTERS_S3_S3_TARGET_H
#define TIDEMARK_ADAPTERS_S3_S3_TARGET_H

#include "adapters/s3/s3_store.h"
#include "adapters/s3/sign.h"

enum { S3_TARGET_HOST_MAX = 256 };

struct s3_target {
    bool https;
    bool amazon;                   /* not an endpoint of one's own */
    char host[S3_TARGET_HOST_MAX]; /* with a port that is not the scheme's own */
    enum s3_addressing addressing;
};

/* `endpoint` NULL: Amazon's of `region`. Errors: SETTINGS. */
bool s3_target_init(struct s3_target *target, const char *endpoint, const char *region,
                    enum s3_addressing addressing, struct err *err) MUST_CHECK;

/* For one bucket and key (NULL: the bucket itself): the Host header, the path that is signed (not
 * encoded), and the whole URL with its query. */
void s3_target_of(const struct s3_target *target, const char *bucket, const char *key,
                  const struct sign_pair *query, size_t query_count, struct buf *host,
                  struct buf *path, struct buf *url);

#endif

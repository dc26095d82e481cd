/* Content goes up: in one request, or in parts. */
#ifndef TIDEMARK_ADAPTERS_S3_S3_UPLOAD_H
#define TIDEMARK_ADAPTERS_S3_S3_UPLOAD_H

#include "adapters/s3/s3_request.h"

/* As store_ops.put; `key` is the whole key in the bucket. */
bool s3_upload(struct s3_store *s3, const char *key, const struct store_content *content,
               struct store_condition condition, struct store_etag *ret_etag,
               struct err *err) MUST_CHECK;

/* ---- for copies in parts, which are uploads, too ---- */

enum { S3_PARTS_MAX = 10000, S3_UPLOAD_ID_MAX = 1024 };

struct s3_parts {
    struct s3_store *s3;
    const char *key;
    enum store_operation operation;
    struct store_condition condition;
    int64_t deadline_us;
    char upload_id[S3_UPLOAD_ID_MAX];
    struct store_etag *etags; /* of the parts so far */
    size_t count;
    uint64_t total_bytes;
    const atomic_bool *stop; /* as in struct store_content */
};

/* The size of each part but the last. */
uint64_t s3_part_size(uint64_t total_bytes, uint64_t wanted_bytes);

bool s3_parts_begin(struct s3_parts *parts, const char *content_type, struct err *err) MUST_CHECK;
void s3_parts_add(struct s3_parts *parts, const char *etag);
/* The one request of an upload in parts that makes the object. */
bool s3_parts_complete(struct s3_parts *parts, struct store_etag *ret_etag,
                       struct err *err) MUST_CHECK;
/* After a failure: gives the parts' space back. Best effort; its own errors are dropped. */
void s3_parts_abort(struct s3_parts *parts);
void s3_parts_done(struct s3_parts *parts);

/* With quotes around it, whether the server gave them or not. */
void s3_etag_set(struct store_etag *etag, const char *text);

/* Adds the headers that ask for encryption. */
void s3_call_encrypt(const struct s3_store *s3, struct s3_call *call);

#endif

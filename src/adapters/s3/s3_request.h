/* One S3 request, signed, sent, and sent again where that is right. */
#ifndef TIDEMARK_ADAPTERS_S3_S3_REQUEST_H
#define TIDEMARK_ADAPTERS_S3_S3_REQUEST_H

#include "adapters/s3/credentials.h"
#include "adapters/s3/http.h"
#include "adapters/s3/retry.h"
#include "adapters/s3/s3_store.h"
#include "adapters/s3/s3_target.h"
#include "adapters/s3/sign.h"

struct s3_store {
    struct store store;
    struct http *http;
    struct credentials *credentials;
    struct s3_target target;
    struct s3_settings settings; /* numbers with their defaults; texts are owned below or NULL */
    char region[64];
    char *kms_key;
    _Atomic int64_t warned_us; /* when it last was a warning that requests are tried again */
    atomic_llong skew_us;      /* the server's clock minus ours, once it complained */
    struct retry_budget budget;
};

static inline struct s3_store *s3_store_of(struct store *store)
{
    return (struct s3_store *)store;
}

enum { S3_QUERY_MAX = 8, S3_HEADERS_MAX = 16 };

/* A body's digests: one is signed, the other checked against the ETag. */
struct s3_digest {
    char sha256[SIGN_HEX_SHA256];
    uint8_t md5[16];
};

struct s3_call {
    enum store_operation operation; /* which counters */
    const char *method;
    const char *bucket; /* NULL: the store's */
    const char *key;    /* whole; NULL: the bucket itself */
    struct sign_pair query[S3_QUERY_MAX];
    size_t query_count;
    struct sign_pair headers[S3_HEADERS_MAX]; /* lower-case names; host, date and so on are added */
    size_t header_count;
    struct http_body body;
    const struct s3_digest *digest; /* of the body; NULL: there is none */
    const struct store_sink *sink;  /* for the content */
    bool changes;                   /* see retry.h */
    bool conditional;
    bool error_in_200;       /* the answer may be an <Error> in spite of its status */
    uint64_t busy_bytes;     /* what the server moves by itself: gives the request more time */
    int64_t deadline_us;     /* steady clock; of the whole store call */
    const atomic_bool *stop; /* ends it when it becomes true; NULL: only store_stop does */
};

void s3_call_query(struct s3_call *call, const char *name, const char *value);
void s3_call_header(struct s3_call *call, const char *name, const char *value);

/* When a store call that begins now must have ended, given the bytes it moves. */
int64_t s3_deadline_us(const struct s3_store *s3, uint64_t bytes);

/* Errors: TRANSIENT when the local file cannot be read. */
bool s3_digest_of(const struct http_body *body, struct s3_digest *ret_digest,
                  struct err *err) MUST_CHECK;

/* True: the answer is 2xx, in `response` (whose body is initialised by the caller). False: *err has
 * the kind that retry_decide gives, and `response` the last answer. When content has begun to reach
 * the sink the request is not repeated here: the caller goes on from response->received. */
bool s3_send(struct s3_store *s3, const struct s3_call *call, struct http_response *response,
             struct err *err) MUST_CHECK;

/* After s3_send returned false: the connection broke when content had begun to reach the sink. */
bool s3_content_broke(const struct http_response *response);

/* Sleeps, but not longer than until the deadline; false (STOPPED) when the store is stopped, or
 * `stop` (NULL: none) says so. */
bool s3_pause(struct s3_store *s3, int64_t pause_us, int64_t deadline_us, const atomic_bool *stop,
              struct err *err) MUST_CHECK;

#endif

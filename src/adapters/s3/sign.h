/* AWS Signature Version 4 of S3 requests. Pure. */
#ifndef TIDEMARK_ADAPTERS_S3_SIGN_H
#define TIDEMARK_ADAPTERS_S3_SIGN_H

#include <stdint.h>

#include "adapters/s3/secret.h"
#include "core/base/buf.h"

/* Source: "Signature Calculations for the Authorization Header: Transferring Payload in a Single
 * Chunk" of Amazon's S3 API reference. All headers given are signed, so a middlebox that strips
 * If-Match breaks the signature and not the promise. */

enum { SIGN_HEX_SHA256 = 65, SIGN_DATE_MAX = 17 };

struct sign_pair {
    const char *name;
    const char *value;
};

struct sign_keys {
    char access_key[256];
    struct secret secret_key;
    struct secret token;
};

struct sign_request {
    const char *method;
    const char *path;              /* not encoded, begins with '/' */
    const struct sign_pair *query; /* not encoded, any order */
    size_t query_count;
    const struct sign_pair *headers; /* lower-case names; host and x-amz-date among them */
    size_t header_count;
    const char *payload_sha256; /* lower-case hex */
    const char *region;
    const char *service;      /* "s3" */
    char date[SIGN_DATE_MAX]; /* as in x-amz-date */
};

/* "20130524T000000Z". */
void sign_date(int64_t time_us, char ret_date[SIGN_DATE_MAX]);

void sign_sha256(struct bytes bytes, char ret_hex[SIGN_HEX_SHA256]);

/* Percent-encoding as AWS wants it: all but A-Z a-z 0-9 - . _ ~ as %XX in upper case; '/' stays
 * when `keep_slash`. */
void sign_encode(const char *text, bool keep_slash, struct buf *to);

/* name=value&… encoded and sorted: the canonical query, and the one to be sent. */
void sign_query(const struct sign_pair *query, size_t count, struct buf *to);

/* The text whose hash is signed; for tests and for the next function. */
void sign_canonical(const struct sign_request *request, struct buf *to);

/* The value of the Authorization header. */
void sign_authorization(const struct sign_request *request, const struct sign_keys *keys,
                        struct buf *to);

void sign_keys_copy(struct sign_keys *to, const struct sign_keys *from);
void sign_keys_done(struct sign_keys *keys);

#endif

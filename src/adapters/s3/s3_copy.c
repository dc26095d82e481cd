/* Copies within the server.
 *
 * The happy path: HEAD of the source, then one CopyObject of exactly that version; a source above
 * the limit of one request goes in parts. So does one that our own upload has put there in parts:
 * with the same parts the copy has the same ETag, and a sidecar that names it stays valid.
 *
 * What can go wrong: a source that is replaced in between is TRANSIENT. The copy may take the
 * server minutes; the request's time is reckoned from the source's size. */
#include "adapters/s3/s3_copy.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/s3/reply.h"
#include "adapters/s3/s3_read.h"
#include "adapters/s3/s3_upload.h"

enum { COPY_PART_BYTES = 512 * 1024 * 1024 };

struct copying {
    struct s3_store *s3;
    const char *key;
    struct buf source; /* "/bucket/key", encoded */
    struct s3_head head;
    int64_t deadline_us;
};

static void add_source(const struct copying *copying, struct s3_call *call)
{
    s3_call_header(call, "x-amz-copy-source", buf_text(&copying->source));
    s3_call_header(call, "x-amz-copy-source-if-match", copying->head.info.etag.text);
}

/* Sends a copy and takes the ETag out of its answer. */
static bool send_copy(const struct copying *copying, const struct s3_call *call, const char *root,
                      struct store_etag *ret_etag, struct err *err)
{
    struct http_response response = {0};
    buf_init(&response.body, HTTP_BODY_MAX);
    struct arena *arena = arena_new(4096);
    const char *etag = NULL;
    bool ok = s3_send(copying->s3, call, &response, err);
    if (!ok && err->kind == ERR_CONFLICT) {
        err->kind = ERR_TRANSIENT;
        err_wrap(err, "the source was replaced");
    }
    ok = ok && reply_field_of(buf_bytes(&response.body), arena, root, "ETag", &etag, err);
    if (ok) {
        s3_etag_set(ret_etag, etag);
    }
    arena_free(arena);
    buf_done(&response.body);
    return ok;
}

static bool copy_whole(const struct copying *copying, struct store_etag *ret_etag, struct err *err)
{
    struct s3_call call = {.operation = STORE_COPY,
                           .method = "PUT",
                           .key = copying->key,
                           .changes = true,
                           .error_in_200 = true,
                           .busy_bytes = copying->head.info.size,
                           .deadline_us = copying->deadline_us};
    add_source(copying, &call);
    s3_call_encrypt(copying->s3, &call);
    return send_copy(copying, &call, "CopyObjectResult", ret_etag, err);
}

static bool copy_part(const struct copying *copying, struct s3_parts *parts, uint64_t from,
                      uint64_t length, struct err *err)
{
    char number[16];
    char range[64];
    snprintf(number, sizeof number, "%zu", parts->count + 1);
    snprintf(range, sizeof range, "bytes=%" PRIu64 "-%" PRIu64, from, from + length - 1);
    struct s3_call call = {.operation = STORE_COPY,
                           .method = "PUT",
                           .key = copying->key,
                           .error_in_200 = true,
                           .busy_bytes = length,
                           .deadline_us = copying->deadline_us};
    s3_call_query(&call, "partNumber", number);
    s3_call_query(&call, "uploadId", parts->upload_id);
    add_source(copying, &call);
    s3_call_header(&call, "x-amz-copy-source-range", range);
    struct store_etag etag;
    TRY(send_copy(copying, &call, "CopyPartResult", &etag, err));
    s3_parts_add(parts, etag.text);
    return true;
}

static bool copy_parts(const struct copying *copying, struct s3_parts *parts, uint64_t size,
                       struct store_etag *ret_etag, struct err *err)
{
    uint64_t total = copying->head.info.size;
    const char *type = copying->head.content_type;
    TRY(s3_parts_begin(parts, type[0] == '\0' ? "application/octet-stream" : type, err));
    bool ok = true;
    for (uint64_t at = 0; at < total && ok; at += size) {
        ok = copy_part(copying, parts, at, total - at < size ? total - at : size, err);
    }
    ok = ok && s3_parts_complete(parts, ret_etag, err);
    if (!ok) {
        s3_parts_abort(parts);
    }
    return ok;
}

uint64_t s3_copy_part_size(const struct s3_settings *settings, const char *etag, uint64_t size)
{
    const char *dash = strrchr(etag, '-');
    uint64_t ours = s3_part_size(size, settings->part_bytes);
    if (dash != NULL && size > 0 && strtoull(dash + 1, NULL, 10) == (size + ours - 1) / ours) {
        return ours;
    }
    if (size <= settings->copy_single_max_bytes) {
        return 0;
    }
    uint64_t largest = settings->copy_single_max_bytes;
    return s3_part_size(size, largest < COPY_PART_BYTES ? largest : COPY_PART_BYTES);
}

bool s3_copy(struct s3_store *s3, const struct store_url *from, const char *key,
             struct store_etag *ret_etag, struct err *err)
{
    struct copying copying = {.s3 = s3, .key = key};
    TRY(s3_head_of(s3, STORE_COPY, from->bucket, from->prefix, &copying.head, err));
    copying.deadline_us = s3_deadline_us(s3, copying.head.info.size);
    buf_init(&copying.source, 16384);
    buf_add_format(&copying.source, "/%s/", from->bucket);
    sign_encode(from->prefix, true, &copying.source);
    bool ok;
    uint64_t size =
        s3_copy_part_size(&s3->settings, copying.head.info.etag.text, copying.head.info.size);
    if (size == 0) {
        ok = copy_whole(&copying, ret_etag, err);
    } else {
        struct s3_parts parts = {.s3 = s3,
                                 .key = key,
                                 .operation = STORE_COPY,
                                 .deadline_us = copying.deadline_us,
                                 .total_bytes = copying.head.info.size};
        ok = copy_parts(&copying, &parts, size, ret_etag, err);
        s3_parts_done(&parts);
    }
    buf_done(&copying.source);
    return ok;
}

/* Content goes up: in one request, or in parts.
 *
 * The happy path: below the threshold one PUT; else an upload is opened, the parts go up one
 * after the other, and completing it makes the object. A condition is that of the PUT or of the
 * completion.
 *
 * What can go wrong: a failed upload is aborted, so that its parts do not cost money for ever; a
 * process that dies in between leaves them (a lifecycle rule for incomplete uploads helps). */
#include "adapters/s3/s3_upload.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "adapters/os/clock.h"
#include "adapters/os/file.h"
#include "adapters/s3/reply.h"

enum { MEBIBYTE = 1024 * 1024, ABORT_DEADLINE_US = 10000000, MD5_HEX = 32, MD5_BASE64 = 25 };

void s3_etag_set(struct store_etag *etag, const char *text)
{
    bool quoted = text[0] == '"';
    snprintf(etag->text, sizeof etag->text, quoted ? "%.127s" : "\"%.125s\"", text);
}

void s3_call_encrypt(const struct s3_store *s3, struct s3_call *call)
{
    switch (s3->settings.encryption) {
    case S3_ENCRYPTION_DEFAULT:
        break;
    case S3_ENCRYPTION_SSE_S3:
        s3_call_header(call, "x-amz-server-side-encryption", "AES256");
        break;
    case S3_ENCRYPTION_SSE_KMS:
        s3_call_header(call, "x-amz-server-side-encryption", "aws:kms");
        if (s3->kms_key != NULL) {
            s3_call_header(call, "x-amz-server-side-encryption-aws-kms-key-id", s3->kms_key);
        }
        break;
    }
}

static void add_condition(struct s3_call *call, struct store_condition condition)
{
    call->conditional = condition.when != STORE_ALWAYS;
    if (condition.when == STORE_IF_ABSENT) {
        s3_call_header(call, "if-none-match", "*");
    } else if (condition.when == STORE_IF_MATCH) {
        s3_call_header(call, "if-match", condition.etag);
    }
}

/* Whether an ETag speaks of the bytes we sent: an MD5, unless the server encrypts with KMS keys. */
static bool etag_is_md5(const struct http_response *response, const char *etag)
{
    bool plain = response->encryption[0] == '\0' || strcmp(response->encryption, "AES256") == 0;
    return plain && strlen(etag) == MD5_HEX + 2 && strspn(etag + 1, "0123456789abcdef") == MD5_HEX;
}

/* The server's ETag against the MD5 of what was sent. */
static bool check_etag(const struct http_response *response, const struct s3_digest *digest,
                       struct store_etag *ret_etag, struct err *err)
{
    if (response->etag[0] == '\0') {
        return err_set(err, ERR_AMBIGUOUS, "the server took the content and gave no ETag");
    }
    s3_etag_set(ret_etag, response->etag);
    if (!etag_is_md5(response, ret_etag->text)) {
        return true;
    }
    AUTO(buf) struct buf ours;
    buf_init(&ours, 64);
    buf_add_hex(&ours, bytes_of(digest->md5, sizeof digest->md5));
    return memcmp(ret_etag->text + 1, ours.data, MD5_HEX) == 0 ||
           err_set(err, ERR_CORRUPT, "the server stored other bytes than were sent: %s is not %s",
                   ret_etag->text, buf_text(&ours));
}

static void md5_base64(const struct s3_digest *digest, char to[MD5_BASE64])
{
    CHECK(EVP_EncodeBlock((unsigned char *)to, digest->md5, sizeof digest->md5) == MD5_BASE64 - 1);
}

static const char *type_of(const struct store_content *content)
{
    return content->type == NULL ? "application/octet-stream" : content->type;
}

static bool put_whole(struct s3_store *s3, const char *key, const struct http_body *body,
                      const struct store_content *content, struct store_condition condition,
                      int64_t deadline_us, struct store_etag *ret_etag, struct err *err)
{
    struct s3_digest digest;
    char md5[MD5_BASE64];
    TRY(s3_digest_of(body, &digest, err));
    md5_base64(&digest, md5);
    struct s3_call call = {.operation = STORE_PUT,
                           .method = "PUT",
                           .key = key,
                           .body = *body,
                           .digest = &digest,
                           .changes = true,
                           .deadline_us = deadline_us,
                           .stop = content->stop};
    s3_call_header(&call, "content-type", type_of(content));
    s3_call_header(&call, "content-md5", md5);
    s3_call_encrypt(s3, &call);
    add_condition(&call, condition);
    struct http_response response = {0};
    buf_init(&response.body, HTTP_BODY_MAX);
    bool ok = s3_send(s3, &call, &response, err) && check_etag(&response, &digest, ret_etag, err);
    buf_done(&response.body);
    return ok;
}

/* ---- in parts ---- */

uint64_t s3_part_size(uint64_t total_bytes, uint64_t wanted_bytes)
{
    uint64_t least = total_bytes / S3_PARTS_MAX + 1;
    uint64_t size = wanted_bytes > least ? wanted_bytes : least;
    return (size + MEBIBYTE - 1) / MEBIBYTE * MEBIBYTE;
}

bool s3_parts_begin(struct s3_parts *parts, const char *content_type, struct err *err)
{
    struct s3_call call = {.operation = parts->operation,
                           .method = "POST",
                           .key = parts->key,
                           .deadline_us = parts->deadline_us,
                           .stop = parts->stop};
    s3_call_query(&call, "uploads", "");
    s3_call_header(&call, "content-type", content_type);
    s3_call_encrypt(parts->s3, &call);
    struct http_response response = {0};
    buf_init(&response.body, HTTP_BODY_MAX);
    struct arena *arena = arena_new(4096);
    const char *id = NULL;
    bool ok = s3_send(parts->s3, &call, &response, err) &&
              reply_field_of(buf_bytes(&response.body), arena, "InitiateMultipartUploadResult",
                             "UploadId", &id, err);
    if (ok && strlen(id) >= sizeof parts->upload_id) {
        ok = err_set(err, ERR_SETTINGS, "the server's upload id is too long");
    }
    if (ok) {
        memcpy(parts->upload_id, id, strlen(id) + 1);
        parts->etags = calloc(S3_PARTS_MAX, sizeof *parts->etags);
        CHECK(parts->etags != NULL);
    }
    arena_free(arena);
    buf_done(&response.body);
    return ok;
}

void s3_parts_add(struct s3_parts *parts, const char *etag)
{
    CHECK(parts->count < S3_PARTS_MAX);
    s3_etag_set(&parts->etags[parts->count++], etag);
}

static bool send_part(struct s3_parts *parts, const struct http_body *body, struct err *err)
{
    struct s3_digest digest;
    char md5[MD5_BASE64];
    char number[16];
    TRY(s3_digest_of(body, &digest, err));
    md5_base64(&digest, md5);
    snprintf(number, sizeof number, "%zu", parts->count + 1);
    struct s3_call call = {.operation = parts->operation,
                           .method = "PUT",
                           .key = parts->key,
                           .body = *body,
                           .digest = &digest,
                           .deadline_us = parts->deadline_us,
                           .stop = parts->stop};
    s3_call_query(&call, "partNumber", number);
    s3_call_query(&call, "uploadId", parts->upload_id);
    s3_call_header(&call, "content-md5", md5);
    struct http_response response = {0};
    buf_init(&response.body, HTTP_BODY_MAX);
    struct store_etag etag;
    bool ok = s3_send(parts->s3, &call, &response, err);
    if (ok && !check_etag(&response, &digest, &etag, err)) {
        err->kind = err->kind == ERR_AMBIGUOUS ? ERR_TRANSIENT : err->kind; /* no object yet */
        ok = false;
    }
    if (ok) {
        s3_parts_add(parts, etag.text);
    }
    buf_done(&response.body);
    return ok || err_wrap(err, "part %s", number);
}

static void parts_xml(const struct s3_parts *parts, struct buf *xml)
{
    buf_add_text(xml, "<CompleteMultipartUpload>");
    for (size_t i = 0; i < parts->count; i++) {
        buf_add_format(xml, "<Part><PartNumber>%zu</PartNumber><ETag>", i + 1);
        for (const char *at = parts->etags[i].text; *at != '\0'; at++) {
            if (*at == '"') {
                buf_add_text(xml, "&quot;");
            } else if (*at != '<' && *at != '&') {
                buf_add_byte(xml, (uint8_t)*at);
            }
        }
        buf_add_text(xml, "</ETag></Part>");
    }
    buf_add_text(xml, "</CompleteMultipartUpload>");
}

bool s3_parts_complete(struct s3_parts *parts, struct store_etag *ret_etag, struct err *err)
{
    AUTO(buf) struct buf xml;
    buf_init(&xml, 4 * MEBIBYTE);
    parts_xml(parts, &xml);
    struct s3_call call = {.operation = parts->operation,
                           .method = "POST",
                           .key = parts->key,
                           .body = {.bytes = buf_bytes(&xml)},
                           .changes = true,
                           .error_in_200 = true,
                           .busy_bytes = parts->total_bytes,
                           .deadline_us = parts->deadline_us,
                           .stop = parts->stop};
    struct s3_digest digest;
    TRY(s3_digest_of(&call.body, &digest, err));
    call.digest = &digest;
    s3_call_query(&call, "uploadId", parts->upload_id);
    s3_call_header(&call, "content-type", "application/xml");
    add_condition(&call, parts->condition);
    struct http_response response = {0};
    buf_init(&response.body, HTTP_BODY_MAX);
    struct arena *arena = arena_new(4096);
    const char *etag = NULL;
    bool ok = s3_send(parts->s3, &call, &response, err);
    if (ok && !reply_field_of(buf_bytes(&response.body), arena, "CompleteMultipartUploadResult",
                              "ETag", &etag, err)) {
        err->kind = ERR_AMBIGUOUS; /* 200 means that it was done, most likely */
        ok = false;
    }
    if (ok) {
        s3_etag_set(ret_etag, etag);
    }
    arena_free(arena);
    buf_done(&response.body);
    return ok || err_wrap(err, "completing the upload");
}

void s3_parts_abort(struct s3_parts *parts)
{
    if (parts->upload_id[0] == '\0') {
        return;
    }
    struct s3_call call = {.operation = parts->operation,
                           .method = "DELETE",
                           .key = parts->key,
                           .deadline_us = clock_mono_us() + ABORT_DEADLINE_US};
    s3_call_query(&call, "uploadId", parts->upload_id);
    struct http_response response = {0};
    buf_init(&response.body, HTTP_BODY_MAX);
    struct err err;
    bool ok = s3_send(parts->s3, &call, &response, &err);
    (void)ok;
    buf_done(&response.body);
}

void s3_parts_done(struct s3_parts *parts)
{
    free(parts->etags);
    parts->etags = NULL;
}

/* Spares the whole upload when it is clear from the start that the condition cannot hold. */
static bool check_absent(struct s3_parts *parts, struct err *err)
{
    struct s3_call call = {.operation = STORE_HEAD,
                           .method = "HEAD",
                           .key = parts->key,
                           .deadline_us = parts->deadline_us};
    struct http_response response = {0};
    buf_init(&response.body, HTTP_BODY_MAX);
    bool there = s3_send(parts->s3, &call, &response, err);
    buf_done(&response.body);
    return there ? err_set_code(err, ERR_CONFLICT, 412, "the object exists already")
                 : err->kind == ERR_MISSING;
}

static bool put_parts(struct s3_parts *parts, const struct http_body *whole, const char *type,
                      struct store_etag *ret_etag, struct err *err)
{
    if (parts->condition.when == STORE_IF_ABSENT) {
        TRY(check_absent(parts, err));
    }
    TRY(s3_parts_begin(parts, type, err));
    uint64_t total = whole->from_file ? whole->length : whole->bytes.size;
    uint64_t size = s3_part_size(total, parts->s3->settings.part_bytes);
    bool ok = true;
    for (uint64_t at = 0; at < total && ok; at += size) {
        uint64_t length = total - at < size ? total - at : size;
        struct http_body part = *whole;
        if (whole->from_file) {
            part.offset = at;
            part.length = length;
        } else {
            part.bytes = bytes_of(whole->bytes.data + at, (size_t)length);
        }
        ok = send_part(parts, &part, err);
    }
    ok = ok && s3_parts_complete(parts, ret_etag, err);
    if (!ok) {
        s3_parts_abort(parts);
    }
    return ok;
}

static bool upload_body(struct s3_store *s3, const char *key, const struct http_body *body,
                        const struct store_content *content, struct store_condition condition,
                        struct store_etag *ret_etag, struct err *err)
{
    uint64_t size = body->from_file ? body->length : body->bytes.size;
    int64_t deadline_us = s3_deadline_us(s3, size);
    if (size <= s3->settings.multipart_threshold_bytes) {
        return put_whole(s3, key, body, content, condition, deadline_us, ret_etag, err);
    }
    struct s3_parts parts = {.s3 = s3,
                             .key = key,
                             .operation = STORE_PUT,
                             .condition = condition,
                             .deadline_us = deadline_us,
                             .total_bytes = size,
                             .stop = content->stop};
    bool ok = put_parts(&parts, body, type_of(content), ret_etag, err);
    s3_parts_done(&parts);
    return ok;
}

bool s3_upload(struct s3_store *s3, const char *key, const struct store_content *content,
               struct store_condition condition, struct store_etag *ret_etag, struct err *err)
{
    struct http_body body = {.bytes = content->bytes, .fd = -1};
    if (content->path == NULL) {
        return upload_body(s3, key, &body, content, condition, ret_etag, err);
    }
    TRY(file_size(content->path, &body.length, err));
    body.from_file = true;
    body.fd = open(content->path, O_RDONLY | O_CLOEXEC);
    if (body.fd < 0) {
        return file_err(err, errno, "open", content->path);
    }
    bool ok = upload_body(s3, key, &body, content, condition, ret_etag, err);
    close(body.fd);
    return ok;
}

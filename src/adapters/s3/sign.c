/* AWS Signature Version 4 of S3 requests. Pure. */
#include "adapters/s3/sign.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/utc.h"

enum { HASH_BYTES = 32, PAIRS_MAX = 32, TEXT_MAX = 65536 };

void sign_date(int64_t time_us, char ret_date[SIGN_DATE_MAX])
{
    char text[UTC_TEXT_SIZE]; /* 2013-05-24T00:00:00.000000Z */
    utc_format_name(time_us, text);
    /* Day, 'T' and hour stand together in both forms. */
    snprintf(ret_date, SIGN_DATE_MAX, "%.4s%.2s%.5s%.2s%.2sZ", text, text + 5, text + 8, text + 14,
             text + 17);
}

static void hex_of(const uint8_t digest[HASH_BYTES], char ret_hex[SIGN_HEX_SHA256])
{
    static const char digits[] = "0123456789abcdef";
    for (int i = 0; i < HASH_BYTES; i++) {
        ret_hex[2 * i] = digits[digest[i] >> 4];
        ret_hex[2 * i + 1] = digits[digest[i] & 15];
    }
    ret_hex[SIGN_HEX_SHA256 - 1] = '\0';
}

void sign_sha256(struct bytes bytes, char ret_hex[SIGN_HEX_SHA256])
{
    uint8_t digest[HASH_BYTES];
    CHECK(EVP_Digest(bytes.size == 0 ? (const void *)"" : bytes.data, bytes.size, digest, NULL,
                     EVP_sha256(), NULL) == 1);
    hex_of(digest, ret_hex);
}

void sign_encode(const char *text, bool keep_slash, struct buf *to)
{
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0'; at++) {
        bool plain = (*at >= 'A' && *at <= 'Z') || (*at >= 'a' && *at <= 'z') ||
                     (*at >= '0' && *at <= '9') || strchr("-._~", *at) != NULL ||
                     (*at == '/' && keep_slash);
        if (plain) {
            buf_add_byte(to, *at);
        } else {
            buf_add_format(to, "%%%02X", *at);
        }
    }
}

static int by_name(const void *a, const void *b)
{
    const struct sign_pair *left = a;
    const struct sign_pair *right = b;
    int order = strcmp(left->name, right->name);
    return order != 0 ? order : strcmp(left->value, right->value);
}

static void sorted(const struct sign_pair *pairs, size_t count, struct sign_pair to[PAIRS_MAX])
{
    CHECK(count <= PAIRS_MAX);
    if (count > 0) {
        memcpy(to, pairs, count * sizeof *pairs);
        qsort(to, count, sizeof *to, by_name);
    }
}

/* Our parameter names consist of plain characters, so their order is that of the encoded ones. */
void sign_query(const struct sign_pair *query, size_t count, struct buf *to)
{
    struct sign_pair pairs[PAIRS_MAX];
    sorted(query, count, pairs);
    for (size_t i = 0; i < count; i++) {
        if (i > 0) {
            buf_add_byte(to, '&');
        }
        sign_encode(pairs[i].name, false, to);
        buf_add_byte(to, '=');
        sign_encode(pairs[i].value, false, to);
    }
}

static void add_header_names(const struct sign_pair *headers, size_t count, struct buf *to)
{
    for (size_t i = 0; i < count; i++) {
        buf_add_format(to, "%s%s", i == 0 ? "" : ";", headers[i].name);
    }
}

/* A value without blanks at its ends, and runs of blanks as one. */
static void add_value(const char *value, struct buf *to)
{
    while (*value == ' ') {
        value++;
    }
    size_t length = strlen(value);
    while (length > 0 && value[length - 1] == ' ') {
        length--;
    }
    for (size_t i = 0; i < length; i++) {
        if (value[i] != ' ' || value[i - 1] != ' ') {
            buf_add_byte(to, (uint8_t)value[i]);
        }
    }
}

void sign_canonical(const struct sign_request *request, struct buf *to)
{
    struct sign_pair headers[PAIRS_MAX];
    sorted(request->headers, request->header_count, headers);
    buf_add_format(to, "%s\n", request->method);
    sign_encode(request->path, true, to);
    buf_add_byte(to, '\n');
    sign_query(request->query, request->query_count, to);
    buf_add_byte(to, '\n');
    for (size_t i = 0; i < request->header_count; i++) {
        buf_add_format(to, "%s:", headers[i].name);
        add_value(headers[i].value, to);
        buf_add_byte(to, '\n');
    }
    buf_add_byte(to, '\n');
    add_header_names(headers, request->header_count, to);
    buf_add_format(to, "\n%s", request->payload_sha256);
}

static void hmac(const uint8_t *key, size_t key_size, const char *text, uint8_t out[HASH_BYTES])
{
    unsigned size = 0;
    uint8_t result[EVP_MAX_MD_SIZE];
    CHECK(HMAC(EVP_sha256(), key, (int)key_size, (const uint8_t *)text, strlen(text), result,
               &size) != NULL);
    CHECK(size == HASH_BYTES);
    memcpy(out, result, HASH_BYTES);
    OPENSSL_cleanse(result, sizeof result);
}

/* The day's key of region and service, derived from the secret one. */
static void signing_key(const struct sign_request *request, const struct sign_keys *keys,
                        uint8_t key[HASH_BYTES])
{
    AUTO(buf) struct buf first;
    buf_init(&first, TEXT_MAX);
    buf_add_format(&first, "AWS4%s", secret_reveal(&keys->secret_key));
    char day[9];
    snprintf(day, sizeof day, "%.8s", request->date);
    hmac(first.data, first.size, day, key);
    hmac(key, HASH_BYTES, request->region, key);
    hmac(key, HASH_BYTES, request->service, key);
    hmac(key, HASH_BYTES, "aws4_request", key);
    OPENSSL_cleanse(first.data, first.size);
}

void sign_authorization(const struct sign_request *request, const struct sign_keys *keys,
                        struct buf *to)
{
    AUTO(buf) struct buf canonical;
    AUTO(buf) struct buf text;
    buf_init(&canonical, TEXT_MAX);
    buf_init(&text, TEXT_MAX);
    sign_canonical(request, &canonical);
    CHECK(!canonical.overflowed);
    char hash[SIGN_HEX_SHA256];
    sign_sha256(buf_bytes(&canonical), hash);
    char scope[256];
    int length = snprintf(scope, sizeof scope, "%.8s/%s/%s/aws4_request", request->date,
                          request->region, request->service);
    CHECK(length > 0 && (size_t)length < sizeof scope);
    buf_add_format(&text, "AWS4-HMAC-SHA256\n%s\n%s\n%s", request->date, scope, hash);
    uint8_t key[HASH_BYTES];
    uint8_t signature[HASH_BYTES];
    signing_key(request, keys, key);
    hmac(key, HASH_BYTES, buf_text(&text), signature);
    OPENSSL_cleanse(key, sizeof key);
    struct sign_pair headers[PAIRS_MAX];
    sorted(request->headers, request->header_count, headers);
    buf_add_format(to, "AWS4-HMAC-SHA256 Credential=%s/%s,SignedHeaders=", keys->access_key, scope);
    add_header_names(headers, request->header_count, to);
    buf_add_text(to, ",Signature=");
    buf_add_hex(to, bytes_of(signature, sizeof signature));
}

void sign_keys_copy(struct sign_keys *to, const struct sign_keys *from)
{
    memcpy(to->access_key, from->access_key, sizeof to->access_key);
    secret_copy(&to->secret_key, &from->secret_key);
    secret_copy(&to->token, &from->token);
}

void sign_keys_done(struct sign_keys *keys)
{
    OPENSSL_cleanse(keys->access_key, sizeof keys->access_key);
    secret_done(&keys->secret_key);
    secret_done(&keys->token);
}

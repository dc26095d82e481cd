/* Store URLs and object keys: what may stand in them, and how they are joined. */
#include "adapters/store_url.h"

#include <string.h>

/* What is wrong with a key or a prefix's key; NULL when nothing is. */
static const char *key_fault(const char *key)
{
    size_t length = strlen(key);
    if (length == 0) {
        return "it is empty";
    }
    if (length > STORE_KEY_MAX) {
        return "it is longer than 1024 bytes";
    }
    if (key[0] == '/' || key[length - 1] == '/') {
        return "it begins or ends with '/'";
    }
    if (strpbrk(key, "?#") != NULL) {
        return "'?' and '#' are not allowed";
    }
    if (strstr(key, "//") != NULL) {
        return "'//' is not allowed";
    }
    if (strstr(key, "..") != NULL) {
        return "'..' is not allowed";
    }
    if (strncmp(key, "./", 2) == 0 || strstr(key, "/./") != NULL || strcmp(key, ".") == 0 ||
        (length >= 2 && strcmp(key + length - 2, "/.") == 0)) {
        return "'.' is not allowed as a segment";
    }
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)key[i] < 0x20 || key[i] == 0x7f) {
            return "control characters are not allowed";
        }
    }
    return bytes_are_utf8(bytes_of_text(key)) ? NULL : "it is not UTF-8";
}

/* The names Amazon allows, which every other server takes, too. */
static const char *bucket_fault(const char *bucket, size_t length)
{
    if (length < 3 || length > STORE_BUCKET_MAX) {
        return "a bucket's name has 3 to 63 characters";
    }
    for (size_t i = 0; i < length; i++) {
        char at = bucket[i];
        bool end = i == 0 || i == length - 1;
        bool letter = (at >= 'a' && at <= 'z') || (at >= '0' && at <= '9');
        if (!letter && (end || (at != '-' && at != '.'))) {
            return "a bucket's name has lower-case letters, digits, '-' and '.'";
        }
    }
    return NULL;
}

bool store_key_check(const char *key, struct err *err)
{
    const char *fault = key_fault(key);
    return fault == NULL || err_set(err, ERR_INPUT, "key \"%.300s\": %s", key, fault);
}

static bool refuse(const char *url, const char *fault, enum err_kind kind, struct err *err)
{
    return err_set(err, kind, "store URL \"%.300s\": %s", url, fault);
}

static bool parse_s3(const char *url, enum err_kind kind, struct store_url *parsed, struct err *err)
{
    const char *bucket = url + strlen("s3://");
    const char *slash = strchr(bucket, '/');
    size_t length = slash == NULL ? strlen(bucket) : (size_t)(slash - bucket);
    if (memchr(bucket, '@', length) != NULL) {
        return err_set(err, kind,
                       "a store URL must not hold credentials: they come from the environment, a "
                       "file or the instance");
    }
    const char *fault = bucket_fault(bucket, length);
    if (fault != NULL) {
        return refuse(url, fault, kind, err);
    }
    if (slash == NULL || slash[1] == '\0') {
        return refuse(url, "a prefix is needed after the bucket, as in s3://bucket/prefix", kind,
                      err);
    }
    memcpy(parsed->bucket, bucket, length);
    parsed->scheme = STORE_S3;
    if (strlen(slash + 1) > STORE_KEY_MAX) {
        return refuse(url, "it is longer than 1024 bytes", kind, err);
    }
    memcpy(parsed->prefix, slash + 1, strlen(slash + 1) + 1);
    return true;
}

static bool parse_file(const char *url, enum err_kind kind, struct store_url *parsed,
                       struct err *err)
{
    const char *path = url + strlen("file://");
    if (path[0] != '/') {
        return refuse(url, "the path must be absolute, with three slashes: file:///some/folder",
                      kind, err);
    }
    if (path[1] == '\0') {
        return refuse(url, "the root folder cannot be a store", kind, err);
    }
    if (strlen(path) > STORE_KEY_MAX) {
        return refuse(url, "it is longer than 1024 bytes", kind, err);
    }
    parsed->scheme = STORE_FILE;
    memcpy(parsed->prefix, path, strlen(path) + 1);
    return true;
}

static bool parse(const char *url, enum err_kind kind, struct store_url *parsed, struct err *err)
{
    *parsed = (struct store_url){0};
    if (strncmp(url, "s3://", 5) == 0) {
        TRY(parse_s3(url, kind, parsed, err));
    } else if (strncmp(url, "file://", 7) == 0) {
        TRY(parse_file(url, kind, parsed, err));
    } else if (strchr(url, '@') != NULL) {
        return err_set(err, kind, "a store URL begins with s3:// or file://");
    } else {
        return refuse(url, "it must begin with s3:// or file://", kind, err);
    }
    size_t length = strlen(parsed->prefix);
    if (length > 0 && parsed->prefix[length - 1] == '/') {
        parsed->prefix[length - 1] = '\0';
    }
    const char *fault = key_fault(parsed->prefix + (parsed->scheme == STORE_FILE ? 1 : 0));
    return fault == NULL || refuse(url, fault, kind, err);
}

bool store_url_parse(const char *url, struct store_url *ret_url, struct err *err)
{
    struct store_url parsed;
    TRY(parse(url, ERR_SETTINGS, &parsed, err));
    if (strstr(parsed.prefix, "run_id=") != NULL) {
        return refuse(url, "'run_id=' is not allowed in a prefix: it marks one run's folder",
                      ERR_SETTINGS, err);
    }
    *ret_url = parsed;
    return true;
}

bool store_url_parse_object(const char *url, struct store_url *ret_url, struct err *err)
{
    struct store_url parsed;
    TRY(parse(url, ERR_INPUT, &parsed, err));
    *ret_url = parsed;
    return true;
}

void store_url_text(const struct store_url *url, struct buf *to)
{
    if (url->scheme == STORE_FILE) {
        buf_add_format(to, "file://%s", url->prefix);
    } else {
        buf_add_format(to, "s3://%s/%s", url->bucket, url->prefix);
    }
}

void store_url_join(const char *base, const char *part, struct buf *to)
{
    size_t base_length = strlen(base);
    while (base_length > 0 && base[base_length - 1] == '/') {
        base_length--;
    }
    while (*part == '/') {
        part++;
    }
    size_t part_length = strlen(part);
    while (part_length > 0 && part[part_length - 1] == '/') {
        part_length--;
    }
    buf_add(to, base, base_length);
    if (part_length > 0) {
        buf_add_byte(to, '/');
        buf_add(to, part, part_length);
    }
}

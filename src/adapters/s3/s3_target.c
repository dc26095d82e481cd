/* Where an object's request goes: host, path and URL. Pure. */
#include "adapters/s3/s3_target.h"

#include <stdio.h>
#include <string.h>

static bool begins_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

static bool parse_endpoint(struct s3_target *target, const char *endpoint, struct err *err)
{
    target->https = begins_with(endpoint, "https://");
    if (!target->https && !begins_with(endpoint, "http://")) {
        return err_set(err, ERR_SETTINGS, "an S3 endpoint begins with http:// or https://");
    }
    const char *host = endpoint + (target->https ? 8 : 7);
    if (strchr(host, '@') != NULL) {
        return err_set(err, ERR_SETTINGS, "an S3 endpoint must not hold credentials");
    }
    size_t length = strcspn(host, "/?#");
    if (length == 0 || (host[length] != '\0' && strcmp(host + length, "/") != 0)) {
        return err_set(err, ERR_SETTINGS, "an S3 endpoint is http(s)://host[:port], not \"%.200s\"",
                       endpoint);
    }
    if (length >= sizeof target->host - STORE_BUCKET_MAX - 1 ||
        strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]") <
            length) {
        return err_set(err, ERR_SETTINGS, "the S3 endpoint \"%.200s\" is no host's name", endpoint);
    }
    memcpy(target->host, host, length);
    target->host[length] = '\0';
    /* As libcurl writes the Host header, which is signed: without the scheme's own port. */
    const char *own_port = target->https ? ":443" : ":80";
    size_t port_length = strlen(own_port);
    if (length > port_length && strcmp(target->host + length - port_length, own_port) == 0) {
        target->host[length - port_length] = '\0';
    }
    return true;
}

bool s3_target_init(struct s3_target *target, const char *endpoint, const char *region,
                    enum s3_addressing addressing, struct err *err)
{
    *target = (struct s3_target){.addressing = addressing};
    if (region[0] == '\0' || strlen(region) > 60 ||
        strspn(region, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") !=
            strlen(region)) {
        return err_set(err, ERR_SETTINGS, "\"%.60s\" is no region's name", region);
    }
    if (endpoint != NULL) {
        return parse_endpoint(target, endpoint, err);
    }
    target->https = true;
    target->amazon = true;
    snprintf(target->host, sizeof target->host, "s3.%s.amazonaws.com%s", region,
             begins_with(region, "cn-") ? ".cn" : "");
    return true;
}

static bool is_virtual(const struct s3_target *target, const char *bucket)
{
    switch (target->addressing) {
    case S3_ADDRESSING_PATH:
        return false;
    case S3_ADDRESSING_VIRTUAL:
        return true;
    case S3_ADDRESSING_AUTO:
        break;
    }
    /* A bucket's dots do not match the wildcard of Amazon's certificate. */
    return target->amazon && strchr(bucket, '.') == NULL;
}

void s3_target_of(const struct s3_target *target, const char *bucket, const char *key,
                  const struct sign_pair *query, size_t query_count, struct buf *host,
                  struct buf *path, struct buf *url)
{
    if (is_virtual(target, bucket)) {
        buf_add_format(host, "%s.%s", bucket, target->host);
        buf_add_format(path, "/%s", key == NULL ? "" : key);
    } else {
        buf_add_text(host, target->host);
        buf_add_format(path, "/%s%s%s", bucket, key == NULL ? "" : "/", key == NULL ? "" : key);
    }
    buf_add_format(url, "%s://%s", target->https ? "https" : "http", buf_text(host));
    sign_encode(buf_text(path), true, url);
    if (query_count > 0) {
        buf_add_byte(url, '?');
        sign_query(query, query_count, url);
    }
}

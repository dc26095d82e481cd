/* Hosts, paths and URLs of requests. */
#include <criterion/criterion.h>

#include "adapters/s3/s3_target.h"

Test(s3_target, urls)
{
    static const struct {
        const char *endpoint;
        const char *region;
        enum s3_addressing addressing;
        const char *bucket;
        const char *key;
        const char *host;
        const char *path;
        const char *url;
    } cases[] = {
        {NULL, "eu-west-1", S3_ADDRESSING_AUTO, "bucket", "a b",
         "bucket.s3.eu-west-1.amazonaws.com", "/a b",
         "https://bucket.s3.eu-west-1.amazonaws.com/a%20b?x=1%2F2"},
        {NULL, "eu-west-1", S3_ADDRESSING_AUTO, "with.dots", "a", "s3.eu-west-1.amazonaws.com",
         "/with.dots/a", "https://s3.eu-west-1.amazonaws.com/with.dots/a?x=1%2F2"},
        {NULL, "eu-west-1", S3_ADDRESSING_PATH, "bucket", NULL, "s3.eu-west-1.amazonaws.com",
         "/bucket", "https://s3.eu-west-1.amazonaws.com/bucket?x=1%2F2"},
        {NULL, "cn-north-1", S3_ADDRESSING_AUTO, "bucket", NULL,
         "bucket.s3.cn-north-1.amazonaws.com.cn", "/",
         "https://bucket.s3.cn-north-1.amazonaws.com.cn/?x=1%2F2"},
        {"http://localhost:9000", "r", S3_ADDRESSING_AUTO, "bucket", "run_id=1/a", "localhost:9000",
         "/bucket/run_id=1/a", "http://localhost:9000/bucket/run_id%3D1/a?x=1%2F2"},
        {"http://minio:80/", "r", S3_ADDRESSING_VIRTUAL, "bucket", "k", "bucket.minio", "/k",
         "http://bucket.minio/k?x=1%2F2"},
        {"https://[::1]:443", "r", S3_ADDRESSING_AUTO, "bucket", "k", "[::1]", "/bucket/k",
         "https://[::1]/bucket/k?x=1%2F2"},
        {"https://host:80", "r", S3_ADDRESSING_AUTO, "bucket", "k", "host:80", "/bucket/k",
         "https://host:80/bucket/k?x=1%2F2"},
    };
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        struct err err = {0};
        struct s3_target target;
        AUTO(buf) struct buf host;
        AUTO(buf) struct buf path;
        AUTO(buf) struct buf url;
        buf_init(&host, 4096);
        buf_init(&path, 4096);
        buf_init(&url, 4096);
        cr_assert(
            s3_target_init(&target, cases[i].endpoint, cases[i].region, cases[i].addressing, &err),
            "%s", err.message);
        struct sign_pair query = {"x", "1/2"};
        s3_target_of(&target, cases[i].bucket, cases[i].key, &query, 1, &host, &path, &url);
        cr_expect_str_eq(buf_text(&host), cases[i].host);
        cr_expect_str_eq(buf_text(&path), cases[i].path);
        cr_expect_str_eq(buf_text(&url), cases[i].url);
    }
}

Test(s3_target, refusals)
{
    static const char *const endpoints[] = {
        "localhost:9000",   "ftp://host",    "http://",    "http:///x",
        "http://host/path", "http://host?x", "http://a b", "https://user:hunter2@host"};
    struct err err = {0};
    struct s3_target target;
    for (size_t i = 0; i < LENGTH_OF(endpoints); i++) {
        cr_expect_not(s3_target_init(&target, endpoints[i], "r", S3_ADDRESSING_AUTO, &err), "%s",
                      endpoints[i]);
        cr_expect_eq(err.kind, ERR_SETTINGS);
        cr_expect_null(strstr(err.message, "hunter2"));
    }
    cr_expect_not(s3_target_init(&target, NULL, "", S3_ADDRESSING_AUTO, &err));
    cr_expect_not(s3_target_init(&target, NULL, "evil.com/", S3_ADDRESSING_AUTO, &err));
}

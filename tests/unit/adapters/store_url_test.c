/* Store URLs and keys: what is taken, what is refused, and how they are joined. */
#include <criterion/criterion.h>
#include <string.h>

#include "adapters/store_url.h"

Test(store_url, taken)
{
    static const struct {
        const char *url;
        enum store_scheme scheme;
        const char *bucket;
        const char *prefix;
        const char *text;
    } cases[] = {
        {"s3://bucket/prefix", STORE_S3, "bucket", "prefix", "s3://bucket/prefix"},
        {"s3://my.bucket-1/a/b c/", STORE_S3, "my.bucket-1", "a/b c", "s3://my.bucket-1/a/b c"},
        {"file:///var/lib/x/", STORE_FILE, "", "/var/lib/x", "file:///var/lib/x"},
    };
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        struct store_url url;
        struct err err = {0};
        cr_assert(store_url_parse(cases[i].url, &url, &err), "%s", err.message);
        cr_expect_eq(url.scheme, cases[i].scheme);
        cr_expect_str_eq(url.bucket, cases[i].bucket);
        cr_expect_str_eq(url.prefix, cases[i].prefix);
        AUTO(buf) struct buf text;
        buf_init(&text, 4096);
        store_url_text(&url, &text);
        cr_expect_str_eq(buf_text(&text), cases[i].text);
    }
}

Test(store_url, refused)
{
    static const struct {
        const char *url;
        const char *word; /* in the message */
    } cases[] = {
        {"", "s3:// or file://"},
        {"/var/lib", "s3:// or file://"},
        {"http://bucket/prefix", "s3:// or file://"},
        {"s3://bucket", "prefix"},
        {"s3://bucket/", "prefix"},
        {"s3://bucket//x", "begins or ends"},
        {"s3://bucket/a//b", "'//'"},
        {"s3://bucket/a/../b", "'..'"},
        {"s3://bucket/a?b", "'?'"},
        {"s3://bucket/a#b", "'#'"},
        {"s3://bucket/a\tb", "control"},
        {"s3://bucket/a/run_id=5", "run_id="},
        {"s3://bu/x", "3 to 63"},
        {"s3://Bucket/x", "lower-case"},
        {"s3://-bucket/x", "lower-case"},
        {"s3://bucket:9000/x", "lower-case"},
        {"s3:///x", "3 to 63"},
        {"s3://bucket/\xff", "UTF-8"},
        {"file://relative/x", "three slashes"},
        {"file://", "three slashes"},
        {"file:///", "root"},
        {"file:///a//b", "'//'"},
        {"file:///a/./b", "'.'"},
    };
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        struct store_url url;
        struct err err = {0};
        cr_expect_not(store_url_parse(cases[i].url, &url, &err), "%s", cases[i].url);
        cr_expect_eq(err.kind, ERR_SETTINGS);
        cr_expect_not_null(strstr(err.message, cases[i].word), "%s: %s", cases[i].url, err.message);
    }
}

Test(store_url, passwords_are_not_repeated)
{
    static const char *const urls[] = {"s3://key:hunter2@bucket/x", "https://key:hunter2@host/x"};
    for (size_t i = 0; i < LENGTH_OF(urls); i++) {
        struct store_url url;
        struct err err = {0};
        cr_expect_not(store_url_parse(urls[i], &url, &err));
        cr_expect_null(strstr(err.message, "hunter2"), "%s", err.message);
    }
}

Test(store_url, too_long)
{
    char url[1200];
    memset(url, 'x', sizeof url);
    memcpy(url, "s3://bucket/", 12);
    struct store_url parsed;
    struct err err = {0};
    url[12 + STORE_KEY_MAX] = '\0';
    cr_expect(store_url_parse(url, &parsed, &err));
    url[12 + STORE_KEY_MAX] = 'x';
    url[13 + STORE_KEY_MAX] = '\0';
    cr_expect_not(store_url_parse(url, &parsed, &err));
}

Test(store_url, objects)
{
    struct store_url url;
    struct err err = {0};
    cr_assert(store_url_parse_object("s3://bucket/p/shards/run_id=1/shard.db", &url, &err));
    cr_expect_str_eq(url.prefix, "p/shards/run_id=1/shard.db");
    cr_expect_not(store_url_parse_object("s3://bucket/p/../x", &url, &err));
    cr_expect_eq(err.kind, ERR_INPUT);
}

Test(store_url, joining)
{
    static const struct {
        const char *base;
        const char *part;
        const char *joined;
    } cases[] = {
        {"s3://b/p", "x", "s3://b/p/x"},
        {"s3://b/p/", "/x/", "s3://b/p/x"},
        {"s3://b/p//", "//x/y//", "s3://b/p/x/y"},
        {"s3://b/p/", "", "s3://b/p"},
        {"s3://b/p", "/", "s3://b/p"},
    };
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        AUTO(buf) struct buf text;
        buf_init(&text, 4096);
        store_url_join(cases[i].base, cases[i].part, &text);
        cr_expect_str_eq(buf_text(&text), cases[i].joined);
    }
}

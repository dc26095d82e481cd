/* Store URLs and keys: what is taken has one normal form, and joins without a step outside. */
#include <stdint.h>
#include <string.h>

#include "adapters/store_url.h"
#include "core/base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_url(const char *text)
{
    struct store_url url;
    struct err err = {0};
    if (!store_url_parse(text, &url, &err)) {
        CHECK(err.kind == ERR_SETTINGS && err.message[0] != '\0');
        return;
    }
    AUTO(buf) struct buf normal;
    buf_init(&normal, 4096);
    store_url_text(&url, &normal);
    struct store_url again;
    CHECK(store_url_parse(buf_text(&normal), &again, &err));
    CHECK(strcmp(again.prefix, url.prefix) == 0 && strcmp(again.bucket, url.bucket) == 0);
    CHECK(strstr(url.prefix, "..") == NULL && strstr(url.prefix, "//") == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[2048];
    size_t length = size < sizeof text - 1 ? size : sizeof text - 1;
    memcpy(text, data, length);
    text[length] = '\0';
    check_url(text);
    struct err err = {0};
    if (store_key_check(text, &err)) {
        AUTO(buf) struct buf joined;
        buf_init(&joined, 4096);
        store_url_join("s3://bucket/prefix", text, &joined);
        struct store_url url;
        CHECK(store_url_parse_object(buf_text(&joined), &url, &err) ||
              strlen(text) + strlen("prefix/") > STORE_KEY_MAX);
    }
    return 0;
}

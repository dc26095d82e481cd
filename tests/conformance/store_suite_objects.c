/* Writing, reading and deleting single objects. */
#include <string.h>
#include <unistd.h>

#include "adapters/os/file.h"
#include "tests/conformance/store_suite.h"

static void put_then_get(const struct store_suite *suite, struct store *store)
{
    (void)suite;
    static const size_t sizes[] = {0, 1, 1000, 100000};
    struct err err = {0};
    for (size_t i = 0; i < LENGTH_OF(sizes); i++) {
        uint8_t *bytes = store_suite_bytes(sizes[i], (unsigned)i);
        struct store_content content = {.bytes = bytes_of(bytes, sizes[i])};
        struct store_etag put_etag = {{0}};
        struct store_info got = {0};
        struct store_info head = {0};
        struct buf now;
        buf_init(&now, 200000);
        EXPECT_OK(
            store_put(store, "runs/run_id=1/object", &content, store_always(), &put_etag, &err));
        EXPECT_OK(store_get(store, "runs/run_id=1/object", &now, &got, &err));
        EXPECT(bytes_equal(buf_bytes(&now), content.bytes));
        EXPECT_OK(store_head(store, "runs/run_id=1/object", &head, &err));
        EXPECT(put_etag.text[0] == '"');
        EXPECT(strcmp(put_etag.text, got.etag.text) == 0);
        EXPECT(strcmp(put_etag.text, head.etag.text) == 0);
        EXPECT(got.size == sizes[i] && head.size == sizes[i]);
        EXPECT(head.modified_us > INT64_C(1700000000000000));
        buf_done(&now);
        free(bytes);
    }
}

static void equal_content_has_an_equal_tag(const struct store_suite *suite, struct store *store)
{
    (void)suite;
    struct err err = {0};
    struct store_etag tags[3];
    static const char *const texts[] = {"one", "two", "one"};
    for (size_t i = 0; i < 3; i++) {
        struct store_content content = suite_text(texts[i]);
        EXPECT_OK(store_put(store, "o", &content, store_always(), &tags[i], &err));
    }
    EXPECT(strcmp(tags[0].text, tags[1].text) != 0);
    EXPECT(strcmp(tags[0].text, "\"f97c5d29941bfb1b2fdab0874906ab82\"") == 0);
    EXPECT(strcmp(tags[0].text, tags[2].text) == 0);
}

static void missing(const struct store_suite *suite, struct store *store)
{
    (void)suite;
    struct err err = {0};
    struct store_info info;
    struct buf now;
    buf_init(&now, 100);
    EXPECT_ERR(store_get(store, "no/such/object", &now, NULL, &err), ERR_MISSING);
    EXPECT(strstr(err.message, "no/such/object") != NULL);
    EXPECT_ERR(store_head(store, "none", &info, &err), ERR_MISSING);
    EXPECT_ERR(store_get_range(store, "none", 0, 5, &now, &err), ERR_MISSING);
    EXPECT_OK(store_delete(store, "none", &err));
    EXPECT_OK(store_delete(store, "none/below", &err));
    char path[512];
    snprintf(path, sizeof path, "%s/none", suite->folder);
    EXPECT_ERR(store_get_to_file(store, "none", path, NULL, &err), ERR_MISSING);
    EXPECT(access(path, F_OK) != 0);
    store_suite_put(store, "there", "x");
    EXPECT_OK(store_delete(store, "there", &err));
    EXPECT_ERR(store_head(store, "there", &info, &err), ERR_MISSING);
}

static void get_keeps_the_limit(const struct store_suite *suite, struct store *store)
{
    (void)suite;
    struct err err = {0};
    struct buf now;
    buf_init(&now, 10);
    store_suite_put(store, "ten", "0123456789");
    EXPECT_OK(store_get(store, "ten", &now, NULL, &err));
    store_suite_put(store, "eleven", "0123456789a");
    buf_clear(&now);
    EXPECT_ERR(store_get(store, "eleven", &now, NULL, &err), ERR_LIMIT);
    buf_done(&now);
}

static void ranges(const struct store_suite *suite, struct store *store)
{
    (void)suite;
    struct err err = {0};
    struct buf now;
    buf_init(&now, 100);
    store_suite_put(store, "o", "0123456789");
    EXPECT_OK(store_get_range(store, "o", 2, 3, &now, &err));
    EXPECT(strcmp(buf_text(&now), "234") == 0);
    EXPECT_OK(store_get_range(store, "o", 9, 1, &now, &err));
    EXPECT_OK(store_get_range(store, "o", 0, 10, &now, &err));
    EXPECT_OK(store_get_range(store, "o", 5, 0, &now, &err));
    EXPECT(strcmp(buf_text(&now), "23490123456789") == 0);
    EXPECT_ERR(store_get_range(store, "o", 8, 3, &now, &err), ERR_CORRUPT);
    EXPECT_ERR(store_get_range(store, "o", 10, 1, &now, &err), ERR_CORRUPT);
    EXPECT_ERR(store_get_range(store, "o", 1000, 1, &now, &err), ERR_CORRUPT);
    buf_done(&now);
}

static bool add_to(void *to, struct bytes bytes, struct err *err)
{
    (void)err;
    buf_add_bytes(to, bytes);
    return true;
}

static void ranges_of_one_version(const struct store_suite *suite, struct store *store)
{
    (void)suite;
    struct err err = {0};
    struct store_etag etag;
    struct buf now;
    buf_init(&now, 100);
    struct store_sink sink = {add_to, &now};
    struct store_content first = suite_text("0123456789");
    EXPECT_OK(store_put(store, "o", &first, store_always(), &etag, &err));
    struct store_range range = {.offset = 4, .length = 2, .if_match = etag.text};
    EXPECT_OK(store_read(store, "o", range, &sink, NULL, &err));
    EXPECT(strcmp(buf_text(&now), "45") == 0);
    store_suite_put(store, "o", "9876543210");
    EXPECT_ERR(store_read(store, "o", range, &sink, NULL, &err), ERR_CONFLICT);
    EXPECT(now.size == 2);
    range.if_match = NULL;
    EXPECT_OK(store_read(store, "o", range, &sink, NULL, &err));
    EXPECT(strcmp(buf_text(&now), "4554") == 0);
    range.if_match = etag.text;
    EXPECT_ERR(store_read(store, "none", range, &sink, NULL, &err), ERR_MISSING);
    buf_done(&now);
}

static void write_local(const char *path, const uint8_t *bytes, size_t size)
{
    struct err err = {0};
    EXPECT_OK(file_write(path, bytes_of(bytes, size), 0644, &err));
}

/* Larger than the multipart threshold of S3, and with a last part that is not full. */
enum { LARGE = 17 * 1024 * 1024 + 5 };

static void large_files(const struct store_suite *suite, struct store *store)
{
    struct err err = {0};
    char path[512];
    char back[600];
    snprintf(path, sizeof path, "%s/large", suite->folder);
    snprintf(back, sizeof back, "%s.back", path);
    uint8_t *bytes = store_suite_bytes(LARGE, 7);
    write_local(path, bytes, LARGE);
    struct store_content content = {.path = path};
    struct store_etag etag;
    struct store_info info;
    EXPECT_OK(store_put(store, "kept", &content, store_if_absent(), &etag, &err));
    EXPECT(access(path, F_OK) == 0);
    EXPECT_ERR(store_put(store, "kept", &content, store_if_absent(), NULL, &err), ERR_CONFLICT);
    EXPECT_OK(store_head(store, "kept", &info, &err));
    EXPECT(info.size == LARGE && strcmp(info.etag.text, etag.text) == 0);
    EXPECT_OK(store_put_settled(store, "kept", &content, store_if_absent(), NULL, &err));
    content.take_file = true;
    EXPECT_OK(store_put(store, "deep/folder/taken", &content, store_if_absent(), NULL, &err));
    EXPECT(access(path, F_OK) != 0);
    EXPECT_OK(store_get_to_file(store, "deep/folder/taken", back, &info, &err));
    struct buf now;
    buf_init(&now, LARGE);
    EXPECT_OK(file_read(back, &now, &err));
    EXPECT(bytes_equal(buf_bytes(&now), bytes_of(bytes, LARGE)));
    buf_clear(&now);
    EXPECT_OK(store_get_range(store, "kept", LARGE - 100, 100, &now, &err));
    EXPECT(memcmp(now.data, bytes + LARGE - 100, 100) == 0);
    EXPECT_OK(file_remove(back, &err));
    struct buf url;
    buf_init(&url, 4096);
    store_object_url(store, "kept", &url);
    EXPECT_OK(store_copy(store, buf_text(&url), "copied", NULL, &err));
    EXPECT_OK(store_head(store, "copied", &info, &err));
    EXPECT(info.size == LARGE);
    /* on S3 the copy has its source's tag, which a sidecar may name */
    EXPECT((strcmp(info.etag.text, etag.text) == 0) == (store->url.scheme == STORE_S3));
    buf_clear(&now);
    EXPECT_OK(store_get(store, "copied", &now, NULL, &err));
    EXPECT(bytes_equal(buf_bytes(&now), bytes_of(bytes, LARGE)));
    buf_done(&url);
    buf_done(&now);
    free(bytes);
}

static void files_and_take(const struct store_suite *suite, struct store *store)
{
    struct err err = {0};
    char path[512];
    snprintf(path, sizeof path, "%s/small", suite->folder);
    struct store_content content = {.path = path, .take_file = true};
    EXPECT_ERR(store_put(store, "o", &content, store_always(), NULL, &err), ERR_MISSING);
    EXPECT(strstr(err.message, path) != NULL);
    write_local(path, (const uint8_t *)"taken", 5);
    store_suite_put(store, "o", "before");
    EXPECT_ERR(store_put(store, "o", &content, store_if_absent(), NULL, &err), ERR_CONFLICT);
    EXPECT(access(path, F_OK) == 0);
    EXPECT_OK(store_put(store, "o", &content, store_always(), NULL, &err));
    EXPECT(access(path, F_OK) != 0);
    store_suite_expect(store, "o", "taken");
    write_local(path, (const uint8_t *)"", 0);
    EXPECT_OK(store_put(store, "empty", &content, store_if_absent(), NULL, &err));
    store_suite_expect(store, "empty", "");
}

static void conditions(const struct store_suite *suite, struct store *store)
{
    (void)suite;
    struct err err = {0};
    struct store_etag first;
    struct store_etag second;
    struct store_etag none = {"\"00000000000000000000000000000000\""};
    struct store_content one = suite_text("one");
    struct store_content two = suite_text("two");
    EXPECT_ERR(store_put(store, "o", &one, store_if_match(&none), NULL, &err), ERR_CONFLICT);
    EXPECT_OK(store_put(store, "o", &one, store_if_absent(), &first, &err));
    EXPECT_ERR(store_put(store, "o", &two, store_if_absent(), NULL, &err), ERR_CONFLICT);
    EXPECT_ERR(store_put(store, "o", &two, store_if_match(&none), NULL, &err), ERR_CONFLICT);
    store_suite_expect(store, "o", "one");
    EXPECT_OK(store_put(store, "o", &two, store_if_match(&first), &second, &err));
    store_suite_expect(store, "o", "two");
    EXPECT_ERR(store_put(store, "o", &one, store_if_match(&first), NULL, &err), ERR_CONFLICT);
    store_suite_expect(store, "o", "two");
    EXPECT_OK(store_delete(store, "o", &err));
    EXPECT_ERR(store_put(store, "o", &one, store_if_match(&second), NULL, &err), ERR_CONFLICT);
    EXPECT_OK(store_put(store, "o", &one, store_if_absent(), NULL, &err));
}

static void settled(const struct store_suite *suite, struct store *store)
{
    (void)suite;
    struct err err = {0};
    struct store_etag first;
    struct store_etag again = {{0}};
    struct store_content one = suite_text("one");
    struct store_content longer = suite_text("one and more");
    struct store_content shorter = suite_text("on");
    EXPECT_OK(store_put_settled(store, "o", &one, store_if_absent(), &first, &err));
    EXPECT_OK(store_put_settled(store, "o", &one, store_if_absent(), &again, &err));
    EXPECT(strcmp(first.text, again.text) == 0);
    EXPECT_ERR(store_put_settled(store, "o", &longer, store_if_absent(), NULL, &err), ERR_CONFLICT);
    EXPECT_ERR(store_put_settled(store, "o", &shorter, store_if_absent(), NULL, &err),
               ERR_CONFLICT);
    EXPECT_OK(store_put_settled(store, "o", &longer, store_if_match(&first), NULL, &err));
    EXPECT_OK(store_put_settled(store, "o", &longer, store_if_match(&first), NULL, &err));
    EXPECT_ERR(store_put_settled(store, "o", &shorter, store_if_match(&first), NULL, &err),
               ERR_CONFLICT);
    store_suite_expect(store, "o", "one and more");
}

static void copies(const struct store_suite *suite, struct store *store)
{
    struct err err = {0};
    struct store *other = suite->open(suite->context, "suite/copy-source");
    store_suite_put(other, "shards/run_id=1/db=00000/shard.db", "content");
    struct buf url;
    buf_init(&url, 4096);
    store_object_url(other, "shards/run_id=1/db=00000/shard.db", &url);
    struct store_etag etag;
    struct store_info info;
    EXPECT_OK(store_copy(store, buf_text(&url), "shards/run_id=2/shard.db", &etag, &err));
    store_suite_expect(store, "shards/run_id=2/shard.db", "content");
    EXPECT_OK(store_head(store, "shards/run_id=2/shard.db", &info, &err));
    EXPECT(strcmp(info.etag.text, etag.text) == 0);
    store_suite_put(other, "shards/run_id=1/db=00000/shard.db", "changed");
    EXPECT_OK(store_copy(store, buf_text(&url), "shards/run_id=2/shard.db", NULL, &err));
    store_suite_expect(store, "shards/run_id=2/shard.db", "changed");
    buf_clear(&url);
    store_object_url(other, "none", &url);
    EXPECT_ERR(store_copy(store, buf_text(&url), "x", NULL, &err), ERR_MISSING);
    EXPECT_ERR(store_copy(store, "http://host/a", "x", NULL, &err), ERR_INPUT);
    buf_done(&url);
    store_free(other);
}

static void counters_and_stop(const struct store_suite *suite, struct store *store)
{
    (void)suite;
    struct err err = {0};
    store_suite_put(store, "o", "12345");
    store_suite_expect(store, "o", "12345");
    const struct store_operation_counters *put = &store->counters.of[STORE_PUT];
    const struct store_operation_counters *get = &store->counters.of[STORE_GET];
    EXPECT(put->calls == 1 && put->requests == 1 && put->bytes_sent == 5 && put->failures == 0);
    EXPECT(get->calls == 1 && get->requests == 1 && get->bytes_received == 5);
    EXPECT(put->retries == 0 && put->time_us > 0);
    store_stop(store);
    struct store_info info;
    EXPECT_ERR(store_head(store, "o", &info, &err), ERR_STOPPED);
    EXPECT(store->counters.of[STORE_HEAD].failures == 1);
}

const struct store_case store_suite_objects[] = {
    {"put_then_get", put_then_get},
    {"equal_content_has_an_equal_tag", equal_content_has_an_equal_tag},
    {"missing", missing},
    {"get_keeps_the_limit", get_keeps_the_limit},
    {"ranges", ranges},
    {"ranges_of_one_version", ranges_of_one_version},
    {"files_and_take", files_and_take},
    {"large_files", large_files},
    {"conditions", conditions},
    {"settled", settled},
    {"copies", copies},
    {"counters_and_stop", counters_and_stop},
    {NULL, NULL},
};

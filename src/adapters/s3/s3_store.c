/* An S3 bucket, or any server that speaks its language, as an object store. */
#include "adapters/s3/s3_store.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/os/backoff.h"
#include "adapters/os/clock.h"
#include "adapters/s3/credentials_files.h"
#include "adapters/s3/reply.h"
#include "adapters/s3/s3_copy.h"
#include "adapters/s3/s3_read.h"
#include "adapters/s3/s3_request.h"
#include "adapters/s3/s3_upload.h"

enum { DELETE_XML_MAX = 8 * 1024 * 1024 };

struct whole_key {
    char text[STORE_KEY_MAX + 1];
};

static struct whole_key key_in_bucket(const struct store *store, const char *key)
{
    struct whole_key whole;
    int length = snprintf(whole.text, sizeof whole.text, "%s/%s", store->url.prefix, key);
    CHECK(length > 0 && (size_t)length < sizeof whole.text);
    return whole;
}

static bool s3_store_put(struct store *store, const char *key, const struct store_content *content,
                         struct store_condition condition, struct store_etag *ret_etag,
                         struct err *err)
{
    struct whole_key whole = key_in_bucket(store, key);
    return s3_upload(s3_store_of(store), whole.text, content, condition, ret_etag, err);
}

static bool s3_store_get(struct store *store, const char *key, struct store_range range,
                         const struct store_sink *sink, struct store_info *ret_info,
                         struct err *err)
{
    struct whole_key whole = key_in_bucket(store, key);
    return s3_read(s3_store_of(store), whole.text, range, sink, ret_info, err);
}

static bool s3_store_head(struct store *store, const char *key, struct store_info *ret_info,
                          struct err *err)
{
    struct whole_key whole = key_in_bucket(store, key);
    struct s3_head head;
    TRY(s3_head_of(s3_store_of(store), STORE_HEAD, NULL, whole.text, &head, err));
    *ret_info = head.info;
    return true;
}

static bool s3_store_copy(struct store *store, const struct store_url *from, const char *key,
                          struct store_etag *ret_etag, struct err *err)
{
    struct whole_key whole = key_in_bucket(store, key);
    return s3_copy(s3_store_of(store), from, whole.text, ret_etag, err);
}

/* ---- listing ---- */

static bool fill_page(const struct store *store, struct bytes xml, struct store_page *page,
                      struct err *err)
{
    struct reply_list list;
    TRY(reply_list_of(xml, page->arena, &list, err));
    size_t skip = strlen(store->url.prefix) + 1;
    page->entries = arena_alloc(page->arena, (list.count + 1) * sizeof *page->entries);
    for (size_t i = 0; i < list.count; i++) {
        const struct reply_object *object = &list.objects[i];
        if (strncmp(object->key, store->url.prefix, skip - 1) != 0 ||
            object->key[skip - 1] != '/') {
            return err_set(err, ERR_TRANSIENT, "the server lists %.200s, which was not asked for",
                           object->key);
        }
        if (object->key[skip] == '\0') {
            continue; /* the marker of a folder, as consoles make it: our own prefix */
        }
        page->entries[page->count++] = (struct store_entry){.key = object->key + skip,
                                                            .folder = object->folder,
                                                            .size = object->size,
                                                            .modified_us = object->modified_us};
    }
    page->next = list.next;
    return true;
}

static bool s3_store_list(struct store *store, const char *prefix, bool folders, const char *from,
                          size_t entries_max, struct store_page *page, struct err *err)
{
    char limit[16];
    char whole[STORE_KEY_MAX + 2];
    snprintf(limit, sizeof limit, "%zu", entries_max);
    int length = snprintf(whole, sizeof whole, "%s/%s", store->url.prefix, prefix);
    if (length < 0 || (size_t)length >= sizeof whole) {
        return err_set(err, ERR_INPUT, "the prefix is too long");
    }
    struct s3_call call = {.operation = STORE_LIST,
                           .method = "GET",
                           .deadline_us = s3_deadline_us(s3_store_of(store), 0)};
    s3_call_query(&call, "list-type", "2");
    s3_call_query(&call, "encoding-type", "url");
    s3_call_query(&call, "max-keys", limit);
    s3_call_query(&call, "prefix", whole);
    if (folders) {
        s3_call_query(&call, "delimiter", "/");
    }
    if (from != NULL) {
        s3_call_query(&call, "continuation-token", from);
    }
    struct http_response response = {0};
    buf_init(&response.body, HTTP_BODY_MAX);
    bool ok = s3_send(s3_store_of(store), &call, &response, err) &&
              fill_page(store, buf_bytes(&response.body), page, err);
    buf_done(&response.body);
    return ok;
}

/* ---- deleting ---- */

static bool delete_one(struct s3_store *s3, const char *key, struct err *err)
{
    struct whole_key whole = key_in_bucket(&s3->store, key);
    struct s3_call call = {.operation = STORE_DELETE,
                           .method = "DELETE",
                           .key = whole.text,
                           .changes = true,
                           .deadline_us = s3_deadline_us(s3, 0)};
    struct http_response response = {0};
    buf_init(&response.body, HTTP_BODY_MAX);
    bool ok = s3_send(s3, &call, &response, err);
    buf_done(&response.body);
    return ok || err->kind == ERR_MISSING;
}

static void add_escaped(struct buf *xml, const char *text)
{
    for (const char *at = text; *at != '\0'; at++) {
        switch (*at) {
        case '<':
            buf_add_text(xml, "&lt;");
            break;
        case '>':
            buf_add_text(xml, "&gt;");
            break;
        case '&':
            buf_add_text(xml, "&amp;");
            break;
        default:
            buf_add_byte(xml, (uint8_t)*at);
        }
    }
}

/* The answer names each key that was not deleted. */
static bool check_deleted(struct bytes xml, struct err *err)
{
    struct arena *arena = arena_new(4096);
    struct reply_error error;
    const char *key = NULL;
    bool ok = reply_deleted_of(xml, arena, &error, &key, err);
    if (ok && key != NULL) {
        struct retry_try one = {.status = strcmp(error.code, "InternalError") == 0 ? 500 : 403,
                                .code = error.code};
        ok = err_set(err, retry_decide(&one).kind, "%.200s was not deleted: %s %s", key, error.code,
                     error.message);
    }
    arena_free(arena);
    return ok;
}

static bool delete_batch(struct s3_store *s3, const char *const *keys, size_t count,
                         int64_t deadline_us, struct err *err)
{
    AUTO(buf) struct buf xml;
    buf_init(&xml, DELETE_XML_MAX);
    buf_add_text(&xml, "<Delete><Quiet>true</Quiet>");
    for (size_t i = 0; i < count; i++) {
        struct whole_key whole = key_in_bucket(&s3->store, keys[i]);
        buf_add_text(&xml, "<Object><Key>");
        add_escaped(&xml, whole.text);
        buf_add_text(&xml, "</Key></Object>");
    }
    buf_add_text(&xml, "</Delete>");
    CHECK(!xml.overflowed);
    struct s3_call call = {.operation = STORE_DELETE,
                           .method = "POST",
                           .body = {.bytes = buf_bytes(&xml)},
                           .changes = true,
                           .deadline_us = deadline_us};
    struct s3_digest digest;
    TRY(s3_digest_of(&call.body, &digest, err));
    call.digest = &digest;
    char md5[25];
    CHECK(EVP_EncodeBlock((unsigned char *)md5, digest.md5, sizeof digest.md5) == 24);
    s3_call_query(&call, "delete", "");
    s3_call_header(&call, "content-md5", md5); /* S3 demands it here */
    s3_call_header(&call, "content-type", "application/xml");
    struct http_response response = {0};
    buf_init(&response.body, HTTP_BODY_MAX);
    bool ok = s3_send(s3, &call, &response, err) && check_deleted(buf_bytes(&response.body), err);
    buf_done(&response.body);
    return ok;
}

static bool s3_store_remove(struct store *store, const char *const *keys, size_t count,
                            struct err *err)
{
    struct s3_store *s3 = s3_store_of(store);
    if (count == 1) {
        return delete_one(s3, keys[0], err);
    }
    struct backoff backoff = {.base_us = s3->settings.backoff_base_us,
                              .cap_us = s3->settings.backoff_cap_us};
    int64_t deadline_us = s3_deadline_us(s3, 0);
    for (unsigned i = 0;; i++) {
        if (delete_batch(s3, keys, count, deadline_us, err)) {
            return true;
        }
        /* What s3_send gave up has an HTTP status or no answer; here only single keys are left. */
        bool again = err->kind == ERR_TRANSIENT && err->code == 0 && i < s3->settings.retries_max &&
                     !s3->settings.no_retries && clock_mono_us() < deadline_us;
        if (!again) {
            return false;
        }
        TRY(s3_pause(s3, backoff_next_us(&backoff), deadline_us, NULL, err));
    }
}

/* ---- opening ---- */

static void s3_store_free(struct store *store)
{
    struct s3_store *s3 = s3_store_of(store);
    credentials_free(s3->credentials);
    http_free(s3->http);
    free(s3->kms_key);
    store_done(store);
    free(s3);
}

static const struct store_ops s3_store_ops = {
    .put = s3_store_put,
    .get = s3_store_get,
    .head = s3_store_head,
    .list = s3_store_list,
    .remove = s3_store_remove,
    .copy = s3_store_copy,
    .free = s3_store_free,
};

static int64_t or_time(int64_t value, int64_t otherwise)
{
    return value > 0 ? value : otherwise;
}

static uint64_t or_bytes(uint64_t value, uint64_t otherwise)
{
    return value > 0 ? value : otherwise;
}

static struct s3_settings with_defaults(const struct s3_settings *given)
{
    enum { SECOND = 1000000, MEBIBYTE = 1024 * 1024 };
    struct s3_settings all = *given;
    all.endpoint = all.region = all.profile = all.kms_key = all.ca_file = all.proxy = NULL;
    all.connect_timeout_us = or_time(given->connect_timeout_us, 5 * SECOND);
    all.stall_timeout_us = or_time(given->stall_timeout_us, 20 * SECOND);
    all.request_timeout_us = or_time(given->request_timeout_us, 30 * SECOND);
    all.total_deadline_us = or_time(given->total_deadline_us, 120 * SECOND);
    all.bytes_per_second_min = or_bytes(given->bytes_per_second_min, MEBIBYTE / 4);
    all.retries_max = given->retries_max == 0 ? 8 : given->retries_max;
    all.backoff_base_us = or_time(given->backoff_base_us, SECOND / 10);
    all.backoff_cap_us = or_time(given->backoff_cap_us, 10 * SECOND);
    all.multipart_threshold_bytes = or_bytes(given->multipart_threshold_bytes, 16 * MEBIBYTE);
    all.part_bytes = or_bytes(given->part_bytes, 8 * MEBIBYTE);
    all.copy_single_max_bytes =
        or_bytes(given->copy_single_max_bytes, UINT64_C(5) * 1024 * MEBIBYTE);
    return all;
}

/* The first that is set and not empty, else NULL. */
static const char *first_of(const char *a, const char *b, const char *c, const char *d)
{
    const char *const all[] = {a, b, c, d};
    for (size_t i = 0; i < LENGTH_OF(all); i++) {
        if (all[i] != NULL && all[i][0] != '\0') {
            return all[i];
        }
    }
    return NULL;
}

/* Endpoint and region, from wherever they are said. */
static bool set_target(struct s3_store *s3, const struct s3_settings *settings, struct err *err)
{
    struct profile profile;
    TRY(credentials_files_read(settings->profile, &profile, err));
    const char *endpoint = first_of(settings->endpoint, getenv("AWS_ENDPOINT_URL_S3"),
                                    getenv("AWS_ENDPOINT_URL"), profile.endpoint_url);
    const char *region = first_of(settings->region, getenv("AWS_REGION"),
                                  getenv("AWS_DEFAULT_REGION"), profile.region);
    if (region == NULL && endpoint != NULL) {
        region = "us-east-1";
    }
    bool ok =
        region != NULL ||
        err_set(err, ERR_SETTINGS, "no AWS region: set it, or AWS_REGION, or the profile's region");
    ok = ok && s3_target_init(&s3->target, endpoint, region, settings->addressing, err);
    if (ok) {
        snprintf(s3->region, sizeof s3->region, "%s", region);
    }
    profile_done(&profile);
    return ok;
}

bool s3_store_new(const char *url, const struct s3_settings *settings, struct store **ret_store,
                  struct err *err)
{
    struct store_url parsed;
    TRY(store_url_parse(url, &parsed, err));
    if (parsed.scheme != STORE_S3) {
        return err_set(err, ERR_SETTINGS, "%.200s is not an s3:// URL", url);
    }
    struct s3_store *s3 = calloc(1, sizeof *s3);
    CHECK(s3 != NULL);
    if (!set_target(s3, settings, err)) {
        free(s3);
        return false;
    }
    store_init(&s3->store, &s3_store_ops, &parsed);
    s3->settings = with_defaults(settings);
    s3->store.deadline_us = s3->settings.total_deadline_us;
    const char *kms_key = first_of(settings->kms_key, NULL, NULL, NULL);
    s3->kms_key = kms_key == NULL ? NULL : strdup(kms_key);
    CHECK(kms_key == NULL || s3->kms_key != NULL);
    struct http_settings http = {
        .ca_file = first_of(settings->ca_file, getenv("AWS_CA_BUNDLE"), NULL, NULL),
        .proxy = settings->proxy,
        .connect_timeout_us = s3->settings.connect_timeout_us,
        .stall_timeout_us = s3->settings.stall_timeout_us};
    s3->http = http_new(&http);
    struct credentials_settings credentials = {
        .profile = first_of(settings->profile, NULL, NULL, NULL), .region = s3->region};
    s3->credentials = credentials_new(&credentials, s3->http);
    retry_budget_init(&s3->budget);
    *ret_store = &s3->store;
    return true;
}

/* Content comes down, also when the connection breaks on the way.
 *
 * The happy path: one GET whose body goes to the sink.
 *
 * What can go wrong: the object is not the version that the caller wants (CONFLICT, also with
 * servers that pass over the condition). Or the connection breaks after some bytes. Then the rest
 * is asked for as a range of the same version (If-Match); when the object was replaced meanwhile,
 * the read fails as TRANSIENT rather than mix two versions. */
#include "adapters/s3/s3_read.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/os/backoff.h"
#include "adapters/os/clock.h"
#include "adapters/s3/s3_upload.h"

enum {
    READ_DAY_SECONDS = 86400,
    PROGRESS_BYTES = 64 * 1024, /* that many in one try begin the count of retries anew */
};

/* One read, over as many requests as it takes. */
struct reading {
    struct s3_store *s3;
    const char *key;
    struct store_range range;
    const struct store_sink *sink;
    struct http_response response;
    uint64_t delivered; /* to the sink */
    uint64_t to_skip;   /* of this answer, when the server ignored the range */
    bool answer_began;
    struct store_info info; /* of the first answer */
};

static bool is_whole(const struct reading *reading)
{
    return reading->range.offset == 0 && reading->range.length == UINT64_MAX;
}

/* What is still to come; UINT64_MAX: to the end, wherever that is. */
static uint64_t left_of(const struct reading *reading)
{
    return reading->range.length == UINT64_MAX ? UINT64_MAX
                                               : reading->range.length - reading->delivered;
}

/* Some servers take If-Match and do not look at it. */
static bool is_wanted_version(struct reading *reading, struct err *err)
{
    const char *wanted = reading->range.if_match;
    struct store_etag have = {{0}};
    s3_etag_set(&have, reading->response.etag);
    return wanted == NULL || have.text[0] == '\0' || strcmp(wanted, have.text) == 0 ||
           err_set_code(err, ERR_CONFLICT, 412, "the object is another version than %s: %s", wanted,
                        have.text);
}

static bool on_content(void *to, struct bytes bytes, struct err *err)
{
    struct reading *reading = to;
    if (!reading->answer_began) {
        TRY(is_wanted_version(reading, err));
        reading->answer_began = true;
        reading->to_skip =
            reading->response.status == 206 ? 0 : reading->range.offset + reading->delivered;
        if (reading->info.etag.text[0] == '\0') {
            s3_etag_set(&reading->info.etag, reading->response.etag);
        }
    }
    uint64_t skipped = bytes.size < reading->to_skip ? bytes.size : reading->to_skip;
    reading->to_skip -= skipped;
    uint64_t size = bytes.size - skipped;
    uint64_t left = left_of(reading);
    size = size < left ? size : left;
    if (size == 0) {
        return true;
    }
    TRY(reading->sink->write(reading->sink->to, bytes_of(bytes.data + skipped, (size_t)size), err));
    reading->delivered += size;
    return true;
}

static int64_t http_date_us(const char *text)
{
    time_t at = text[0] == '\0' ? -1 : curl_getdate(text, NULL);
    return at < 0 ? 0 : (int64_t)at * 1000000;
}

/* The whole object's size: of "bytes 0-9/100" the last number. */
static uint64_t size_of(const struct http_response *response)
{
    const char *slash = strrchr(response->content_range, '/');
    if (slash != NULL && slash[1] >= '0' && slash[1] <= '9') {
        return strtoull(slash + 1, NULL, 10);
    }
    return response->status == 206 ? UINT64_MAX : response->content_length;
}

static bool send_get(struct reading *reading, int64_t deadline_us, struct err *err)
{
    struct store_sink sink = {on_content, reading};
    char range[64];
    struct s3_call call = {.operation = STORE_GET,
                           .method = "GET",
                           .key = reading->key,
                           .sink = &sink,
                           .deadline_us = deadline_us};
    uint64_t from = reading->range.offset + reading->delivered;
    if (!is_whole(reading) || from > 0) {
        if (reading->range.length == UINT64_MAX) {
            snprintf(range, sizeof range, "bytes=%" PRIu64 "-", from);
        } else {
            snprintf(range, sizeof range, "bytes=%" PRIu64 "-%" PRIu64, from,
                     reading->range.offset + reading->range.length - 1);
        }
        s3_call_header(&call, "range", range);
    }
    if (reading->delivered > 0) {
        s3_call_header(&call, "if-match", reading->info.etag.text);
    } else if (reading->range.if_match != NULL) {
        s3_call_header(&call, "if-match", reading->range.if_match);
    }
    reading->answer_began = false;
    return s3_send(reading->s3, &call, &reading->response, err);
}

/* Goes on after the connection broke, until all has come or the tries are used up. */
static bool read_all(struct reading *reading, int64_t deadline_us, struct err *err)
{
    struct backoff backoff = {.base_us = reading->s3->settings.backoff_base_us,
                              .cap_us = reading->s3->settings.backoff_cap_us};
    unsigned broken = 0;
    for (;;) {
        uint64_t before = reading->delivered;
        if (send_get(reading, deadline_us, err)) {
            return true;
        }
        if (before > 0 && err->kind == ERR_CONFLICT) {
            return err_set_code(err, ERR_TRANSIENT, 412,
                                "the object was replaced while it was read");
        }
        if (!s3_content_broke(&reading->response) || reading->s3->settings.no_retries) {
            return false;
        }
        if (left_of(reading) == 0) {
            return true;
        }
        if (reading->delivered - before >= PROGRESS_BYTES) {
            broken = 0; /* a bad line may break often, but not for a few bytes each time */
            backoff_reset(&backoff);
        }
        if (++broken > reading->s3->settings.retries_max ||
            !retry_budget_take(&reading->s3->budget) || reading->info.etag.text[0] == '\0') {
            return false;
        }
        atomic_fetch_add(&reading->s3->store.counters.of[STORE_GET].retries, 1);
        TRY(s3_pause(reading->s3, backoff_next_us(&backoff), deadline_us, NULL, err));
    }
}

/* A range that begins at the very end is empty, and no range to S3. */
static bool is_empty_tail(const struct reading *reading, const struct err *err)
{
    return err->code == 416 && reading->range.length == UINT64_MAX &&
           size_of(&reading->response) == reading->range.offset;
}

bool s3_read(struct s3_store *s3, const char *key, struct store_range range,
             const struct store_sink *sink, struct store_info *ret_info, struct err *err)
{
    struct reading reading = {.s3 = s3, .key = key, .range = range, .sink = sink};
    buf_init(&reading.response.body, HTTP_BODY_MAX);
    uint64_t expected = range.length == UINT64_MAX
                            ? s3->settings.bytes_per_second_min * READ_DAY_SECONDS
                            : range.length;
    bool ok = read_all(&reading, s3_deadline_us(s3, expected), err);
    if (!ok && is_empty_tail(&reading, err)) {
        struct s3_head head;
        ok = s3_head_of(s3, STORE_GET, NULL, key, &head, err);
        reading.info = head.info;
    } else if (ok) {
        if (reading.info.etag.text[0] == '\0') {
            s3_etag_set(&reading.info.etag, reading.response.etag); /* an empty object */
        }
        reading.info.size = size_of(&reading.response);
        reading.info.modified_us = http_date_us(reading.response.last_modified);
        if (is_whole(&reading) && reading.info.size == UINT64_MAX) {
            reading.info.size = reading.delivered;
        }
        if (range.length != UINT64_MAX && reading.delivered < range.length) {
            ok = err_set(err, ERR_CORRUPT, "the object ends before the range asked for");
        }
    }
    buf_done(&reading.response.body);
    if (ok && ret_info != NULL) {
        *ret_info = reading.info;
    }
    return ok;
}

bool s3_head_of(struct s3_store *s3, enum store_operation operation, const char *bucket,
                const char *key, struct s3_head *ret_head, struct err *err)
{
    struct s3_call call = {.operation = operation,
                           .method = "HEAD",
                           .bucket = bucket,
                           .key = key,
                           .deadline_us = s3_deadline_us(s3, 0)};
    struct http_response response = {0};
    buf_init(&response.body, HTTP_BODY_MAX);
    bool ok = s3_send(s3, &call, &response, err);
    buf_done(&response.body);
    TRY(ok);
    struct s3_head head = {0};
    s3_etag_set(&head.info.etag, response.etag);
    head.info.size = response.content_length;
    head.info.modified_us = http_date_us(response.last_modified);
    memcpy(head.content_type, response.content_type, sizeof head.content_type);
    if (head.info.size == UINT64_MAX) {
        return err_set(err, ERR_TRANSIENT, "the server does not tell the object's size");
    }
    *ret_head = head;
    return true;
}

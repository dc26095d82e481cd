/* One S3 request, signed, sent, and sent again where that is right.
 *
 * The happy path: keys, signature, one exchange, a 2xx.
 *
 * What can go wrong: all that retry.h decides about. Two faults are mended at once and only once a
 * call: a clock that is off (the server's is used from then on) and keys that have ended.
 * Everything else waits with full jitter, or as long as Retry-After says, while tries, the store's
 * budget of retries and the deadline last. */
#include "adapters/s3/s3_request.h"

#include <curl/curl.h>
#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "adapters/os/backoff.h"
#include "adapters/os/clock.h"
#include "adapters/os/log.h"
#include "adapters/s3/reply.h"

enum {
    URL_BYTES_MAX = 16384,
    SLICE_US = 50000,
    SKEW_LEAST_US = 240000000,
    WARN_RETRIES = 2,
    WARN_EVERY_US = 10000000
};

#define EMPTY_SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

void s3_call_query(struct s3_call *call, const char *name, const char *value)
{
    CHECK(call->query_count < S3_QUERY_MAX);
    call->query[call->query_count++] = (struct sign_pair){name, value};
}

void s3_call_header(struct s3_call *call, const char *name, const char *value)
{
    CHECK(call->header_count < S3_HEADERS_MAX);
    call->headers[call->header_count++] = (struct sign_pair){name, value};
}

static int64_t time_for_us(const struct s3_store *s3, uint64_t bytes)
{
    uint64_t seconds = bytes / s3->settings.bytes_per_second_min;
    return seconds > 1000000 ? INT64_C(1000000000000) : (int64_t)seconds * 1000000;
}

int64_t s3_deadline_us(const struct s3_store *s3, uint64_t bytes)
{
    return clock_mono_us() + s3->settings.total_deadline_us + time_for_us(s3, bytes);
}

static bool digest_file(const struct http_body *body, EVP_MD_CTX *sha256, EVP_MD_CTX *md5,
                        struct err *err)
{
    uint64_t done = 0;
    while (done < body->length) {
        uint8_t chunk[65536];
        uint64_t left = body->length - done;
        ssize_t got = pread(body->fd, chunk, left < sizeof chunk ? (size_t)left : sizeof chunk,
                            (off_t)(body->offset + done));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return err_set(err, ERR_TRANSIENT, "the local file cannot be read, or became shorter");
        }
        CHECK(EVP_DigestUpdate(sha256, chunk, (size_t)got) == 1);
        CHECK(EVP_DigestUpdate(md5, chunk, (size_t)got) == 1);
        done += (uint64_t)got;
    }
    return true;
}

bool s3_digest_of(const struct http_body *body, struct s3_digest *ret_digest, struct err *err)
{
    EVP_MD_CTX *sha256 = EVP_MD_CTX_new();
    EVP_MD_CTX *md5 = EVP_MD_CTX_new();
    CHECK(sha256 != NULL && md5 != NULL);
    CHECK(EVP_DigestInit_ex(sha256, EVP_sha256(), NULL) == 1);
    CHECK(EVP_DigestInit_ex(md5, EVP_md5(), NULL) == 1);
    bool ok = true;
    if (body->from_file) {
        ok = digest_file(body, sha256, md5, err);
    } else if (body->bytes.size > 0) {
        CHECK(EVP_DigestUpdate(sha256, body->bytes.data, body->bytes.size) == 1);
        CHECK(EVP_DigestUpdate(md5, body->bytes.data, body->bytes.size) == 1);
    }
    if (ok) {
        uint8_t digest[32];
        CHECK(EVP_DigestFinal_ex(sha256, digest, NULL) == 1);
        CHECK(EVP_DigestFinal_ex(md5, ret_digest->md5, NULL) == 1);
        AUTO(buf) struct buf hex;
        buf_init(&hex, 128);
        buf_add_hex(&hex, bytes_of(digest, sizeof digest));
        memcpy(ret_digest->sha256, buf_text(&hex), SIGN_HEX_SHA256);
    }
    EVP_MD_CTX_free(sha256);
    EVP_MD_CTX_free(md5);
    return ok;
}

bool s3_pause(struct s3_store *s3, int64_t pause_us, int64_t deadline_us, const atomic_bool *stop,
              struct err *err)
{
    int64_t until_us = clock_mono_us() + pause_us;
    if (until_us > deadline_us) {
        until_us = deadline_us;
    }
    for (;;) {
        if (atomic_load(&s3->store.stopped)) {
            return err_set(err, ERR_STOPPED, "the store was stopped");
        }
        if (stop != NULL && atomic_load(stop)) {
            return err_set(err, ERR_STOPPED, "the request was stopped");
        }
        int64_t left_us = until_us - clock_mono_us();
        if (left_us <= 0) {
            return true;
        }
        clock_sleep_us(left_us < SLICE_US ? left_us : SLICE_US);
    }
}

/* ---- one try ---- */

static uint64_t body_size(const struct http_body *body)
{
    return body->from_file ? body->length : body->bytes.size;
}

static int64_t try_deadline_us(const struct s3_store *s3, const struct s3_call *call)
{
    /* A download has no length to reckon with: the stall timeout ends it. */
    if (call->sink != NULL) {
        return call->deadline_us;
    }
    int64_t end_us = clock_mono_us() + s3->settings.request_timeout_us +
                     time_for_us(s3, body_size(&call->body) + call->busy_bytes);
    return end_us < call->deadline_us ? end_us : call->deadline_us;
}

/* Header lines for libcurl: those that are signed, and the signature. The lines live in `text`. */
static void lines_of(const struct sign_request *request, const struct buf *authorization,
                     struct buf *text, const char *lines[S3_HEADERS_MAX + 8])
{
    size_t starts[S3_HEADERS_MAX + 8];
    size_t count = 0;
    for (size_t i = 0; i < request->header_count; i++) {
        if (strcmp(request->headers[i].name, "host") == 0) {
            continue; /* libcurl writes the same */
        }
        starts[count++] = text->size;
        buf_add_format(text, "%s: %s", request->headers[i].name, request->headers[i].value);
        buf_add_byte(text, '\0');
    }
    starts[count++] = text->size;
    buf_add_format(text, "Authorization: %s", buf_text(authorization));
    buf_add_byte(text, '\0');
    CHECK(!text->overflowed);
    for (size_t i = 0; i < count; i++) {
        lines[i] = (const char *)text->data + starts[i];
    }
    lines[count] = NULL;
}

static void send_signed(struct s3_store *s3, const struct s3_call *call,
                        const struct sign_keys *keys, struct http_response *response)
{
    AUTO(buf) struct buf host;
    AUTO(buf) struct buf path;
    AUTO(buf) struct buf url;
    AUTO(buf) struct buf authorization;
    struct buf lines_text;
    buf_init(&host, URL_BYTES_MAX);
    buf_init(&path, URL_BYTES_MAX);
    buf_init(&url, URL_BYTES_MAX);
    buf_init(&authorization, URL_BYTES_MAX);
    buf_init(&lines_text, 128 * 1024);
    s3_target_of(&s3->target, call->bucket == NULL ? s3->store.url.bucket : call->bucket, call->key,
                 call->query, call->query_count, &host, &path, &url);
    CHECK(!url.overflowed && !path.overflowed);
    struct sign_pair headers[S3_HEADERS_MAX + 4];
    size_t count = call->header_count;
    memcpy(headers, call->headers, count * sizeof *headers);
    struct sign_request request = {.method = call->method,
                                   .path = buf_text(&path),
                                   .query = call->query,
                                   .query_count = call->query_count,
                                   .headers = headers,
                                   .payload_sha256 = call->digest == NULL ? EMPTY_SHA256
                                                                          : call->digest->sha256,
                                   .region = s3->region,
                                   .service = "s3"};
    sign_date(clock_now_us() + atomic_load(&s3->skew_us), request.date);
    headers[count++] = (struct sign_pair){"host", buf_text(&host)};
    headers[count++] = (struct sign_pair){"x-amz-date", request.date};
    headers[count++] = (struct sign_pair){"x-amz-content-sha256", request.payload_sha256};
    if (secret_is_set(&keys->token)) {
        headers[count++] = (struct sign_pair){"x-amz-security-token", secret_reveal(&keys->token)};
    }
    request.header_count = count;
    sign_authorization(&request, keys, &authorization);
    const char *lines[S3_HEADERS_MAX + 8];
    lines_of(&request, &authorization, &lines_text, lines);
    struct http_request http_request = {.method = call->method,
                                        .url = buf_text(&url),
                                        .headers = lines,
                                        .body = call->body,
                                        .sink = call->sink,
                                        .deadline_us = try_deadline_us(s3, call),
                                        .only_once = call->conditional,
                                        .stopped = &s3->store.stopped,
                                        .stop = call->stop};
    http_send(s3->http, &http_request, response);
    struct store_operation_counters *counters = &s3->store.counters.of[call->operation];
    if (response->outcome != HTTP_NOT_SENT) {
        atomic_fetch_add(&counters->requests, 1);
    }
    if (response->outcome == HTTP_ANSWERED && call->operation == STORE_PUT) {
        atomic_fetch_add(&counters->bytes_sent, body_size(&call->body));
    }
    if (call->sink != NULL) {
        atomic_fetch_add(&counters->bytes_received, response->received);
    }
    if (lines_text.data != NULL) {
        OPENSSL_cleanse(lines_text.data, lines_text.size);
    }
    buf_done(&lines_text);
}

/* ---- what it means ---- */

/* The state of one call's tries. */
struct tries {
    struct backoff backoff;
    unsigned retries;
    bool sent_before;
    bool maybe_done;
    bool clock_mended;
    bool keys_mended;
    struct reply_error error; /* of the last answer */
};

static int64_t server_skew_us(const struct http_response *response)
{
    time_t at = response->date[0] == '\0' ? -1 : curl_getdate(response->date, NULL);
    return at < 0 ? 0 : (int64_t)at * 1000000 - clock_now_us();
}

/* Reads the error out of the answer, also out of one with status 200. */
static void find_error(const struct s3_call *call, struct http_response *response,
                       const struct sign_keys *keys, struct reply_error *error)
{
    *error = (struct reply_error){0};
    if (response->outcome != HTTP_ANSWERED) {
        return;
    }
    bool good = response->status >= 200 && response->status < 300;
    if (good && !call->error_in_200) {
        return;
    }
    bool found = reply_error_of(buf_bytes(&response->body), error);
    if (found && good) {
        response->status = strcmp(error->code, "SlowDown") == 0             ? 503
                           : strcmp(error->code, "PreconditionFailed") == 0 ? 412
                                                                            : 500;
    }
    if (!found && response->status == 403) {
        int64_t skew_us = server_skew_us(response); /* HEAD has no body to name it */
        if (skew_us > SKEW_LEAST_US || skew_us < -SKEW_LEAST_US) {
            snprintf(error->code, sizeof error->code, "RequestTimeTooSkewed");
        }
    }
    secret_redact(&keys->secret_key, error->message);
    secret_redact(&keys->token, error->message);
    secret_redact_signatures(error->message);
    if (error->region[0] == '\0') {
        snprintf(error->region, sizeof error->region, "%.63s", response->region);
    }
}

static bool fill_error(const struct s3_call *call, const struct tries *tries,
                       const struct http_response *response, enum err_kind kind, struct err *err)
{
    if (response->outcome != HTTP_ANSWERED) {
        *err = response->err;
        err->kind = kind == ERR_TRANSIENT && response->err.kind == ERR_SETTINGS ? ERR_SETTINGS
                                                                                : kind;
    } else {
        err_set_code(err, kind, response->status, "%d%s%s%s%s", response->status,
                     tries->error.code[0] == '\0' ? "" : " ", tries->error.code,
                     tries->error.message[0] == '\0' ? "" : ": ", tries->error.message);
    }
    if (response->status == 301 || response->status == 307 ||
        strcmp(tries->error.code, "AuthorizationHeaderMalformed") == 0) {
        err_wrap(err, "wrong region or endpoint%s%s",
                 tries->error.region[0] == '\0' ? "" : ": the bucket is in ", tries->error.region);
    }
    bool reads = strcmp(call->method, "GET") == 0 || strcmp(call->method, "HEAD") == 0;
    if (reads && call->key != NULL && response->outcome == HTTP_ANSWERED &&
        response->status == 403) {
        err_wrap(err, "refused (without the permission to list the bucket, S3 says so of missing "
                      "objects, too)");
    }
    if (tries->retries > 0) {
        err_wrap(err, "after %u retries", tries->retries);
    }
    return false;
}

static struct retry_decision decide(const struct s3_call *call,
                                    const struct http_response *response, const struct tries *tries)
{
    struct retry_try one = {
        .sending = response->outcome == HTTP_ANSWERED   ? RETRY_ANSWERED
                   : response->outcome == HTTP_NOT_SENT ? RETRY_NOT_SENT
                                                        : RETRY_LOST,
        .status = response->status,
        .code = tries->error.code,
        .changes = call->changes,
        .conditional = call->conditional,
        .sent_before = tries->sent_before,
        .maybe_done = tries->maybe_done,
    };
    struct retry_decision decision = retry_decide(&one);
    if (response->outcome != HTTP_ANSWERED && response->err.kind == ERR_SETTINGS) {
        decision.verdict = RETRY_NEVER; /* a certificate does not become right */
    }
    return decision;
}

/* Mends what can be mended at once. False: it was mended before, or cannot be. */
static bool mend(struct s3_store *s3, enum retry_verdict verdict, const struct sign_keys *keys,
                 const struct http_response *response, struct tries *tries)
{
    if (verdict == RETRY_CLOCK && !tries->clock_mended) {
        int64_t skew_us = server_skew_us(response);
        if (skew_us == 0) {
            return false;
        }
        tries->clock_mended = true;
        atomic_store(&s3->skew_us, skew_us);
        log_warn("s3",
                 "this machine's clock is %" PRId64 " s off the store's, which is used from now on",
                 -skew_us / 1000000);
        return true;
    }
    if (verdict == RETRY_CREDENTIALS && !tries->keys_mended) {
        tries->keys_mended = true;
        credentials_refuse(s3->credentials, keys);
        return true;
    }
    return false;
}

/* An operator whose service stands still must not have to wait for the end of all retries. */
static void warn_of_silence(struct s3_store *s3, unsigned retries, const struct err *err)
{
    int64_t now_us = clock_mono_us();
    int64_t warned_us = atomic_load(&s3->warned_us);
    if (retries == WARN_RETRIES && (warned_us == 0 || now_us - warned_us > WARN_EVERY_US) &&
        atomic_compare_exchange_strong(&s3->warned_us, &warned_us, now_us)) {
        log_failure(LOG_WARN, "s3", err, "the store is asked again and again");
    }
}

/* Waits before another try. False: there is none; after a stop *err says so. */
static bool wait_for_next(struct s3_store *s3, const struct s3_call *call,
                          const struct http_response *response, struct tries *tries,
                          struct err *err)
{
    if (s3->settings.no_retries || tries->retries >= s3->settings.retries_max ||
        !retry_budget_take(&s3->budget)) {
        return false;
    }
    int64_t pause_us = backoff_next_us(&tries->backoff);
    int64_t asked_us = response->outcome == HTTP_ANSWERED
                           ? retry_after_us(response->retry_after, clock_now_us())
                           : 0;
    pause_us = asked_us > pause_us ? asked_us : pause_us;
    if (clock_mono_us() + pause_us >= call->deadline_us) {
        return false;
    }
    warn_of_silence(s3, tries->retries, err);
    log_debug("s3", "%s: %d %s, again in %" PRId64 " ms", call->method, response->status,
              tries->error.code, pause_us / 1000);
    return s3_pause(s3, pause_us, call->deadline_us, call->stop, err);
}

bool s3_content_broke(const struct http_response *response)
{
    return response->outcome == HTTP_LOST && response->received > 0 && response->status >= 200 &&
           response->status < 300;
}

bool s3_send(struct s3_store *s3, const struct s3_call *call, struct http_response *response,
             struct err *err)
{
    struct tries tries = {.backoff = {.base_us = s3->settings.backoff_base_us,
                                      .cap_us = s3->settings.backoff_cap_us}};
    for (;;) {
        struct sign_keys keys;
        if (!credentials_get(s3->credentials, call->deadline_us, &keys, err)) {
            if (err->kind == ERR_TRANSIENT && wait_for_next(s3, call, response, &tries, err)) {
                tries.retries++;
                continue;
            }
            err->kind = tries.maybe_done ? ERR_AMBIGUOUS : err->kind;
            return false;
        }
        send_signed(s3, call, &keys, response);
        if (response->outcome == HTTP_SINK || response->outcome == HTTP_STOPPED) {
            *err = response->err;
            sign_keys_done(&keys);
            return false;
        }
        find_error(call, response, &keys, &tries.error);
        struct retry_decision decision = decide(call, response, &tries);
        bool mended = mend(s3, decision.verdict, &keys, response, &tries);
        sign_keys_done(&keys);
        if (decision.verdict == RETRY_SUCCESS) {
            retry_budget_give(&s3->budget);
            return true;
        }
        tries.maybe_done = decision.maybe_done;
        tries.sent_before = tries.sent_before || response->outcome != HTTP_NOT_SENT;
        bool content_began = call->sink != NULL && s3_content_broke(response);
        fill_error(call, &tries, response, decision.kind, err);
        if (!mended && (decision.verdict != RETRY_AGAIN || content_began ||
                        !wait_for_next(s3, call, response, &tries, err))) {
            return false;
        }
        tries.retries++;
        atomic_fetch_add(&s3->store.counters.of[call->operation].retries, 1);
    }
}

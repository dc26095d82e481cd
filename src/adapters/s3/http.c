/* One HTTP request at a time over libcurl, with ends to every wait. */
#include "adapters/s3/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "adapters/os/clock.h"
#include "adapters/os/lock.h"

enum { POOL_MAX = 16 };

/* Slower than that for the stall timeout: nobody waits for the end. */
static const long STALLED_BYTES_PER_SECOND = 1024;

struct http {
    char *ca_file;
    char *proxy;
    int64_t connect_timeout_us;
    int64_t stall_timeout_us;
    struct lock lock;
    struct {
        CURL *idle[POOL_MAX];
        size_t count;
    } locked;
};

/* What the callbacks of one transfer know. */
struct transfer {
    CURL *curl;
    const struct http_request *request;
    struct http_response *response;
    uint64_t sent;    /* of the body */
    unsigned started; /* how often libcurl has begun to send */
    bool sink_failed;
    bool stopped;
    bool too_late; /* libcurl would have sent again, or after the deadline */
};

static char *copy_text(const char *text)
{
    char *copy = text == NULL ? NULL : strdup(text);
    CHECK(text == NULL || copy != NULL);
    return copy;
}

/* OpenSSL writes to sockets with plain write(2), and libcurl leaves the signal to the program when
 * it is used in threads (CURLOPT_NOSIGNAL): a server that hangs up must not end the process. */
static void ignore_broken_pipes(void)
{
    struct sigaction now;
    if (sigaction(SIGPIPE, NULL, &now) == 0 && now.sa_handler == SIG_DFL) {
        signal(SIGPIPE, SIG_IGN);
    }
}

struct http *http_new(const struct http_settings *settings)
{
    CHECK(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK); /* counts its calls */
    ignore_broken_pipes();
    struct http *http = calloc(1, sizeof *http);
    CHECK(http != NULL);
    http->ca_file = copy_text(settings->ca_file);
    http->proxy = copy_text(settings->proxy);
    http->connect_timeout_us = settings->connect_timeout_us;
    http->stall_timeout_us = settings->stall_timeout_us;
    lock_init(&http->lock);
    return http;
}

struct http *http_free(struct http *http)
{
    if (http != NULL) {
        for (size_t i = 0; i < http->locked.count; i++) {
            curl_easy_cleanup(http->locked.idle[i]);
        }
        lock_done(&http->lock);
        free(http->ca_file);
        free(http->proxy);
        free(http);
        curl_global_cleanup();
    }
    return NULL;
}

static CURL *pool_take(struct http *http)
{
    CURL *curl = NULL;
    lock_take(&http->lock);
    if (http->locked.count > 0) {
        curl = http->locked.idle[--http->locked.count];
    }
    lock_give(&http->lock);
    if (curl == NULL) {
        curl = curl_easy_init();
        CHECK(curl != NULL);
    }
    return curl;
}

static void pool_give(struct http *http, CURL *curl)
{
    curl_easy_reset(curl); /* options only: the connections stay */
    lock_take(&http->lock);
    bool kept = http->locked.count < POOL_MAX;
    if (kept) {
        http->locked.idle[http->locked.count++] = curl;
    }
    lock_give(&http->lock);
    if (!kept) {
        curl_easy_cleanup(curl);
    }
}

/* ---- callbacks ---- */

/* Called each time before a request goes out on a connection. libcurl sends again by itself when a
 * kept connection turns out to be closed; that must not happen after the deadline, and not at all
 * to a request that may be carried out only once. */
static int on_before_send(void *user, char *to_ip, char *from_ip, int to_port, int from_port)
{
    (void)to_ip;
    (void)from_ip;
    (void)to_port;
    (void)from_port;
    struct transfer *transfer = user;
    if ((transfer->started > 0 && transfer->request->only_once) ||
        clock_mono_us() >= transfer->request->deadline_us) {
        transfer->too_late = true;
        return CURL_PREREQFUNC_ABORT;
    }
    transfer->started++;
    return CURL_PREREQFUNC_OK;
}

static int on_progress(void *user, curl_off_t to_get, curl_off_t got, curl_off_t to_send,
                       curl_off_t sent)
{
    (void)to_get;
    (void)got;
    (void)to_send;
    (void)sent;
    struct transfer *transfer = user;
    const atomic_bool *stopped = transfer->request->stopped;
    const atomic_bool *stop = transfer->request->stop;
    transfer->stopped = (stopped != NULL && atomic_load(stopped)) ||
                        (stop != NULL && atomic_load(stop));
    return transfer->stopped || clock_mono_us() >= transfer->request->deadline_us;
}

static size_t on_body_wanted(char *to, size_t size, size_t count, void *user)
{
    struct transfer *transfer = user;
    const struct http_body *body = &transfer->request->body;
    uint64_t total = body->from_file ? body->length : body->bytes.size;
    uint64_t left = total - transfer->sent;
    if (clock_mono_us() >= transfer->request->deadline_us) {
        transfer->too_late = true;
        return CURL_READFUNC_ABORT;
    }
    size_t room = size * count;
    size_t wanted = left < room ? (size_t)left : room;
    if (wanted == 0) {
        return 0;
    }
    if (!body->from_file) {
        memcpy(to, body->bytes.data + transfer->sent, wanted);
        transfer->sent += wanted;
        return wanted;
    }
    ssize_t got;
    do {
        got = pread(body->fd, to, wanted, (off_t)(body->offset + transfer->sent));
    } while (got < 0 && errno == EINTR);
    if (got <= 0) {
        return CURL_READFUNC_ABORT; /* the file became shorter, or cannot be read */
    }
    transfer->sent += (uint64_t)got;
    return (size_t)got;
}

static int on_body_rewind(void *user, curl_off_t offset, int origin)
{
    struct transfer *transfer = user;
    if (origin != SEEK_SET || offset < 0) {
        return CURL_SEEKFUNC_CANTSEEK;
    }
    transfer->sent = (uint64_t)offset;
    return CURL_SEEKFUNC_OK;
}

static size_t on_body(char *data, size_t size, size_t count, void *user)
{
    struct transfer *transfer = user;
    struct http_response *response = transfer->response;
    struct bytes bytes = bytes_of(data, size * count);
    if (transfer->request->sink != NULL && response->status >= 200 && response->status < 300) {
        const struct store_sink *sink = transfer->request->sink;
        if (!sink->write(sink->to, bytes, &response->err)) {
            transfer->sink_failed = true;
            return 0; /* less than was given: libcurl gives up */
        }
    } else {
        buf_add_bytes(&response->body, bytes);
        if (response->body.overflowed) {
            return 0; /* less than was given: libcurl gives up */
        }
    }
    response->received += bytes.size;
    return bytes.size;
}

/* Keeps `value` when the line is the header `name`. */
static void keep_header(struct bytes line, const char *name, char value[HTTP_HEADER_MAX])
{
    size_t length = strlen(name);
    if (line.size <= length || line.data[length] != ':' ||
        strncasecmp((const char *)line.data, name, length) != 0) {
        return;
    }
    const uint8_t *from = line.data + length + 1;
    const uint8_t *end = line.data + line.size;
    while (from < end && (*from == ' ' || *from == '\t')) {
        from++;
    }
    while (end > from && (end[-1] == '\r' || end[-1] == '\n' || end[-1] == ' ')) {
        end--;
    }
    size_t size = (size_t)(end - from);
    if (size < HTTP_HEADER_MAX && memchr(from, '\0', size) == NULL) {
        memcpy(value, from, size);
        value[size] = '\0';
    }
}

static void forget_headers(struct http_response *response)
{
    response->etag[0] = '\0';
    response->content_type[0] = '\0';
    response->last_modified[0] = '\0';
    response->date[0] = '\0';
    response->retry_after[0] = '\0';
    response->content_range[0] = '\0';
    response->encryption[0] = '\0';
    response->region[0] = '\0';
    response->content_length = UINT64_MAX;
}

static size_t on_header(char *data, size_t size, size_t count, void *user)
{
    struct transfer *transfer = user;
    struct http_response *response = transfer->response;
    struct bytes line = bytes_of(data, size * count);
    if (line.size >= 5 && memcmp(line.data, "HTTP/", 5) == 0) {
        /* A new answer: 100 Continue and a proxy's CONNECT have headers of their own. */
        long status = 0;
        curl_easy_getinfo(transfer->curl, CURLINFO_RESPONSE_CODE, &status);
        response->status = (int)status;
        forget_headers(response);
        return line.size;
    }
    char length[HTTP_HEADER_MAX] = "";
    keep_header(line, "etag", response->etag);
    keep_header(line, "content-type", response->content_type);
    keep_header(line, "last-modified", response->last_modified);
    keep_header(line, "date", response->date);
    keep_header(line, "retry-after", response->retry_after);
    keep_header(line, "content-range", response->content_range);
    keep_header(line, "x-amz-server-side-encryption", response->encryption);
    keep_header(line, "x-amz-bucket-region", response->region);
    keep_header(line, "content-length", length);
    if (length[0] >= '0' && length[0] <= '9') {
        response->content_length = strtoull(length, NULL, 10);
    }
    return line.size;
}

/* ---- one request ---- */

static long to_ms(int64_t us)
{
    int64_t ms = (us + 999) / 1000;
    return ms < 1 ? 1 : ms > 1000000000 ? 1000000000 : (long)ms;
}

#define SET(option, value) CHECK(curl_easy_setopt(curl, option, value) == CURLE_OK)

static void set_waits(const struct http *http, CURL *curl, const struct http_request *request,
                      int64_t left_us)
{
    int64_t connect_us = http->connect_timeout_us < left_us ? http->connect_timeout_us : left_us;
    SET(CURLOPT_CONNECTTIMEOUT_MS, to_ms(connect_us));
    SET(CURLOPT_TIMEOUT_MS, to_ms(left_us));
    SET(CURLOPT_LOW_SPEED_LIMIT, STALLED_BYTES_PER_SECOND);
    SET(CURLOPT_LOW_SPEED_TIME, (to_ms(http->stall_timeout_us) + 999) / 1000);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_TCP_KEEPALIVE, 1L);
    if (request->only_once) {
        SET(CURLOPT_FRESH_CONNECT, 1L);
    }
}

static void set_connection(const struct http *http, CURL *curl, const struct http_request *request)
{
    SET(CURLOPT_URL, request->url);
    SET(CURLOPT_PATH_AS_IS, 1L);
#if LIBCURL_VERSION_NUM >= 0x075500
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
#else
    SET(CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_USERAGENT, "tidemark/" TIDEMARK_VERSION);
    if (http->ca_file != NULL) {
        SET(CURLOPT_CAINFO, http->ca_file);
    }
    if (request->no_proxy) {
        SET(CURLOPT_PROXY, "");
    } else if (http->proxy != NULL) {
        SET(CURLOPT_PROXY, http->proxy);
    }
}

static void set_body(CURL *curl, const struct http_request *request, struct transfer *transfer)
{
    const struct http_body *body = &request->body;
    curl_off_t size = (curl_off_t)(body->from_file ? body->length : body->bytes.size);
    if (strcmp(request->method, "HEAD") == 0) {
        SET(CURLOPT_NOBODY, 1L);
    } else if (strcmp(request->method, "PUT") == 0) {
        SET(CURLOPT_UPLOAD, 1L);
        SET(CURLOPT_INFILESIZE_LARGE, size);
        SET(CURLOPT_UPLOAD_BUFFERSIZE, 256L * 1024);
    } else if (strcmp(request->method, "POST") == 0) {
        SET(CURLOPT_POST, 1L);
        SET(CURLOPT_POSTFIELDS, NULL);
        SET(CURLOPT_POSTFIELDSIZE_LARGE, size);
    } else {
        SET(CURLOPT_CUSTOMREQUEST, request->method);
    }
    SET(CURLOPT_READFUNCTION, on_body_wanted);
    SET(CURLOPT_READDATA, transfer);
    SET(CURLOPT_SEEKFUNCTION, on_body_rewind);
    SET(CURLOPT_SEEKDATA, transfer);
}

static void set_callbacks(CURL *curl, struct transfer *transfer)
{
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_WRITEDATA, transfer);
    SET(CURLOPT_HEADERFUNCTION, on_header);
    SET(CURLOPT_HEADERDATA, transfer);
    SET(CURLOPT_PREREQFUNCTION, on_before_send);
    SET(CURLOPT_PREREQDATA, transfer);
    SET(CURLOPT_XFERINFOFUNCTION, on_progress);
    SET(CURLOPT_XFERINFODATA, transfer);
    SET(CURLOPT_NOPROGRESS, 0L);
}

static struct curl_slist *headers_of(const struct http_request *request)
{
    struct curl_slist *list = NULL;
    for (const char *const *at = request->headers; at != NULL && *at != NULL; at++) {
        list = curl_slist_append(list, *at);
        CHECK(list != NULL);
    }
    /* Waiting for "100 Continue" costs a second with servers that never send it. */
    list = curl_slist_append(list, "Expect:");
    CHECK(list != NULL);
    return list;
}

static enum http_outcome outcome_of(const struct transfer *transfer, CURLcode result)
{
    if (result == CURLE_OK) {
        return HTTP_ANSWERED;
    }
    if (transfer->sink_failed) {
        return HTTP_SINK;
    }
    if (transfer->stopped) {
        return HTTP_STOPPED;
    }
    return transfer->started == 0 ? HTTP_NOT_SENT : HTTP_LOST;
}

/* Which setting may be wrong, where the error tells. */
static const char *advice_of(CURLcode result)
{
    if (result == CURLE_PEER_FAILED_VERIFICATION || result == CURLE_SSL_CACERT_BADFILE) {
        return "; look at s3.ca_file";
    }
    return result == CURLE_SSL_CONNECT_ERROR ? "; look at s3.endpoint: that port may not speak TLS"
                                             : "";
}

/* "https://host:port" */
static int place_size(const char *url)
{
    const char *host = strstr(url, "://");
    return host == NULL ? 0 : (int)(host + 3 - url + (long)strcspn(host + 3, "/?"));
}

static void describe(const struct transfer *transfer, CURLcode result, const char *detail)
{
    struct http_response *response = transfer->response;
    switch (response->outcome) {
    case HTTP_ANSWERED:
    case HTTP_SINK:
        return;
    case HTTP_STOPPED:
        err_set(&response->err, ERR_STOPPED, "the request was stopped");
        return;
    case HTTP_NOT_SENT:
    case HTTP_LOST:
        break;
    }
    const char *what = transfer->too_late                    ? "not sent again"
                       : result == CURLE_ABORTED_BY_CALLBACK ? "the deadline has passed"
                       : detail[0] != '\0'                   ? detail
                                                             : curl_easy_strerror(result);
    /* A wrong certificate or host name stays wrong, however often it is tried. */
    bool settings = result == CURLE_PEER_FAILED_VERIFICATION ||
                    result == CURLE_SSL_CACERT_BADFILE || result == CURLE_URL_MALFORMAT ||
                    result == CURLE_UNSUPPORTED_PROTOCOL;
    err_set_code(&response->err, settings ? ERR_SETTINGS : ERR_TRANSIENT, (int)result,
                 "%.*s: %.200s%s", place_size(transfer->request->url), transfer->request->url, what,
                 advice_of(result));
}

void http_send(struct http *http, const struct http_request *request,
               struct http_response *response)
{
    buf_clear(&response->body);
    response->outcome = HTTP_NOT_SENT;
    response->status = 0;
    response->received = 0;
    forget_headers(response);
    int64_t left_us = request->deadline_us - clock_mono_us();
    if (left_us <= 0) {
        err_set(&response->err, ERR_TRANSIENT, "the deadline has passed");
        return;
    }
    CURL *curl = pool_take(http);
    struct transfer transfer = {.curl = curl, .request = request, .response = response};
    char detail[CURL_ERROR_SIZE] = "";
    struct curl_slist *headers = headers_of(request);
    set_waits(http, curl, request, left_us);
    set_connection(http, curl, request);
    set_body(curl, request, &transfer);
    set_callbacks(curl, &transfer);
    SET(CURLOPT_HTTPHEADER, headers);
    SET(CURLOPT_ERRORBUFFER, detail);
    CURLcode result = curl_easy_perform(curl);
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    response->status = (int)status;
    response->outcome = outcome_of(&transfer, result);
    describe(&transfer, result, detail);
    pool_give(http, curl);
    curl_slist_free_all(headers);
}

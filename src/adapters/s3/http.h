/* One HTTP request at a time over libcurl, with ends to every wait. */
#ifndef TIDEMARK_ADAPTERS_S3_HTTP_H
#define TIDEMARK_ADAPTERS_S3_HTTP_H

#include <stdatomic.h>
#include <stdint.h>

#include "adapters/store.h"

/* A pool of libcurl handles (and so of connections): a thread has one while its request runs. Any
 * thread. */
struct http;

struct http_settings {
    const char *ca_file;        /* NULL: the system's */
    const char *proxy;          /* NULL: as the environment says (http_proxy, …); "": none */
    int64_t connect_timeout_us; /* until connected, TLS included */
    int64_t stall_timeout_us;   /* with less than 1 KiB/s in either direction */
};

/* Copies the settings. Sets SIGPIPE to be ignored when it still has its default action. */
struct http *http_new(const struct http_settings *settings);
struct http *http_free(struct http *http); /* takes NULL; returns NULL */

/* A request's body: bytes, or a part of an open file (read with pread, so parts may share it). */
struct http_body {
    struct bytes bytes;
    int fd; /* used when `from_file` */
    bool from_file;
    uint64_t offset;
    uint64_t length; /* of the part */
};

struct http_request {
    const char *method; /* GET HEAD PUT POST DELETE */
    const char *url;
    const char *const *headers;    /* "name: value", ended by NULL */
    struct http_body body;         /* sent with PUT and POST */
    const struct store_sink *sink; /* gets the body of a 2xx answer; NULL: response.body does */
    /* Give up when clock_mono_us() is there. Nothing is sent after it, not even by libcurl itself
     * (PROTOCOL R13). */
    int64_t deadline_us;
    bool only_once; /* on a new connection, and never a second time by libcurl itself */
    bool no_proxy;
    const atomic_bool *stopped; /* ends the request when it becomes true; may be NULL */
    const atomic_bool *stop;    /* so does this one */
};

enum http_outcome {
    HTTP_ANSWERED, /* a whole answer */
    HTTP_NOT_SENT, /* no connection, or the deadline had passed */
    HTTP_LOST,     /* sent, at least in part; no whole answer */
    HTTP_SINK,     /* the sink said no: its error is in `err` */
    HTTP_STOPPED,
};

enum { HTTP_HEADER_MAX = 256, HTTP_BODY_MAX = 8 * 1024 * 1024 };

struct http_response {
    enum http_outcome outcome;
    int status;
    struct buf body;         /* when there is no sink, or the status is not 2xx */
    uint64_t received;       /* bytes of body given to the sink or to `body` */
    uint64_t content_length; /* UINT64_MAX: not told */
    char etag[HTTP_HEADER_MAX];
    char content_type[HTTP_HEADER_MAX];
    char last_modified[HTTP_HEADER_MAX];
    char date[HTTP_HEADER_MAX];
    char retry_after[HTTP_HEADER_MAX];
    char content_range[HTTP_HEADER_MAX];
    char encryption[HTTP_HEADER_MAX]; /* x-amz-server-side-encryption */
    char region[HTTP_HEADER_MAX];     /* x-amz-bucket-region */
    struct err err; /* LOST, NOT_SENT: what libcurl says; SINK: what the sink said */
};

/* Fills `response`, whose body must be initialised and is cleared first. Blocks until the deadline
 * at most. Never retries. */
void http_send(struct http *http, const struct http_request *request,
               struct http_response *response);

#endif

/* A small HTTP server for pages that are made when they are asked for. */
#ifndef TIDEMARK_CONSUMER_STATUS_STATUS_HTTP_H
#define TIDEMARK_CONSUMER_STATUS_STATUS_HTTP_H

#include <stdbool.h>

#include "core/base/buf.h"
#include "core/base/err.h"

/* Reads only: GET and HEAD of the pages below; anything else is 404 or 405. Bounded: so many
 * connections at once, each of so many bytes and so much time; requests are answered one by one, on
 * a thread of its own. */
enum {
    STATUS_HTTP_CONNECTIONS = 64,
    STATUS_HTTP_TIMEOUT_S = 10,
    STATUS_HTTP_CONNECTION_BYTES = 16 * 1024, /* a longer request is refused with 431 or 414 */
    STATUS_HTTP_PAGE_BYTES = 64 << 20,
};

struct status_http_page {
    const char *path;
    const char *type;
    /* Fills `out`; false: 503 instead of 200. Called on the server's thread. */
    bool (*make)(void *context, struct buf *out);
};

struct status_http;

/* Serves on a socket that listens, which it takes, also when it fails. `pages` (ended by one whose
 * path is NULL) and `context` are borrowed. */
MUST_CHECK bool status_http_new(int take_socket, const struct status_http_page *pages,
                                void *context, struct status_http **ret_http, struct err *err);

/* Ends what is under way. Takes NULL; returns NULL. */
struct status_http *status_http_free(struct status_http *http);

#endif

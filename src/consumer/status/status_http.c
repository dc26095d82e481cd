/* A small HTTP server for pages that are made when they are asked for. */
#include "consumer/status/status_http.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT_TYPE "text/plain; charset=utf-8"

struct status_http {
    struct MHD_Daemon *daemon;
    const struct status_http_page *pages;
    void *context;
};

static enum MHD_Result reply(struct MHD_Connection *connection, unsigned status, const char *type,
                             const char *allow, const struct buf *body)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(body->size, body->data, MHD_RESPMEM_MUST_COPY);
    if (response == NULL) {
        return MHD_NO;
    }
    enum MHD_Result done = MHD_add_response_header(response, "Content-Type", type);
    if (done == MHD_YES) {
        done = MHD_add_response_header(response, "Cache-Control", "no-store");
    }
    if (done == MHD_YES && allow != NULL) {
        done = MHD_add_response_header(response, "Allow", allow);
    }
    if (done == MHD_YES) {
        done = MHD_queue_response(connection, status, response);
    }
    MHD_destroy_response(response);
    return done;
}

static enum MHD_Result reply_unknown(const struct status_http *http,
                                     struct MHD_Connection *connection, struct buf *body)
{
    buf_add_text(body, "There is no such page. There are:\n");
    for (const struct status_http_page *page = http->pages; page->path != NULL; page++) {
        buf_add_format(body, "%s\n", page->path);
    }
    return reply(connection, MHD_HTTP_NOT_FOUND, TEXT_TYPE, NULL, body);
}

/* The library sends no body for HEAD by itself. */
static enum MHD_Result answer(void *closure, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_size, void **request)
{
    (void)version;
    (void)upload;
    (void)upload_size;
    (void)request;
    const struct status_http *http = closure;
    AUTO(buf) struct buf body;
    buf_init(&body, STATUS_HTTP_PAGE_BYTES);
    const struct status_http_page *page = http->pages;
    while (page->path != NULL && strcmp(page->path, url) != 0) {
        page++;
    }
    if (page->path == NULL) {
        return reply_unknown(http, connection, &body);
    }
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
        buf_add_text(&body, "Only GET and HEAD.\n");
        return reply(connection, MHD_HTTP_METHOD_NOT_ALLOWED, TEXT_TYPE, "GET, HEAD", &body);
    }
    bool good = page->make(http->context, &body);
    if (body.overflowed) {
        body.size = 0;
        body.overflowed = false;
        buf_add_text(&body, "The page is too large.\n");
        return reply(connection, MHD_HTTP_INTERNAL_SERVER_ERROR, TEXT_TYPE, NULL, &body);
    }
    return reply(connection, good ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE, page->type, NULL,
                 &body);
}

bool status_http_new(int take_socket, const struct status_http_page *pages, void *context,
                     struct status_http **ret_http, struct err *err)
{
    struct status_http *http = calloc(1, sizeof *http);
    CHECK(http != NULL);
    http->pages = pages;
    http->context = context;
    http->daemon =
        MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL, 0, NULL, NULL, answer,
                         http, MHD_OPTION_LISTEN_SOCKET, take_socket, MHD_OPTION_CONNECTION_LIMIT,
                         (unsigned)STATUS_HTTP_CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT,
                         (unsigned)STATUS_HTTP_TIMEOUT_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                         (size_t)STATUS_HTTP_CONNECTION_BYTES, MHD_OPTION_END);
    if (http->daemon == NULL) {
        close(take_socket);
        free(http);
        return err_set(err, ERR_SETTINGS, "the status server cannot be started");
    }
    *ret_http = http;
    return true;
}

struct status_http *status_http_free(struct status_http *http)
{
    if (http != NULL) {
        MHD_stop_daemon(http->daemon);
        free(http);
    }
    return NULL;
}

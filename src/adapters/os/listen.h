/* Where a server listens: the text of a setting, and the socket. */
#ifndef TIDEMARK_ADAPTERS_OS_LISTEN_H
#define TIDEMARK_ADAPTERS_OS_LISTEN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "core/base/err.h"

enum { LISTEN_TEXT_MAX = 64 };

struct listen_place {
    bool off;
    struct sockaddr_storage address;
    socklen_t size;
};

/* "127.0.0.1:9464", "[::1]:9464", "localhost:0", "off". No name is looked up. NULL when it is
 * right, else what is wrong with it. Pure; any thread. */
const char *listen_parse(const char *text, struct listen_place *ret_listen);

/* A socket that listens there, to be closed by the caller; `ret_text` is where it really is, which
 * tells the port that 0 became. CONFLICT: it is taken; SETTINGS: it cannot be had. */
MUST_CHECK bool listen_open(const struct listen_place *listen, int *ret_socket,
                            char ret_text[LISTEN_TEXT_MAX], struct err *err);

#endif

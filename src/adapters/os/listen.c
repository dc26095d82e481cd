/* Where a server listens: the text of a setting, and the socket. */
#include "adapters/os/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PORT_MAX = 65535, BACKLOG = 64 };

static bool parse_port(const char *text, uint16_t *ret_port)
{
    size_t size = strlen(text);
    if (size == 0 || size > 5 || strspn(text, "0123456789") != size) {
        return false;
    }
    long port = strtol(text, NULL, 10);
    *ret_port = (uint16_t)port;
    return port <= PORT_MAX;
}

const char *listen_parse(const char *text, struct listen_place *ret_listen)
{
    struct listen_place listen = {0};
    if (strcmp(text, "off") == 0) {
        listen.off = true;
        *ret_listen = listen;
        return NULL;
    }
    const char *colon = strrchr(text, ':');
    char host[INET6_ADDRSTRLEN + 2];
    if (colon == NULL || colon == text || (size_t)(colon - text) >= sizeof host) {
        return "not of the form address:port";
    }
    memcpy(host, text, (size_t)(colon - text));
    host[colon - text] = '\0';
    uint16_t port = 0;
    if (!parse_port(colon + 1, &port)) {
        return "the port is not a number from 0 to 65535";
    }
    size_t last = strlen(host) - 1;
    if (host[0] == '[' && host[last] == ']') {
        struct sockaddr_in6 *six = (struct sockaddr_in6 *)(void *)&listen.address;
        host[last] = '\0';
        six->sin6_family = AF_INET6;
        six->sin6_port = htons(port);
        listen.size = sizeof *six;
        if (inet_pton(AF_INET6, host + 1, &six->sin6_addr) != 1) {
            return "not an IPv6 address in brackets";
        }
    } else {
        struct sockaddr_in *four = (struct sockaddr_in *)(void *)&listen.address;
        four->sin_family = AF_INET;
        four->sin_port = htons(port);
        listen.size = sizeof *four;
        const char *address = strcmp(host, "localhost") == 0 ? "127.0.0.1" : host;
        if (inet_pton(AF_INET, address, &four->sin_addr) != 1) {
            return "not an IP address (names are not looked up)";
        }
    }
    *ret_listen = listen;
    return NULL;
}

static void print_place(const struct sockaddr_storage *address, char text[LISTEN_TEXT_MAX])
{
    char host[INET6_ADDRSTRLEN] = "";
    if (address->ss_family == AF_INET6) {
        const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)address;
        inet_ntop(AF_INET6, &six->sin6_addr, host, sizeof host);
        snprintf(text, LISTEN_TEXT_MAX, "[%s]:%u", host, ntohs(six->sin6_port));
    } else {
        const struct sockaddr_in *four = (const struct sockaddr_in *)(const void *)address;
        inet_ntop(AF_INET, &four->sin_addr, host, sizeof host);
        snprintf(text, LISTEN_TEXT_MAX, "%s:%u", host, ntohs(four->sin_port));
    }
}

bool listen_open(const struct listen_place *place, int *ret_socket, char ret_text[LISTEN_TEXT_MAX],
                 struct err *err)
{
    const struct sockaddr *address = (const struct sockaddr *)(const void *)&place->address;
    char text[LISTEN_TEXT_MAX];
    print_place(&place->address, text);
    int made = socket(place->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int on = 1;
    struct sockaddr_storage real = {0};
    socklen_t size = sizeof real;
    /* a restart must not wait until the kernel forgets old connections */
    if (made < 0 || setsockopt(made, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(made, address, place->size) != 0 || listen(made, BACKLOG) != 0 ||
        getsockname(made, (struct sockaddr *)(void *)&real, &size) != 0) {
        int code = errno;
        if (made >= 0) {
            close(made);
        }
        if (code == EADDRINUSE) {
            return err_set_code(err, ERR_CONFLICT, code, "%s is taken by another process", text);
        }
        return err_set_code(err, ERR_SETTINGS, code, "cannot listen on %s: %s", text,
                            strerror(code));
    }
    print_place(&real, ret_text);
    *ret_socket = made;
    return true;
}

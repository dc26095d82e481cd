/* Which texts may stand for topics, brokers and addresses. */
#include "consumer/settings/settings_names.h"

#include <ctype.h>
#include <string.h>

#include "core/base/bytes.h"

enum { TOPIC_MAX = 249, HOST_MAX = 253 };

static bool is_plain(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
}

static bool all_plain(struct bytes text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (!is_plain((char)text.data[i])) {
            return false;
        }
    }
    return true;
}

const char *settings_names_topic(const char *text)
{
    struct bytes name = bytes_of_text(text);
    if (name.size == 0 || name.size > TOPIC_MAX || !all_plain(name) || strcmp(text, ".") == 0 ||
        strcmp(text, "..") == 0) {
        return "not a topic's name (1 to 249 of A-Z a-z 0-9 . _ -)";
    }
    return NULL;
}

/* host or [v6] with an optional port. */
static bool is_address(struct bytes address, bool port_needed)
{
    const char *text = (const char *)address.data;
    size_t host = 0;
    if (address.size > 0 && text[0] == '[') {
        const char *close = memchr(text, ']', address.size);
        host = close == NULL ? 0 : (size_t)(close - text) + 1;
        if (host < 4 || strspn(text + 1, "0123456789abcdefABCDEF:.") + 2 < host) {
            return false;
        }
    } else {
        while (host < address.size && is_plain(text[host])) {
            host++;
        }
    }
    if (host == 0 || host > HOST_MAX) {
        return false;
    }
    if (host == address.size) {
        return !port_needed;
    }
    size_t at = host + 1;
    unsigned port = 0;
    if (text[host] != ':' || at == address.size || address.size - at > 5) {
        return false;
    }
    for (; at < address.size; at++) {
        if (!isdigit((unsigned char)text[at])) {
            return false;
        }
        port = port * 10 + (unsigned)(text[at] - '0');
    }
    return port >= (port_needed ? 0U : 1U) && port <= 65535;
}

const char *settings_names_brokers(const char *text)
{
    while (true) {
        size_t size = strcspn(text, ",");
        const char *start = text + strspn(text, " ");
        const char *end = text + size;
        while (end > start && end[-1] == ' ') {
            end--;
        }
        const char *scheme = strstr(start, "://");
        if (scheme != NULL && scheme < end) {
            start = scheme + 3; /* librdkafka takes PLAINTEXT://host:port too */
        }
        if (end < start || !is_address(bytes_of(start, (size_t)(end - start)), false)) {
            return "not host:port, or several with commas";
        }
        if (text[size] == '\0') {
            return NULL;
        }
        text += size + 1;
    }
}

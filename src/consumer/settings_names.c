/* Which texts may stand for topics, stores, folders and brokers. */
#include "consumer/settings_names.h"

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

static const char *check_key(const char *key)
{
    if (key[0] == '\0') {
        return "has no prefix after the bucket, as in s3://bucket/prefix";
    }
    for (const char *c = key; *c != '\0'; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f) {
            return "has a control character";
        }
    }
    if (strpbrk(key, "?#") != NULL) {
        return "has a \"?\" or \"#\", which readers take for the end of a path";
    }
    if (strstr(key, "//") != NULL || key[0] == '/') {
        return "has an empty part (\"//\")";
    }
    if (strstr(key, "..") != NULL) {
        return "has \"..\"";
    }
    if (strstr(key, "run_id=") != NULL) {
        return "has \"run_id=\", which names runs inside a snapshot";
    }
    return NULL;
}

const char *settings_names_store(const char *text)
{
    if (!bytes_are_utf8(bytes_of_text(text))) {
        return "is not UTF-8";
    }
    if (strncmp(text, "file://", 7) == 0) {
        if (text[7] != '/') {
            return "is not an absolute path after file://, as in file:///srv/snapshots";
        }
        return text[8] == '\0' ? "is the root of the file system" : check_key(text + 8);
    }
    if (strncmp(text, "s3://", 5) != 0) {
        return "is not s3://bucket/prefix or file:///folder";
    }
    const char *slash = strchr(text + 5, '/');
    size_t bucket_size = slash == NULL ? strlen(text + 5) : (size_t)(slash - text - 5);
    if (bucket_size < 3 || bucket_size > 63 || !all_plain(bytes_of(text + 5, bucket_size))) {
        return "has no bucket's name after s3:// (3 to 63 of a-z 0-9 . -)";
    }
    return check_key(slash == NULL ? "" : slash + 1);
}

const char *settings_names_prefix(const char *text)
{
    struct bytes name = bytes_of_text(text);
    if (name.size == 0 || name.size > 100 || !all_plain(name) || text[0] == '.') {
        return "not one folder's name (A-Z a-z 0-9 . _ -)";
    }
    return NULL;
}

/* After "{db_id": "}" or ":0Nd}" or ":d}"; how many bytes of it, 0 when it is not one of them. */
static size_t placeholder_end(const char *text)
{
    if (text[0] == '}') {
        return 1;
    }
    if (strncmp(text, ":d}", 3) == 0) {
        return 3;
    }
    bool padded = text[0] == ':' && text[1] == '0' && text[2] >= '1' && text[2] <= '9' &&
                  text[3] == 'd' && text[4] == '}';
    return padded ? 5 : 0;
}

const char *settings_names_template(const char *text)
{
    static const char problem[] = "not one folder's name with {db_id} or {db_id:05d} in it once";
    const char *open = strchr(text, '{');
    if (open == NULL || strncmp(open, "{db_id", 6) != 0 || strlen(text) > 100) {
        return problem;
    }
    size_t end = placeholder_end(open + 6);
    if (end == 0) {
        return problem;
    }
    for (const char *c = text; *c != '\0'; c++) {
        c = c == open ? open + 6 + end : c;
        if (*c == '\0') {
            break;
        }
        if (!is_plain(*c) && *c != '=') {
            return problem;
        }
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

const char *settings_names_listen(const char *text)
{
    return is_address(bytes_of_text(text), true) ? NULL : "not host:port, as in 127.0.0.1:9464";
}

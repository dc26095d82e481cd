/* Object names, read back. */
#include "core/base/utc.h"
#include "core/snapshot/names.h"

enum { TIME_SIZE = UTC_TEXT_SIZE - 1, UUID_SIZE = 32 };

static struct bytes without_slash(struct bytes folder)
{
    if (folder.size > 0 && folder.data[folder.size - 1] == '/') {
        folder.size--;
    }
    return folder;
}

/* Takes `prefix` off the front. */
static bool skip(struct bytes *text, const char *prefix)
{
    size_t size = strlen(prefix);
    if (text->size < size || memcmp(text->data, prefix, size) != 0) {
        return false;
    }
    *text = bytes_of(text->data + size, text->size - size);
    return true;
}

static bool has_slash(struct bytes text)
{
    return text.size > 0 && memchr(text.data, '/', text.size) != NULL;
}

/* `<TS>_run_id=<rest>`, the rest without "/" and not empty. */
static bool parse_timed(struct bytes folder, int64_t *ret_time_us, struct bytes *ret_rest)
{
    folder = without_slash(folder);
    if (folder.size < TIME_SIZE) {
        return false;
    }
    struct bytes rest = bytes_of(folder.data + TIME_SIZE, folder.size - TIME_SIZE);
    int64_t time_us = 0;
    if (!utc_parse_name(bytes_of(folder.data, TIME_SIZE), &time_us) || !skip(&rest, "_run_id=") ||
        rest.size == 0 || has_slash(rest)) {
        return false;
    }
    *ret_time_us = time_us;
    *ret_rest = rest;
    return true;
}

bool names_parse_manifest_folder(struct bytes folder, int64_t *ret_time_us,
                                 struct bytes *ret_run_id)
{
    return parse_timed(folder, ret_time_us, ret_run_id);
}

static bool is_uuid(struct bytes text)
{
    for (size_t i = 0; i < text.size; i++) {
        bool digit = text.data[i] >= '0' && text.data[i] <= '9';
        if (!digit && (text.data[i] < 'a' || text.data[i] > 'f')) {
            return false;
        }
    }
    return text.size == UUID_SIZE;
}

bool names_parse_run_record_folder(struct bytes folder, int64_t *ret_started_us,
                                   struct bytes *ret_run_id)
{
    int64_t started_us = 0;
    struct bytes rest;
    if (!parse_timed(folder, &started_us, &rest) || rest.size < UUID_SIZE + 2) {
        return false;
    }
    size_t size = rest.size - UUID_SIZE - 1;
    if (rest.data[size] != '_' || !is_uuid(bytes_of(rest.data + size + 1, UUID_SIZE))) {
        return false;
    }
    *ret_started_us = started_us;
    *ret_run_id = bytes_of(rest.data, size);
    return true;
}

bool names_parse_run_folder(struct bytes folder, struct bytes *ret_run_id)
{
    struct bytes rest = without_slash(folder);
    if (!skip(&rest, "run_id=") || rest.size == 0 || has_slash(rest)) {
        return false;
    }
    *ret_run_id = rest;
    return true;
}

bool names_parse_run_of(const struct names *names, const char *name_or_url,
                        struct bytes *ret_run_id)
{
    const char *name = names_from_url(names, name_or_url);
    struct bytes rest = bytes_of_text(name == NULL ? name_or_url : name);
    if (!skip(&rest, names->shard_prefix) || !skip(&rest, "/")) {
        return false;
    }
    const uint8_t *slash = rest.size == 0 ? NULL : memchr(rest.data, '/', rest.size);
    size_t size = slash == NULL ? rest.size : (size_t)(slash - rest.data);
    return names_parse_run_folder(bytes_of(rest.data, size), ret_run_id);
}

bool names_parse_attempt_folder(struct bytes folder, int64_t *ret_attempt)
{
    struct bytes rest = without_slash(folder);
    if (!skip(&rest, "attempt=") || rest.size < 2 || rest.size > 18 ||
        (rest.size > 2 && rest.data[0] == '0')) {
        return false;
    }
    int64_t attempt = 0;
    for (size_t i = 0; i < rest.size; i++) {
        if (rest.data[i] < '0' || rest.data[i] > '9') {
            return false;
        }
        attempt = attempt * 10 + (rest.data[i] - '0');
    }
    *ret_attempt = attempt;
    return true;
}

struct bytes names_attempt_of(const char *name)
{
    int64_t number = 0;
    const char *start = name;
    for (const char *end = strchr(name, '/'); end != NULL; end = strchr(start, '/')) {
        if (names_parse_attempt_folder(bytes_of(start, (size_t)(end - start)), &number)) {
            return bytes_of(name, (size_t)(end - name) + 1);
        }
        start = end + 1;
    }
    return bytes_of(NULL, 0);
}

/* Digits as printf writes them: no sign, no zero in front. */
static bool take_number(const char **at, uint64_t *out)
{
    if (**at < '1' || **at > '9') {
        return false;
    }
    uint64_t number = 0;
    for (; **at >= '0' && **at <= '9'; (*at)++) {
        uint64_t digit = (uint64_t)(**at - '0');
        if (number > (UINT64_MAX - digit) / 10) {
            return false;
        }
        number = number * 10 + digit;
    }
    *out = number;
    return true;
}

uint64_t names_build_of_run(const char *run_id)
{
    const char *at = run_id;
    uint64_t build = 0;
    uint64_t term = 0;
    if (*at++ != 'b' || !take_number(&at, &build) || strncmp(at, "-t", 2) != 0) {
        return 0;
    }
    at += 2;
    if (*at == '0') {
        at++; /* the first record of a ledger */
    } else if (!take_number(&at, &term)) {
        return 0;
    }
    size_t digits = *at == '-' ? strspn(at + 1, "0123456789abcdef") : 0;
    return digits > 0 && at[1 + digits] == '\0' ? build : 0;
}

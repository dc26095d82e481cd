/* What may be part of an object's name. */
#include "core/snapshot/names_check.h"

enum { DIGITS_MAX = 20 };

static bool has_control_character(const char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f) {
            return true;
        }
    }
    return false;
}

/* The path or key behind the scheme (and the bucket); NULL: no URL of ours. */
static const char *path_of(const char *prefix)
{
    if (strncmp(prefix, "file:///", 8) == 0) {
        return prefix + 8;
    }
    if (strncmp(prefix, "s3://", 5) != 0 || prefix[5] == '/' || prefix[5] == '\0') {
        return NULL;
    }
    const char *slash = strchr(prefix + 5, '/');
    return slash == NULL ? "" : slash + 1;
}

static bool has_dot_segment(const char *path)
{
    for (const char *at = path; at != NULL; at = strchr(at, '/')) {
        at += *at == '/';
        size_t size = strcspn(at, "/");
        if (size == 1 && at[0] == '.') {
            return true;
        }
    }
    return strstr(path, "..") != NULL;
}

bool names_check_prefix(const char *prefix, struct err *err)
{
    const char *path = path_of(prefix);
    if (path == NULL) {
        return err_set(err, ERR_SETTINGS,
                       "\"%.200s\" is neither s3://bucket/prefix nor file:///path", prefix);
    }
    const char *problem = NULL;
    if (path[0] == '\0') {
        problem = "has nothing behind the bucket or the root";
    } else if (strpbrk(path, "?#") != NULL) {
        problem = "has a ? or #";
    } else if (path[0] == '/' || strstr(path, "//") != NULL) {
        problem = "has //";
    } else if (path[strlen(path) - 1] == '/') {
        problem = "ends with /";
    } else if (has_dot_segment(path)) {
        problem = "has . or ..";
    } else if (strstr(path, "run_id=") != NULL) {
        problem = "has run_id=, which is how runs are told from it";
    } else if (has_control_character(prefix)) {
        problem = "has a control character";
    } else if (!bytes_are_utf8(bytes_of_text(prefix))) {
        problem = "is not UTF-8";
    }
    return problem == NULL ||
           err_set(err, ERR_SETTINGS, "the prefix \"%.200s\" %s", prefix, problem);
}

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
}

bool names_check_segment(const char *setting, const char *segment, struct err *err)
{
    static const char *const taken[] = {"manifests", "parts", "_CURRENT", ".", ".."};
    bool plain = segment[0] != '\0';
    for (const char *at = segment; *at != '\0'; at++) {
        plain = plain && is_plain(*at);
    }
    if (!plain) {
        return err_set(err, ERR_SETTINGS, "%s \"%.100s\" is not one name of A-Z a-z 0-9 . _ -",
                       setting, segment);
    }
    for (size_t i = 0; i < LENGTH_OF(taken); i++) {
        if (strcmp(segment, taken[i]) == 0) {
            return err_set(err, ERR_SETTINGS, "%s cannot be \"%s\"", setting, segment);
        }
    }
    return true;
}

/* "{db_id}" or "{db_id:0Nd}" at `field`: its length, 0 where it is neither. */
static size_t parse_field(const char *field, int *ret_digits)
{
    static const char start[] = "{db_id";
    size_t used = sizeof start - 1;
    if (strncmp(field, start, used) != 0) {
        return 0;
    }
    *ret_digits = 0;
    if (field[used] == '}') {
        return used + 1;
    }
    if (strncmp(field + used, ":0", 2) != 0) {
        return 0;
    }
    used += 2;
    while (field[used] >= '0' && field[used] <= '9' && *ret_digits <= DIGITS_MAX) {
        *ret_digits = *ret_digits * 10 + (field[used++] - '0');
    }
    bool good = *ret_digits >= 1 && *ret_digits <= DIGITS_MAX;
    return good && strncmp(field + used, "d}", 2) == 0 ? used + 2 : 0;
}

bool names_check_template(const char *text, struct names_template *ret_parts, struct err *err)
{
    size_t before = strcspn(text, "{");
    int digits = 0;
    size_t field = parse_field(text + before, &digits);
    const char *after = text + before + field;
    bool good = field > 0;
    for (const char *at = text; *at != '\0'; at++) {
        bool in_field = at >= text + before && at < after;
        good = good && (in_field || is_plain(*at) || *at == '=');
    }
    if (!good) {
        return err_set(err, ERR_SETTINGS,
                       "db_path_template \"%.100s\" is not one name of A-Z a-z 0-9 . _ - = with "
                       "{db_id} or {db_id:05d} in it once",
                       text);
    }
    *ret_parts = (struct names_template){
        .before = bytes_of(text, before), .after = bytes_of_text(after), .digits = digits};
    return true;
}

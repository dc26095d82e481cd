/* ${NAME}, ${NAME:-default} and ${file:path} in the texts of a settings file. */
#include "consumer/settings/settings_expand.h"

#include <stdlib.h>

#include "adapters/os/file.h"
#include "consumer/settings/settings_text.h"

static bool is_variable(struct bytes name)
{
    for (size_t i = 0; i < name.size; i++) {
        uint8_t c = name.data[i];
        bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
        if (!letter && !(i > 0 && c >= '0' && c <= '9')) {
            return false;
        }
    }
    return name.size > 0 && name.size <= 256;
}

static bool add_file(struct arena *arena, const char *path, const char *file, struct buf *out,
                     struct err *err)
{
    path = settings_text_resolve(arena, file, path);
    AUTO(buf) struct buf content;
    buf_init(&content, SETTINGS_EXPAND_MAX);
    if (!file_read(path, &content, err)) {
        err->kind = ERR_SETTINGS;
        return false;
    }
    size_t size = content.size;
    if (size > 0 && content.data[size - 1] == '\n') {
        size--;
    }
    if (size > 0 && memchr(content.data, 0, size) != NULL) {
        return err_set(err, ERR_SETTINGS, "%.300s has a zero byte", path);
    }
    buf_add(out, content.data, size);
    return true;
}

/* The text between "${" and "}". */
static bool add_reference(struct arena *arena, struct bytes inside, const char *file,
                          struct buf *out, bool *outside, struct err *err)
{
    const char *text = arena_text(arena, inside);
    if (strncmp(text, "file:", 5) == 0) {
        *outside = true;
        return add_file(arena, text + 5, file, out, err);
    }
    const char *fallback = strstr(text, ":-");
    size_t name_size = fallback == NULL ? inside.size : (size_t)(fallback - text);
    const char *name = arena_text(arena, bytes_of(text, name_size));
    if (!is_variable(bytes_of_text(name))) {
        return err_set(err, ERR_SETTINGS,
                       "\"${\" is not followed by a variable's name and \"}\" (\"$${\" stands for "
                       "\"${\")");
    }
    const char *value = getenv(name);
    if (fallback != NULL && (value == NULL || value[0] == '\0')) {
        buf_add_text(out, fallback + 2);
        return true;
    }
    if (value == NULL) {
        return err_set(err, ERR_SETTINGS, "environment variable %s is not set", name);
    }
    *outside = true;
    buf_add_text(out, value);
    return true;
}

bool settings_expand(struct arena *arena, const char *text, const char *file, const char **ret_text,
                     bool *ret_outside, struct err *err)
{
    AUTO(buf) struct buf out;
    buf_init(&out, SETTINGS_EXPAND_MAX);
    bool outside = false;
    while (*text != '\0') {
        if (strncmp(text, "$${", 3) == 0) {
            buf_add_text(&out, "${");
            text += 3;
        } else if (strncmp(text, "${", 2) == 0) {
            const char *end = strchr(text, '}');
            if (end == NULL) {
                return err_set(err, ERR_SETTINGS, "\"${\" has no \"}\"");
            }
            TRY(add_reference(arena, bytes_of(text + 2, (size_t)(end - text - 2)), file, &out,
                              &outside, err));
            text = end + 1;
        } else {
            buf_add_byte(&out, (uint8_t)*text++);
        }
    }
    if (out.overflowed) {
        return err_set(err, ERR_SETTINGS, "longer than %d bytes", SETTINGS_EXPAND_MAX);
    }
    *ret_text = arena_text(arena, bytes_of_text(buf_text(&out)));
    *ret_outside = outside;
    return true;
}

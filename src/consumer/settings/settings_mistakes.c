/* All that is wrong with a settings file, collected in one go. */
#include "consumer/settings/settings_mistakes.h"

#include <stdlib.h>

enum { TEXT_MAX = 300 };

void settings_mistakes_init(struct settings_mistakes *list)
{
    list->arena = arena_new(4096);
    list->count = 0;
    list->dropped = 0;
}

void settings_mistakes_done(struct settings_mistakes *list)
{
    list->arena = arena_free(list->arena);
    list->count = 0;
    list->dropped = 0;
}

void settings_mistakes_auto(struct settings_mistakes *list)
{
    settings_mistakes_done(list);
}

/* One line of valid UTF-8 that cannot steer a terminal: foreign bytes come from a foreign file. */
static const char *clean(struct arena *arena, const char *text)
{
    if (text == NULL) {
        return NULL;
    }
    size_t size = strlen(text);
    bool cut = size > TEXT_MAX;
    size = cut ? TEXT_MAX : size;
    while (cut && size > 0 && ((uint8_t)text[size] & 0xc0) == 0x80) {
        size--; /* not in the middle of a character */
    }
    bool utf8 = bytes_are_utf8(bytes_of(text, size));
    char *copy = arena_alloc(arena, size + 4);
    for (size_t i = 0; i < size; i++) {
        uint8_t byte = (uint8_t)text[i];
        bool control = byte < 0x20 || byte == 0x7f;
        copy[i] = control || (byte >= 0x80 && !utf8) ? '?' : text[i];
    }
    strcpy(copy + size, cut ? "..." : "");
    return copy;
}

void settings_mistakes_add(struct settings_mistakes *list, const struct settings_mistake *mistake)
{
    if (list->count == SETTINGS_MISTAKES_MAX) {
        list->dropped++;
        return;
    }
    list->items[list->count++] = (struct settings_mistake){
        .file = clean(list->arena, mistake->file),
        .line = mistake->line,
        .path = clean(list->arena, mistake->path == NULL ? "" : mistake->path),
        .problem = clean(list->arena, mistake->problem),
        .seen = clean(list->arena, mistake->seen),
        .allowed = clean(list->arena, mistake->allowed),
        .nearest = clean(list->arena, mistake->nearest),
        .picture = mistake->picture == NULL
                       ? NULL
                       : arena_text(list->arena, bytes_of_text(mistake->picture)),
    };
}

static size_t first_of_file(const struct settings_mistakes *list, const char *file)
{
    size_t i = 0;
    while (strcmp(list->items[i].file, file) != 0) {
        i++;
    }
    return i;
}

struct place {
    size_t file;
    int line;
    size_t index;
};

static int compare_places(const void *a, const void *b)
{
    const struct place *x = a;
    const struct place *y = b;
    if (x->file != y->file) {
        return x->file < y->file ? -1 : 1;
    }
    if (x->line != y->line) {
        return x->line < y->line ? -1 : 1;
    }
    return (x->index > y->index) - (x->index < y->index);
}

void settings_mistakes_sort(struct settings_mistakes *list)
{
    struct place *places = arena_alloc(list->arena, (list->count + 1) * sizeof(*places));
    struct settings_mistake *sorted = arena_alloc(list->arena, (list->count + 1) * sizeof(*sorted));
    for (size_t i = 0; i < list->count; i++) {
        places[i] = (struct place){
            .file = first_of_file(list, list->items[i].file),
            .line = list->items[i].line,
            .index = i,
        };
    }
    qsort(places, list->count, sizeof(*places), compare_places);
    for (size_t i = 0; i < list->count; i++) {
        sorted[i] = list->items[places[i].index];
    }
    for (size_t i = 0; i < list->count; i++) {
        list->items[i] = sorted[i];
    }
}

void settings_mistake_print(const struct settings_mistake *mistake, struct buf *out)
{
    buf_add_text(out, mistake->file);
    if (mistake->line > 0) {
        buf_add_format(out, ":%d", mistake->line);
    }
    buf_add_text(out, ": ");
    if (mistake->path[0] != '\0') {
        buf_add_format(out, "%s: ", mistake->path);
    }
    buf_add_text(out, mistake->problem);
    if (mistake->seen != NULL) {
        buf_add_format(out, ": %s", mistake->seen);
    }
    if (mistake->allowed != NULL) {
        buf_add_format(out, "; allowed: %s", mistake->allowed);
    }
    if (mistake->nearest != NULL) {
        buf_add_format(out, "; did you mean '%s'?", mistake->nearest);
    }
    if (mistake->picture != NULL) {
        buf_add_format(out, "\n%s", mistake->picture);
    }
}

/* Our member of a manifest's `custom`: where a snapshot comes from. */
#include "core/snapshot/lineage.h"

#include <stddef.h>

#include "core/base/json.h"

enum { TEXT_MAX = 16 << 20 };

static const struct {
    const char *name;
    size_t offset;
    bool optional;
} texts[] = {
    {"contents", offsetof(struct lineage_maker, contents), false},
    {"group", offsetof(struct lineage_maker, group), false},
    {"kv_backend", offsetof(struct lineage_maker, kv_backend), true},
    {"kv_version", offsetof(struct lineage_maker, kv_version), true},
    {"order", offsetof(struct lineage_maker, order), false},
    {"settings", offsetof(struct lineage_maker, settings), false},
    {"software", offsetof(struct lineage_maker, software), false},
    {"sqlite_version", offsetof(struct lineage_maker, sqlite_version), false},
};

static const char **text_of(struct lineage_maker *maker, size_t i)
{
    return (const char **)((char *)maker + texts[i].offset);
}

static bool parse_object(struct bytes text, cJSON **ret_root, struct err *err)
{
    TRY(json_parse(text, ret_root, err));
    return cJSON_IsObject(*ret_root) || err_set(err, ERR_INPUT, "a lineage that is not an object");
}

bool lineage_add_maker(struct bytes record, const struct lineage_maker *maker, struct buf *out,
                       struct err *err)
{
    AUTO(json) cJSON *root = NULL;
    TRY(parse_object(record, &root, err));
    cJSON_DeleteItemFromObjectCaseSensitive(root, "made_by");
    cJSON *made_by = json_put_object(root, "made_by");
    struct lineage_maker copy = *maker;
    for (size_t i = 0; i < LENGTH_OF(texts); i++) {
        const char *text = *text_of(&copy, i);
        if (texts[i].optional && (text == NULL || text[0] == '\0')) {
            continue;
        }
        if (text[0] == '\0') {
            json_put_null(made_by, texts[i].name);
        } else {
            json_put_text(made_by, texts[i].name, text);
        }
    }
    json_print(root, out);
    return true;
}

bool lineage_maker(struct bytes lineage, struct arena *arena, struct lineage_maker *ret_maker,
                   struct err *err)
{
    AUTO(json) cJSON *root = NULL;
    TRY(parse_object(lineage, &root, err));
    struct json at = json_root(root);
    struct json made_by = {0};
    bool there = json_has(&at, "made_by");
    if (there) {
        TRY(json_object(&at, "made_by", &made_by, err));
    }
    struct lineage_maker maker;
    for (size_t i = 0; i < LENGTH_OF(texts); i++) {
        const char *text = "";
        if (there && json_has(&made_by, texts[i].name)) {
            TRY(json_text(&made_by, texts[i].name, TEXT_MAX, &text, err));
        }
        *text_of(&maker, i) = arena_text(arena, bytes_of_text(text));
    }
    *ret_maker = maker;
    return true;
}

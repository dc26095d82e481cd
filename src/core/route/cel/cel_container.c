/* size(), in and the index of lists and maps. */
#include "core/route/cel/cel_functions.h"

static size_t code_points(struct bytes text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.size; i++) {
        count += (text.data[i] & 0xc0) != 0x80;
    }
    return count;
}

bool cel_container_size(struct cel_frame *frame, const struct cel_value *value,
                        struct cel_value *ret)
{
    size_t size = 0;
    switch ((int)value->kind) {
    case CEL_STRING:
        size = code_points(value->text);
        break;
    case CEL_BYTES:
        size = value->text.size;
        break;
    case CEL_LIST:
        size = value->list->count;
        break;
    case CEL_MAP:
        size = value->map->count;
        break;
    default:
        return cel_frame_no_overload(frame);
    }
    *ret = cel_value_int((int64_t)size);
    return true;
}

static bool is_key(const struct cel_value *value)
{
    return value->kind == CEL_BOOL || value->kind == CEL_INT || value->kind == CEL_UINT ||
           value->kind == CEL_DOUBLE || value->kind == CEL_STRING;
}

bool cel_container_index(struct cel_frame *frame, const struct cel_value *pair,
                         struct cel_value *ret)
{
    if (pair[0].kind == CEL_LIST) {
        const struct cel_list *list = pair[0].list;
        int64_t index = 0;
        if (!cel_value_whole_int(&pair[1], &index)) {
            return cel_frame_fail(frame, "the index of a list is no whole number");
        }
        if (index < 0 || (uint64_t)index >= list->count) {
            return cel_frame_fail(frame, "an index outside of the list");
        }
        *ret = list->items[index];
        return true;
    }
    if (pair[0].kind != CEL_MAP) {
        return cel_frame_fail(frame, "an index into what is neither list nor map");
    }
    const struct cel_value *found = is_key(&pair[1]) ? cel_value_lookup(pair[0].map, &pair[1])
                                                     : NULL;
    if (found == NULL) {
        return cel_frame_fail(frame, "a key that is not in the map");
    }
    *ret = *found;
    return true;
}

bool cel_container_in(struct cel_frame *frame, const struct cel_value *pair, struct cel_value *ret)
{
    if (pair[1].kind == CEL_MAP) {
        if (!is_key(&pair[0])) {
            return cel_frame_no_overload(frame);
        }
        *ret = cel_value_bool(cel_value_lookup(pair[1].map, &pair[0]) != NULL);
        return true;
    }
    if (pair[1].kind != CEL_LIST) {
        return cel_frame_no_overload(frame);
    }
    const struct cel_list *list = pair[1].list;
    bool found = false;
    for (size_t i = 0; i < list->count && !found; i++) {
        found = cel_value_equal(&pair[0], &list->items[i]);
    }
    *ret = cel_value_bool(found);
    return true;
}

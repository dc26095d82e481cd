/* `_CURRENT`: the one mutable object (snapshot format, section 2). */
#include "core/snapshot/pointer.h"

#include "core/base/json.h"
#include "core/base/utc.h"
#include "core/snapshot/names.h"

enum { REF_MAX = 8192 };

void pointer_encode(const struct pointer *pointer, struct buf *out)
{
    char updated_at[UTC_TEXT_SIZE];
    utc_format_json(pointer->updated_at_us, updated_at);
    AUTO(json) cJSON *object = json_new_object();
    json_put_i64(object, "format_version", POINTER_FORMAT_VERSION);
    json_put_text(object, "manifest_content_type", NAMES_CONTENT_SQLITE);
    json_put_text(object, "manifest_ref", pointer->manifest_ref);
    json_put_text(object, "run_id", pointer->run_id);
    json_put_text(object, "updated_at", updated_at);
    json_print(object, out);
}

bool pointer_decode(struct bytes text, struct arena *arena, struct pointer *ret_pointer,
                    struct err *err)
{
    if (text.size > POINTER_BYTES_MAX) {
        return err_set(err, ERR_INPUT, "%zu bytes are too many for a pointer", text.size);
    }
    AUTO(json) cJSON *root = NULL;
    TRY(json_parse(text, &root, err));
    if (!cJSON_IsObject(root)) {
        return err_set(err, ERR_INPUT, "a pointer that is not an object");
    }
    struct json at = json_root(root);
    int64_t version = 0;
    const char *content_type = NULL;
    const char *manifest_ref = NULL;
    const char *run_id = NULL;
    const char *updated_at = NULL;
    int64_t updated_at_us = 0;
    TRY(json_i64(&at, "format_version", POINTER_FORMAT_VERSION, POINTER_FORMAT_VERSION, &version,
                 err));
    TRY(json_text(&at, "manifest_content_type", REF_MAX, &content_type, err));
    if (strcmp(content_type, NAMES_CONTENT_SQLITE) != 0) {
        return json_refuse(&at, "manifest_content_type", err, "not " NAMES_CONTENT_SQLITE);
    }
    TRY(json_text(&at, "manifest_ref", REF_MAX, &manifest_ref, err));
    if (manifest_ref[0] == '\0') {
        return json_refuse(&at, "manifest_ref", err, "empty");
    }
    TRY(json_text(&at, "run_id", NAMES_RUN_ID_MAX, &run_id, err));
    if (run_id[0] == '\0' || strchr(run_id, '/') != NULL) {
        return json_refuse(&at, "run_id", err, "empty, or with a /");
    }
    TRY(json_text(&at, "updated_at", 100, &updated_at, err));
    if (!utc_parse(bytes_of_text(updated_at), &updated_at_us, err)) {
        return err_wrap(err, "updated_at");
    }
    *ret_pointer = (struct pointer){
        .manifest_ref = arena_text(arena, bytes_of_text(manifest_ref)),
        .run_id = arena_text(arena, bytes_of_text(run_id)),
        .updated_at_us = updated_at_us,
    };
    return true;
}

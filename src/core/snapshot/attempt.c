/* One try to build one shard: a row of the manifest, or one that lost. */
#include "core/snapshot/attempt.h"

#include "core/base/json.h"

void attempt_init(struct attempt *attempt, int64_t db_id, int64_t number)
{
    *attempt = (struct attempt){
        .db_id = db_id,
        .attempt = number,
        .task_attempt_id = ATTEMPT_NO_TASK,
        .stage_id = ATTEMPT_NO_STAGE,
    };
}

const char *attempt_key_text(enum key_encoding encoding, struct bytes stored, struct arena *arena)
{
    AUTO(buf) struct buf text;
    buf_init(&text, ATTEMPT_KEY_TEXT_MAX);
    return key_print_json(encoding, stored, &text) && !text.overflowed
               ? arena_text(arena, buf_bytes(&text))
               : NULL;
}

static void put_or_null(cJSON *object, const char *name, int64_t value, int64_t none)
{
    if (value == none) {
        json_put_null(object, name);
    } else {
        json_put_i64(object, name, value);
    }
}

void attempt_print_writer_info(const struct attempt *attempt, struct buf *out)
{
    AUTO(json) cJSON *object = json_new_object();
    json_put_i64(object, "attempt", attempt->attempt);
    json_put_i64(object, "duration_ms", attempt->duration_ms);
    put_or_null(object, "stage_id", attempt->stage_id, ATTEMPT_NO_STAGE);
    put_or_null(object, "task_attempt_id", attempt->task_attempt_id, ATTEMPT_NO_TASK);
    json_print(object, out);
}

static bool take(const struct json *at, const char *name, int64_t *value, struct err *err)
{
    return !json_has(at, name) || json_i64(at, name, INT64_MIN + 1, INT64_MAX - 1, value, err);
}

bool attempt_parse_writer_info(struct bytes text, struct attempt *attempt, struct err *err)
{
    AUTO(json) cJSON *root = NULL;
    TRY(json_parse(text, &root, err));
    struct json at = json_root(root);
    if (!cJSON_IsObject(root)) {
        return err_set(err, ERR_INPUT, "not an object");
    }
    TRY(take(&at, "duration_ms", &attempt->duration_ms, err));
    TRY(take(&at, "stage_id", &attempt->stage_id, err));
    return take(&at, "task_attempt_id", &attempt->task_attempt_id, err);
}

bool attempt_checkpoint_id_is_valid(const char *checkpoint_id)
{
    return strlen(checkpoint_id) == 32 && strspn(checkpoint_id, "0123456789abcdef") == 32;
}

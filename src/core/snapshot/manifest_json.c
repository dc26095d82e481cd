/* The JSON columns of a manifest: `sharding` and `custom`, to text and back. */
#include "core/snapshot/manifest_json.h"

#include <stdlib.h>

#include "core/base/json.h"
#include "core/record/json_scan.h"
#include "core/snapshot/names.h"
#include "core/snapshot/page_size.h"

enum {
    SIDECAR_VERSION_KNOWN = 8,
    EXPRESSION_MAX = 1 << 20,
    VALUES_MAX = 1000000,
};

/* ---- sharding ---- */

static void put_columns(cJSON *object, const struct sharding *sharding)
{
    cJSON *columns = json_put_object(object, "cel_columns");
    for (size_t i = 0; i < sharding->column_count; i++) {
        json_put_text(columns, sharding->columns[i].name,
                      sharding_column_type_name(sharding->columns[i].type));
    }
}

static void put_values(cJSON *object, const struct sharding *sharding, struct buf *scratch)
{
    cJSON *values = json_put_array(object, "routing_values");
    for (size_t i = 0; i < sharding->routing_value_count; i++) {
        const struct logical_key *value = &sharding->routing_values[i];
        if (value->type == KEY_INTEGER) {
            int64_t magnitude = (int64_t)value->magnitude;
            CHECK(value->magnitude <= (uint64_t)JSON_INTEGER_MAX);
            json_add_i64(values, value->negative ? -magnitude : magnitude);
        } else {
            buf_clear(scratch);
            buf_add_bytes(scratch, value->bytes);
            json_add_text(values, buf_text(scratch));
        }
    }
}

void manifest_print_sharding(const struct sharding *sharding, struct buf *out)
{
    AUTO(buf) struct buf scratch;
    buf_init(&scratch, SIZE_MAX);
    AUTO(json) cJSON *object = json_new_object();
    bool cel = sharding->strategy == SHARDING_CEL;
    json_put_text(object, "strategy", cel ? "cel" : "hash");
    json_put_text(object, "hash_algorithm", "xxh3_64");
    if (cel) {
        json_put_text(object, "cel_expr", sharding->cel_expr);
        put_columns(object, sharding);
    } else {
        json_put_null(object, "cel_expr");
        json_put_null(object, "cel_columns");
    }
    if (sharding->has_routing_values) {
        put_values(object, sharding, &scratch);
    } else {
        json_put_null(object, "routing_values");
    }
    json_print(object, out);
}

static bool only_known_members(const cJSON *object, struct err *err)
{
    static const char *const known[] = {"strategy", "hash_algorithm", "cel_expr", "cel_columns",
                                        "routing_values"};
    for (const cJSON *member = object->child; member != NULL; member = member->next) {
        bool found = false;
        for (size_t i = 0; i < LENGTH_OF(known); i++) {
            found = found || strcmp(member->string, known[i]) == 0;
        }
        if (!found) {
            return err_set(err, ERR_INPUT, "%.100s: not a member of sharding", member->string);
        }
    }
    return true;
}

static bool parse_columns(const struct json *at, struct arena *arena, struct sharding *sharding,
                          struct err *err)
{
    struct json columns;
    TRY(json_object(at, "cel_columns", &columns, err));
    size_t count = (size_t)cJSON_GetArraySize(columns.node);
    struct sharding_column *list = arena_zero(arena, (count + 1) * sizeof *list);
    size_t used = 0;
    for (const cJSON *member = columns.node->child; member != NULL; member = member->next) {
        struct sharding_column *column = &list[used++];
        column->name = arena_text(arena, bytes_of_text(member->string));
        if (!cJSON_IsString(member) ||
            !sharding_column_type_parse(bytes_of_text(member->valuestring), &column->type)) {
            return json_refuse(&columns, member->string, err, "not the name of a type");
        }
    }
    sharding->columns = list;
    sharding->column_count = count;
    return true;
}

static bool parse_value(const struct json *item, struct arena *arena, struct logical_key *ret_value,
                        struct err *err)
{
    if (cJSON_IsString(item->node)) {
        *ret_value = key_of_text(arena_copy(arena, bytes_of_text(item->node->valuestring)));
        return true;
    }
    if (!cJSON_IsNumber(item->node)) {
        return json_refuse(item, NULL, err, "neither an integer nor a text");
    }
    int64_t value = 0;
    TRY(json_i64(item, NULL, -JSON_INTEGER_MAX, JSON_INTEGER_MAX, &value, err));
    *ret_value = key_of_u64((uint64_t)(value < 0 ? -value : value));
    ret_value->negative = value < 0;
    return true;
}

static bool parse_values(const struct json *at, struct arena *arena, struct sharding *sharding,
                         struct err *err)
{
    struct json values;
    size_t count = 0;
    TRY(json_array(at, "routing_values", VALUES_MAX, &values, &count, err));
    struct logical_key *list = arena_zero(arena, (count + 1) * sizeof *list);
    struct json item = {0};
    for (size_t i = 0; i < count; i++) {
        json_item(&values, i, &item);
        TRY(parse_value(&item, arena, &list[i], err));
    }
    sharding->has_routing_values = true;
    sharding->routing_values = list;
    sharding->routing_value_count = count;
    return true;
}

bool manifest_parse_sharding(struct bytes text, struct arena *arena, struct sharding *ret_sharding,
                             struct err *err)
{
    AUTO(json) cJSON *root = NULL;
    TRY(json_parse(text, &root, err));
    if (!cJSON_IsObject(root)) {
        return err_set(err, ERR_INPUT, "not an object");
    }
    TRY(only_known_members(root, err));
    struct json at = json_root(root);
    struct sharding sharding = {0};
    const char *strategy = NULL;
    const char *algorithm = NULL;
    TRY(json_text(&at, "strategy", 20, &strategy, err));
    if (strcmp(strategy, "hash") != 0 && strcmp(strategy, "cel") != 0) {
        return json_refuse(&at, "strategy", err, "neither hash nor cel");
    }
    sharding.strategy = strategy[0] == 'c' ? SHARDING_CEL : SHARDING_HASH;
    TRY(json_text(&at, "hash_algorithm", 20, &algorithm, err));
    if (strcmp(algorithm, "xxh3_64") != 0) {
        return json_refuse(&at, "hash_algorithm", err, "not xxh3_64");
    }
    if (json_has(&at, "cel_expr")) {
        const char *expression = NULL;
        TRY(json_text(&at, "cel_expr", EXPRESSION_MAX, &expression, err));
        sharding.cel_expr = arena_text(arena, bytes_of_text(expression));
    }
    if (json_has(&at, "cel_columns")) {
        TRY(parse_columns(&at, arena, &sharding, err));
    }
    if (json_has(&at, "routing_values")) {
        TRY(parse_values(&at, arena, &sharding, err));
    }
    *ret_sharding = sharding;
    return true;
}

/* ---- custom ---- */

#define MEMBER_SIDECAR "sqlite_sidecar"
#define MEMBER_VECTOR "vector"
#define MEMBER_LINEAGE "tidemark"

enum {
    VIEW_SIDECAR,
    VIEW_VERSION,
    VIEW_PAGE_SIZE,
    VIEW_CODEC,
    VIEW_FILE,
    VIEW_BACKEND,
    VIEW_DIM,
    VIEW_METRIC,
    VIEW_LINEAGE,
    VIEW_KV,
    VIEW_ALL,
};

static const char *const custom_pointers[] = {
    [VIEW_SIDECAR] = "/" MEMBER_SIDECAR,
    [VIEW_VERSION] = "/" MEMBER_SIDECAR "/format_version",
    [VIEW_PAGE_SIZE] = "/" MEMBER_SIDECAR "/page_size",
    [VIEW_CODEC] = "/" MEMBER_SIDECAR "/codec",
    [VIEW_FILE] = "/" MEMBER_SIDECAR "/filename",
    [VIEW_BACKEND] = "/" MEMBER_VECTOR "/backend",
    [VIEW_DIM] = "/" MEMBER_VECTOR "/dim",
    [VIEW_METRIC] = "/" MEMBER_VECTOR "/metric",
    [VIEW_LINEAGE] = "/" MEMBER_LINEAGE,
    [VIEW_KV] = "/" MEMBER_LINEAGE "/made_by/kv_backend",
    [VIEW_ALL] = "",
};

/* Foreign JSON, read by the scanner: what others keep there must not keep us from reading ours. */
static bool scan_custom(struct bytes text, struct arena *arena,
                        struct json_view views[LENGTH_OF(custom_pointers)], struct err *err)
{
    struct json_pointers *pointers = NULL;
    TRY(json_pointers_compile(custom_pointers, LENGTH_OF(custom_pointers), arena, &pointers, err));
    const char *problem = NULL;
    size_t offset = 0;
    if (!json_scan(pointers, text, views, &problem, &offset)) {
        return err_set(err, ERR_INPUT, "%s at byte %zu", problem, offset);
    }
    return views[VIEW_ALL].type == JSON_VIEW_OBJECT || err_set(err, ERR_INPUT, "not an object");
}

/* ---- printing: members by name, whoever they are from ---- */

struct printed {
    const char *name;
    struct bytes json;
};

static int compare_printed(const void *a, const void *b)
{
    return strcmp(((const struct printed *)a)->name, ((const struct printed *)b)->name);
}

static void print_sidecar(const struct manifest_sidecar *sidecar, struct buf *out)
{
    buf_add_format(out,
                   "{\"codec\":\"zstd\",\"filename\":\"" NAMES_SIDECAR_FILE
                   "\",\"format_version\":%d,\"page_size\":",
                   SIDECAR_VERSION_KNOWN);
    if (sidecar->page_size == 0) {
        buf_add_text(out, "\"auto\"}");
    } else {
        buf_add_format(out, "%u}", sidecar->page_size);
    }
}

static void print_vector(const struct manifest_vector *vector, struct buf *out)
{
    buf_add_format(out,
                   "{\"backend\":\"sqlite-vec\",\"dim\":%u,\"index_type\":\"hnsw\","
                   "\"kv_backend\":\"sqlite-vec\",\"metric\":\"%s\",\"quantization\":null,"
                   "\"unified\":true}",
                   vector->dim, vector_metric_name(vector->metric));
}

const char *manifest_member_problem(const char *name)
{
    static const char *const taken[] = {MEMBER_SIDECAR, MEMBER_LINEAGE, MEMBER_VECTOR};
    if (name[0] == '\0' || !bytes_are_utf8(bytes_of_text(name))) {
        return "not a name in UTF-8";
    }
    for (size_t i = 0; i < LENGTH_OF(taken); i++) {
        if (strcmp(name, taken[i]) == 0) {
            return "a member that Tidemark itself writes";
        }
    }
    return NULL;
}

static bool add_member(struct printed *printed, const char *name, struct bytes json, bool object,
                       struct err *err)
{
    AUTO(json) cJSON *root = NULL;
    if (!json_parse(json, &root, err)) {
        return err_wrap(err, "%.100s", name);
    }
    if (object && !cJSON_IsObject(root)) {
        return err_set(err, ERR_INPUT, "%.100s: not an object", name);
    }
    *printed = (struct printed){.name = name, .json = json};
    return true;
}

bool manifest_print_custom(const struct manifest_custom *custom, struct buf *out, struct err *err)
{
    CHECK(custom->member_count <= MANIFEST_MEMBERS_MAX);
    struct printed printed[MANIFEST_MEMBERS_MAX + 3];
    size_t count = 0;
    AUTO(buf) struct buf sidecar;
    AUTO(buf) struct buf vector;
    buf_init(&sidecar, SIZE_MAX);
    buf_init(&vector, SIZE_MAX);
    if (custom->sidecar.on) {
        print_sidecar(&custom->sidecar, &sidecar);
        printed[count++] = (struct printed){MEMBER_SIDECAR, buf_bytes(&sidecar)};
    }
    if (custom->vector.dim > 0) {
        print_vector(&custom->vector, &vector);
        printed[count++] = (struct printed){MEMBER_VECTOR, buf_bytes(&vector)};
    }
    if (custom->lineage.size > 0) {
        TRY(add_member(&printed[count++], MEMBER_LINEAGE, custom->lineage, true, err));
    }
    for (size_t i = 0; i < custom->member_count; i++) {
        const struct manifest_member *member = &custom->members[i];
        TRY(add_member(&printed[count++], member->name, bytes_of_text(member->json), false, err));
    }
    qsort(printed, count, sizeof *printed, compare_printed);
    buf_add_byte(out, '{');
    for (size_t i = 0; i < count; i++) {
        buf_add_text(out, i == 0 ? "" : ",");
        json_print_text(bytes_of_text(printed[i].name), out);
        buf_add_byte(out, ':');
        buf_add_bytes(out, printed[i].json);
    }
    buf_add_byte(out, '}');
    return true;
}

/* ---- reading ---- */

static bool is_raw(const struct json_view *view, const char *raw)
{
    return view->type != JSON_VIEW_ABSENT && bytes_equal(view->raw, bytes_of_text(raw));
}

static struct manifest_sidecar sidecar_of(const struct json_view *views)
{
    struct manifest_sidecar off = {.on = false};
    if (!is_raw(&views[VIEW_VERSION], "8") || !is_raw(&views[VIEW_CODEC], "\"zstd\"") ||
        !is_raw(&views[VIEW_FILE], "\"" NAMES_SIDECAR_FILE "\"")) {
        return off;
    }
    if (is_raw(&views[VIEW_PAGE_SIZE], "\"auto\"")) {
        return (struct manifest_sidecar){.on = true};
    }
    struct logical_key page_size;
    if (views[VIEW_PAGE_SIZE].type != JSON_VIEW_NUMBER ||
        key_parse_integer(views[VIEW_PAGE_SIZE].raw, &page_size) != REJECT_NONE ||
        page_size.negative || page_size.magnitude > PAGE_SIZE_MAX ||
        !page_size_is_valid((uint32_t)page_size.magnitude)) {
        return off;
    }
    return (struct manifest_sidecar){.on = true, .page_size = (uint32_t)page_size.magnitude};
}

/* What we do not know to read is no vector: the rows can be read all the same. */
static struct manifest_vector vector_of(const struct json_view *views)
{
    struct manifest_vector vector = {.metric = VECTOR_COSINE};
    struct logical_key dim = {0};
    bool l2 = is_raw(&views[VIEW_METRIC], "\"l2\"");
    if (!is_raw(&views[VIEW_BACKEND], "\"sqlite-vec\"") ||
        (!l2 && !is_raw(&views[VIEW_METRIC], "\"cosine\"")) ||
        views[VIEW_DIM].type != JSON_VIEW_NUMBER ||
        key_parse_integer(views[VIEW_DIM].raw, &dim) != REJECT_NONE || dim.negative ||
        dim.magnitude > VECTOR_DIM_MAX) {
        return vector;
    }
    return (struct manifest_vector){.dim = (uint32_t)dim.magnitude,
                                    .metric = l2 ? VECTOR_L2 : VECTOR_COSINE};
}

static enum shard_backend backend_of(const struct json_view *view)
{
    if (view->type == JSON_VIEW_ABSENT || view->type == JSON_VIEW_NULL ||
        is_raw(view, "\"sqlite\"")) {
        return BACKEND_SQLITE;
    }
    return is_raw(view, "\"slatedb\"") ? BACKEND_SLATEDB : BACKEND_UNKNOWN;
}

bool manifest_parse_custom(struct bytes text, struct arena *arena,
                           struct manifest_custom *ret_custom, struct err *err)
{
    struct json_view views[LENGTH_OF(custom_pointers)];
    TRY(scan_custom(text, arena, views, err));
    struct bytes lineage = {0};
    if (views[VIEW_LINEAGE].type != JSON_VIEW_ABSENT) {
        if (views[VIEW_LINEAGE].type != JSON_VIEW_OBJECT) {
            return err_set(err, ERR_INPUT, MEMBER_LINEAGE ": not an object");
        }
        lineage = arena_copy(arena, views[VIEW_LINEAGE].raw);
    }
    *ret_custom = (struct manifest_custom){.sidecar = sidecar_of(views),
                                           .vector = vector_of(views),
                                           .lineage = lineage,
                                           .backend = backend_of(&views[VIEW_KV])};
    return true;
}

/* The manifest's model, its columns and the rules a reader enforces (snapshot format, section 3).
 */
#include "core/snapshot/manifest.h"

#include <stdlib.h>

#include "core/base/json.h"
#include "core/base/utc.h"
#include "core/record/json_scan.h"
#include "core/snapshot/names.h"

enum { JSON_TEXT_MAX = 256 << 20 };

/* ---- rules ---- */

/* Two routing values that are one; both lists of one type. */
static int compare_values(const void *left, const void *right)
{
    const struct logical_key *a = left;
    const struct logical_key *b = right;
    if (a->type == KEY_INTEGER) {
        if (a->negative != b->negative) {
            return a->negative ? -1 : 1;
        }
        return (a->magnitude > b->magnitude) - (a->magnitude < b->magnitude);
    }
    return bytes_compare(a->bytes, b->bytes);
}

static bool check_routing_values(const struct sharding *sharding, struct err *err)
{
    size_t count = sharding->routing_value_count;
    struct logical_key *sorted = malloc((count + 1) * sizeof *sorted);
    CHECK(sorted != NULL);
    const char *problem = NULL;
    for (size_t i = 0; i < count; i++) {
        sorted[i] = sharding->routing_values[i];
        if (sorted[i].type == KEY_BYTES || sorted[i].type != sorted[0].type) {
            problem = "are not all integers or all texts";
        } else if (sorted[i].type == KEY_INTEGER
                       ? sorted[i].magnitude > (uint64_t)JSON_INTEGER_MAX
                       : memchr(sorted[i].bytes.data, 0, sorted[i].bytes.size) != NULL) {
            problem = "have one that JSON cannot hold: above 2^53 - 1, or with a NUL";
        }
    }
    if (problem == NULL && count > 1) {
        qsort(sorted, count, sizeof *sorted, compare_values);
        for (size_t i = 1; i < count; i++) {
            if (compare_values(&sorted[i - 1], &sorted[i]) == 0) {
                problem = "are not distinct";
            }
        }
    }
    free(sorted);
    return problem == NULL || err_set(err, ERR_INPUT, "sharding: the routing_values %s", problem);
}

static bool check_sharding(const struct manifest *manifest, struct err *err)
{
    const struct sharding *sharding = &manifest->sharding;
    if (sharding->strategy == SHARDING_HASH) {
        if (sharding->cel_expr != NULL || sharding->columns != NULL ||
            sharding->has_routing_values) {
            return err_set(err, ERR_INPUT, "sharding: hash with members of cel");
        }
        return true;
    }
    if (sharding->cel_expr == NULL || sharding->columns == NULL) {
        return err_set(err, ERR_INPUT, "sharding: cel without cel_expr or cel_columns");
    }
    if (!sharding->has_routing_values) {
        return true;
    }
    size_t count = sharding->routing_value_count;
    if (manifest->num_dbs != (count == 0 ? 1 : count)) {
        return err_set(err, ERR_INPUT, "num_dbs: %u with %zu routing_values", manifest->num_dbs,
                       count);
    }
    return check_routing_values(sharding, err);
}

/* JSON text of an integer or a string. */
static bool is_key_json(const char *text)
{
    struct json_view view;
    struct arena *arena = arena_new(256);
    struct json_pointers *pointers = NULL;
    const char *problem = NULL;
    size_t offset = 0;
    struct err err;
    bool good = json_pointers_compile((const char *const[]){""}, 1, arena, &pointers, &err) &&
                json_scan(pointers, bytes_of_text(text), &view, &problem, &offset);
    struct logical_key key;
    good = good && (view.type == JSON_VIEW_STRING ||
                    (view.type == JSON_VIEW_NUMBER &&
                     key_parse_integer(view.raw, &key) != REJECT_KEY_TYPE));
    arena_free(arena);
    return good;
}

static bool check_shard(const struct manifest *manifest, const struct attempt *shard,
                        struct err *err)
{
    const char *problem = NULL;
    if (shard->db_id < 0 || shard->db_id >= (int64_t)manifest->num_dbs) {
        problem = "db_id out of range";
    } else if (shard->row_count < 0) {
        problem = "row_count below 0";
    } else if (shard->db_bytes < 0) {
        problem = "db_bytes below 0";
    } else if (shard->attempt < 0) {
        problem = "attempt below 0";
    } else if (shard->min_key != NULL && !is_key_json(shard->min_key)) {
        problem = "min_key is no key in JSON";
    } else if (shard->max_key != NULL && !is_key_json(shard->max_key)) {
        problem = "max_key is no key in JSON";
    }
    return problem == NULL ||
           err_set(err, ERR_INPUT, "shard %lld: %s", (long long)shard->db_id, problem);
}

/* `shards` must be sorted. */
static bool check(const struct manifest *manifest, struct err *err)
{
    const char *problem = NULL;
    if (manifest->run_id[0] == '\0' || strchr(manifest->run_id, '/') != NULL) {
        problem = "run_id: empty, or with a /";
    } else if (manifest->num_dbs == 0) {
        problem = "num_dbs: 0";
    } else if (manifest->s3_prefix[0] == '\0') {
        problem = "s3_prefix: empty";
    } else if (manifest->key_column[0] == '\0') {
        problem = "key_col: empty";
    } else if (manifest->shard_count > manifest->num_dbs) {
        problem = "shards: more rows than num_dbs";
    }
    if (problem != NULL) {
        return err_set(err, ERR_INPUT, "%s", problem);
    }
    TRY(check_sharding(manifest, err));
    for (size_t i = 0; i < manifest->shard_count; i++) {
        const struct attempt *shard = &manifest->shards[i];
        TRY(check_shard(manifest, shard, err));
        if (i > 0 && shard->db_id <= manifest->shards[i - 1].db_id) {
            return err_set(err, ERR_INPUT, "shard %lld: given twice, or out of order",
                           (long long)shard->db_id);
        }
    }
    return true;
}

/* What we are stricter about in our own manifests. */
static bool check_ours(const struct manifest *manifest, struct err *err)
{
    if (!names_run_id_is_valid(manifest->run_id)) {
        return err_set(err, ERR_INPUT, "run_id: \"%.100s\" cannot be part of a name",
                       manifest->run_id);
    }
    if (!utc_in_range(manifest->created_at_us)) {
        return err_set(err, ERR_INPUT, "created_at: out of range");
    }
    for (size_t i = 0; i < manifest->shard_count; i++) {
        const struct attempt *shard = &manifest->shards[i];
        if (shard->db_url == NULL || shard->row_count == 0 || shard->checkpoint_id == NULL ||
            !attempt_checkpoint_id_is_valid(shard->checkpoint_id)) {
            return err_set(err, ERR_INPUT, "shard %lld: without URL, rows or checkpoint_id",
                           (long long)shard->db_id);
        }
    }
    return true;
}

/* ---- to columns ---- */

static const char *time_text(int64_t time_us, struct arena *arena)
{
    char text[UTC_TEXT_SIZE];
    utc_format_json(time_us, text);
    return arena_text(arena, bytes_of_text(text));
}

/* What was printed into `out`, as the arena's; `out` is empty afterwards. */
static const char *take_text(struct buf *out, struct arena *arena)
{
    const char *text = arena_text(arena, buf_bytes(out));
    buf_clear(out);
    return text;
}

static void encode_shard(const struct attempt *shard, struct arena *arena, struct buf *scratch,
                         struct manifest_shard_columns *row)
{
    attempt_print_writer_info(shard, scratch);
    *row = (struct manifest_shard_columns){
        .db_id = shard->db_id,
        .db_url = shard->db_url,
        .attempt = shard->attempt,
        .row_count = shard->row_count,
        .db_bytes = shard->db_bytes,
        .min_key = shard->min_key,
        .max_key = shard->max_key,
        .checkpoint_id = shard->checkpoint_id,
        .writer_info = take_text(scratch, arena),
    };
}

bool manifest_encode(const struct manifest *manifest, struct arena *arena,
                     struct manifest_columns *ret_columns, struct err *err)
{
    TRY(check(manifest, err));
    TRY(check_ours(manifest, err));
    AUTO(buf) struct buf scratch;
    buf_init(&scratch, JSON_TEXT_MAX);
    manifest_print_sharding(&manifest->sharding, &scratch);
    const char *sharding = take_text(&scratch, arena);
    struct manifest_custom members = {.sidecar = manifest->sidecar,
                                      .vector = manifest->vector,
                                      .lineage = manifest->lineage,
                                      .members = manifest->members,
                                      .member_count = manifest->member_count};
    TRY(manifest_print_custom(&members, &scratch, err));
    if (scratch.overflowed) {
        return err_set(err, ERR_INPUT, "a lineage of %zu bytes", manifest->lineage.size);
    }
    const char *custom = take_text(&scratch, arena);
    struct manifest_shard_columns *rows =
        arena_zero(arena, (manifest->shard_count + 1) * sizeof *rows);
    for (size_t i = 0; i < manifest->shard_count; i++) {
        encode_shard(&manifest->shards[i], arena, &scratch, &rows[i]);
    }
    *ret_columns = (struct manifest_columns){
        .meta =
            {
                .run_id = manifest->run_id,
                .created_at = time_text(manifest->created_at_us, arena),
                .num_dbs = manifest->num_dbs,
                .s3_prefix = manifest->s3_prefix,
                .key_col = manifest->key_column,
                .sharding = sharding,
                .db_path_template = manifest->db_path_template,
                .shard_prefix = manifest->shard_prefix,
                .format_version = MANIFEST_FORMAT_VERSION,
                .key_encoding = key_encoding_name(manifest->key_encoding),
                .custom = custom,
            },
        .shards = rows,
        .shard_count = manifest->shard_count,
    };
    return true;
}

/* ---- from columns ---- */

static const char *copy_text(const char *text, struct arena *arena)
{
    return text == NULL ? NULL : arena_text(arena, bytes_of_text(text));
}

static bool require_texts(const struct manifest_meta_columns *meta, struct err *err)
{
    const struct {
        const char *name;
        const char *text;
    } required[] = {
        {"run_id", meta->run_id},
        {"created_at", meta->created_at},
        {"s3_prefix", meta->s3_prefix},
        {"key_col", meta->key_col},
        {"sharding", meta->sharding},
        {"db_path_template", meta->db_path_template},
        {"shard_prefix", meta->shard_prefix},
        {"key_encoding", meta->key_encoding},
        {"custom", meta->custom},
    };
    for (size_t i = 0; i < LENGTH_OF(required); i++) {
        if (required[i].text == NULL || !bytes_are_utf8(bytes_of_text(required[i].text))) {
            return err_set(err, ERR_INPUT, "%s: NULL, or not UTF-8", required[i].name);
        }
    }
    return true;
}

static bool decode_meta(const struct manifest_meta_columns *meta, struct arena *arena,
                        struct manifest *manifest, struct err *err)
{
    if (meta->format_version != MANIFEST_FORMAT_VERSION) {
        return err_set(err, ERR_INPUT, "format_version: %lld, only %d is known",
                       (long long)meta->format_version, MANIFEST_FORMAT_VERSION);
    }
    TRY(require_texts(meta, err));
    if (meta->num_dbs <= 0 || meta->num_dbs > UINT32_MAX) {
        return err_set(err, ERR_INPUT, "num_dbs: %lld", (long long)meta->num_dbs);
    }
    if (!key_encoding_parse(bytes_of_text(meta->key_encoding), &manifest->key_encoding)) {
        return err_set(err, ERR_INPUT, "key_encoding: \"%.40s\" is not known", meta->key_encoding);
    }
    if (!utc_parse(bytes_of_text(meta->created_at), &manifest->created_at_us, err)) {
        return err_wrap(err, "created_at");
    }
    if (!manifest_parse_sharding(bytes_of_text(meta->sharding), arena, &manifest->sharding, err)) {
        return err_wrap(err, "sharding");
    }
    struct manifest_custom custom;
    if (!manifest_parse_custom(bytes_of_text(meta->custom), arena, &custom, err)) {
        return err_wrap(err, "custom");
    }
    manifest->sidecar = custom.sidecar;
    manifest->backend = custom.backend;
    manifest->vector = custom.vector;
    manifest->lineage = custom.lineage;
    manifest->run_id = copy_text(meta->run_id, arena);
    manifest->num_dbs = (uint32_t)meta->num_dbs;
    manifest->s3_prefix = copy_text(meta->s3_prefix, arena);
    manifest->key_column = copy_text(meta->key_col, arena);
    manifest->db_path_template = copy_text(meta->db_path_template, arena);
    manifest->shard_prefix = copy_text(meta->shard_prefix, arena);
    return true;
}

static bool decode_shard(const struct manifest_shard_columns *row, struct arena *arena,
                         struct attempt *shard, struct err *err)
{
    attempt_init(shard, row->db_id, row->attempt);
    shard->db_url = copy_text(row->db_url, arena);
    shard->row_count = row->row_count;
    shard->db_bytes = row->db_bytes;
    shard->min_key = copy_text(row->min_key, arena);
    shard->max_key = copy_text(row->max_key, arena);
    shard->checkpoint_id = copy_text(row->checkpoint_id, arena);
    if (row->writer_info == NULL ||
        !attempt_parse_writer_info(bytes_of_text(row->writer_info), shard, err)) {
        return row->writer_info != NULL
                   ? err_wrap(err, "shard %lld: writer_info", (long long)row->db_id)
                   : err_set(err, ERR_INPUT, "shard %lld: writer_info is NULL",
                             (long long)row->db_id);
    }
    return true;
}

static int compare_shards(const void *left, const void *right)
{
    const struct attempt *a = left;
    const struct attempt *b = right;
    return (a->db_id > b->db_id) - (a->db_id < b->db_id);
}

bool manifest_decode(const struct manifest_columns *columns, struct arena *arena,
                     struct manifest *ret_manifest, struct err *err)
{
    struct manifest manifest = {0};
    TRY(decode_meta(&columns->meta, arena, &manifest, err));
    size_t count = columns->shard_count;
    struct attempt *shards = arena_zero(arena, (count + 1) * sizeof *shards);
    for (size_t i = 0; i < count; i++) {
        TRY(decode_shard(&columns->shards[i], arena, &shards[i], err));
    }
    qsort(shards, count, sizeof *shards, compare_shards);
    manifest.shards = shards;
    manifest.shard_count = count;
    TRY(check(&manifest, err));
    *ret_manifest = manifest;
    return true;
}

const struct attempt *manifest_shard(const struct manifest *manifest, uint32_t shard)
{
    size_t low = 0;
    size_t high = manifest->shard_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (manifest->shards[middle].db_id < (int64_t)shard) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < manifest->shard_count && manifest->shards[low].db_id == (int64_t)shard
               ? &manifest->shards[low]
               : NULL;
}

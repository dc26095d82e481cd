/* Winners become a manifest, and the manifest what `_CURRENT` names: the leader's work on the
 * store. */
#include "checkpoint/leader/publish.h"

#include <stdlib.h>
#include <string.h>

#include "adapters/crypto/digest.h"
#include "adapters/os/log.h"
#include "adapters/sqlite/sqlite_manifest.h"
#include "checkpoint/leader/publish_state.h"
#include "checkpoint/reading/shard_object.h"
#include "core/snapshot/lineage.h"
#include "core/snapshot/manifest.h"
#include "core/snapshot/pointer.h"

enum { PUBLISH_MANIFEST_MAX = 256 << 20 };

static void known_init(struct known_pointer *known)
{
    *known = (struct known_pointer){0};
    buf_init(&known->bytes, POINTER_BYTES_MAX);
    buf_init(&known->lineage, PUBLISH_MANIFEST_MAX);
    buf_init(&known->newer_run_id, NAMES_RUN_ID_MAX);
}

static void known_done(struct known_pointer *known)
{
    buf_done(&known->bytes);
    buf_done(&known->lineage);
    buf_done(&known->newer_run_id);
}

struct publish *publish_new(const struct publish_settings *settings)
{
    struct publish *publish = calloc(1, sizeof *publish);
    CHECK(publish != NULL);
    publish->settings = *settings;
    known_init(&publish->known);
    known_init(&publish->staged);
    return publish;
}

struct publish *publish_free(struct publish *publish)
{
    if (publish != NULL) {
        known_done(&publish->known);
        known_done(&publish->staged);
        free(publish);
    }
    return NULL;
}

static bool check_object(struct publish *publish, const char *url, uint64_t bytes, struct err *err)
{
    const char *key = NULL;
    TRY(store_key_of_url(publish->settings.store, url, &key, err));
    struct store_info info;
    TRY(store_head(publish->settings.store, key, &info, err));
    if (info.size != bytes) {
        return err_set(err, ERR_MISSING, "%s has %llu bytes, its attempt reported %llu", key,
                       (unsigned long long)info.size, (unsigned long long)bytes);
    }
    return true;
}

/* A winner that is not in the store, or not with the bytes that were reported, is never published.
 */
static bool check_winner(struct publish *publish, const struct message_attempt *winner,
                         struct arena *arena, struct err *err)
{
    if (message_attempt_has_rows(winner)) {
        const char *attempt = NULL;
        TRY(store_key_of_url(publish->settings.store, winner->url, &attempt, err));
        if (!shard_object_check(publish->settings.store, attempt, publish->settings.kv.backend,
                                winner->db_bytes, err)) {
            err->kind = err->kind == ERR_CORRUPT ? ERR_MISSING : err->kind;
            return false;
        }
    }
    return winner->order_bytes == 0 ||
           check_object(publish, names_order_file(winner->url, arena), winner->order_bytes, err);
}

static bool check_winners(struct publish *publish, const struct message_attempt *const *winners,
                          size_t count, struct arena *arena, uint32_t *ret_missing, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        *ret_missing = winners[i]->shard;
        TRY(check_winner(publish, winners[i], arena, err));
    }
    return true;
}

static struct attempt attempt_of(const struct message_attempt *winner)
{
    struct attempt attempt;
    attempt_init(&attempt, winner->shard, winner->attempt);
    attempt.db_url = winner->url;
    attempt.row_count = (int64_t)winner->row_count;
    attempt.db_bytes = (int64_t)winner->db_bytes;
    attempt.min_key = winner->min_key;
    attempt.max_key = winner->max_key;
    attempt.checkpoint_id = winner->checkpoint_id;
    attempt.duration_ms = (int64_t)winner->duration_ms;
    return attempt;
}

/* As settings say it; of inferred values the plan has the list. */
static bool sharding_of(const struct publish *publish, const struct message_plan *plan,
                        struct arena *arena, struct sharding *ret_sharding, struct err *err)
{
    struct sharding sharding = *publish->settings.sharding;
    if (publish->settings.snapshot->cel.infers) {
        struct logical_key *values =
            arena_zero(arena, (plan->routing_value_count + 1) * sizeof *values);
        for (size_t i = 0; i < plan->routing_value_count; i++) {
            if (!route_value_of_token(plan->routing_values[i], &values[i])) {
                return err_set(err, ERR_CORRUPT, "%.60s is no routing value",
                               plan->routing_values[i]);
            }
        }
        sharding.has_routing_values = true;
        sharding.routing_values = values;
        sharding.routing_value_count = plan->routing_value_count;
    }
    *ret_sharding = sharding;
    return true;
}

static bool make_manifest(struct publish *publish, const struct leader_stage *stage,
                          struct bytes lineage, struct arena *arena, struct buf *bytes,
                          struct err *err)
{
    const struct snapshot_settings *snapshot = publish->settings.snapshot;
    struct attempt *shards = arena_zero(arena, (stage->winner_count + 1) * sizeof *shards);
    for (size_t i = 0; i < stage->winner_count; i++) {
        shards[i] = attempt_of(stage->winners[i]);
    }
    struct manifest manifest = {
        .run_id = stage->plan->run_id,
        .created_at_us = stage->created_at_us,
        .num_dbs = (uint32_t)stage->plan->shard_count,
        .s3_prefix = publish->settings.names->prefix,
        .key_column = snapshot->key_column,
        .key_encoding = publish->settings.key_encoding,
        .db_path_template = publish->settings.names->db_path_template,
        .shard_prefix = publish->settings.names->shard_prefix,
        .sidecar = {.on = snapshot->sidecar, .page_size = snapshot->page_size},
        .vector = publish->settings.vector,
        .members = snapshot->custom,
        .member_count = snapshot->custom_count,
        .lineage = lineage,
        .shards = shards,
        .shard_count = stage->winner_count,
    };
    TRY(sharding_of(publish, stage->plan, arena, &manifest.sharding, err));
    return sqlite_manifest_encode(&manifest, bytes, err);
}

/* The leader's record of the build, and by whom and with what it was made. */
static bool make_lineage(const struct publish *publish, struct bytes record, struct buf *lineage,
                         struct err *err)
{
    const struct snapshot_settings *snapshot = publish->settings.snapshot;
    bool other_kv = publish->settings.kv.backend != BACKEND_SQLITE;
    struct lineage_maker maker = {
        .group = publish->settings.group,
        .software = "tidemark " TIDEMARK_VERSION,
        .sqlite_version = publish->settings.sqlite_version,
        .kv_backend = other_kv ? backend_name(publish->settings.kv.backend) : "",
        .kv_version = publish->settings.kv.version,
        .contents = contents_names[snapshot->contents],
        .order = snapshot->order == ROW_ORDER_EVENT_TIME ? "event_time" : "offset",
        .settings = publish->settings.fingerprint_text,
    };
    return lineage_add_maker(record, &maker, lineage, err);
}

static int64_t later_than(const struct known_pointer *known, int64_t time_us, struct arena *arena)
{
    struct pointer pointer = {.updated_at_us = 0};
    struct err err;
    bool is_later = known->bytes.size == 0 ||
                    !pointer_decode(buf_bytes(&known->bytes), arena, &pointer, &err) ||
                    pointer.updated_at_us < time_us;
    return is_later ? time_us : pointer.updated_at_us + 1;
}

/* `_CURRENT` as it will be; updated_at makes its bytes unlike any before (PROTOCOL R13). Like the
 * manifest's time it never goes back, whatever this clock says (R26). */
static void make_pointer(const struct publish *publish, const struct publish_staged *staged,
                         const struct leader_stage *stage, int64_t now_us, struct arena *arena,
                         struct buf *bytes)
{
    int64_t time_us = now_us > stage->created_at_us ? now_us : stage->created_at_us;
    struct pointer pointer = {.manifest_ref = staged->manifest_ref,
                              .run_id = stage->plan->run_id,
                              .updated_at_us = later_than(&publish->known, time_us, arena)};
    pointer_encode(&pointer, bytes);
}

static void remember_staged(struct publish *publish, struct bytes pointer, struct bytes lineage,
                            int64_t created_at_us)
{
    buf_clear(&publish->staged.bytes);
    buf_add_bytes(&publish->staged.bytes, pointer);
    buf_clear(&publish->staged.lineage);
    buf_add_bytes(&publish->staged.lineage, lineage);
    publish->staged.manifest_time_us = created_at_us;
}

bool publish_stage(struct publish *publish, const struct leader_stage *stage, int64_t now_us,
                   struct arena *arena, struct publish_staged *ret_staged, struct err *err)
{
    uint32_t *missing = &ret_staged->missing_shard;
    TRY(check_winners(publish, stage->winners, stage->winner_count, arena, missing, err) &&
        check_winners(publish, stage->deleted, stage->deleted_count, arena, missing, err));
    AUTO(buf) struct buf lineage;
    buf_init(&lineage, PUBLISH_MANIFEST_MAX);
    TRY(make_lineage(publish, stage->lineage, &lineage, err));
    AUTO(buf) struct buf bytes;
    buf_init(&bytes, PUBLISH_MANIFEST_MAX);
    if (!make_manifest(publish, stage, buf_bytes(&lineage), arena, &bytes, err)) {
        return err_wrap(err, "manifest of run %s", stage->plan->run_id);
    }
    const char *name =
        names_staged_manifest(publish->settings.names, stage->plan->run_id, stage->name, arena);
    struct store_content content = {.bytes = buf_bytes(&bytes), .type = NAMES_CONTENT_SQLITE};
    TRY(store_put_settled(publish->settings.store, name, &content,
                          store_once(publish->settings.store), NULL, err));
    char sha256[DIGEST_SHA256_TEXT];
    digest_sha256(buf_bytes(&bytes), sha256);
    struct publish_staged staged = {
        .staged_url = names_url(publish->settings.names, name, arena),
        .manifest_ref =
            names_url(publish->settings.names,
                      names_manifest(stage->created_at_us, stage->plan->run_id, arena), arena),
        .sha256 = arena_text(arena, bytes_of_text(sha256)),
    };
    AUTO(buf) struct buf pointer;
    buf_init(&pointer, POINTER_BYTES_MAX);
    make_pointer(publish, &staged, stage, now_us, arena, &pointer);
    staged.pointer = arena_copy(arena, buf_bytes(&pointer));
    remember_staged(publish, staged.pointer, buf_bytes(&lineage), stage->created_at_us);
    *ret_staged = staged;
    return true;
}

bool publish_manifest(struct publish *publish, const struct commit_pending *manifest,
                      struct err *err)
{
    const char *staged = NULL;
    const char *key = NULL;
    TRY(store_key_of_url(publish->settings.store, manifest->staged_url, &staged, err));
    TRY(store_key_of_url(publish->settings.store, manifest->manifest_ref, &key, err));
    AUTO(buf) struct buf bytes;
    buf_init(&bytes, PUBLISH_MANIFEST_MAX);
    TRY(store_get(publish->settings.store, staged, &bytes, NULL, err));
    char sha256[DIGEST_SHA256_TEXT];
    digest_sha256(buf_bytes(&bytes), sha256);
    if (strcmp(sha256, manifest->sha256) != 0) {
        return err_set(err, ERR_CORRUPT, "%s has sha256 %s, COMMIT says %s", staged, sha256,
                       manifest->sha256);
    }
    struct store_content content = {.bytes = buf_bytes(&bytes), .type = NAMES_CONTENT_SQLITE};
    return store_put_settled(publish->settings.store, key, &content,
                             store_once(publish->settings.store), NULL, err);
}

/* By its folder's name, as it is listed: another writer may have dated what is in it earlier. */
static int64_t listed_time(const char *key, int64_t created_at_us)
{
    size_t skip = strlen(NAMES_MANIFESTS_FOLDER);
    int64_t time_us;
    struct bytes run_id;
    if (strncmp(key, NAMES_MANIFESTS_FOLDER, skip) != 0 ||
        !names_parse_manifest_folder(bytes_of(key + skip, strcspn(key + skip, "/")), &time_us,
                                     &run_id)) {
        return created_at_us;
    }
    return time_us;
}

/* Time and lineage of the manifest that the pointer names. One that cannot be read leaves them
 * empty. */
static bool read_manifest(struct publish *publish, const char *manifest_ref,
                          struct known_pointer *known, struct arena *arena, struct err *err)
{
    const char *key = NULL;
    struct err why;
    AUTO(buf) struct buf bytes;
    buf_init(&bytes, PUBLISH_MANIFEST_MAX);
    if (!store_key_of_url(publish->settings.store, manifest_ref, &key, &why)) {
        log_failure(LOG_WARN, "leader", &why, "_CURRENT names a manifest outside this prefix");
        return true;
    }
    if (!store_get(publish->settings.store, key, &bytes, NULL, err)) {
        return err->kind == ERR_MISSING;
    }
    struct manifest manifest;
    if (!sqlite_manifest_decode(buf_bytes(&bytes), arena, &manifest, &why)) {
        log_failure(LOG_WARN, "leader", &why, "%s is not a manifest", key);
        return true;
    }
    known->manifest_time_us = listed_time(key, manifest.created_at_us);
    buf_add_bytes(&known->lineage, manifest.lineage);
    return true;
}

/* The newest of manifests/, by its name. */
static bool find_newest(struct publish *publish, int64_t *ret_time_us, struct buf *ret_run_id,
                        struct err *err)
{
    AUTO(arena) struct arena *arena = arena_new(16 * 1024);
    const struct leader_old_run *runs = NULL;
    size_t count = 0;
    TRY(publish_list_runs(publish, arena, &runs, &count, err));
    *ret_time_us = count == 0 ? INT64_MIN : runs[0].time_us;
    buf_clear(ret_run_id);
    buf_add_text(ret_run_id, count == 0 ? "" : runs[0].run_id);
    return true;
}

static bool learn(struct publish *publish, struct bytes bytes, struct arena *arena, struct err *err)
{
    struct known_pointer *known = &publish->known;
    bool staged = bytes.size > 0 && bytes_equal(bytes, buf_bytes(&publish->staged.bytes));
    buf_clear(&known->bytes);
    buf_clear(&known->lineage);
    known->manifest_time_us = 0;
    known->newer_manifest = false;
    buf_clear(&known->newer_run_id);
    if (staged) {
        known->manifest_time_us = publish->staged.manifest_time_us;
        buf_add_bytes(&known->lineage, buf_bytes(&publish->staged.lineage));
    } else {
        struct pointer pointer;
        struct err ignored;
        if (bytes.size > 0 && pointer_decode(bytes, arena, &pointer, &ignored)) {
            TRY(read_manifest(publish, pointer.manifest_ref, known, arena, err));
        }
        int64_t newest = INT64_MIN;
        TRY(find_newest(publish, &newest, &known->newer_run_id, err));
        known->newer_manifest =
            newest > (known->manifest_time_us == 0 ? INT64_MIN : known->manifest_time_us);
    }
    buf_add_bytes(&known->bytes, bytes);
    return true;
}

bool publish_pointer_get(struct publish *publish, struct arena *arena,
                         struct leader_pointer *ret_pointer, struct err *err)
{
    AUTO(buf) struct buf bytes;
    buf_init(&bytes, POINTER_BYTES_MAX);
    struct store_info info = {0};
    bool missing = false;
    if (!store_get(publish->settings.store, NAMES_POINTER, &bytes, &info, err)) {
        if (err->kind != ERR_MISSING) {
            return false;
        }
        missing = true;
    }
    if (missing || !bytes_equal(buf_bytes(&bytes), buf_bytes(&publish->known.bytes))) {
        TRY(learn(publish, buf_bytes(&bytes), arena, err));
    }
    struct pointer pointer;
    struct err ignored;
    bool readable = !missing && pointer_decode(buf_bytes(&bytes), arena, &pointer, &ignored);
    *ret_pointer = (struct leader_pointer){
        .missing = missing,
        .bytes = arena_copy(arena, buf_bytes(&bytes)),
        .etag = arena_text(arena, bytes_of_text(info.etag.text)),
        .run_id = readable ? pointer.run_id : "",
        .manifest_time_us = publish->known.manifest_time_us,
        .lineage = arena_copy(arena, buf_bytes(&publish->known.lineage)),
        .newer_manifest = publish->known.newer_manifest,
        .newer_run_id = arena_text(arena, buf_bytes(&publish->known.newer_run_id)),
    };
    return true;
}

bool publish_pointer_swap(struct publish *publish, struct bytes bytes, const char *if_match,
                          bool create_only, struct err *err)
{
    struct store_condition condition = {
        .when = if_match != NULL ? STORE_IF_MATCH
                : create_only    ? STORE_IF_ABSENT
                                 : STORE_ALWAYS,
        .etag = if_match,
    };
    struct store_content content = {.bytes = bytes, .type = NAMES_CONTENT_JSON};
    return store_put(publish->settings.store, NAMES_POINTER, &content, condition, NULL, err);
}

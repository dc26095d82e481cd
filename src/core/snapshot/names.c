/* The names of all objects of a snapshot: the only place that formats or reads a path. */
#include "core/snapshot/names.h"

#include <inttypes.h>

#include "core/base/buf.h"
#include "core/base/utc.h"
#include "core/snapshot/names_check.h"

bool names_init(struct names *names, const char *prefix, const char *shard_prefix,
                const char *run_registry_prefix, const char *db_path_template, struct err *err)
{
    struct names_template parts;
    TRY(names_check_prefix(prefix, err));
    TRY(names_check_segment("shard_prefix", shard_prefix, err));
    TRY(names_check_segment("run_registry_prefix", run_registry_prefix, err));
    TRY(names_check_template(db_path_template, &parts, err));
    if (strcmp(shard_prefix, run_registry_prefix) == 0) {
        return err_set(err, ERR_SETTINGS, "shard_prefix and run_registry_prefix are the same");
    }
    *names = (struct names){
        .prefix = prefix,
        .shard_prefix = shard_prefix,
        .run_registry_prefix = run_registry_prefix,
        .db_path_template = db_path_template,
    };
    return true;
}

const char *names_url(const struct names *names, const char *name, struct arena *arena)
{
    return arena_format(arena, "%s/%s", names->prefix, name);
}

const char *names_from_url(const struct names *names, const char *url)
{
    size_t size = strlen(names->prefix);
    if (strncmp(url, names->prefix, size) != 0 || url[size] != '/' || url[size + 1] == '\0') {
        return NULL;
    }
    return url + size + 1;
}

/* ---- ids ---- */

bool names_run_id_is_valid(const char *run_id)
{
    size_t size = strlen(run_id);
    if (size == 0 || size > NAMES_RUN_ID_MAX || strcmp(run_id, ".") == 0 ||
        strcmp(run_id, "..") == 0) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        if (run_id[i] <= ' ' || run_id[i] >= 0x7f || strchr("/?#\\", run_id[i]) != NULL) {
            return false;
        }
    }
    return true;
}

const char *names_run_id(uint64_t build, int64_t term_offset, const char *random,
                         struct arena *arena)
{
    return arena_format(arena, "b%" PRIu64 "-t%" PRId64 "-%s", build, term_offset, random);
}

const char *names_uuid_hex(const uint8_t random[16], struct arena *arena)
{
    uint8_t uuid[16];
    memcpy(uuid, random, sizeof uuid);
    uuid[6] = (uint8_t)((uuid[6] & 0x0f) | 0x40); /* version 4 (RFC 9562, section 5.4) */
    uuid[8] = (uint8_t)((uuid[8] & 0x3f) | 0x80);
    AUTO(buf) struct buf text;
    buf_init(&text, SIZE_MAX);
    buf_add_hex(&text, bytes_of(uuid, sizeof uuid));
    return arena_text(arena, buf_bytes(&text));
}

/* ---- manifests and runs ---- */

const char *names_manifest(int64_t time_us, const char *run_id, struct arena *arena)
{
    char time[UTC_TEXT_SIZE];
    utc_format_name(time_us, time);
    return arena_format(arena, NAMES_MANIFESTS_FOLDER "%s_run_id=%s/manifest", time, run_id);
}

const char *names_staged_manifest(const struct names *names, const char *run_id, const char *object,
                                  struct arena *arena)
{
    return arena_format(arena, "%s/run_id=%s/%s", names->shard_prefix, run_id, object);
}

const char *names_run_record(const struct names *names, int64_t started_us, const char *run_id,
                             const char *uuid_hex, struct arena *arena)
{
    char time[UTC_TEXT_SIZE];
    utc_format_name(started_us, time);
    return arena_format(arena, "%s/%s_run_id=%s_%s/run.yaml", names->run_registry_prefix, time,
                        run_id, uuid_hex);
}

const char *names_runs_folder(const struct names *names, struct arena *arena)
{
    return arena_format(arena, "%s/", names->run_registry_prefix);
}

const char *names_shards_folder(const struct names *names, struct arena *arena)
{
    return arena_format(arena, "%s/", names->shard_prefix);
}

const char *names_run_folder(const struct names *names, const char *run_id, struct arena *arena)
{
    return arena_format(arena, "%s/run_id=%s/", names->shard_prefix, run_id);
}

/* ---- shards ---- */

const char *names_db_path(const struct names *names, uint32_t db_id, struct arena *arena)
{
    struct names_template parts;
    struct err err;
    bool good = names_check_template(names->db_path_template, &parts, &err);
    CHECK(good); /* names_init has looked */
    return arena_format(arena, "%.*s%0*" PRIu32 "%s", (int)parts.before.size,
                        (const char *)parts.before.data, parts.digits, db_id,
                        (const char *)parts.after.data);
}

const char *names_db_folder(const struct names *names, const char *run_id, uint32_t db_id,
                            struct arena *arena)
{
    return arena_format(arena, "%s/run_id=%s/%s/", names->shard_prefix, run_id,
                        names_db_path(names, db_id, arena));
}

const char *names_attempt(const struct names *names, const char *run_id, uint32_t db_id,
                          int64_t attempt, struct arena *arena)
{
    return arena_format(arena, "%sattempt=%02" PRId64, names_db_folder(names, run_id, db_id, arena),
                        attempt);
}

const char *names_shard_file(const char *attempt, struct arena *arena)
{
    return arena_format(arena, "%s/" NAMES_SHARD_FILE, attempt);
}

const char *names_sidecar_file(const char *attempt, struct arena *arena)
{
    return arena_format(arena, "%s/" NAMES_SIDECAR_FILE, attempt);
}

const char *names_order_file(const char *attempt, struct arena *arena)
{
    return arena_format(arena, "%s/" NAMES_ORDER_FILE, attempt);
}

const char *names_sidecar_beside(const char *shard_file, struct arena *arena)
{
    const char *slash = strrchr(shard_file, '/');
    size_t folder = slash == NULL ? 0 : (size_t)(slash - shard_file) + 1;
    return arena_format(arena, "%.*s" NAMES_SIDECAR_FILE, (int)folder, shard_file);
}

/* ---- ours alone ---- */

/* What is not plain as %XX, so that no member's name can step out of its folder. */
static void add_escaped(struct buf *out, const char *text)
{
    for (const char *at = text; *at != '\0'; at++) {
        bool plain = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') ||
                     (*at >= '0' && *at <= '9') || *at == '_' || *at == '-' ||
                     (*at == '.' && at != text);
        if (plain) {
            buf_add_byte(out, (uint8_t)*at);
        } else {
            buf_add_format(out, "%%%02X", (unsigned)(uint8_t)*at);
        }
    }
}

const char *names_part(uint64_t build, const char *member, const char *incarnation,
                       uint64_t sequence, struct arena *arena)
{
    AUTO(buf) struct buf text;
    buf_init(&text, SIZE_MAX);
    buf_add_format(&text, NAMES_PARTS_FOLDER "build=%" PRIu64 "/", build);
    add_escaped(&text, member);
    buf_add_byte(&text, '-');
    add_escaped(&text, incarnation);
    buf_add_format(&text, "-%" PRIu64 ".part", sequence);
    return arena_text(arena, buf_bytes(&text));
}

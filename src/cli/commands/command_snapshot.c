/* From the options of a command to an opened store, manifest or reader. */
#include "cli/commands/command_snapshot.h"

#include <inttypes.h>
#include <stdlib.h>

#include "cli/commands/command_settings.h"
#include "consumer/wiring/wiring.h"
#include "consumer/wiring/wiring_kv.h"
#include "core/base/utc.h"
#include "core/units.h"

#define CACHE_BYTES_DEFAULT (UINT64_C(2) << 30)

void command_snapshot_auto(struct command_snapshot *snapshot)
{
    snapshot_reader_free(snapshot->reader);
    kv_free(snapshot->kv);
    store_free(snapshot->cache_files);
    store_free(snapshot->store);
    settings_free(snapshot->settings);
    arena_free(snapshot->arena);
}

enum exit_code command_snapshot_fail(struct command_call *call, const struct err *err)
{
    return command_fail(call, exit_code_or(err, EXIT_CODE_STORE), err);
}

bool command_snapshot_open_store(struct command_call *call, struct command_snapshot *snapshot,
                                 enum exit_code *ret_code)
{
    struct err err = {0};
    snapshot->arena = arena_new(16 * 1024);
    const char *url = command_value(call, "snapshot");
    if (url == NULL && command_settings_path(call) == NULL) {
        err_set(&err, ERR_INPUT,
                "%s: which snapshot? give --snapshot URL, or a settings file with "
                "-c FILE",
                call->command->name);
        *ret_code = command_fail(call, EXIT_CODE_USAGE, &err);
        return false;
    }
    /* with both, the file says how to reach the store that the URL names */
    if (command_value(call, "config") != NULL || url == NULL) {
        if (!command_settings_load(call, &snapshot->settings, ret_code)) {
            return false;
        }
        url = url != NULL ? url : snapshot->settings->snapshot.store;
    }
    const struct store_settings *s3 = snapshot->settings == NULL ? NULL : &snapshot->settings->s3;
    if (!wiring_open_store(url, s3, &snapshot->store, &err)) {
        *ret_code = command_snapshot_fail(call, &err);
        return false;
    }
    snapshot->catalog = (struct catalog){.borrowed_store = snapshot->store,
                                         .relocated = command_has(call, "relocated")};
    return true;
}

static void take_choice(struct command_call *call, struct command_snapshot *snapshot)
{
    snapshot->choice = (struct catalog_choice){.run_id = command_value(call, "run"),
                                               .manifest_ref = command_value(call, "manifest")};
}

bool command_snapshot_open(struct command_call *call, struct command_snapshot *snapshot,
                           struct catalog_snapshot *ret_found, enum exit_code *ret_code)
{
    struct err err = {0};
    if (!command_snapshot_open_store(call, snapshot, ret_code)) {
        return false;
    }
    take_choice(call, snapshot);
    if (!catalog_open(&snapshot->catalog, &snapshot->choice, snapshot->arena, ret_found, &err)) {
        *ret_code = command_snapshot_fail(call, &err);
        return false;
    }
    return true;
}

/* The XDG base directory for caches, as the desktop specification has it. */
static const char *cache_folder(struct command_call *call, struct arena *arena, struct err *err)
{
    const char *folder = command_value(call, "cache");
    if (folder != NULL && folder[0] == '/') {
        return folder;
    }
    if (folder != NULL) {
        char *here = realpath(".", NULL);
        CHECK(here != NULL);
        folder = arena_format(arena, "%s/%s", here, folder);
        free(here);
        return folder;
    }
    const char *base = getenv("XDG_CACHE_HOME");
    if (base != NULL && base[0] == '/') {
        return arena_format(arena, "%s/tidemark/shards", base);
    }
    const char *home = getenv("HOME");
    if (home == NULL || home[0] != '/') {
        err_set(err, ERR_SETTINGS,
                "no folder to download shards to: HOME is not set; give --cache");
        return NULL;
    }
    return arena_format(arena, "%s/.cache/tidemark/shards", home);
}

static bool open_cache(struct command_call *call, struct command_snapshot *snapshot,
                       struct err *err)
{
    const char *folder = cache_folder(call, snapshot->arena, err);
    if (folder == NULL) {
        return false;
    }
    const char *url = arena_format(snapshot->arena, "file://%s", folder);
    TRY(wiring_open_store(url, NULL, &snapshot->cache_files, err));
    uint64_t bytes_max = CACHE_BYTES_DEFAULT;
    const char *size = command_value(call, "cache-size");
    if (size != NULL && !units_size(bytes_of_text(size), &bytes_max, err)) {
        return err_wrap(err, "--cache-size");
    }
    snapshot->cache =
        (struct shard_cache){.borrowed_files = snapshot->cache_files, .bytes_max = bytes_max};
    return true;
}

static bool take_reading(struct command_call *call, struct shard_reading_choice *choice,
                         struct err *err)
{
    const char *word = command_value(call, "reading");
    const char *from = command_value(call, "range-from");
    if (word != NULL && !shard_reading_parse(word, &choice->reading, err)) {
        return err_wrap(err, "--reading");
    }
    return from == NULL || units_size(bytes_of_text(from), &choice->range_from_bytes, err) ||
           err_wrap(err, "--range-from");
}

/* The store is open, and what to open of it is known. */
static bool open_reader(struct command_call *call, struct command_snapshot *snapshot,
                        const struct shard_reading_choice *reading,
                        struct snapshot_reader **ret_reader, enum exit_code *ret_code)
{
    struct err err = {0};
    bool in_place = snapshot->store->url.scheme == STORE_FILE;
    if (!in_place && snapshot->cache_files == NULL && !open_cache(call, snapshot, &err)) {
        *ret_code = command_fail(call, EXIT_CODE_OK, &err);
        return false;
    }
    struct snapshot_reader_request request = {
        .catalog = snapshot->catalog,
        .choice = snapshot->choice,
        .kv = snapshot->kv != NULL ? snapshot->kv : wiring_kv(),
        .backend_kv = wiring_backend_kv,
        .cache = in_place ? NULL : &snapshot->cache,
        .reading = *reading,
    };
    if (!snapshot_reader_new(&request, ret_reader, &err)) {
        *ret_code = command_snapshot_fail(call, &err);
        return false;
    }
    return true;
}

static bool open_as_asked(struct command_call *call, struct command_snapshot *snapshot,
                          enum exit_code *ret_code)
{
    struct err err = {0};
    struct shard_reading_choice reading = {.reading = SHARD_READING_AUTO};
    if (!take_reading(call, &reading, &err)) {
        *ret_code = command_fail(call, EXIT_CODE_USAGE, &err);
        return false;
    }
    return open_reader(call, snapshot, &reading, &snapshot->reader, ret_code);
}

static bool open_chosen(struct command_call *call, struct command_snapshot *snapshot,
                        enum exit_code *ret_code)
{
    if (!command_snapshot_open_store(call, snapshot, ret_code)) {
        return false;
    }
    take_choice(call, snapshot);
    return open_as_asked(call, snapshot, ret_code);
}

bool command_snapshot_open_run(struct command_call *call, struct command_snapshot *snapshot,
                               const char *run_id, struct snapshot_reader **ret_reader,
                               enum exit_code *ret_code)
{
    struct shard_reading_choice reading = {.reading = SHARD_READING_DOWNLOAD};
    snapshot->choice = (struct catalog_choice){.run_id = run_id};
    return open_reader(call, snapshot, &reading, ret_reader, ret_code);
}

bool command_snapshot_open_vectors(struct command_call *call, struct command_snapshot *snapshot,
                                   enum exit_code *ret_code)
{
    struct err err = {0};
    struct catalog_snapshot found;
    if (!command_snapshot_open(call, snapshot, &found, ret_code)) {
        return false;
    }
    struct vector_settings vectors = {
        .dim = found.manifest.vector.dim,
        .metric = found.manifest.vector.metric,
        .extension = command_value(call, "extension"),
    };
    if (vectors.extension == NULL && snapshot->settings != NULL) {
        vectors.extension = snapshot->settings->vectors.extension;
    }
    bool ok = vectors.dim > 0 ||
              err_set(&err, ERR_INPUT, "run %s has no vectors", found.manifest.run_id);
    if (!ok || !wiring_open_kv(BACKEND_SQLITE, &vectors, &snapshot->kv, &err)) {
        *ret_code = command_snapshot_fail(call, &err);
        return false;
    }
    /* the one whose vectors were looked at, whatever is published meanwhile */
    snapshot->choice = (struct catalog_choice){.manifest_ref = found.url};
    return open_as_asked(call, snapshot, ret_code);
}

bool command_snapshot_columns(const struct command_call *call, struct command_snapshot *snapshot,
                              const struct route_column **ret_columns, size_t *ret_count,
                              struct err *err)
{
    const char *values[COMMAND_VALUES_MAX];
    size_t count = command_values(call, "column", values, COMMAND_VALUES_MAX);
    struct route_column *columns = arena_zero(snapshot->arena, (count + 1) * sizeof *columns);
    for (size_t i = 0; i < count; i++) {
        const char *equals = strchr(values[i], '=');
        if (equals == NULL || equals == values[i]) {
            return err_set(err, ERR_INPUT, "--column %.100s: not NAME=VALUE", values[i]);
        }
        size_t size = (size_t)(equals - values[i]);
        columns[i].name = arena_text(snapshot->arena, bytes_of(values[i], size));
        columns[i].text = equals + 1;
    }
    *ret_columns = columns;
    *ret_count = count;
    return true;
}

bool command_snapshot_open_keys(struct command_call *call, struct command_snapshot *snapshot,
                                enum exit_code *ret_code)
{
    struct err err = {0};
    const struct route_column *columns = NULL;
    size_t count = 0;
    if (!open_chosen(call, snapshot, ret_code)) {
        return false;
    }
    if (!command_snapshot_columns(call, snapshot, &columns, &count, &err)) {
        *ret_code = command_fail(call, EXIT_CODE_USAGE, &err);
        return false;
    }
    snapshot_reader_set_columns(snapshot->reader, columns, count);
    return true;
}

bool command_snapshot_key(const struct manifest *manifest, const char *text, struct arena *arena,
                          struct logical_key *ret_key, struct err *err)
{
    return key_from_argument(manifest->key_encoding, text, arena, ret_key, err) ||
           err_wrap(err, "key \"%.100s\" (%s)", text, key_encoding_name(manifest->key_encoding));
}

const char *command_time(int64_t time_us, struct arena *arena)
{
    if (!utc_in_range(time_us)) {
        return "";
    }
    char text[UTC_TEXT_SIZE];
    utc_format_json(time_us, text);
    return arena_text(arena, bytes_of_text(text));
}

const char *command_bytes(uint64_t bytes, struct arena *arena)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    size_t unit = 0;
    double value = (double)bytes;
    while (value >= 1024 && unit + 1 < LENGTH_OF(units)) {
        value /= 1024;
        unit++;
    }
    return unit == 0 ? arena_format(arena, "%" PRIu64 " B", bytes)
                     : arena_format(arena, "%.1f %s", value, units[unit]);
}

void command_snapshot_sums(const struct manifest *manifest, uint64_t *ret_rows, uint64_t *ret_bytes)
{
    *ret_rows = 0;
    *ret_bytes = 0;
    for (size_t i = 0; i < manifest->shard_count; i++) {
        *ret_rows += (uint64_t)manifest->shards[i].row_count;
        *ret_bytes += (uint64_t)manifest->shards[i].db_bytes;
    }
}

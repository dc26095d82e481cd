/* The battery of shards on SlateDB, and what is its own: a checkpoint, many files. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "adapters/os/file.h"
#include "adapters/os/file_tree.h"
#include "adapters/slatedb/slatedb_kv.h"
#include "tests/conformance/kv_suite.h"
#include "tests/support/plain.h"

enum { MANY_ROWS = 60000, VALUE_BYTES = 200 };

static char *folder;

static const char *place(const char *name)
{
    static char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

/* ---- a stream of MANY_ROWS rows that need no memory ---- */

struct counting_rows {
    struct row_stream stream;
    size_t at;
    uint8_t key[8];
    uint8_t value[VALUE_BYTES];
};

static bool next_row(struct row_stream *stream, struct row *ret_row, bool *ret_more,
                     struct err *err)
{
    struct counting_rows *self = (struct counting_rows *)stream;
    (void)err;
    *ret_more = self->at < MANY_ROWS;
    if (*ret_more) {
        put_u64be(self->key, self->at);
        memset(self->value, (int)(self->at++ % 251), sizeof self->value);
        *ret_row = (struct row){.key = bytes_of(self->key, sizeof self->key),
                                .value = bytes_of(self->value, sizeof self->value)};
    }
    return true;
}

static void free_nothing(struct row_stream *stream)
{
    (void)stream;
}

static const struct row_stream_ops counting_ops = {.next = next_row, .free = free_nothing};

static size_t count_files(const struct tree_file *files, size_t count, const char *below)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        found += strncmp(files[i].name, below, strlen(below)) == 0;
    }
    return found;
}

/* More rows than the memory it is given: several files of rows, and all of them come back. */
static void many_files(void)
{
    struct err err = {0};
    struct counting_rows rows = {.stream.ops = &counting_ops};
    struct kv_write_request request = {.path = place("many"), .cache_bytes = 4 << 20};
    struct kv_written written = {0};
    AUTO(buf) struct buf key_min;
    AUTO(buf) struct buf key_max;
    buf_init(&key_min, SIZE_MAX);
    buf_init(&key_max, SIZE_MAX);
    WORKS(kv_write(slatedb_kv(), &request, &rows.stream, &written, &key_min, &key_max, &err));
    IS_NUMBER(written.rows, MANY_ROWS);

    struct arena *arena = arena_new(4096);
    struct tree_file *files = NULL;
    size_t count = 0;
    uint64_t bytes = 0;
    WORKS(file_tree_list(place("many"), arena, &files, &count, &err));
    WORKS(file_tree_size(place("many"), &bytes, &err));
    IS_NUMBER(bytes, written.file_bytes);
    IS(count_files(files, count, "compacted/") > 3);
    IS(count_files(files, count, "manifest/") > 0);
    IS(count_files(files, count, "wal/") <= 1); /* an empty one, that fences other writers off */
    arena_free(arena);

    struct kv_file *file = NULL;
    struct row_stream *stored = NULL;
    size_t seen = 0;
    WORKS(kv_open(slatedb_kv(), place("many"), &file, &err));
    WORKS(kv_rows(file, &stored, &err));
    for (;; seen++) {
        struct row row;
        bool more;
        WORKS(row_stream_next(stored, &row, &more, &err));
        if (!more) {
            break;
        }
        IS(row.key.size == 8 && get_u64be(row.key.data) == seen);
        IS(row.value.size == VALUE_BYTES && row.value.data[VALUE_BYTES - 1] == seen % 251);
    }
    IS_NUMBER(seen, MANY_ROWS);
    row_stream_free(stored);
    kv_close(file);
}

/* Each writing has an id of its own: readers know bytes by it. */
static void checkpoint_ids(void)
{
    struct err err = {0};
    char first[KV_CHECKPOINT_SIZE] = "";
    for (int i = 0; i < 2; i++) {
        struct counting_rows rows = {.stream.ops = &counting_ops, .at = MANY_ROWS - 3};
        struct kv_write_request request = {.path = place(i == 0 ? "one" : "two")};
        struct kv_written written = {0};
        AUTO(buf) struct buf key_min;
        AUTO(buf) struct buf key_max;
        buf_init(&key_min, SIZE_MAX);
        buf_init(&key_max, SIZE_MAX);
        WORKS(kv_write(slatedb_kv(), &request, &rows.stream, &written, &key_min, &key_max, &err));
        IS(strlen(written.checkpoint_id) == 32 &&
           strspn(written.checkpoint_id, "0123456789abcdef") == 32);
        IS(strcmp(first, written.checkpoint_id) != 0);
        memcpy(first, written.checkpoint_id, sizeof first);
    }
}

/* What was cut off or taken away is an error, in time, and no crash. */
static void damage(void)
{
    struct err err = {0};
    struct kv_file *file = NULL;
    struct arena *arena = arena_new(4096);
    struct tree_file *files = NULL;
    size_t count = 0;
    WORKS(file_make_folders(place("empty"), &err));
    IS(!kv_open(slatedb_kv(), place("empty"), &file, &err));
    IS(err.kind == ERR_CORRUPT && strstr(err.message, "empty") != NULL);
    WORKS(file_tree_list(place("one"), arena, &files, &count, &err));
    for (size_t i = 0; i < count; i++) {
        const char *path = arena_format(arena, "%s/%s", place("one"), files[i].name);
        IS(strncmp(files[i].name, "compacted/", 10) != 0 || unlink(path) == 0);
    }
    struct row_stream *stored = NULL;
    struct row row;
    bool more = false;
    err = (struct err){0};
    IS(!kv_open(slatedb_kv(), place("one"), &file, &err) || !kv_rows(file, &stored, &err) ||
       !row_stream_next(stored, &row, &more, &err));
    IS(err.kind == ERR_CORRUPT);
    row_stream_free(stored);
    kv_close(file);
    arena_free(arena);
}

int main(void)
{
    struct err err = {0};
    WORKS(file_temp_folder("/tmp", "tidemark-kv", &folder, &err));
    kv_suite_run(slatedb_kv(), folder);
    IS(strcmp(slatedb_kv_version(), "") != 0);
    STORY(many_files);
    STORY(checkpoint_ids);
    STORY(damage);
    WORKS(file_remove_tree(folder, &err));
    free(folder);
    return 0;
}

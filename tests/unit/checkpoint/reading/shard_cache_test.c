/* Is a shard downloaded once, never when it is cut off, and is the folder kept within its size? */
#include "checkpoint/reading/shard_cache.h"

#include <unistd.h>

#include "tests/support/folder_store.h"

static struct store *open_files(struct folder_store *at)
{
    struct err err = {0};
    struct store *files = NULL;
    const char *url = arena_format(at->arena, "file://%s/cache", at->folder);
    cr_assert(file_store_new(url, &files, &err), "%s", err.message);
    return files;
}

static struct attempt shard_of(const char *db_url, const char *checkpoint_id, int64_t bytes)
{
    struct attempt shard;
    attempt_init(&shard, 0, 1);
    shard.db_url = db_url;
    shard.checkpoint_id = checkpoint_id;
    shard.db_bytes = bytes;
    return shard;
}

/* Fetches, checks the content of the local file, and returns its path. */
static const char *fetch(const struct shard_cache *cache, struct folder_store *at, const char *name,
                         const struct attempt *shard, const char *content)
{
    struct err err = {0};
    struct buf path;
    struct buf bytes;
    buf_init(&path, 4096);
    buf_init(&bytes, 4096);
    cr_assert(shard_cache_fetch(cache, at->store, name, shard, &path, &err), "%s", err.message);
    cr_assert(file_read(buf_text(&path), &bytes, &err), "%s", err.message);
    cr_assert_str_eq(buf_text(&bytes), content);
    const char *text = arena_text(at->arena, buf_bytes(&path));
    buf_done(&bytes);
    buf_done(&path);
    return text;
}

#define ID_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define ID_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

Test(shard_cache, keyed_by_url_and_checkpoint_id)
{
    struct folder_store at;
    folder_store_open(&at);
    struct shard_cache cache = {.borrowed_files = open_files(&at)};
    folder_store_put(&at, "a/shard.db", bytes_of_text("first"));
    struct attempt first = shard_of("s3://b/p/a", ID_A, 5);
    const char *path = fetch(&cache, &at, "a/shard.db", &first, "first");
    /* what is there is not asked for again … */
    folder_store_put(&at, "a/shard.db", bytes_of_text("other"));
    cr_assert_str_eq(fetch(&cache, &at, "a/shard.db", &first, "first"), path);
    /* … but another id, or another URL, is another file */
    struct attempt second = shard_of("s3://b/p/a", ID_B, 5);
    fetch(&cache, &at, "a/shard.db", &second, "other");
    struct attempt third = shard_of("s3://b/p/c", ID_A, 5);
    fetch(&cache, &at, "a/shard.db", &third, "other");
    /* without an id the object's tag stands in */
    struct attempt fourth = shard_of("s3://b/p/d", NULL, 5);
    const char *before = fetch(&cache, &at, "a/shard.db", &fourth, "other");
    folder_store_put(&at, "a/shard.db", bytes_of_text("third"));
    cr_assert_str_neq(fetch(&cache, &at, "a/shard.db", &fourth, "third"), before);
    store_free(cache.borrowed_files);
    folder_store_close(&at);
}

Test(shard_cache, a_file_of_another_size_is_not_used)
{
    struct folder_store at;
    folder_store_open(&at);
    struct shard_cache cache = {.borrowed_files = open_files(&at)};
    folder_store_put(&at, "a/shard.db", bytes_of_text("short"));
    struct attempt shard = shard_of("s3://b/p/a", ID_A, 6);
    struct err err = {0};
    struct buf path;
    buf_init(&path, 4096);
    cr_assert_not(shard_cache_fetch(&cache, at.store, "a/shard.db", &shard, &path, &err));
    cr_assert_eq(err.kind, ERR_CORRUPT, "%s", err.message);
    buf_done(&path);
    /* a local file that was cut off is downloaded again */
    folder_store_put(&at, "a/shard.db", bytes_of_text("larger"));
    const char *local = fetch(&cache, &at, "a/shard.db", &shard, "larger");
    cr_assert_eq(truncate(local, 3), 0);
    cr_assert_str_eq(fetch(&cache, &at, "a/shard.db", &shard, "larger"), local);
    store_free(cache.borrowed_files);
    folder_store_close(&at);
}

Test(shard_cache, the_oldest_go_first)
{
    struct folder_store at;
    folder_store_open(&at);
    struct shard_cache cache = {.borrowed_files = open_files(&at), .bytes_max = 12};
    const char *paths[4];
    for (size_t i = 0; i < LENGTH_OF(paths); i++) {
        folder_store_put(&at, "a/shard.db", bytes_of_text("12345"));
        struct attempt shard = shard_of(arena_format(at.arena, "s3://b/p/%zu", i), ID_A, 5);
        paths[i] = fetch(&cache, &at, "a/shard.db", &shard, "12345");
        usleep(20 * 1000); /* times of files tell them apart */
    }
    cr_assert_neq(access(paths[0], F_OK), 0);
    cr_assert_neq(access(paths[1], F_OK), 0);
    cr_assert_eq(access(paths[2], F_OK), 0);
    cr_assert_eq(access(paths[3], F_OK), 0);
    store_free(cache.borrowed_files);
    folder_store_close(&at);
}

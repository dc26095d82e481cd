/* What only the folder driver has: folders that are missing or in the way, a full disk, moved
 * files, left-overs of a crash. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "adapters/file/file_store.h"
#include "adapters/file/file_tag.h"
#include "adapters/os/file.h"

static char *folder;
static struct store *store;

static void make(void)
{
    struct err err = {0};
    char url[512];
    cr_assert(file_temp_folder("/tmp", "tidemark-store", &folder, &err), "%s", err.message);
    snprintf(url, sizeof url, "file://%s/place", folder);
    cr_assert(file_store_new(url, &store, &err), "%s", err.message);
}

static void drop(void)
{
    struct err err = {0};
    store = store_free(store);
    cr_assert(file_remove_tree(folder, &err), "%s", err.message);
    free(folder);
}

TestSuite(file_store, .init = make, .fini = drop);

static const char *at(const char *name)
{
    static char path[4][512];
    static unsigned next;
    char *to = path[next++ % 4];
    snprintf(to, sizeof path[0], "%s/%s", folder, name);
    return to;
}

static bool put(struct store *to, const char *key, const char *text, struct err *err)
{
    struct store_content content = {.bytes = bytes_of_text(text)};
    return store_put(to, key, &content, store_always(), NULL, err);
}

Test(file_store, the_root_is_made_but_not_what_is_above_it)
{
    struct err err = {0};
    cr_assert_neq(access(at("place"), F_OK), 0);
    cr_assert(put(store, "a/b", "x", &err), "%s", err.message);
    cr_assert_eq(access(at("place/a/b"), F_OK), 0);
    char url[512];
    snprintf(url, sizeof url, "file://%s/none/place", folder);
    struct store *other = NULL;
    cr_assert(file_store_new(url, &other, &err));
    cr_assert_not(put(other, "a", "x", &err));
    cr_assert_eq(err.kind, ERR_SETTINGS);
    cr_assert_not_null(strstr(err.message, "does not exist"), "%s", err.message);
    struct store_page page = {0};
    cr_assert(store_list(other, "", false, &page, &err), "a store that is not there is empty");
    cr_assert_eq(page.count, 0);
    cr_assert(store_delete(other, "a", &err));
    store_page_done(&page);
    store_free(other);
}

Test(file_store, bad_roots)
{
    struct err err = {0};
    struct store *other = NULL;
    char url[512];
    cr_assert(file_write(at("plain"), bytes_of_text("x"), 0644, &err));
    snprintf(url, sizeof url, "file://%s/plain", folder);
    cr_assert_not(file_store_new(url, &other, &err));
    cr_assert_eq(err.kind, ERR_SETTINGS);
    cr_assert_not(file_store_new("file://relative/x", &other, &err));
    cr_assert_not(file_store_new("s3://bucket/x", &other, &err));
    cr_assert_eq(err.kind, ERR_SETTINGS);
}

Test(file_store, an_object_is_no_folder)
{
    struct err err = {0};
    struct store_content content = {.bytes = bytes_of_text("x")};
    cr_assert(put(store, "a", "x", &err));
    cr_assert_not(put(store, "a/b", "x", &err));
    cr_assert_eq(err.kind, ERR_INPUT, "%s", err.message);
    cr_assert(put(store, "f/b", "x", &err));
    cr_assert_not(put(store, "f", "x", &err));
    cr_assert_eq(err.kind, ERR_INPUT, "%s", err.message);
    cr_assert_not(store_put(store, "f", &content, store_if_absent(), NULL, &err));
    cr_assert_eq(err.kind, ERR_INPUT, "%s", err.message);
    struct store_info info;
    cr_assert_not(store_head(store, "f", &info, &err));
    cr_assert_eq(err.kind, ERR_MISSING);
    cr_assert_not(store_head(store, "a/b", &info, &err));
    cr_assert_eq(err.kind, ERR_MISSING);
}

Test(file_store, its_own_names_are_no_keys)
{
    struct err err = {0};
    cr_assert_not(put(store, ".tidemark-lock", "x", &err));
    cr_assert_eq(err.kind, ERR_INPUT);
    cr_assert_not(put(store, "a/.tidemark-tmp-1", "x", &err));
    cr_assert_eq(err.kind, ERR_INPUT);
}

Test(file_store, a_full_disk_is_a_limit_and_changes_nothing)
{
    struct err err = {0};
    cr_assert(put(store, "o", "old", &err));
    cr_assert(file_write(at("large"), bytes_of_text("more than ten bytes"), 0644, &err));
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit small = {.rlim_cur = 10, .rlim_max = RLIM_INFINITY};
    struct rlimit none = {.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    struct err second = {0};
    struct store_content content = {.path = at("large")};
    bool ok = put(store, "o", "longer than ten bytes", &err);
    bool ok_file = store_put(store, "o", &content, store_always(), NULL, &second);
    setrlimit(RLIMIT_FSIZE, &none);
    cr_assert_not(ok);
    cr_assert_eq(err.kind, ERR_LIMIT);
    cr_assert_not_null(strstr(err.message, "/place/o"), "%s", err.message);
    cr_assert_not(ok_file);
    cr_assert_eq(second.kind, ERR_LIMIT, "%s", second.message);
    AUTO(buf) struct buf now;
    buf_init(&now, 100);
    cr_assert(store_get(store, "o", &now, NULL, &err));
    cr_assert_str_eq(buf_text(&now), "old");
    struct store_page page = {0};
    cr_assert(store_list(store, "", false, &page, &err));
    cr_assert_eq(page.count, 1);
    store_page_done(&page);
}

static ino_t inode_of(const char *path)
{
    struct stat info;
    cr_assert_eq(stat(path, &info), 0);
    return info.st_ino;
}

Test(file_store, a_taken_file_is_moved_not_copied)
{
    struct err err = {0};
    cr_assert(file_write(at("local"), bytes_of_text("content"), 0644, &err));
    ino_t inode = inode_of(at("local"));
    struct store_content content = {.path = at("local"), .take_file = true};
    cr_assert(store_put(store, "moved/o", &content, store_if_absent(), NULL, &err), "%s",
              err.message);
    cr_assert_eq(inode_of(at("place/moved/o")), inode);
    cr_assert_neq(access(at("local"), F_OK), 0);
    cr_assert(file_write(at("local"), bytes_of_text("again"), 0644, &err));
    inode = inode_of(at("local"));
    cr_assert(store_put(store, "moved/o", &content, store_always(), NULL, &err));
    cr_assert_eq(inode_of(at("place/moved/o")), inode);
}

Test(file_store, a_file_of_another_disk_is_copied)
{
    struct err err = {0};
    struct stat here;
    struct stat there;
    cr_assert_eq(stat(folder, &here), 0);
    if (stat("/dev/shm", &there) != 0 || there.st_dev == here.st_dev) {
        cr_skip_test("there is no second file system here");
    }
    char path[64];
    snprintf(path, sizeof path, "/dev/shm/tidemark-%d", (int)getpid());
    cr_assert(file_write(path, bytes_of_text("content"), 0644, &err));
    struct store_content content = {.path = path, .take_file = true};
    cr_assert(store_put(store, "o", &content, store_if_absent(), NULL, &err), "%s", err.message);
    cr_assert_neq(access(path, F_OK), 0);
    AUTO(buf) struct buf now;
    buf_init(&now, 100);
    cr_assert(store_get(store, "o", &now, NULL, &err));
    cr_assert_str_eq(buf_text(&now), "content");
}

Test(file_store, a_sweep_removes_what_crashed_writers_left)
{
    struct err err = {0};
    cr_assert(put(store, "a/o", "x", &err));
    cr_assert(file_write(at("place/a/.tidemark-tmp-1"), bytes_of_text("half"), 0644, &err));
    struct store_page page = {0};
    cr_assert(store_list(store, "", false, &page, &err));
    cr_assert_eq(page.count, 1, "no listing shows it");
    store_page_done(&page);
    cr_assert(file_store_sweep(store, INT64_C(3600000000), &err));
    cr_assert_eq(access(at("place/a/.tidemark-tmp-1"), F_OK), 0, "it may be in use");
    cr_assert(file_store_sweep(store, -1000000, &err));
    cr_assert_neq(access(at("place/a/.tidemark-tmp-1"), F_OK), 0);
    cr_assert_eq(access(at("place/a/o"), F_OK), 0);
}

Test(file_store, empty_folders_go_with_their_last_object)
{
    struct err err = {0};
    cr_assert(put(store, "a/b/c", "x", &err));
    cr_assert(put(store, "a/d", "x", &err));
    cr_assert(store_delete(store, "a/b/c", &err));
    cr_assert_neq(access(at("place/a/b"), F_OK), 0);
    cr_assert_eq(access(at("place/a"), F_OK), 0);
    cr_assert(store_delete(store, "a/d", &err));
    cr_assert_neq(access(at("place/a"), F_OK), 0);
    cr_assert_eq(access(at("place"), F_OK), 0);
}

Test(file_store, tags_of_large_files_change_with_every_write)
{
    struct err err = {0};
    struct store_etag first;
    struct store_etag second;
    struct store_info info;
    int fd = open(at("large"), O_WRONLY | O_CREAT, 0644);
    cr_assert_eq(ftruncate(fd, FILE_TAG_MD5_MAX_BYTES + 1), 0);
    close(fd);
    struct store_content content = {.path = at("large")};
    cr_assert(store_put(store, "o", &content, store_always(), &first, &err));
    cr_assert(store_head(store, "o", &info, &err));
    cr_assert_str_eq(info.etag.text, first.text);
    cr_assert(store_put(store, "o", &content, store_if_match(&first), &second, &err), "%s",
              err.message);
    cr_assert_str_neq(first.text, second.text);
    cr_assert_not(store_put(store, "o", &content, store_if_match(&first), NULL, &err));
    cr_assert_eq(err.kind, ERR_CONFLICT);
}

/* Files and folders: whole reads and writes, and errors of the right kind that name the path. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "adapters/os/file.h"

static char *folder;

static void make(void)
{
    struct err err = {0};
    cr_assert(file_temp_folder("/tmp", "tidemark-file", &folder, &err), "%s", err.message);
}

static void drop(void)
{
    struct err err = {0};
    cr_assert(file_remove_tree(folder, &err), "%s", err.message);
    free(folder);
}

TestSuite(file, .init = make, .fini = drop);

static const char *at(const char *name)
{
    static char path[4][512];
    static unsigned next;
    char *to = path[next++ % 4];
    snprintf(to, sizeof path[0], "%s/%s", folder, name);
    return to;
}

Test(file, write_then_read_then_replace)
{
    struct err err = {0};
    AUTO(buf) struct buf content;
    buf_init(&content, 100);
    cr_assert(file_write(at("a"), bytes_of_text("one"), 0600, &err), "%s", err.message);
    cr_assert(file_write(at("a"), bytes_of_text("second"), 0600, &err), "%s", err.message);
    cr_assert(file_read(at("a"), &content, &err), "%s", err.message);
    cr_assert_str_eq(buf_text(&content), "second");
    struct stat info;
    cr_assert_eq(stat(at("a"), &info), 0);
    cr_assert_eq(info.st_mode & 0777, 0600);
    uint64_t size = 0;
    cr_assert(file_size(at("a"), &size, &err));
    cr_assert_eq(size, 6);
    cr_assert(file_remove(at("a"), &err));
    cr_assert_not(file_remove(at("a"), &err));
    cr_assert_eq(err.kind, ERR_MISSING);
}

Test(file, errors_have_kinds_and_names)
{
    struct err err = {0};
    AUTO(buf) struct buf content;
    buf_init(&content, 4);
    uint64_t size = 0;
    cr_assert_not(file_read(at("none"), &content, &err));
    cr_assert_eq(err.kind, ERR_MISSING);
    cr_assert_not_null(strstr(err.message, at("none")), "%s", err.message);
    cr_assert_not(file_size(folder, &size, &err));
    cr_assert_eq(err.kind, ERR_SETTINGS);
    cr_assert(file_write(at("five"), bytes_of_text("12345"), 0644, &err));
    cr_assert_not(file_read(at("five"), &content, &err));
    cr_assert_eq(err.kind, ERR_LIMIT);
    cr_assert_not(file_make_folders(at("five/below"), &err));
    cr_assert_eq(err.kind, ERR_SETTINGS);
    cr_assert_not(file_write(at("no/such/parent"), bytes_of_text("x"), 0644, &err));
    cr_assert_eq(err.kind, ERR_MISSING);
}

Test(file, a_full_disk_is_a_limit_and_leaves_the_old_content)
{
    struct err err = {0};
    AUTO(buf) struct buf content;
    buf_init(&content, 100);
    cr_assert(file_write(at("kept"), bytes_of_text("old"), 0644, &err));
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit small = {.rlim_cur = 10, .rlim_max = RLIM_INFINITY};
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    bool ok = file_write(at("kept"), bytes_of_text("longer than ten bytes"), 0644, &err);
    struct rlimit none = {.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
    setrlimit(RLIMIT_FSIZE, &none);
    cr_assert_not(ok);
    cr_assert_eq(err.kind, ERR_LIMIT);
    cr_assert_not_null(strstr(err.message, at("kept")), "%s", err.message);
    cr_assert(file_read(at("kept"), &content, &err));
    cr_assert_str_eq(buf_text(&content), "old");
}

Test(file, folders)
{
    struct err err = {0};
    cr_assert(file_make_folders(at("x/y//z/"), &err), "%s", err.message);
    cr_assert(file_make_folders(at("x/y/z"), &err), "%s", err.message);
    cr_assert_not(file_make_folders("", &err));
    cr_assert(file_write(at("x/y/f"), bytes_of_text("x"), 0644, &err));
    cr_assert_eq(symlink("/", at("x/y/root")), 0);
    cr_assert(file_sync_folder(at("x"), &err));
    cr_assert(file_remove_tree(at("x"), &err), "%s", err.message);
    cr_assert_neq(access(at("x"), F_OK), 0);
    cr_assert(file_remove_tree(at("x"), &err), "gone is fine");
    uint64_t free_bytes = 0;
    cr_assert(file_free_bytes(folder, &free_bytes, &err));
    cr_assert_gt(free_bytes, 0);
}

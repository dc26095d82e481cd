/* Is every file below a folder found, at any depth, by name, and measured? */
#include "adapters/os/file_tree.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <unistd.h>

#include "adapters/os/file.h"

static void put(struct arena *arena, const char *folder, const char *below, const char *name,
                size_t size)
{
    static const char content[1000];
    struct err err = {0};
    const char *parent = arena_format(arena, "%s%s", folder, below);
    cr_assert(file_make_folders(parent, &err), "%s", err.message);
    cr_assert(
        file_write(arena_format(arena, "%s/%s", parent, name), bytes_of(content, size), 0600, &err),
        "%s", err.message);
}

Test(file_tree, all_files_by_name)
{
    struct arena *arena = arena_new(4096);
    struct err err = {0};
    char *folder = NULL;
    cr_assert(file_temp_folder("/tmp", "tidemark-tree", &folder, &err), "%s", err.message);
    struct tree_file *files = NULL;
    size_t count = 7;
    uint64_t bytes = 7;
    cr_assert(file_tree_list(folder, arena, &files, &count, &err) && count == 0);
    put(arena, folder, "/manifest", "2", 20);
    put(arena, folder, "/a/b/c", "x", 300);
    put(arena, folder, "/manifest", "1", 0);
    put(arena, folder, "", "top", 1000);
    cr_assert(symlink("top", arena_format(arena, "%s/link", folder)) == 0);
    cr_assert(file_tree_list(folder, arena, &files, &count, &err), "%s", err.message);
    static const struct tree_file expected[] = {
        {"a/b/c/x", 300}, {"manifest/1", 0}, {"manifest/2", 20}, {"top", 1000}};
    cr_assert_eq(count, LENGTH_OF(expected));
    for (size_t i = 0; i < count; i++) {
        cr_assert_str_eq(files[i].name, expected[i].name);
        cr_assert_eq(files[i].bytes, expected[i].bytes);
    }
    cr_assert(file_tree_size(folder, &bytes, &err) && bytes == 1320);

    cr_assert_not(
        file_tree_list(arena_format(arena, "%s/none", folder), arena, &files, &count, &err));
    cr_assert(err.kind == ERR_MISSING && strstr(err.message, "/none") != NULL, "%s", err.message);
    cr_assert_not(
        file_tree_list(arena_format(arena, "%s/top", folder), arena, &files, &count, &err));
    cr_assert(err.kind == ERR_SETTINGS, "%s", err.message);
    cr_assert(file_remove_tree(folder, &err));
    free(folder);
    arena_free(arena);
}

/* All files below a folder: listed, measured. */
#include "adapters/os/file_tree.h"

#include <errno.h>
#include <sys/types.h>
#include <sys/stat.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/os/file.h"

struct listing {
    struct arena *arena;
    size_t folder_size;
    struct tree_file *files;
    size_t count;
    size_t capacity;
};

static int by_name(const void *left, const void *right)
{
    return strcmp(((const struct tree_file *)left)->name, ((const struct tree_file *)right)->name);
}

static void add_file(struct listing *listing, const FTSENT *entry)
{
    if (listing->count == listing->capacity) {
        listing->capacity = listing->capacity == 0 ? 16 : 2 * listing->capacity;
        listing->files = realloc(listing->files, listing->capacity * sizeof *listing->files);
        CHECK(listing->files != NULL);
    }
    const char *name = entry->fts_path + listing->folder_size + 1;
    listing->files[listing->count++] = (struct tree_file){
        .name = arena_text(listing->arena, bytes_of_text(name)),
        .bytes = (uint64_t)entry->fts_statp->st_size,
    };
}

static bool walk(FTS *tree, struct listing *listing, struct err *err)
{
    FTSENT *entry;
    while ((entry = fts_read(tree)) != NULL) {
        if (entry->fts_info == FTS_ERR || entry->fts_info == FTS_DNR || entry->fts_info == FTS_NS) {
            return file_err(err, entry->fts_errno, "look at", entry->fts_path);
        }
        if (entry->fts_info == FTS_F && entry->fts_level > 0) {
            add_file(listing, entry);
        } else if (entry->fts_info == FTS_F) {
            return file_err(err, ENOTDIR, "list", entry->fts_path);
        }
    }
    return errno == 0 || file_err(err, errno, "list", "the folder");
}

bool file_tree_list(const char *folder, struct arena *arena, struct tree_file **ret_files,
                    size_t *ret_count, struct err *err)
{
    char *path = strdup(folder);
    CHECK(path != NULL);
    char *const paths[] = {path, NULL};
    struct listing listing = {.arena = arena, .folder_size = strlen(folder)};
    FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    bool done = tree != NULL ? walk(tree, &listing, err) : file_err(err, errno, "list", folder);
    if (tree != NULL) {
        (void)fts_close(tree);
    }
    if (done) {
        *ret_files = arena_alloc(arena, (listing.count + 1) * sizeof **ret_files);
        for (size_t i = 0; i < listing.count; i++) {
            (*ret_files)[i] = listing.files[i];
        }
        qsort(*ret_files, listing.count, sizeof **ret_files, by_name);
        *ret_count = listing.count;
    }
    free(listing.files);
    free(path);
    return done;
}

bool file_tree_size(const char *folder, uint64_t *ret_bytes, struct err *err)
{
    AUTO(arena) struct arena *arena = arena_new(4096);
    struct tree_file *files = NULL;
    size_t count = 0;
    TRY(file_tree_list(folder, arena, &files, &count, err));
    *ret_bytes = 0;
    for (size_t i = 0; i < count; i++) {
        *ret_bytes += files[i].bytes;
    }
    return true;
}

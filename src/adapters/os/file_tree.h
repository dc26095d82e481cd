/* All files below a folder: listed, measured. */
#ifndef TIDEMARK_ADAPTERS_OS_FILE_TREE_H
#define TIDEMARK_ADAPTERS_OS_FILE_TREE_H

#include "core/base/arena.h"
#include "core/base/check.h"
#include "core/base/err.h"

struct tree_file {
    const char *name; /* relative to the folder: "manifest/00001.manifest" */
    uint64_t bytes;
};

/* Regular files at any depth, by name; links are not followed. In the arena. Any thread; blocks on
 * the disk. Errors: as in file.h. */
bool file_tree_list(const char *folder, struct arena *arena, struct tree_file **ret_files,
                    size_t *ret_count, struct err *err) MUST_CHECK;

/* The sum of their sizes. */
bool file_tree_size(const char *folder, uint64_t *ret_bytes, struct err *err) MUST_CHECK;

#endif

/* Where an object lies on the disk, and the folders and the lock around it. */
#ifndef TIDEMARK_ADAPTERS_FILE_FILE_PLACE_H
#define TIDEMARK_ADAPTERS_FILE_FILE_PLACE_H

#include <limits.h>
#include <sys/stat.h>

#include "adapters/store.h"

/* How often to make folders again that a delete removes while we write into them. */
enum { FILE_PLACE_TRIES = 10 };

struct file_place {
    char path[PATH_MAX];
    size_t folder_size; /* bytes of path without "/name" */
};

/* INPUT: the key has a name that the store keeps for itself. */
bool file_place_of(const char *root, const char *key, struct file_place *place,
                   struct err *err) MUST_CHECK;

/* Makes the root (the folder above it must exist: SETTINGS) and all folders down to the object,
 * durably. INPUT: an object is in the way. */
bool file_place_make_folders(const char *root, const struct file_place *place,
                             struct err *err) MUST_CHECK;

/* Takes the lock that the writers of all processes share; close(2) gives it back. Below 0: *err is
 * filled. */
int file_place_lock(const char *root, struct err *err) MUST_CHECK;

/* An object's file, open for reading. Below 0: *err is filled; MISSING when it is not there. */
int file_place_open(const char *path, struct stat *info, struct err *err) MUST_CHECK;

#endif

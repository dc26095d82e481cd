/* Whole files and folders: read, replace, make, remove. */
#ifndef TIDEMARK_ADAPTERS_OS_FILE_H
#define TIDEMARK_ADAPTERS_OS_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/bytes.h"
#include "core/base/check.h"
#include "core/base/err.h"

/* Any thread; all of these block on the disk. Errors name the path and say what was tried:
 * MISSING (no such file), SETTINGS (permission, not a folder, read-only), LIMIT (disk or quota
 * full, too large), CONFLICT (exists already), INPUT (name too long), TRANSIENT (the rest). */

/* Adds the file's content to `to`; LIMIT when it does not fit into the limit of `to`. */
bool file_read(const char *path, struct buf *to, struct err *err) MUST_CHECK;

/* The file has the old content or the new one, never a part, also after a power cut: temp file in
 * the same folder, fsync, rename, fsync of the folder. `mode` as for open(2): 0600 for secrets. */
bool file_write(const char *path, struct bytes content, unsigned mode, struct err *err) MUST_CHECK;

bool file_size(const char *path, uint64_t *ret_bytes, struct err *err) MUST_CHECK;
bool file_remove(const char *path, struct err *err) MUST_CHECK; /* MISSING is an error here */

/* mkdir -p; one that exists is fine. */
bool file_make_folders(const char *path, struct err *err) MUST_CHECK;

/* A new, empty folder `parent/stem-XXXXXX`; ret_path is malloc'ed, the caller frees it. */
bool file_temp_folder(const char *parent, const char *stem, char **ret_path,
                      struct err *err) MUST_CHECK;

/* rm -rf, without following links; one that is not there is fine. */
bool file_remove_tree(const char *path, struct err *err) MUST_CHECK;

/* The same of a file or a folder that does not matter any more: what fails is passed over. */
void file_discard(const char *path);

/* Removes all that lies in the folder but the entries of these names. */
bool file_sweep_folder(const char *path, const char *const *keep, size_t keep_count,
                       struct err *err) MUST_CHECK;

/* What an ordinary user can still write on the file system of `path`. */
bool file_free_bytes(const char *path, uint64_t *ret_bytes, struct err *err) MUST_CHECK;

/* Makes a folder's entries (new names, renames, removals) durable. */
bool file_sync_folder(const char *path, struct err *err) MUST_CHECK;
/* The same of the folder that `path` lies in: a new file's name is there after a power cut, too. */
bool file_sync_parent(const char *path, struct err *err) MUST_CHECK;

/* Exactly `size` bytes from `place` on. CORRUPT: the file ends before. `path` is for the error. */
bool file_read_at(int fd, uint64_t place, uint8_t *to, size_t size, const char *path,
                  struct err *err) MUST_CHECK;

/* The whole of `content` to that place; the file grows as needed. `path` is for the error. */
bool file_write_at(int fd, uint64_t place, struct bytes content, const char *path,
                   struct err *err) MUST_CHECK;

/* The whole of `content` to `fd`, whatever the number of write(2)s. `path` is for the error. */
bool file_write_all(int fd, struct bytes content, const char *path, struct err *err) MUST_CHECK;

/* "cannot <action> <path>: <reason>" from an errno, with the kind of the table above. False. */
bool file_err(struct err *err, int number, const char *action, const char *path);

#endif

/* A folder as an object store: for a laptop, for tests, and for a member's own spills. */
#ifndef TIDEMARK_ADAPTERS_FILE_FILE_STORE_H
#define TIDEMARK_ADAPTERS_FILE_FILE_STORE_H

#include "adapters/store.h"

/* Opens file:///absolute/folder. The folder is made at the first put; the one above it must exist,
 * so that a disk that is not mounted is an error and not a new folder. Errors: SETTINGS.
 *
 * - An object is one plain file, its key the path below the folder. It appears whole, by rename or
 *   link, and is on the disk (fsync of file and folder) when put returns.
 * - The tag of an object of up to 16 MiB is its MD5 in hex, as with S3; of a larger one (never
 *   overwritten by condition in Tidemark) inode, time and size.
 * - STORE_IF_ABSENT is link(2); STORE_IF_MATCH compares under a lock on the folder that all
 *   processes of this machine share. Over a network file system it is as good as that one's flock.
 * - Names that begin with ".tidemark-" are the store's own and no keys. */
bool file_store_new(const char *url, struct store **ret_store, struct err *err) MUST_CHECK;

/* Removes what crashed writers left half-written more than `older_than_us` ago. Only for a store
 * from file_store_new. */
bool file_store_sweep(struct store *store, int64_t older_than_us, struct err *err) MUST_CHECK;

#endif

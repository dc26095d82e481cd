/* The tag of a file's content. */
#ifndef TIDEMARK_ADAPTERS_FILE_FILE_TAG_H
#define TIDEMARK_ADAPTERS_FILE_FILE_TAG_H

#include <sys/stat.h>

#include "adapters/store.h"

enum { FILE_TAG_MD5_MAX_BYTES = 16 * 1024 * 1024 };

/* Of an open file that nobody changes (objects are replaced, never written to). Any thread; reads
 * up to 16 MiB. `path` is for errors: TRANSIENT. */
bool file_tag(int fd, const char *path, const struct stat *info, struct store_etag *ret_etag,
              struct err *err) MUST_CHECK;

#endif

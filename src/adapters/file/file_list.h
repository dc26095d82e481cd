/* Listing a folder the way S3 lists a bucket. */
#ifndef TIDEMARK_ADAPTERS_FILE_FILE_LIST_H
#define TIDEMARK_ADAPTERS_FILE_FILE_LIST_H

#include "adapters/store.h"

/* Names the store keeps for itself. */
#define FILE_LIST_OWN_NAMES ".tidemark-"

/* As store_ops.list, for the objects below the folder `root`; one that does not exist is empty. */
bool file_list(const char *root, const char *prefix, bool folders, const char *from,
               size_t entries_max, struct store_page *page, struct err *err) MUST_CHECK;

#endif

/* Writing an object into a folder: whole, durable, and only when the condition holds. */
#ifndef TIDEMARK_ADAPTERS_FILE_FILE_PUT_H
#define TIDEMARK_ADAPTERS_FILE_FILE_PUT_H

#include "adapters/file/file_list.h"
#include "adapters/store.h"

/* What half-written files are called. */
#define FILE_PUT_TEMP_NAMES FILE_LIST_OWN_NAMES "tmp-"

/* As store_ops.put, for a store whose prefix is a folder. */
bool file_put_object(struct store *store, const char *key, const struct store_content *content,
                     struct store_condition condition, struct store_etag *ret_etag,
                     struct err *err) MUST_CHECK;

#endif

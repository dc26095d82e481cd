/* The XML that S3 and STS answer with. */
#ifndef TIDEMARK_ADAPTERS_S3_REPLY_H
#define TIDEMARK_ADAPTERS_S3_REPLY_H

#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/base/check.h"
#include "core/base/err.h"

/* Pure; any thread. Foreign bytes: nothing here trusts them. A document with a DTD, or deeper or
 * larger than the bounds, is refused. Texts live in the arena given. Errors: TRANSIENT (an answer
 * cut short or garbled on its way; the request may be sent again). */

enum { REPLY_DEPTH_MAX = 12, REPLY_NODES_MAX = 60000, REPLY_BYTES_MAX = 8 * 1024 * 1024 };

struct reply_node {
    const char *name; /* without a namespace's prefix */
    const char *text; /* of the element itself, "" when none */
    const struct reply_node *first_child;
    const struct reply_node *next;
};

bool reply_parse(struct bytes xml, struct arena *arena, const struct reply_node **ret_root,
                 struct err *err) MUST_CHECK;

const struct reply_node *reply_child(const struct reply_node *node, const char *name); /* or NULL */
const char *reply_text(const struct reply_node *node, const char *name); /* of a child, or "" */

struct reply_error {
    char code[64];
    char message[200];
    char region[64]; /* where the bucket lies, when that is the error */
};

/* An <Error> document (or STS's <ErrorResponse>). False: it is none, nothing is written. */
bool reply_error_of(struct bytes xml, struct reply_error *ret_error);

struct reply_object {
    const char *key; /* whole, decoded; of a common prefix: with its '/' */
    bool folder;
    uint64_t size;
    int64_t modified_us;
};

struct reply_list {
    struct reply_object *objects; /* in byte order of the keys, prefixes among them */
    size_t count;
    const char *next; /* continuation token; NULL when this was all */
};

/* A ListBucketResult of ListObjectsV2. */
bool reply_list_of(struct bytes xml, struct arena *arena, struct reply_list *ret_list,
                   struct err *err) MUST_CHECK;

/* The text of one child of the root, whose name must be `root`: UploadId of
 * InitiateMultipartUploadResult, ETag of CompleteMultipartUploadResult, CopyObjectResult and
 * CopyPartResult. */
bool reply_field_of(struct bytes xml, struct arena *arena, const char *root, const char *field,
                    const char **ret_text, struct err *err) MUST_CHECK;

/* A DeleteResult: the first error in it, if any. */
bool reply_deleted_of(struct bytes xml, struct arena *arena, struct reply_error *ret_first_error,
                      const char **ret_failed_key, struct err *err) MUST_CHECK;

#endif

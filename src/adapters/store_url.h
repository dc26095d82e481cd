/* Store URLs and object keys: what may stand in them, and how they are joined. */
#ifndef TIDEMARK_ADAPTERS_STORE_URL_H
#define TIDEMARK_ADAPTERS_STORE_URL_H

#include <stdbool.h>

#include "core/base/buf.h"
#include "core/base/check.h"
#include "core/base/err.h"

enum {
    STORE_KEY_MAX = 1024, /* bytes of a whole S3 key (Amazon's limit), prefix included */
    STORE_BUCKET_MAX = 63,
};

enum store_scheme { STORE_FILE, STORE_S3 };

/* s3://bucket/some/prefix, or file:///some/folder (bucket empty, prefix "/some/folder"). */
struct store_url {
    enum store_scheme scheme;
    char bucket[STORE_BUCKET_MAX + 1];
    char prefix[STORE_KEY_MAX + 1]; /* without a slash at its end */
};

/* Checks the rules of the snapshot format, section 2 (a key that is not empty, no `?`, `#`, `//`,
 * `..`, control characters or `run_id=`), those of bucket names, and that a file path is absolute.
 * One slash at the end is dropped. Pure. Errors: SETTINGS, with the rule that was broken; a URL
 * with something like user:password@ in it is refused and not repeated in the message. */
bool store_url_parse(const char *url, struct store_url *ret_url, struct err *err) MUST_CHECK;

/* The same URL as text, in its one normal form. */
void store_url_text(const struct store_url *url, struct buf *to);

/* The URL of one object, such as a manifest's db_url names: the same, but the key may be any that
 * store_key_check allows. Errors: INPUT. */
bool store_url_parse_object(const char *url, struct store_url *ret_url, struct err *err) MUST_CHECK;

/* An object's key, relative to a store's prefix: not empty, UTF-8, no slash at either end, no `?`,
 * `#`, `//`, `..`, `.` segment or control character, at most STORE_KEY_MAX bytes (the store checks
 * it again with its prefix before it). Errors: INPUT. */
bool store_key_check(const char *key, struct err *err) MUST_CHECK;

/* Base and part joined by one slash; slashes at the end of `base` and at both ends of `part` are
 * dropped, an empty part adds nothing (snapshot format, section 1). */
void store_url_join(const char *base, const char *part, struct buf *to);

#endif

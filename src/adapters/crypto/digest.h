/* Digests of bytes, as the store and the manifest name them. */
#ifndef TIDEMARK_ADAPTERS_CRYPTO_DIGEST_H
#define TIDEMARK_ADAPTERS_CRYPTO_DIGEST_H

#include "core/base/bytes.h"
#include "core/base/check.h"
#include "core/base/err.h"

enum { DIGEST_SHA256_TEXT = 65 };

/* Lower-case hex with a NUL. Any thread. */
void digest_sha256(struct bytes bytes, char ret_text[DIGEST_SHA256_TEXT]);

/* The same of a local file's content. Errors: as file.h. */
MUST_CHECK bool digest_sha256_file(const char *path, char ret_text[DIGEST_SHA256_TEXT],
                                   struct err *err);

#endif

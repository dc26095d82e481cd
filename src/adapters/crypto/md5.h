/* MD5 of an open file: not for safety, but because it is what S3 names content by. */
#ifndef TIDEMARK_ADAPTERS_CRYPTO_MD5_H
#define TIDEMARK_ADAPTERS_CRYPTO_MD5_H

#include "core/base/check.h"
#include "core/base/err.h"

enum { MD5_TEXT = 33 };

/* The whole content of `fd`, whose position does not matter and stays. Lower-case hex with a NUL.
 * `path` is for the error: TRANSIENT. Any thread. */
MUST_CHECK bool md5_of_file(int fd, const char *path, char ret_text[MD5_TEXT], struct err *err);

#endif

/* Which libcurl, for `tidemark version`. */
#ifndef TIDEMARK_ADAPTERS_S3_HTTP_VERSION_H
#define TIDEMARK_ADAPTERS_S3_HTTP_VERSION_H

/* "7.88.1 (OpenSSL/3.0.11)". Any thread. */
const char *http_version(void);

#endif

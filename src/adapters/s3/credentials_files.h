/* The shared AWS files, found and read. */
#ifndef TIDEMARK_ADAPTERS_S3_CREDENTIALS_FILES_H
#define TIDEMARK_ADAPTERS_S3_CREDENTIALS_FILES_H

#include "adapters/s3/profile.h"

/* Reads AWS_CONFIG_FILE (~/.aws/config) and AWS_SHARED_CREDENTIALS_FILE (~/.aws/credentials). A
 * file that is not there is empty. `name`: NULL is AWS_PROFILE, or "default". SETTINGS: a file
 * cannot be read or understood, or a profile that was asked for by name is in neither. */
bool credentials_files_read(const char *name, struct profile *ret_profile,
                            struct err *err) MUST_CHECK;

#endif

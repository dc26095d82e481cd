/* The shared configuration and credentials files of the AWS tools. Pure. */
#ifndef TIDEMARK_ADAPTERS_S3_PROFILE_H
#define TIDEMARK_ADAPTERS_S3_PROFILE_H

#include "adapters/s3/secret.h"
#include "core/base/bytes.h"
#include "core/base/err.h"

/* What one profile says. Source: "Configuration and credential file settings in the AWS CLI". */
struct profile {
    bool found; /* a section with its name was there */
    char access_key[256];
    struct secret secret_key;
    struct secret token;
    char region[64];
    char endpoint_url[512];
    char role_arn[256];
    char role_session_name[128];
    char web_identity_token_file[512];
    char unsupported[64]; /* a source of credentials that we do not speak, such as sso_session */
};

enum profile_file {
    PROFILE_CONFIG,      /* sections are [default] and [profile NAME] */
    PROFILE_CREDENTIALS, /* sections are [NAME] */
};

/* Adds what the file says about profile `name`; what an earlier file said stays, except that a key
 * pair from the credentials file replaces one from the configuration file. Nested settings
 * (indented lines under "s3 =") are skipped. Errors: SETTINGS with the line's number, never with
 * its text. */
bool profile_parse(struct bytes text, enum profile_file file, const char *name,
                   struct profile *profile, struct err *err) MUST_CHECK;

void profile_done(struct profile *profile);

#endif

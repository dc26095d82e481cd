/* Whose keys sign our requests: found once, refreshed before they end. */
#ifndef TIDEMARK_ADAPTERS_S3_CREDENTIALS_H
#define TIDEMARK_ADAPTERS_S3_CREDENTIALS_H

#include "adapters/s3/http.h"
#include "adapters/s3/sign.h"

/* The sources, in this order; the first that is there is used from then on:
 *   1. AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN (not when a profile was asked
 * for)
 *   2. the profile (AWS_PROFILE, or "default") in the shared files: a key pair, or a role with a
 * web identity token file
 *   3. AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN (Kubernetes service accounts)
 *   4. container metadata: AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or …_FULL_URI (ECS, EKS pod
 * identity)
 *   5. instance metadata, version 2 only (unless AWS_EC2_METADATA_DISABLED is "true")
 * Source: "Standardized credential providers" of the AWS SDKs and Tools Reference Guide. */
struct credentials;

enum credentials_source {
    CREDENTIALS_NONE,
    CREDENTIALS_ENVIRONMENT,
    CREDENTIALS_PROFILE,
    CREDENTIALS_WEB_IDENTITY,
    CREDENTIALS_CONTAINER,
    CREDENTIALS_INSTANCE,
};

struct credentials_settings {
    const char *profile; /* NULL: AWS_PROFILE, or "default" */
    const char *region;  /* for STS's address */
};

/* One set of keys with its end. */
struct credentials_keys {
    struct sign_keys keys;
    int64_t expires_us; /* wall clock; INT64_MAX: never */
};

struct credentials *credentials_new(const struct credentials_settings *settings,
                                    struct http *borrowed_http);
/* Takes NULL; returns NULL. */
struct credentials *credentials_free(struct credentials *credentials);

/* Copies keys that are good for now; the caller ends them with sign_keys_done. Any thread; one at a
 * time fetches, while the others go on with what is still valid. May block up to `deadline_us`.
 * Errors: SETTINGS (none found, or refused: says what was looked at), TRANSIENT (a source did not
 * answer). */
bool credentials_get(struct credentials *credentials, int64_t deadline_us,
                     struct sign_keys *ret_keys, struct err *err) MUST_CHECK;

/* The server says that these keys have ended: fetch new ones at the next get. Keys that were
 * replaced meanwhile stay. */
void credentials_refuse(struct credentials *credentials, const struct sign_keys *keys);

enum credentials_source credentials_source(struct credentials *credentials);

#endif

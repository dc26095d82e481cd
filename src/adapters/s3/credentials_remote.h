/* Keys that a service gives out: STS for a web identity, a container's or instance's metadata. */
#ifndef TIDEMARK_ADAPTERS_S3_CREDENTIALS_REMOTE_H
#define TIDEMARK_ADAPTERS_S3_CREDENTIALS_REMOTE_H

#include "adapters/s3/credentials.h"

struct credentials_role {
    const char *role_arn;
    const char *session_name; /* NULL or "": tidemark */
    const char *token_file;
    const char *region;
};

/* All: one request each (instance metadata: three), given up at `deadline_us`. Errors: SETTINGS
 * when the service refuses, TRANSIENT when it does not answer well; never with a token in it. */

/* AssumeRoleWithWebIdentity. AWS_ENDPOINT_URL_STS names another STS. */
bool credentials_remote_web_identity(struct http *http, const struct credentials_role *role,
                                     int64_t deadline_us, struct credentials_keys *ret_keys,
                                     struct err *err) MUST_CHECK;

/* AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or …_FULL_URI, with
 * AWS_CONTAINER_AUTHORIZATION_TOKEN(_FILE). A full URI over plain http must be loopback or one of
 * Amazon's link-local addresses. */
bool credentials_remote_container(struct http *http, int64_t deadline_us,
                                  struct credentials_keys *ret_keys, struct err *err) MUST_CHECK;

/* IMDSv2. AWS_EC2_METADATA_SERVICE_ENDPOINT names another address. MISSING: there is no such
 * service here, or the instance has no role. */
bool credentials_remote_instance(struct http *http, int64_t deadline_us,
                                 struct credentials_keys *ret_keys, struct err *err) MUST_CHECK;

/* The JSON of both metadata services: AccessKeyId, SecretAccessKey, Token, Expiration. Pure. */
bool credentials_remote_parse_json(struct bytes json, struct credentials_keys *ret_keys,
                                   struct err *err) MUST_CHECK;

/* The answer of AssumeRoleWithWebIdentity. Pure. */
bool credentials_remote_parse_xml(struct bytes xml, struct credentials_keys *ret_keys,
                                  struct err *err) MUST_CHECK;

/* Whether a full URI of container credentials may be asked. Pure. */
bool credentials_remote_allowed(const char *url);

#endif

/* Whose keys sign our requests: found once, refreshed before they end.
 *
 * The happy path: the first get walks the sources and keeps the one that has keys; later gets
 * copy them. Some minutes before their end the thread that notices asks the same source again, the
 * others go on with the old ones.
 *
 * What can go wrong: a source that does not answer while the old keys are still good is a
 * warning; after their end it is the caller's error, and the next get asks again. */
#include "adapters/s3/credentials.h"

#include <stdlib.h>
#include <string.h>

#include "adapters/os/clock.h"
#include "adapters/os/lock.h"
#include "adapters/os/log.h"
#include "adapters/s3/credentials_files.h"
#include "adapters/s3/credentials_remote.h"

enum {
    EARLY_US = 300000000,      /* begin to refresh this long before the end */
    LATEST_US = 30000000,      /* do not sign with keys that end sooner */
    AGAIN_AFTER_US = 15000000, /* a refresh that failed is tried again after this */
};

struct credentials {
    char *profile;
    char *region;
    struct http *borrowed_http;
    struct lock lock;
    struct {
        enum credentials_source source; /* NONE until one was found */
        struct credentials_keys keys;
        bool have;
        bool fetching;
        int64_t not_before_us; /* of the next early refresh; steady clock */
    } locked;
};

struct credentials *credentials_new(const struct credentials_settings *settings,
                                    struct http *borrowed_http)
{
    struct credentials *credentials = calloc(1, sizeof *credentials);
    CHECK(credentials != NULL);
    credentials->profile = settings->profile == NULL ? NULL : strdup(settings->profile);
    credentials->region = strdup(settings->region);
    CHECK(credentials->region != NULL);
    CHECK(settings->profile == NULL || credentials->profile != NULL);
    credentials->borrowed_http = borrowed_http;
    lock_init(&credentials->lock);
    return credentials;
}

struct credentials *credentials_free(struct credentials *credentials)
{
    if (credentials != NULL) {
        sign_keys_done(&credentials->locked.keys.keys);
        lock_done(&credentials->lock);
        free(credentials->profile);
        free(credentials->region);
        free(credentials);
    }
    return NULL;
}

static const char *environment(const char *name)
{
    const char *value = getenv(name);
    return value == NULL ? "" : value;
}

/* ---- the sources: true with *ret_source NONE means "not this one" ---- */

static bool set_pair(const char *access_key, const char *secret_key, const char *token,
                     struct credentials_keys *keys, struct err *err)
{
    if (strlen(access_key) >= sizeof keys->keys.access_key || secret_key[0] == '\0') {
        return err_set(err, ERR_SETTINGS,
                       "an access key without its secret, or one that is too long");
    }
    *keys = (struct credentials_keys){.expires_us = INT64_MAX};
    memcpy(keys->keys.access_key, access_key, strlen(access_key) + 1);
    secret_set(&keys->keys.secret_key, bytes_of_text(secret_key));
    secret_set(&keys->keys.token, bytes_of_text(token));
    return true;
}

static bool from_environment(const struct credentials *credentials, struct credentials_keys *keys,
                             enum credentials_source *ret_source, struct err *err)
{
    const char *access_key = environment("AWS_ACCESS_KEY_ID");
    if (credentials->profile != NULL || access_key[0] == '\0') {
        return true;
    }
    TRY(set_pair(access_key, environment("AWS_SECRET_ACCESS_KEY"), environment("AWS_SESSION_TOKEN"),
                 keys, err));
    *ret_source = CREDENTIALS_ENVIRONMENT;
    return true;
}

static bool from_read_profile(const struct credentials *credentials, const struct profile *profile,
                              int64_t deadline_us, struct credentials_keys *keys,
                              enum credentials_source *ret_source, struct err *err)
{
    if (profile->role_arn[0] != '\0' && profile->web_identity_token_file[0] != '\0') {
        struct credentials_role role = {.role_arn = profile->role_arn,
                                        .session_name = profile->role_session_name,
                                        .token_file = profile->web_identity_token_file,
                                        .region = credentials->region};
        TRY(credentials_remote_web_identity(credentials->borrowed_http, &role, deadline_us, keys,
                                            err));
    } else if (profile->access_key[0] != '\0') {
        TRY(set_pair(profile->access_key, secret_reveal(&profile->secret_key),
                     secret_reveal(&profile->token), keys, err));
    } else if (profile->unsupported[0] != '\0') {
        return err_set(err, ERR_SETTINGS,
                       "the AWS profile gets its credentials by %s, which is not supported: use a "
                       "key pair, a web identity or the metadata services",
                       profile->unsupported);
    } else {
        return true;
    }
    *ret_source = CREDENTIALS_PROFILE;
    return true;
}

static bool from_profile(const struct credentials *credentials, int64_t deadline_us,
                         struct credentials_keys *keys, enum credentials_source *ret_source,
                         struct err *err)
{
    struct profile profile;
    TRY(credentials_files_read(credentials->profile, &profile, err));
    bool ok = from_read_profile(credentials, &profile, deadline_us, keys, ret_source, err);
    profile_done(&profile);
    return ok;
}

static bool from_web_identity(const struct credentials *credentials, int64_t deadline_us,
                              struct credentials_keys *keys, enum credentials_source *ret_source,
                              struct err *err)
{
    struct credentials_role role = {.role_arn = environment("AWS_ROLE_ARN"),
                                    .session_name = environment("AWS_ROLE_SESSION_NAME"),
                                    .token_file = environment("AWS_WEB_IDENTITY_TOKEN_FILE"),
                                    .region = credentials->region};
    if (role.role_arn[0] == '\0' || role.token_file[0] == '\0') {
        return true;
    }
    TRY(credentials_remote_web_identity(credentials->borrowed_http, &role, deadline_us, keys, err));
    *ret_source = CREDENTIALS_WEB_IDENTITY;
    return true;
}

static bool from_container(const struct credentials *credentials, int64_t deadline_us,
                           struct credentials_keys *keys, enum credentials_source *ret_source,
                           struct err *err)
{
    if (environment("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")[0] == '\0' &&
        environment("AWS_CONTAINER_CREDENTIALS_FULL_URI")[0] == '\0') {
        return true;
    }
    TRY(credentials_remote_container(credentials->borrowed_http, deadline_us, keys, err));
    *ret_source = CREDENTIALS_CONTAINER;
    return true;
}

static bool from_instance(const struct credentials *credentials, int64_t deadline_us,
                          struct credentials_keys *keys, enum credentials_source *ret_source,
                          struct err *err)
{
    if (strcasecmp(environment("AWS_EC2_METADATA_DISABLED"), "true") == 0) {
        return true;
    }
    if (!credentials_remote_instance(credentials->borrowed_http, deadline_us, keys, err)) {
        return err->kind == ERR_MISSING ||
               (err->kind == ERR_SETTINGS
                    ? err_wrap(err,
                               "none in the environment (AWS_ACCESS_KEY_ID) or the shared files")
                    : false);
    }
    *ret_source = CREDENTIALS_INSTANCE;
    return true;
}

/* The source once chosen stays: keys of two identities must not alternate. */
static bool fetch(const struct credentials *credentials, enum credentials_source chosen,
                  int64_t deadline_us, struct credentials_keys *keys,
                  enum credentials_source *ret_source, struct err *err)
{
    enum credentials_source found = CREDENTIALS_NONE;
    bool any = chosen == CREDENTIALS_NONE;
    if (any || chosen == CREDENTIALS_ENVIRONMENT) {
        TRY(from_environment(credentials, keys, &found, err));
    }
    if (found == CREDENTIALS_NONE && (any || chosen == CREDENTIALS_PROFILE)) {
        TRY(from_profile(credentials, deadline_us, keys, &found, err));
    }
    if (found == CREDENTIALS_NONE && (any || chosen == CREDENTIALS_WEB_IDENTITY)) {
        TRY(from_web_identity(credentials, deadline_us, keys, &found, err));
    }
    if (found == CREDENTIALS_NONE && (any || chosen == CREDENTIALS_CONTAINER)) {
        TRY(from_container(credentials, deadline_us, keys, &found, err));
    }
    if (found == CREDENTIALS_NONE && (any || chosen == CREDENTIALS_INSTANCE)) {
        TRY(from_instance(credentials, deadline_us, keys, &found, err));
    }
    if (found == CREDENTIALS_NONE) {
        return err_set(err, ERR_SETTINGS,
                       "no AWS credentials: neither in the environment (AWS_ACCESS_KEY_ID), the "
                       "shared files, nor by web identity, container or instance metadata");
    }
    *ret_source = found;
    return true;
}

/* ---- keeping ---- */

enum need { NEED_NOTHING, NEED_SOON, NEED_NOW };

static enum need need_of(const struct credentials *credentials)
{
    if (!credentials->locked.have) {
        return NEED_NOW;
    }
    if (credentials->locked.keys.expires_us == INT64_MAX) {
        return NEED_NOTHING;
    }
    int64_t left_us = credentials->locked.keys.expires_us - clock_now_us();
    if (left_us < LATEST_US) {
        return NEED_NOW;
    }
    bool soon = left_us < EARLY_US && clock_mono_us() >= credentials->locked.not_before_us;
    return soon ? NEED_SOON : NEED_NOTHING;
}

/* With the lock held, which is given while the source is asked. */
static bool refresh(struct credentials *credentials, enum need need, int64_t deadline_us,
                    struct err *err)
{
    credentials->locked.fetching = true;
    enum credentials_source chosen = credentials->locked.source;
    lock_give(&credentials->lock);
    struct credentials_keys keys = {0};
    enum credentials_source source = CREDENTIALS_NONE;
    bool ok = fetch(credentials, chosen, deadline_us, &keys, &source, err);
    lock_take(&credentials->lock);
    credentials->locked.fetching = false;
    credentials->locked.not_before_us = clock_mono_us() + AGAIN_AFTER_US;
    if (ok) {
        sign_keys_done(&credentials->locked.keys.keys);
        credentials->locked.keys = keys;
        credentials->locked.have = true;
        credentials->locked.source = source;
    } else if (need == NEED_SOON) {
        log_failure(LOG_WARN, "s3", err, "credentials not refreshed, the old ones still hold");
        ok = true;
    }
    lock_wake(&credentials->lock);
    return ok || err_wrap(err, "credentials");
}

bool credentials_get(struct credentials *credentials, int64_t deadline_us,
                     struct sign_keys *ret_keys, struct err *err)
{
    bool ok = true;
    lock_take(&credentials->lock);
    for (;;) {
        enum need need = need_of(credentials);
        if (need == NEED_NOTHING || (need == NEED_SOON && credentials->locked.fetching)) {
            break;
        }
        if (!credentials->locked.fetching) {
            ok = refresh(credentials, need, deadline_us, err);
            break;
        }
        int64_t left_us = deadline_us - clock_mono_us();
        if (left_us <= 0) {
            ok = err_set(err, ERR_TRANSIENT, "credentials: another thread is still fetching them");
            break;
        }
        lock_wait(&credentials->lock, left_us);
    }
    if (ok) {
        *ret_keys = (struct sign_keys){0};
        sign_keys_copy(ret_keys, &credentials->locked.keys.keys);
    }
    lock_give(&credentials->lock);
    return ok;
}

void credentials_refuse(struct credentials *credentials, const struct sign_keys *keys)
{
    lock_take(&credentials->lock);
    const struct sign_keys *now = &credentials->locked.keys.keys;
    if (strcmp(secret_reveal(&now->token), secret_reveal(&keys->token)) == 0 &&
        strcmp(now->access_key, keys->access_key) == 0) {
        credentials->locked.have = false;
    }
    lock_give(&credentials->lock);
}

enum credentials_source credentials_source(struct credentials *credentials)
{
    lock_take(&credentials->lock);
    enum credentials_source source = credentials->locked.source;
    lock_give(&credentials->lock);
    return source;
}

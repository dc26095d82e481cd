/* Keys that a service gives out: STS for a web identity, a container's or instance's metadata. */
#include "adapters/s3/credentials_remote.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/os/clock.h"
#include "adapters/os/file.h"
#include "adapters/s3/reply.h"
#include "core/base/json.h"
#include "core/base/utc.h"

enum { TOKEN_BYTES_MAX = 64 * 1024, ANSWER_BYTES_MAX = 256 * 1024, URL_BYTES_MAX = 4096 };

/* A metadata service is next door: who does not connect in this time is not there. */
enum { NEAR_TIMEOUT_US = 2000000 };

static void buf_wipe(struct buf *buf)
{
    if (buf->data != NULL) {
        OPENSSL_cleanse(buf->data, buf->size);
    }
    buf_done(buf);
}

static bool keys_complete(const struct credentials_keys *keys)
{
    return keys->keys.access_key[0] != '\0' && secret_is_set(&keys->keys.secret_key);
}

static bool set_keys(const char *access_key, const char *secret_key, const char *token,
                     const char *expiration, struct credentials_keys *ret_keys, struct err *err)
{
    struct credentials_keys keys = {.expires_us = INT64_MAX};
    struct err wrong;
    if (strlen(access_key) >= sizeof keys.keys.access_key ||
        (expiration[0] != '\0' &&
         !utc_parse(bytes_of_text(expiration), &keys.expires_us, &wrong))) {
        return err_set(err, ERR_TRANSIENT, "the credentials answered are malformed");
    }
    snprintf(keys.keys.access_key, sizeof keys.keys.access_key, "%s", access_key);
    secret_set(&keys.keys.secret_key, bytes_of_text(secret_key));
    secret_set(&keys.keys.token, bytes_of_text(token));
    if (!keys_complete(&keys)) {
        sign_keys_done(&keys.keys);
        return err_set(err, ERR_TRANSIENT, "the answer has no credentials in it");
    }
    *ret_keys = keys;
    return true;
}

bool credentials_remote_parse_json(struct bytes json, struct credentials_keys *ret_keys,
                                   struct err *err)
{
    AUTO(json) cJSON *root = NULL;
    struct err detail;
    const char *access_key = "";
    const char *secret_key = "";
    const char *token = "";
    const char *expiration = "";
    if (!json_parse(json, &root, &detail)) {
        /* The parser's words may quote the text. */
        return err_set(err, ERR_TRANSIENT, "the credentials answered are not JSON");
    }
    struct json at = json_root(root);
    if (!json_text(&at, "AccessKeyId", TOKEN_BYTES_MAX, &access_key, &detail) ||
        !json_text(&at, "SecretAccessKey", TOKEN_BYTES_MAX, &secret_key, &detail) ||
        (json_has(&at, "Token") && !json_text(&at, "Token", TOKEN_BYTES_MAX, &token, &detail)) ||
        (json_has(&at, "Expiration") &&
         !json_text(&at, "Expiration", TOKEN_BYTES_MAX, &expiration, &detail))) {
        return err_set(err, ERR_TRANSIENT, "the answer has no credentials in it");
    }
    return set_keys(access_key, secret_key, token, expiration, ret_keys, err);
}

bool credentials_remote_parse_xml(struct bytes xml, struct credentials_keys *ret_keys,
                                  struct err *err)
{
    struct arena *arena = arena_new(4096);
    const struct reply_node *node = NULL;
    bool ok = reply_parse(xml, arena, &node, err);
    if (ok) {
        node = reply_child(node, "AssumeRoleWithWebIdentityResult");
        node = node == NULL ? NULL : reply_child(node, "Credentials");
        ok = node == NULL
                 ? err_set(err, ERR_TRANSIENT, "the answer has no credentials in it")
                 : set_keys(reply_text(node, "AccessKeyId"), reply_text(node, "SecretAccessKey"),
                            reply_text(node, "SessionToken"), reply_text(node, "Expiration"),
                            ret_keys, err);
    }
    arena_free(arena);
    return ok;
}

/* ---- requests ---- */

static bool ask(struct http *http, const struct http_request *request, const char *who,
                struct buf *to, struct err *err)
{
    struct http_response response = {0};
    buf_init(&response.body, ANSWER_BYTES_MAX);
    http_send(http, request, &response);
    bool ok = false;
    if (response.outcome != HTTP_ANSWERED) {
        enum err_kind kind = response.outcome == HTTP_NOT_SENT && response.err.kind != ERR_SETTINGS
                                 ? ERR_MISSING
                                 : response.err.kind;
        err_set(err, kind, "%s does not answer: %.200s", who, response.err.message);
    } else if (response.status == 200) {
        buf_add_bytes(to, buf_bytes(&response.body));
        ok = true;
    } else {
        struct reply_error error = {0};
        reply_error_of(buf_bytes(&response.body), &error);
        secret_redact_signatures(error.message);
        bool later = response.status >= 500 || response.status == 429;
        err_set_code(err,
                     later                    ? ERR_TRANSIENT
                     : response.status == 404 ? ERR_MISSING
                                              : ERR_SETTINGS,
                     response.status, "%s answers %d%s%s%s%s", who, response.status,
                     error.code[0] == '\0' ? "" : " ", error.code,
                     error.message[0] == '\0' ? "" : " ", error.message);
    }
    buf_wipe(&response.body);
    return ok;
}

static bool read_token(const char *path, struct buf *to, struct err *err)
{
    if (!file_read(path, to, err)) {
        err->kind = ERR_SETTINGS;
        return false;
    }
    while (to->size > 0 && strchr(" \r\n\t", to->data[to->size - 1]) != NULL) {
        to->data[--to->size] = '\0';
    }
    if (to->size == 0 || strpbrk(buf_text(to), "\r\n") != NULL) {
        return err_set(err, ERR_SETTINGS, "%.300s holds no token", path);
    }
    return true;
}

static const char *environment(const char *name)
{
    const char *value = getenv(name);
    return value == NULL ? "" : value;
}

static bool begins_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

bool credentials_remote_web_identity(struct http *http, const struct credentials_role *role,
                                     int64_t deadline_us, struct credentials_keys *ret_keys,
                                     struct err *err)
{
    struct buf token;
    AUTO(buf) struct buf url;
    struct buf form;
    struct buf answer;
    buf_init(&token, TOKEN_BYTES_MAX);
    buf_init(&url, URL_BYTES_MAX);
    buf_init(&form, 4 * TOKEN_BYTES_MAX);
    buf_init(&answer, ANSWER_BYTES_MAX);
    const char *endpoint = environment("AWS_ENDPOINT_URL_STS");
    if (endpoint[0] != '\0') {
        store_url_join(endpoint, "", &url);
        buf_add_byte(&url, '/');
    } else {
        buf_add_format(&url, "https://sts.%s.amazonaws.com%s/", role->region,
                       begins_with(role->region, "cn-") ? ".cn" : "");
    }
    const char *session = role->session_name == NULL || role->session_name[0] == '\0'
                              ? "tidemark"
                              : role->session_name;
    bool ok = read_token(role->token_file, &token, err);
    if (ok) {
        struct sign_pair fields[] = {{"Action", "AssumeRoleWithWebIdentity"},
                                     {"Version", "2011-06-15"},
                                     {"RoleArn", role->role_arn},
                                     {"RoleSessionName", session},
                                     {"WebIdentityToken", buf_text(&token)}};
        sign_query(fields, LENGTH_OF(fields), &form);
        const char *headers[] = {"Content-Type: application/x-www-form-urlencoded", NULL};
        struct http_request request = {.method = "POST",
                                       .url = buf_text(&url),
                                       .headers = headers,
                                       .body = {.bytes = buf_bytes(&form)},
                                       .deadline_us = deadline_us};
        ok = ask(http, &request, "STS", &answer, err) &&
             credentials_remote_parse_xml(buf_bytes(&answer), ret_keys, err);
        if (!ok && err->kind == ERR_MISSING) {
            err->kind = ERR_TRANSIENT; /* it was asked for by name: not being there is no answer */
        }
    }
    buf_wipe(&token);
    buf_wipe(&form);
    buf_wipe(&answer);
    return ok || err_wrap(err, "web identity of %.150s", role->role_arn);
}

bool credentials_remote_allowed(const char *url)
{
    static const char *const hosts[] = {"169.254.170.2", "169.254.170.23", "[fd00:ec2::23]",
                                        "localhost", "[::1]"};
    if (begins_with(url, "https://")) {
        return true;
    }
    if (!begins_with(url, "http://")) {
        return false;
    }
    const char *host = url + strlen("http://");
    size_t length = strcspn(host, "/");
    if (memchr(host, '@', length) != NULL) {
        return false;
    }
    if (host[0] != '[') {
        length = strcspn(host, ":/");
    } else {
        size_t end = strcspn(host, "]");
        length = host[end] == ']' ? end + 1 : 0;
    }
    for (size_t i = 0; i < LENGTH_OF(hosts); i++) {
        if (strlen(hosts[i]) == length && strncmp(host, hosts[i], length) == 0) {
            return true;
        }
    }
    return begins_with(host, "127.") && strspn(host, "0123456789.") == length;
}

bool credentials_remote_container(struct http *http, int64_t deadline_us,
                                  struct credentials_keys *ret_keys, struct err *err)
{
    AUTO(buf) struct buf url;
    struct buf token;
    struct buf header;
    struct buf answer;
    buf_init(&url, URL_BYTES_MAX);
    buf_init(&token, TOKEN_BYTES_MAX);
    buf_init(&header, 2 * TOKEN_BYTES_MAX);
    buf_init(&answer, ANSWER_BYTES_MAX);
    const char *relative = environment("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    const char *token_file = environment("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    const char *token_text = environment("AWS_CONTAINER_AUTHORIZATION_TOKEN");
    if (relative[0] != '\0') {
        buf_add_format(&url, "http://169.254.170.2%s%s", relative[0] == '/' ? "" : "/", relative);
    } else {
        buf_add_text(&url, environment("AWS_CONTAINER_CREDENTIALS_FULL_URI"));
    }
    bool ok = true;
    if (!credentials_remote_allowed(buf_text(&url))) {
        ok = err_set(err, ERR_SETTINGS,
                     "AWS_CONTAINER_CREDENTIALS_FULL_URI must be https, loopback or a link-local "
                     "address of Amazon's");
    } else if (token_file[0] != '\0') {
        ok = read_token(token_file, &token, err);
    } else if (strpbrk(token_text, "\r\n") != NULL) {
        ok = err_set(err, ERR_SETTINGS, "AWS_CONTAINER_AUTHORIZATION_TOKEN has a line break");
    } else {
        buf_add_text(&token, token_text);
    }
    if (ok) {
        buf_add_format(&header, "Authorization: %s", buf_text(&token));
        const char *headers[] = {token.size == 0 ? NULL : buf_text(&header), NULL};
        struct http_request request = {.method = "GET",
                                       .url = buf_text(&url),
                                       .headers = headers,
                                       .deadline_us = deadline_us,
                                       .no_proxy = true};
        ok = ask(http, &request, "the container's metadata service", &answer, err) &&
             credentials_remote_parse_json(buf_bytes(&answer), ret_keys, err);
        if (!ok && err->kind == ERR_MISSING) {
            err->kind = ERR_TRANSIENT;
        }
    }
    buf_wipe(&token);
    buf_wipe(&header);
    buf_wipe(&answer);
    return ok;
}

static bool instance_get(struct http *http, const char *method, const char *path,
                         const char *header, int64_t deadline_us, struct buf *to, struct err *err)
{
    AUTO(buf) struct buf url;
    buf_init(&url, URL_BYTES_MAX);
    const char *endpoint = environment("AWS_EC2_METADATA_SERVICE_ENDPOINT");
    store_url_join(endpoint[0] == '\0' ? "http://169.254.169.254" : endpoint, path, &url);
    if (path[strlen(path) - 1] == '/') {
        buf_add_byte(&url, '/');
    }
    const char *headers[] = {header, NULL};
    int64_t near_us = clock_mono_us() + NEAR_TIMEOUT_US;
    struct http_request request = {.method = method,
                                   .url = buf_text(&url),
                                   .headers = headers,
                                   .deadline_us = near_us < deadline_us ? near_us : deadline_us,
                                   .no_proxy = true};
    return ask(http, &request, "the instance's metadata service", to, err);
}

bool credentials_remote_instance(struct http *http, int64_t deadline_us,
                                 struct credentials_keys *ret_keys, struct err *err)
{
    static const char roles[] = "latest/meta-data/iam/security-credentials/";
    struct buf token;
    struct buf header;
    struct buf answer;
    AUTO(buf) struct buf path;
    buf_init(&token, TOKEN_BYTES_MAX);
    buf_init(&header, 2 * TOKEN_BYTES_MAX);
    buf_init(&answer, ANSWER_BYTES_MAX);
    buf_init(&path, URL_BYTES_MAX);
    bool ok = instance_get(http, "PUT", "latest/api/token",
                           "X-aws-ec2-metadata-token-ttl-seconds: 21600", deadline_us, &token, err);
    if (ok && (token.size == 0 || strpbrk(buf_text(&token), "\r\n") != NULL)) {
        ok = err_set(err, ERR_TRANSIENT, "the instance's metadata service gives no token");
    }
    buf_add_format(&header, "X-aws-ec2-metadata-token: %s", buf_text(&token));
    ok = ok && instance_get(http, "GET", roles, buf_text(&header), deadline_us, &answer, err);
    if (ok) {
        /* The first line is the role's name. */
        buf_add_text(&path, roles);
        buf_add(&path, answer.data, strcspn(buf_text(&answer), "\r\n"));
        ok = path.size > strlen(roles) || err_set(err, ERR_MISSING, "the instance has no role");
    }
    buf_clear(&answer);
    ok = ok &&
         instance_get(http, "GET", buf_text(&path), buf_text(&header), deadline_us, &answer, err) &&
         credentials_remote_parse_json(buf_bytes(&answer), ret_keys, err);
    buf_wipe(&token);
    buf_wipe(&header);
    buf_wipe(&answer);
    return ok;
}

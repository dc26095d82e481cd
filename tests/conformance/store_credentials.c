/* Every source of credentials, against services that answer on loopback. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "adapters/os/clock.h"
#include "adapters/os/file.h"
#include "adapters/os/thread.h"
#include "adapters/s3/credentials.h"
#include "tests/conformance/store_server.h"
#include "tests/conformance/store_suite.h"

enum { SECOND = 1000000 };

static char base_url[128];
static char folder[64];
static struct http *http;

static void ask(const char *method, const char *path, const char *text, char *answer, size_t size)
{
    char url[256];
    snprintf(url, sizeof url, "%s%s", base_url, path);
    struct http_request request = {.method = method,
                                   .url = url,
                                   .body = {.bytes = bytes_of_text(text)},
                                   .deadline_us = clock_mono_us() + 5 * SECOND,
                                   .no_proxy = true};
    struct http_response response = {0};
    buf_init(&response.body, 4096);
    http_send(http, &request, &response);
    EXPECT(response.outcome == HTTP_ANSWERED && response.status == 200);
    snprintf(answer, size, "%s", buf_text(&response.body));
    buf_done(&response.body);
}

static void fake_set(const char *json)
{
    char answer[16];
    ask("POST", "/_set", json, answer, sizeof answer);
}

static int fake_count(void)
{
    char answer[16];
    ask("GET", "/_count", "", answer, sizeof answer);
    return atoi(answer);
}

/* No source at all, as the first step of each case. */
static void clear_sources(void)
{
    static const char *const names[] = {"AWS_ACCESS_KEY_ID",
                                        "AWS_SECRET_ACCESS_KEY",
                                        "AWS_SESSION_TOKEN",
                                        "AWS_PROFILE",
                                        "AWS_WEB_IDENTITY_TOKEN_FILE",
                                        "AWS_ROLE_ARN",
                                        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
                                        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
                                        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
                                        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"};
    char path[128];
    for (size_t i = 0; i < LENGTH_OF(names); i++) {
        unsetenv(names[i]);
    }
    snprintf(path, sizeof path, "%s/config", folder);
    setenv("AWS_CONFIG_FILE", path, 1);
    unlink(path);
    snprintf(path, sizeof path, "%s/credentials", folder);
    setenv("AWS_SHARED_CREDENTIALS_FILE", path, 1);
    unlink(path);
    setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
    setenv("AWS_ENDPOINT_URL_STS", base_url, 1);
    setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", base_url, 1);
    fake_set("{\"ttl\":3600,\"status\":0,\"token\":\"web-token\",\"delay\":0}");
}

static void write_file(const char *name, const char *text)
{
    char path[128];
    struct err err = {0};
    snprintf(path, sizeof path, "%s/%s", folder, name);
    EXPECT_OK(file_write(path, bytes_of_text(text), 0600, &err));
}

static void set_path(const char *variable, const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    setenv(variable, path, 1);
}

static struct credentials *open_with(const char *profile)
{
    return credentials_new(&(struct credentials_settings){.profile = profile, .region = "r"}, http);
}

static void expect_get(struct credentials *credentials, enum credentials_source source,
                       const char *access_key, const char *token)
{
    struct err err = {0};
    struct sign_keys keys;
    EXPECT_OK(credentials_get(credentials, clock_mono_us() + 5 * SECOND, &keys, &err));
    EXPECT(credentials_source(credentials) == source);
    if (access_key != NULL && strcmp(keys.access_key, access_key) != 0) {
        store_suite_fail(__FILE__, __LINE__, "%s, not %s", keys.access_key, access_key);
    }
    EXPECT(token == NULL || strcmp(secret_reveal(&keys.token), token) == 0);
    EXPECT(secret_is_set(&keys.secret_key));
    sign_keys_done(&keys);
}

static void expect_error(struct credentials *credentials, enum err_kind kind, const char *word)
{
    struct err err = {0};
    struct sign_keys keys;
    EXPECT_ERR(credentials_get(credentials, clock_mono_us() + 5 * SECOND, &keys, &err), kind);
    if (strstr(err.message, word) == NULL) {
        store_suite_fail(__FILE__, __LINE__, "\"%s\" is not in: %s", word, err.message);
    }
}

/* ---- cases ---- */

static void environment_first(void)
{
    setenv("AWS_ACCESS_KEY_ID", "ENV", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
    write_file("credentials", "[default]\naws_access_key_id=FILE\naws_secret_access_key=x\n"
                              "[other]\naws_access_key_id=OTHER\naws_secret_access_key=x\n"
                              "aws_session_token=TOKEN\n");
    struct credentials *credentials = open_with(NULL);
    expect_get(credentials, CREDENTIALS_ENVIRONMENT, "ENV", "");
    credentials_free(credentials);
    credentials = open_with("other");
    expect_get(credentials, CREDENTIALS_PROFILE, "OTHER", "TOKEN");
    credentials_free(credentials);
    unsetenv("AWS_ACCESS_KEY_ID");
    credentials = open_with(NULL);
    expect_get(credentials, CREDENTIALS_PROFILE, "FILE", "");
    credentials_free(credentials);
    setenv("AWS_PROFILE", "other", 1);
    credentials = open_with(NULL);
    expect_get(credentials, CREDENTIALS_PROFILE, "OTHER", "TOKEN");
    credentials_free(credentials);
    credentials = open_with("third");
    expect_error(credentials, ERR_SETTINGS, "third");
    credentials_free(credentials);
    setenv("AWS_ACCESS_KEY_ID", "ENV", 1);
    unsetenv("AWS_SECRET_ACCESS_KEY");
    credentials = open_with(NULL);
    expect_error(credentials, ERR_SETTINGS, "without its secret");
    credentials_free(credentials);
}

static void nothing_is_a_setting(void)
{
    struct credentials *credentials = open_with(NULL);
    expect_error(credentials, ERR_SETTINGS, "no AWS credentials");
    credentials_free(credentials);
    write_file("config", "[default]\nsso_session = x\n");
    credentials = open_with(NULL);
    expect_error(credentials, ERR_SETTINGS, "sso_session");
    credentials_free(credentials);
}

static void web_identity(void)
{
    write_file("token", "web-token\n");
    set_path("AWS_WEB_IDENTITY_TOKEN_FILE", "token");
    setenv("AWS_ROLE_ARN", "arn:aws:iam::1:role/r", 1);
    struct credentials *credentials = open_with(NULL);
    int before = fake_count();
    expect_get(credentials, CREDENTIALS_WEB_IDENTITY, NULL, NULL);
    expect_get(credentials, CREDENTIALS_WEB_IDENTITY, NULL, NULL);
    EXPECT(fake_count() == before + 1);
    credentials_free(credentials);
    /* the file is read again each time: Kubernetes rotates it */
    fake_set("{\"token\":\"rotated\",\"ttl\":10}");
    credentials = open_with(NULL);
    expect_error(credentials, ERR_SETTINGS, "InvalidIdentityToken");
    write_file("token", "rotated");
    expect_get(credentials, CREDENTIALS_WEB_IDENTITY, NULL, NULL);
    credentials_free(credentials);
    set_path("AWS_WEB_IDENTITY_TOKEN_FILE", "none");
    credentials = open_with(NULL);
    expect_error(credentials, ERR_SETTINGS, "none");
    credentials_free(credentials);
}

static void web_identity_of_a_profile(void)
{
    char text[512];
    write_file("token", "web-token");
    snprintf(
        text, sizeof text,
        "[profile work]\nrole_arn = arn:aws:iam::1:role/r\nweb_identity_token_file = %s/token\n",
        folder);
    write_file("config", text);
    struct credentials *credentials = open_with("work");
    expect_get(credentials, CREDENTIALS_PROFILE, NULL, NULL);
    credentials_free(credentials);
}

static void container(void)
{
    char url[256];
    snprintf(url, sizeof url, "%s/container", base_url);
    setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", url, 1);
    setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "web-token", 1);
    struct credentials *credentials = open_with(NULL);
    expect_get(credentials, CREDENTIALS_CONTAINER, NULL, NULL);
    credentials_free(credentials);
    setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "wrong", 1);
    credentials = open_with(NULL);
    expect_error(credentials, ERR_SETTINGS, "403");
    credentials_free(credentials);
    /* EKS pod identity: a token in a file beats the one in the environment */
    write_file("token", "web-token\n");
    set_path("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "token");
    credentials = open_with(NULL);
    expect_get(credentials, CREDENTIALS_CONTAINER, NULL, NULL);
    credentials_free(credentials);
    setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://192.0.2.1/x", 1);
    credentials = open_with(NULL);
    expect_error(credentials, ERR_SETTINGS, "loopback");
    credentials_free(credentials);
    setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:1/x", 1);
    credentials = open_with(NULL);
    expect_error(credentials, ERR_TRANSIENT, "does not answer");
    credentials_free(credentials);
}

static void instance(void)
{
    unsetenv("AWS_EC2_METADATA_DISABLED");
    struct credentials *credentials = open_with(NULL);
    expect_get(credentials, CREDENTIALS_INSTANCE, NULL, NULL);
    credentials_free(credentials);
    fake_set("{\"status\":500}");
    credentials = open_with(NULL);
    expect_error(credentials, ERR_TRANSIENT, "500");
    credentials_free(credentials);
    setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1", 1);
    credentials = open_with(NULL);
    expect_error(credentials, ERR_SETTINGS, "no AWS credentials");
    credentials_free(credentials);
}

static void keys_near_their_end_are_replaced(void)
{
    char first[64];
    unsetenv("AWS_EC2_METADATA_DISABLED");
    fake_set("{\"ttl\":20}");
    struct credentials *credentials = open_with(NULL);
    snprintf(first, sizeof first, "AK%d", fake_count() + 1);
    expect_get(credentials, CREDENTIALS_INSTANCE, first, NULL);
    snprintf(first, sizeof first, "AK%d", fake_count() + 1);
    expect_get(credentials, CREDENTIALS_INSTANCE, first, NULL);
    fake_set("{\"status\":503}");
    expect_error(credentials, ERR_TRANSIENT, "503");
    credentials_free(credentials);
}

static void a_failed_early_refresh_keeps_the_old_keys(void)
{
    char first[64];
    unsetenv("AWS_EC2_METADATA_DISABLED");
    fake_set("{\"ttl\":100}");
    struct credentials *credentials = open_with(NULL);
    snprintf(first, sizeof first, "AK%d", fake_count() + 1);
    expect_get(credentials, CREDENTIALS_INSTANCE, first, NULL);
    fake_set("{\"status\":503}");
    clock_sleep_us(15500000); /* the pause between two tries of a refresh */
    expect_get(credentials, CREDENTIALS_INSTANCE, first, NULL);
    credentials_free(credentials);
}

static void refused_keys_are_fetched_again(void)
{
    unsetenv("AWS_EC2_METADATA_DISABLED");
    struct credentials *credentials = open_with(NULL);
    struct sign_keys keys;
    struct err err = {0};
    int before = fake_count();
    EXPECT_OK(credentials_get(credentials, clock_mono_us() + 5 * SECOND, &keys, &err));
    credentials_refuse(credentials, &keys);
    expect_get(credentials, CREDENTIALS_INSTANCE, NULL, NULL);
    EXPECT(fake_count() == before + 2);
    credentials_refuse(credentials, &keys); /* of an older set: nothing happens */
    expect_get(credentials, CREDENTIALS_INSTANCE, NULL, NULL);
    EXPECT(fake_count() == before + 2);
    sign_keys_done(&keys);
    credentials_free(credentials);
}

enum { THREADS = 8 };

struct reader {
    struct credentials *credentials;
    bool ok;
};

static void read_keys(void *argument)
{
    struct reader *reader = argument;
    struct sign_keys keys;
    struct err err;
    reader->ok = credentials_get(reader->credentials, clock_mono_us() + 5 * SECOND, &keys, &err);
    if (reader->ok) {
        sign_keys_done(&keys);
    }
}

static void many_threads_fetch_once(void)
{
    unsetenv("AWS_EC2_METADATA_DISABLED");
    fake_set("{\"delay\":0.1}");
    struct credentials *credentials = open_with(NULL);
    struct reader readers[THREADS];
    struct thread *threads[THREADS];
    int before = fake_count();
    for (int i = 0; i < THREADS; i++) {
        readers[i] = (struct reader){.credentials = credentials};
        threads[i] = thread_new("keys", read_keys, &readers[i]);
    }
    bool all = true;
    for (int i = 0; i < THREADS; i++) {
        thread_join(threads[i]);
        all = all && readers[i].ok;
    }
    EXPECT(all && fake_count() == before + 1);
    credentials_free(credentials);
}

static void (*current)(void);

static void run_current(const struct store_suite *suite, struct store *store)
{
    (void)suite;
    (void)store;
    clear_sources();
    current();
}

static struct store *no_store(void *context, const char *prefix)
{
    (void)context;
    (void)prefix;
    return NULL;
}

int main(void)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } cases[] = {
        {"environment_first", environment_first},
        {"nothing_is_a_setting", nothing_is_a_setting},
        {"web_identity", web_identity},
        {"web_identity_of_a_profile", web_identity_of_a_profile},
        {"container", container},
        {"instance", instance},
        {"keys_near_their_end_are_replaced", keys_near_their_end_are_replaced},
        {"refused_keys_are_fetched_again", refused_keys_are_fetched_again},
        {"many_threads_fetch_once", many_threads_fetch_once},
        {"a_failed_early_refresh_keeps_the_old_keys", a_failed_early_refresh_keeps_the_old_keys},
    };
    struct err err = {0};
    char command[512];
    char line[256];
    char *made = NULL;
    snprintf(command, sizeof command, "S3_OWNER=%d python3 %s/support/aws_fake.py", (int)getpid(),
             TESTS_FOLDER);
    store_server_run(command, line, sizeof line);
    char *equals = strchr(line, '=');
    if (equals == NULL || !file_temp_folder("/tmp", "tidemark-keys", &made, &err)) {
        fprintf(stderr, "cannot start: %s %s\n", line, err.message);
        return 1;
    }
    snprintf(base_url, sizeof base_url, "%s", equals + 1);
    snprintf(folder, sizeof folder, "%s", made);
    http = http_new(
        &(struct http_settings){.connect_timeout_us = SECOND, .stall_timeout_us = 5 * SECOND});
    struct store_suite suite = {.name = "credentials", .folder = folder, .open = no_store};
    int failed = 0;
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        struct store_case one[] = {{cases[i].name, run_current}, {NULL, NULL}};
        current = cases[i].run;
        failed += store_suite_run_cases(&suite, one);
    }
    http_free(http);
    if (!file_remove_tree(folder, &err)) {
        failed++;
    }
    free(made);
    return failed != 0;
}

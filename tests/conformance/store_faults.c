/* The faulty way to a server (tests/support/s3_faults.py), as the tests speak to it. */
#include "tests/conformance/store_faults.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "adapters/os/clock.h"
#include "adapters/s3/http.h"
#include "tests/conformance/store_server.h"

static struct http *http;

static void ask(const char *method, const char *path, const char *text, struct buf *to)
{
    char url[256];
    snprintf(url, sizeof url, "%s%s", getenv("AWS_ENDPOINT_URL"), path);
    struct http_request request = {.method = method,
                                   .url = url,
                                   .body = {.bytes = bytes_of_text(text)},
                                   .deadline_us = clock_mono_us() + 5000000,
                                   .no_proxy = true};
    struct http_response response = {0};
    buf_init(&response.body, 1 << 20);
    http_send(http, &request, &response);
    if (response.outcome != HTTP_ANSWERED || response.status != 200) {
        fprintf(stderr, "the faulty proxy does not answer: %s\n", response.err.message);
        exit(1);
    }
    buf_add_bytes(to, buf_bytes(&response.body));
    buf_done(&response.body);
}

/* `how`: more of its environment. */
static void run_proxy(const char *how, char *url, size_t size)
{
    char command[512];
    char line[256];
    snprintf(command, sizeof command, "%s S3_OWNER=%d python3 %s/support/s3_faults.py %s", how,
             (int)getpid(), TESTS_FOLDER, getenv("AWS_ENDPOINT_URL"));
    store_server_run(command, line, sizeof line);
    char *equals = strchr(line, '=');
    if (equals == NULL) {
        fprintf(stderr, "the faulty proxy did not start: %s\n", line);
        exit(1);
    }
    snprintf(url, size, "%s", equals + 1);
}

void store_faults_start_tls(const char *folder, char *url, size_t size)
{
    char how[256];
    snprintf(how, sizeof how, "S3_FAULTS_TLS=%s", folder);
    run_proxy(how, url, size);
}

void store_faults_start(void)
{
    char url[256];
    run_proxy("", url, sizeof url);
    setenv("AWS_ENDPOINT_URL", url, 1);
    http = http_new(
        &(struct http_settings){.connect_timeout_us = 1000000, .stall_timeout_us = 5000000});
    store_faults_set("[]");
}

void store_faults_stop(void)
{
    http = http_free(http);
}

void store_faults_set(const char *rules)
{
    struct buf answer;
    buf_init(&answer, 1 << 20);
    char *json = strdup(rules);
    CHECK(json != NULL);
    for (char *at = json; *at != '\0'; at++) {
        *at = *at == '\'' ? '"' : *at;
    }
    ask("POST", "/_faults", json, &answer);
    free(json);
    buf_done(&answer);
}

unsigned store_faults_seen(const char *text)
{
    struct buf log;
    buf_init(&log, 1 << 20);
    ask("GET", "/_log", "", &log);
    unsigned count = 0;
    char *rest = NULL;
    char *lines = strdup(buf_text(&log));
    CHECK(lines != NULL);
    for (char *line = strtok_r(lines, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        count += strstr(line, text) != NULL;
    }
    free(lines);
    buf_done(&log);
    return count;
}

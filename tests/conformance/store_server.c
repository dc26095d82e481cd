/* A real S3 server for a test program: started at the begin, gone with it. */
#include "tests/conformance/store_server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "adapters/os/file.h"

_Noreturn static void give_up(const char *what, const char *detail)
{
    fprintf(stderr, "%s: %s\n", what, detail);
    exit(1);
}

void store_server_run(const char *command, char *line, size_t size)
{
    FILE *pipe = popen(command, "r");
    if (pipe == NULL) {
        give_up("cannot run", command);
    }
    line[0] = '\0';
    char *got = fgets(line, (int)size, pipe);
    int status = pclose(pipe);
    if (status != 0) {
        give_up("failed", command);
    }
    if (got != NULL) {
        line[strcspn(line, "\n")] = '\0';
    }
}

void store_server_start(struct store_server *server, const char *kind)
{
    struct err err = {0};
    char *folder = NULL;
    if (!file_temp_folder("/tmp", "tidemark-s3", &folder, &err)) {
        give_up("no folder", err.message);
    }
    snprintf(server->folder, sizeof server->folder, "%s", folder);
    free(folder);
    char command[512];
    char line[1024];
    snprintf(command, sizeof command, "mkdir %s/local && S3_OWNER=%d %s/support/s3.sh start %s %s",
             server->folder, (int)getpid(), TESTS_FOLDER, server->folder, kind);
    store_server_run(command, line, sizeof line);
    char *rest = NULL;
    for (char *word = strtok_r(line, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
        char *equals = strchr(word, '=');
        if (equals == NULL) {
            give_up("not NAME=value", word);
        }
        *equals = '\0';
        setenv(word, equals + 1, 1);
    }
}

void store_server_stop(struct store_server *server)
{
    char command[512];
    char line[16];
    struct err err = {0};
    snprintf(command, sizeof command, "%s/support/s3.sh stop %s", TESTS_FOLDER, server->folder);
    store_server_run(command, line, sizeof line);
    if (!file_remove_tree(server->folder, &err)) {
        give_up("clean-up", err.message);
    }
}

struct store *store_server_open(const struct s3_settings *settings, const char *prefix)
{
    struct err err = {0};
    char url[512];
    const char *bucket = getenv("S3_BUCKET");
    snprintf(url, sizeof url, "s3://%s/%s", bucket == NULL ? "none" : bucket, prefix);
    struct store *store = NULL;
    if (!s3_store_new(url, settings, &store, &err)) {
        give_up("cannot open the store", err.message);
    }
    return store;
}

/* The store battery on a real S3 server, whose kind is the argument. */
#include <string.h>

#include "tests/conformance/store_server.h"
#include "tests/conformance/store_suite.h"

static struct store *open_store(void *context, const char *prefix)
{
    return store_server_open(context, prefix);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s KIND\n", argv[0]);
        return 2;
    }
    struct store_server server;
    store_server_start(&server, argv[1]);
    char folder[128];
    snprintf(folder, sizeof folder, "%s/local", server.folder);
    struct s3_settings settings = {0};
    struct store_suite suite = {
        .name = argv[1], .folder = folder, .open = open_store, .context = &settings};
    int failed = store_suite_run(&suite);
    store_server_stop(&server);
    return failed != 0;
}

/* The store battery on a folder. */
#include <stdlib.h>

#include "adapters/file/file_store.h"
#include "adapters/os/file.h"
#include "tests/conformance/store_suite.h"

static struct store *open_store(void *context, const char *prefix)
{
    struct err err = {0};
    AUTO(buf) struct buf url;
    buf_init(&url, 4096);
    buf_add_format(&url, "file://%s/%s", (const char *)context, prefix);
    struct store *store = NULL;
    if (!file_make_folders(buf_text(&url) + 7, &err) ||
        !file_store_new(buf_text(&url), &store, &err)) {
        fprintf(stderr, "cannot open the store: %s\n", err.message);
        exit(1);
    }
    return store;
}

int main(void)
{
    struct err err = {0};
    char *root = NULL;
    char *folder = NULL;
    if (!file_temp_folder("/tmp", "tidemark-store", &root, &err) ||
        !file_temp_folder("/tmp", "tidemark-local", &folder, &err)) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    struct store_suite suite = {
        .name = "file", .folder = folder, .open = open_store, .context = root};
    int failed = store_suite_run(&suite) + store_suite_run_cases(&suite, store_suite_folders);
    if (!file_remove_tree(root, &err) || !file_remove_tree(folder, &err)) {
        fprintf(stderr, "%s\n", err.message);
        failed++;
    }
    free(root);
    free(folder);
    return failed != 0;
}

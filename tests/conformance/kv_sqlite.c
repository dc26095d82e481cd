/* The battery of shard files on SQLite. */
#include <stdlib.h>

#include "adapters/os/file.h"
#include "adapters/sqlite/sqlite_kv.h"
#include "tests/conformance/kv_suite.h"
#include "tests/support/plain.h"

int main(void)
{
    struct err err = {0};
    char *folder = NULL;
    WORKS(file_temp_folder("/tmp", "tidemark-kv", &folder, &err));
    kv_suite_run(sqlite_kv(), folder);
    WORKS(file_remove_tree(folder, &err));
    free(folder);
    return 0;
}

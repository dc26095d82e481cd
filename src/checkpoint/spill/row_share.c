/* A set of sorted rows with several users: the last one out frees it, and its file. */
#include "checkpoint/spill/row_share.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/os/file.h"
#include "adapters/os/log.h"

struct row_share {
    struct row_set *set;
    char *path;
    atomic_uint users;
    atomic_bool keeps_file;
};

struct row_share *row_share_new(struct row_set *take_set, const char *path)
{
    struct row_share *share = calloc(1, sizeof *share);
    CHECK(share != NULL);
    share->set = take_set;
    if (path != NULL) {
        share->path = strdup(path);
        CHECK(share->path != NULL);
    }
    atomic_init(&share->users, 1);
    atomic_init(&share->keeps_file, false);
    return share;
}

struct row_share *row_share_use(struct row_share *share)
{
    unsigned before = atomic_fetch_add(&share->users, 1);
    CHECK(before > 0);
    return share;
}

struct row_share *row_share_drop(struct row_share *share)
{
    if (share == NULL || atomic_fetch_sub(&share->users, 1) > 1) {
        return NULL;
    }
    row_set_free(share->set);
    struct err err;
    if (share->path != NULL && !atomic_load(&share->keeps_file) &&
        !file_remove(share->path, &err)) {
        log_failure(LOG_WARN, "spill", &err, "a spill that is not needed any more stays");
    }
    free(share->path);
    free(share);
    return NULL;
}

struct row_set *row_share_set(const struct row_share *share)
{
    return share->set;
}

const char *row_share_path(const struct row_share *share)
{
    return share->path;
}

void row_share_keep_file(struct row_share *share)
{
    atomic_store(&share->keeps_file, true);
}

/* Settling the unknown: a write whose answer was lost is read back, never guessed.
 *
 * The happy path: store_put says yes. Else AMBIGUOUS (no answer) or CONFLICT (a condition failed,
 * perhaps because our own earlier try came through): the object is read and compared. Same content:
 * it is done. Other content or none: sent again where the condition allows it, else CONFLICT. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "adapters/os/clock.h"
#include "adapters/os/file.h"
#include "adapters/store.h"

/* Compares what is read with what should be there. */
struct comparison {
    struct bytes rest; /* of content in memory */
    int fd;            /* of content in a file; -1 */
    bool differs;
};

static bool compare_write(void *to, struct bytes bytes, struct err *err)
{
    struct comparison *comparison = to;
    if (comparison->fd < 0) {
        size_t size = bytes.size < comparison->rest.size ? bytes.size : comparison->rest.size;
        comparison->differs = size < bytes.size ||
                              !bytes_equal(bytes, bytes_of(comparison->rest.data, size));
        if (!comparison->differs && size > 0) {
            comparison->rest = bytes_of(comparison->rest.data + size, comparison->rest.size - size);
        }
    }
    while (comparison->fd >= 0 && bytes.size > 0 && !comparison->differs) {
        uint8_t ours[16384];
        size_t size = bytes.size < sizeof ours ? bytes.size : sizeof ours;
        ssize_t got = read(comparison->fd, ours, size);
        if (got < 0) {
            return err_set_code(err, ERR_TRANSIENT, errno, "cannot read the local file again");
        }
        comparison->differs = got == 0 || memcmp(ours, bytes.data, (size_t)got) != 0;
        bytes = bytes_of(bytes.data + got, bytes.size - (size_t)got);
    }
    return !comparison->differs || err_set(err, ERR_CONFLICT, "the object has other content");
}

enum read_back { BACK_SAME, BACK_OTHER, BACK_MISSING, BACK_UNKNOWN };

static enum read_back compare_stored(struct store *store, const char *key,
                                     struct comparison *comparison, struct store_info *info,
                                     struct err *err)
{
    struct store_sink sink = {compare_write, comparison};
    struct store_range all = {.length = UINT64_MAX};
    if (store_read(store, key, all, &sink, info, err)) {
        bool ended = comparison->fd < 0 ? comparison->rest.size == 0
                                        : read(comparison->fd, &(char){0}, 1) == 0;
        return ended ? BACK_SAME : BACK_OTHER;
    }
    if (comparison->differs) {
        return BACK_OTHER;
    }
    return err->kind == ERR_MISSING ? BACK_MISSING : BACK_UNKNOWN;
}

static enum read_back read_back(struct store *store, const char *key,
                                const struct store_content *content, struct store_info *info,
                                struct err *err)
{
    struct comparison comparison = {.rest = content->bytes, .fd = -1};
    if (content->path != NULL) {
        comparison.fd = open(content->path, O_RDONLY | O_CLOEXEC);
        if (comparison.fd < 0) {
            file_err(err, errno, "open", content->path);
            return BACK_UNKNOWN;
        }
    }
    enum read_back result = compare_stored(store, key, &comparison, info, err);
    if (comparison.fd >= 0) {
        close(comparison.fd);
    }
    return result;
}

/* Whether a write that was not confirmed may be sent once more, given what is there now. */
static bool may_send_again(enum err_kind failed, struct store_condition condition,
                           enum read_back found, const struct store_info *info)
{
    switch (condition.when) {
    case STORE_IF_ABSENT:
        /* 409: two writers met, and S3 does not say that the other one came through. */
        return found == BACK_MISSING;
    case STORE_IF_MATCH:
        return failed == ERR_AMBIGUOUS && found == BACK_OTHER &&
               strcmp(info->etag.text, condition.etag) == 0;
    case STORE_ALWAYS:
        return true;
    }
    return false;
}

bool store_put_settled(struct store *store, const char *key, const struct store_content *content,
                       struct store_condition condition, struct store_etag *ret_etag,
                       struct err *err)
{
    enum { TRIES = 4 };
    int64_t started_us = clock_mono_us();
    for (int i = 1;; i++) {
        if (store_put(store, key, content, condition, ret_etag, err)) {
            return true;
        }
        if (err->kind != ERR_AMBIGUOUS && err->kind != ERR_CONFLICT) {
            return false;
        }
        struct store_info info = {0};
        struct err look = {0};
        enum read_back found = read_back(store, key, content, &info, &look);
        if (found == BACK_OTHER && info.etag.text[0] == '\0') {
            /* The comparison stopped before the whole was read: ask for the tag alone. */
            found = store_head(store, key, &info, &look) ? BACK_OTHER
                    : look.kind == ERR_MISSING           ? BACK_MISSING
                                                         : BACK_UNKNOWN;
        }
        if (found == BACK_SAME) {
            if (content->take_file) {
                unlink(content->path);
            }
            if (ret_etag != NULL) {
                *ret_etag = info.etag;
            }
            return true;
        }
        if (found == BACK_UNKNOWN) {
            err->kind = look.kind == ERR_STOPPED ? ERR_STOPPED : ERR_AMBIGUOUS;
            return err_wrap(err, "not settled (%.120s)", look.message);
        }
        if (!may_send_again(err->kind, condition, found, &info)) {
            err->kind = ERR_CONFLICT;
            return err_wrap(err, "read back, it is not our content");
        }
        bool late = condition.when == STORE_IF_MATCH &&
                    clock_mono_us() - started_us >= store_deadline_us(store);
        if (i == TRIES || late) {
            err->kind = ERR_AMBIGUOUS;
            return err_wrap(err, "not settled in %d tries%s", i,
                            late ? " and the store's deadline" : "");
        }
        clock_sleep_us(100000 * i);
    }
}

/* What is common to all object stores: arguments checked, errors named, calls counted. */
#include "adapters/store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "adapters/os/clock.h"
#include "adapters/os/file.h"
#include "adapters/os/os_random.h"

/* Of drivers that set no other. */
enum { DEADLINE_US = 120000000 };

const char *store_operation_name(enum store_operation operation)
{
    static const char *const names[STORE_OPERATIONS] = {
        [STORE_PUT] = "put",   [STORE_GET] = "get",       [STORE_HEAD] = "head",
        [STORE_LIST] = "list", [STORE_DELETE] = "delete", [STORE_COPY] = "copy"};
    CHECK((unsigned)operation < STORE_OPERATIONS);
    return names[operation];
}

void store_init(struct store *store, const struct store_ops *ops, const struct store_url *url)
{
    *store = (struct store){.ops = ops, .url = *url, .deadline_us = DEADLINE_US};
    AUTO(buf) struct buf text;
    buf_init(&text, 4096);
    store_url_text(url, &text);
    store->url_text = strdup(buf_text(&text));
    CHECK(store->url_text != NULL);
}

void store_done(struct store *store)
{
    free(store->url_text);
    store->url_text = NULL;
}

struct store *store_free(struct store *store)
{
    if (store != NULL) {
        store->ops->free(store);
    }
    return NULL;
}

void store_auto(struct store **store)
{
    *store = store_free(*store);
}

void store_stop(struct store *store)
{
    atomic_store(&store->stopped, true);
}

unsigned store_features(const struct store *store)
{
    return atomic_load(&store->features);
}

int64_t store_deadline_us(const struct store *store)
{
    return store->deadline_us;
}

struct store_traffic store_traffic_of(const struct store *store)
{
    struct store_traffic sum = {0};
    for (size_t i = 0; i < STORE_OPERATIONS; i++) {
        sum.requests += atomic_load(&store->counters.of[i].requests);
        sum.bytes_received += atomic_load(&store->counters.of[i].bytes_received);
    }
    return sum;
}

const char *store_url_of(const struct store *store)
{
    return store->url_text;
}

void store_object_url(const struct store *store, const char *key, struct buf *to)
{
    store_url_join(store->url_text, key, to);
}

bool store_key_of_url(const struct store *store, const char *url, const char **ret_key,
                      struct err *err)
{
    size_t length = strlen(store->url_text);
    if (strncmp(url, store->url_text, length) != 0 || url[length] != '/') {
        return err_set(err, ERR_INPUT, "%.200s does not lie in the store %.200s", url,
                       store->url_text);
    }
    TRY(store_key_check(url + length + 1, err));
    *ret_key = url + length + 1;
    return true;
}

/* ---- around every call ---- */

struct call {
    struct store *store;
    enum store_operation operation;
    const char *key;
    int64_t started_us;
};

static struct call call_begin(struct store *store, enum store_operation operation, const char *key)
{
    atomic_fetch_add(&store->counters.of[operation].calls, 1);
    return (struct call){store, operation, key, clock_mono_us()};
}

/* Names the object in the error, counts, and hands `ok` on. */
static bool call_end(const struct call *call, bool ok, struct err *err)
{
    struct store_operation_counters *counters = &call->store->counters.of[call->operation];
    atomic_fetch_add(&counters->time_us, (uint_fast64_t)(clock_mono_us() - call->started_us));
    if (ok) {
        return true;
    }
    if (err->kind != ERR_MISSING && err->kind != ERR_CONFLICT) {
        atomic_fetch_add(&counters->failures, 1);
    }
    err_place(err, ERR_OF_STORE);
    return err_wrap(err, "%s %.140s/%.160s", store_operation_name(call->operation),
                    call->store->url_text, call->key);
}

static bool may_go_on(const struct store *store, struct err *err)
{
    return !atomic_load(&store->stopped) || err_set(err, ERR_STOPPED, "the store was stopped");
}

static bool check_key(const struct store *store, const char *key, struct err *err)
{
    TRY(may_go_on(store, err));
    TRY(store_key_check(key, err));
    if (strlen(store->url.prefix) + 1 + strlen(key) > STORE_KEY_MAX) {
        return err_set(err, ERR_INPUT, "prefix and key together are longer than %d bytes",
                       STORE_KEY_MAX);
    }
    return true;
}

static bool check_prefix(const struct store *store, const char *prefix, struct err *err)
{
    TRY(may_go_on(store, err));
    size_t length = strlen(prefix);
    if (length == 0) {
        return true;
    }
    if (length > STORE_KEY_MAX) {
        return err_set(err, ERR_INPUT, "the prefix is longer than %d bytes", STORE_KEY_MAX);
    }
    char key[STORE_KEY_MAX + 1];
    memcpy(key, prefix, length + 1);
    if (key[length - 1] == '/') {
        key[length - 1] = '\0';
    }
    return check_key(store, key, err);
}

/* ---- writing ---- */

static bool check_content(const struct store_content *content, struct store_condition condition,
                          struct err *err)
{
    CHECK(content->path != NULL || !content->take_file);
    CHECK((condition.when == STORE_IF_MATCH) == (condition.etag != NULL));
    if (condition.etag != NULL && condition.etag[0] == '\0') {
        return err_set(err, ERR_INPUT, "an empty etag matches nothing");
    }
    if (content->type != NULL && strpbrk(content->type, "\r\n") != NULL) {
        return err_set(err, ERR_INPUT, "the content type has a line break");
    }
    if (content->path == NULL) {
        return true;
    }
    uint64_t size = 0;
    return file_size(content->path, &size, err);
}

/* Also before a write is sent again. */
static bool check_stop(const struct store_content *content, struct err *err)
{
    return content->stop == NULL || !atomic_load(content->stop) ||
           err_set(err, ERR_STOPPED, "nobody wants it any more");
}

bool store_put(struct store *store, const char *key, const struct store_content *content,
               struct store_condition condition, struct store_etag *ret_etag, struct err *err)
{
    struct call call = call_begin(store, STORE_PUT, key);
    struct store_etag etag = {{0}};
    bool ok = check_key(store, key, err) && check_content(content, condition, err) &&
              check_stop(content, err) &&
              store->ops->put(store, key, content, condition, &etag, err);
    if (ok && content->take_file) {
        unlink(content->path); /* gone already when it was moved */
    }
    if (ok && ret_etag != NULL) {
        *ret_etag = etag;
    }
    return call_end(&call, ok, err);
}

/* ---- reading ---- */

struct limited {
    struct buf *to;
    size_t first_size;
};

static bool limited_write(void *to, struct bytes bytes, struct err *err)
{
    struct limited *limited = to;
    buf_add_bytes(limited->to, bytes);
    return !limited->to->overflowed ||
           err_set(err, ERR_LIMIT, "the object is larger than the %zu bytes allowed",
                   limited->to->limit - limited->first_size);
}

bool store_read(struct store *store, const char *key, struct store_range range,
                const struct store_sink *sink, struct store_info *ret_info, struct err *err)
{
    struct call call = call_begin(store, STORE_GET, key);
    struct store_info info = {0};
    bool ok = check_key(store, key, err) &&
              store->ops->get(store, key, range, sink, ret_info == NULL ? NULL : &info, err);
    if (ok && ret_info != NULL) {
        *ret_info = info;
    }
    return call_end(&call, ok, err);
}

bool store_get(struct store *store, const char *key, struct buf *to, struct store_info *ret_info,
               struct err *err)
{
    struct limited limited = {to, to->size};
    struct store_sink sink = {limited_write, &limited};
    return store_read(store, key, (struct store_range){.length = UINT64_MAX}, &sink, ret_info, err);
}

bool store_get_range(struct store *store, const char *key, uint64_t offset, uint64_t length,
                     struct buf *to, struct err *err)
{
    CHECK(length <= UINT64_MAX - offset);
    if (length == 0) {
        return true;
    }
    struct limited limited = {to, to->size};
    struct store_sink sink = {limited_write, &limited};
    return store_read(store, key, (struct store_range){.offset = offset, .length = length}, &sink,
                      NULL, err);
}

struct file_sink {
    int fd;
    const char *path;
};

static bool file_sink_write(void *to, struct bytes bytes, struct err *err)
{
    const struct file_sink *sink = to;
    return file_write_all(sink->fd, bytes, sink->path, err);
}

bool store_get_to_file(struct store *store, const char *key, const char *path,
                       struct store_info *ret_info, struct err *err)
{
    char temp[PATH_MAX];
    char random[17];
    os_random_hex(random, 16);
    if (snprintf(temp, sizeof temp, "%s.part-%s", path, random) >= (int)sizeof temp) {
        return file_err(err, ENAMETOOLONG, "create", path);
    }
    struct file_sink to = {open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666), path};
    if (to.fd < 0) {
        return file_err(err, errno, "create", temp);
    }
    struct store_sink sink = {file_sink_write, &to};
    bool ok =
        store_read(store, key, (struct store_range){.length = UINT64_MAX}, &sink, ret_info, err);
    if (close(to.fd) != 0 && ok) {
        ok = file_err(err, errno, "close", path);
    }
    if (ok && rename(temp, path) != 0) {
        ok = file_err(err, errno, "replace", path);
    }
    if (!ok) {
        unlink(temp);
    }
    return ok;
}

bool store_head(struct store *store, const char *key, struct store_info *ret_info, struct err *err)
{
    struct call call = call_begin(store, STORE_HEAD, key);
    struct store_info info = {0};
    bool ok = check_key(store, key, err) && store->ops->head(store, key, &info, err);
    if (ok) {
        *ret_info = info;
    }
    return call_end(&call, ok, err);
}

/* ---- deleting and copying ---- */

bool store_delete(struct store *store, const char *key, struct err *err)
{
    return store_delete_many(store, &key, 1, err);
}

bool store_delete_many(struct store *store, const char *const *keys, size_t count, struct err *err)
{
    for (size_t done = 0; done < count; done += STORE_PAGE_MAX) {
        size_t batch = count - done < STORE_PAGE_MAX ? count - done : STORE_PAGE_MAX;
        struct call call = call_begin(store, STORE_DELETE, keys[done]);
        bool ok = true;
        for (size_t i = 0; i < batch && ok; i++) {
            ok = check_key(store, keys[done + i], err);
        }
        ok = ok && store->ops->remove(store, keys + done, batch, err);
        TRY(call_end(&call, ok, err));
    }
    return true;
}

bool store_delete_prefix(struct store *store, const char *prefix, uint64_t *ret_count,
                         struct err *err)
{
    size_t length = strlen(prefix);
    if (length == 0 || prefix[length - 1] != '/') {
        return err_set(err, ERR_INPUT, "delete all of \"%.200s\": the prefix must end with '/'",
                       prefix);
    }
    uint64_t count = 0;
    AUTO(store_page) struct store_page page = {0};
    const char *keys[STORE_PAGE_MAX];
    do {
        TRY(store_list(store, prefix, false, &page, err));
        CHECK(page.count <= STORE_PAGE_MAX);
        for (size_t i = 0; i < page.count; i++) {
            keys[i] = page.entries[i].key;
        }
        TRY(store_delete_many(store, keys, page.count, err));
        count += page.count;
    } while (page.next != NULL);
    if (ret_count != NULL) {
        *ret_count = count;
    }
    return true;
}

bool store_copy(struct store *store, const char *from_url, const char *key,
                struct store_etag *ret_etag, struct err *err)
{
    struct call call = call_begin(store, STORE_COPY, key);
    struct store_etag etag = {{0}};
    struct store_url from;
    bool ok = check_key(store, key, err) && store_url_parse_object(from_url, &from, err);
    if (ok && from.scheme != store->url.scheme) {
        ok = err_set(err, ERR_INPUT, "%.200s is in another kind of store", from_url);
    }
    ok = ok && store->ops->copy(store, &from, key, &etag, err);
    if (ok && ret_etag != NULL) {
        *ret_etag = etag;
    }
    return call_end(&call, ok, err);
}

/* ---- listing ---- */

void store_page_done(struct store_page *page)
{
    arena_free(page->arena);
    *page = (struct store_page){0};
}

void store_page_auto(struct store_page *page)
{
    store_page_done(page);
}

bool store_list(struct store *store, const char *prefix, bool folders, struct store_page *page,
                struct err *err)
{
    struct call call = call_begin(store, STORE_LIST, prefix);
    char *from = NULL;
    if (page->next != NULL) {
        from = strdup(page->next);
        CHECK(from != NULL);
    }
    if (page->arena == NULL) {
        page->arena = arena_new(16384);
    }
    arena_reset(page->arena);
    page->entries = NULL;
    page->count = 0;
    page->next = NULL;
    bool ok = check_prefix(store, prefix, err) &&
              store->ops->list(store, prefix, folders, from, STORE_PAGE_MAX, page, err);
    free(from);
    return call_end(&call, ok, err);
}

bool store_list_all(struct store *store, const char *prefix, bool folders, size_t entries_max,
                    struct store_page *page, struct err *err)
{
    store_page_done(page);
    page->arena = arena_new(65536);
    size_t capacity = 0;
    AUTO(store_page) struct store_page part = {0};
    do {
        TRY(store_list(store, prefix, folders, &part, err));
        if (part.count > entries_max - page->count) {
            return err_set(err, ERR_LIMIT, "list %.140s/%.160s: more than %zu entries",
                           store->url_text, prefix, entries_max);
        }
        if (page->count + part.count > capacity) {
            capacity = 2 * capacity + part.count;
            struct store_entry *more = arena_alloc(page->arena, capacity * sizeof *more);
            if (page->count > 0) {
                memcpy(more, page->entries, page->count * sizeof *more);
            }
            page->entries = more;
        }
        for (size_t i = 0; i < part.count; i++) {
            struct store_entry *entry = &page->entries[page->count++];
            *entry = part.entries[i];
            entry->key = arena_text(page->arena, bytes_of_text(entry->key));
        }
    } while (part.next != NULL);
    return true;
}

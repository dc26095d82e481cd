/* The object store: named objects under one prefix, whole or not there, with conditional writes. */
#ifndef TIDEMARK_ADAPTERS_STORE_H
#define TIDEMARK_ADAPTERS_STORE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "adapters/store_url.h"
#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/base/bytes.h"
#include "core/base/check.h"
#include "core/base/err.h"

/* A store is opened for one prefix (file_store_new, s3_store_new); every key is relative to it and
 * keeps the rules of store_key_check. No key may be another key's folder ("a" and "a/b").
 *
 * Threads: every function may be called from any thread, on one store at once, and blocks up to the
 * store's total deadline; never call one where nothing may wait (the thread that polls Kafka).
 * Retries happen inside, until that deadline. A process that slept past it sends nothing again
 * (PROTOCOL R13).
 *
 * Errors, beside those named at a function; all name the object and none has a secret in it:
 *   TRANSIENT  retries are used up and nothing was changed; the same call again, later
 *   AMBIGUOUS  a write whose answer was lost: it may have happened, or may still happen until the
 *              deadline has passed. Read back (store_put_settled does)
 *   SETTINGS   permission, credentials, no such bucket or folder, what the server cannot do
 *   LIMIT      disk or quota full, object larger than allowed
 *   INPUT      a key or argument that breaks a rule
 *   STOPPED    store_stop() was called; a write that was under way may have happened */

enum { STORE_ETAG_MAX = 127, STORE_PAGE_MAX = 1000 };

/* A tag of an object's content, quotes included; opaque, compared byte for byte. */
struct store_etag {
    char text[STORE_ETAG_MAX + 1];
};

struct store_info {
    struct store_etag etag;
    uint64_t size;       /* bytes */
    int64_t modified_us; /* by the store's clock; S3 knows whole seconds only */
};

/* What is written: bytes in memory, or a local file. */
struct store_content {
    struct bytes bytes; /* used when `path` is NULL */
    const char *path;   /* a local regular file that nobody writes to meanwhile */
    bool take_file;     /* on success the file is gone from `path`: moved where that is possible,
                           else copied and unlinked. On failure it is still there */
    const char *type;   /* Content-Type; NULL: application/octet-stream */
    /* Ends the write soon, with STOPPED, when it becomes true: nobody wants it any more. It may
     * have happened. NULL: nothing does. */
    const atomic_bool *stop;
};

enum store_when {
    STORE_ALWAYS,
    STORE_IF_ABSENT, /* `If-None-Match: *` */
    STORE_IF_MATCH,  /* `If-Match: etag` */
};

struct store_condition {
    enum store_when when;
    const char *etag; /* for STORE_IF_MATCH */
};

static inline struct store_condition store_always(void)
{
    return (struct store_condition){.when = STORE_ALWAYS};
}

static inline struct store_condition store_if_absent(void)
{
    return (struct store_condition){.when = STORE_IF_ABSENT};
}

/* Borrows the tag until the put returns. */
static inline struct store_condition store_if_match(const struct store_etag *etag)
{
    return (struct store_condition){.when = STORE_IF_MATCH, .etag = etag->text};
}

/* Where read bytes go. A write that returns false ends the read with the error it filled. */
struct store_sink {
    bool (*write)(void *to, struct bytes bytes, struct err *err);
    void *to;
};

struct store_range {
    uint64_t offset;
    uint64_t length;      /* UINT64_MAX: to the end */
    const char *if_match; /* only of the version with this tag: CONFLICT when it is another;
                             NULL: of any */
};

struct store_entry {
    const char *key; /* relative to the store, in the page's memory; a folder ends with '/' */
    bool folder;     /* a common prefix: size and modified_us are 0 */
    uint64_t size;
    int64_t modified_us;
};

/* One page of a listing; in byte order of the keys, folders among them. */
struct store_page {
    struct arena *arena; /* owns everything below */
    struct store_entry *entries;
    size_t count;
    const char *next; /* where the next page goes on; NULL after the last one */
};

/* What a store was seen to do (store_probe), as a bit set. Where one is missing, do not send such a
 * condition: it may be refused, or taken and not kept. */
enum store_feature {
    STORE_CAS = 1u << 0,         /* STORE_IF_MATCH holds, also when many write at once */
    STORE_CREATE_ONLY = 1u << 1, /* the same of STORE_IF_ABSENT */
};

enum store_operation {
    STORE_PUT,
    STORE_GET,
    STORE_HEAD,
    STORE_LIST,
    STORE_DELETE,
    STORE_COPY,
    STORE_OPERATIONS, /* their number */
};

/* Since the store was opened; any thread may read at any time. */
struct store_counters {
    struct store_operation_counters {
        atomic_uint_fast64_t calls;    /* of the functions below */
        atomic_uint_fast64_t failures; /* of these, but not MISSING and CONFLICT */
        atomic_uint_fast64_t requests; /* sent, retries and parts included */
        atomic_uint_fast64_t retries;
        atomic_uint_fast64_t bytes_sent;     /* of content */
        atomic_uint_fast64_t bytes_received; /* of content */
        atomic_uint_fast64_t time_us;        /* spent in calls */
    } of[STORE_OPERATIONS];
};

struct store;

/* What a driver provides. Arguments were checked; keys are valid. All may block, on any thread,
 * with the error kinds above. The wrappers below are the interface; nobody else calls these. */
struct store_ops {
    /* Writes the object whole or not at all. CONFLICT: the condition did not hold, or another write
     * of the key was under way. Fills *ret_etag. */
    bool (*put)(struct store *store, const char *key, const struct store_content *content,
                struct store_condition condition, struct store_etag *ret_etag, struct err *err);
    /* Streams a range to the sink, each byte once, all of one version of the object. MISSING.
     * CORRUPT: the object ends before the range does. CONFLICT: it is not the version of if_match;
     * the sink has got nothing. `ret_info` may be NULL; a tag may then be saved the work of its
     * making. */
    bool (*get)(struct store *store, const char *key, struct store_range range,
                const struct store_sink *sink, struct store_info *ret_info, struct err *err);
    /* MISSING. */
    bool (*head)(struct store *store, const char *key, struct store_info *ret_info,
                 struct err *err);
    /* Fills arena, entries, count and next of the page for what starts with `prefix` and comes
     * after `from` (NULL: the beginning; else the `next` of the page before). */
    bool (*list)(struct store *store, const char *prefix, bool folders, const char *from,
                 size_t entries_max, struct store_page *page, struct err *err);
    /* Deletes all; a key that is not there counts as deleted. `count` is at most STORE_PAGE_MAX. On
     * failure any of them may be gone; the call can be repeated. */
    bool (*remove)(struct store *store, const char *const *keys, size_t count, struct err *err);
    /* A copy within the server. MISSING: no such source. */
    bool (*copy)(struct store *store, const struct store_url *from, const char *key,
                 struct store_etag *ret_etag, struct err *err);
    void (*free)(struct store *store);
};

/* The first member of every driver's struct. */
struct store {
    const struct store_ops *ops;
    struct store_url url;
    char *url_text;
    int64_t deadline_us;  /* a driver may set its own after store_init */
    atomic_uint features; /* enum store_feature */
    atomic_bool stopped;
    struct store_counters counters;
};

/* For drivers, at the begin and end of their life. */
void store_init(struct store *store, const struct store_ops *ops, const struct store_url *url);
void store_done(struct store *store);

/* No call may be running. Takes NULL; returns NULL. */
struct store *store_free(struct store *store);
void store_auto(struct store **store);

/* All running and later calls end soon with STOPPED. */
void store_stop(struct store *store);

/* How long one call on a small object may take, retries included; nothing of it is sent afterwards.
 * Restoring an old object by hand is safe once this much time has passed since the last write of it
 * (PROTOCOL R13). */
int64_t store_deadline_us(const struct store *store);

/* ---- objects ---- */

/* CONFLICT: the condition did not hold, or somebody else's write of this key was under way (look,
 * then decide). With STORE_IF_MATCH a missing object is a CONFLICT, too. `ret_etag` may be NULL. */
bool store_put(struct store *store, const char *key, const struct store_content *content,
               struct store_condition condition, struct store_etag *ret_etag,
               struct err *err) MUST_CHECK;

/* store_put that settles the unknown: where an answer was lost, or a condition failed, it reads the
 * object back, and content equal to ours is success. Sends again at most a few times. Only for a
 * key or content that nobody else would write (a unique attempt, pointer bytes never used before).
 * AMBIGUOUS only when reading back failed, too, or when a STORE_IF_MATCH did not come through
 * before the store's deadline had passed: it is not sent again then, because the tag may be that of
 * restored content (PROTOCOL R13). */
bool store_put_settled(struct store *store, const char *key, const struct store_content *content,
                       struct store_condition condition, struct store_etag *ret_etag,
                       struct err *err) MUST_CHECK;

/* Adds the whole object to `to`. LIMIT: it does not fit into the limit of `to`. MISSING.
 * `ret_info` may be NULL, here and below. After an error `to` may hold a part. */
bool store_get(struct store *store, const char *key, struct buf *to, struct store_info *ret_info,
               struct err *err) MUST_CHECK;

/* Adds exactly `length` bytes from `offset` on. MISSING. CORRUPT: the object ends before. */
bool store_get_range(struct store *store, const char *key, uint64_t offset, uint64_t length,
                     struct buf *to, struct err *err) MUST_CHECK;

/* The whole object as the local file `path`, which is there whole or not at all. MISSING. */
bool store_get_to_file(struct store *store, const char *key, const char *path,
                       struct store_info *ret_info, struct err *err) MUST_CHECK;

/* Streams a range; see store_sink. MISSING, CORRUPT, CONFLICT (with if_match), and what the sink
 * says. */
bool store_read(struct store *store, const char *key, struct store_range range,
                const struct store_sink *sink, struct store_info *ret_info,
                struct err *err) MUST_CHECK;

bool store_head(struct store *store, const char *key, struct store_info *ret_info,
                struct err *err) MUST_CHECK; /* MISSING */

/* A key that is not there is success, as with S3. */
bool store_delete(struct store *store, const char *key, struct err *err) MUST_CHECK;
bool store_delete_many(struct store *store, const char *const *keys, size_t count,
                       struct err *err) MUST_CHECK;

/* Deletes all that starts with `prefix`, which must end with '/' (attempt=10 is also the start of
 * attempt=100; snapshot format, section 12). `ret_count` may be NULL. */
bool store_delete_prefix(struct store *store, const char *prefix, uint64_t *ret_count,
                         struct err *err) MUST_CHECK;

/* Copies within the server, from the URL of an object of the same file system or S3 endpoint (any
 * bucket of it). MISSING. Overwrites. `ret_etag` may be NULL. The copy has its source's tag on S3
 * when a store of the same settings had put it there, and among files up to 16 MiB; look at
 * *ret_etag where that matters. */
bool store_copy(struct store *store, const char *from_url, const char *key,
                struct store_etag *ret_etag, struct err *err) MUST_CHECK;

/* ---- listing ---- */

/* Fills the next page of what starts with `prefix` ("" for all; may end with '/'). `folders`: what
 * lies deeper than the next '/' after the prefix is one entry (S3's delimiter). A page goes on from
 * where it is, {0} from the beginning; use:
 *
 *     AUTO(store_page) struct store_page page = {0};
 *     do {
 *         TRY(store_list(store, "manifests/", true, &page, err));
 *         look_at(page.entries, page.count);
 *     } while (page.next != NULL);
 */
bool store_list(struct store *store, const char *prefix, bool folders, struct store_page *page,
                struct err *err) MUST_CHECK;
/* All pages as one. LIMIT: more than `entries_max` entries. */
bool store_list_all(struct store *store, const char *prefix, bool folders, size_t entries_max,
                    struct store_page *page, struct err *err) MUST_CHECK;
void store_page_done(struct store_page *page);
void store_page_auto(struct store_page *page);

/* ---- names ---- */

/* The full URL of a key; "" is the store itself. */
void store_object_url(const struct store *store, const char *key, struct buf *to);
/* The key of a URL inside this store; INPUT when it lies elsewhere. Points into `url`. */
bool store_key_of_url(const struct store *store, const char *url, const char **ret_key,
                      struct err *err) MUST_CHECK;
const char *store_url_of(const struct store *store); /* of the prefix; borrowed */

/* ---- what the store can do ---- */

struct store_probe_settings {
    unsigned writers;  /* that race with each other; 0: 4 */
    unsigned rounds;   /* of each race; 0: 3 */
    size_t body_bytes; /* of each racing write; 0: 512 KiB. Races are lost more often with large
                          ones */
};

enum { STORE_PROBE_TEXT_MAX = 256 };

struct store_probe_result {
    unsigned features;               /* enum store_feature, also kept in the store */
    char text[STORE_PROBE_TEXT_MAX]; /* why one is missing; "" when all are there */
};

/* Tests, on a unique key under the prefix that is deleted again, that objects can be written, read,
 * listed and deleted, and whether conditional writes hold, first one by one, then by racing with
 * itself: some servers pass the first and fail the second. A missing feature is a result, not an
 * error. Starts and joins threads of its own. Errors: when the store cannot be used at all. */
bool store_probe(struct store *store, const struct store_probe_settings *settings,
                 struct store_probe_result *ret_result, struct err *err) MUST_CHECK;

/* enum store_feature as the last probe saw them; 0 before one. */
unsigned store_features(const struct store *store);

/* For a key that nobody else writes: create-only where the store honours that, so that a process
 * that slept long cannot overwrite anything. */
static inline struct store_condition store_once(const struct store *store)
{
    return (store_features(store) & STORE_CREATE_ONLY) != 0 ? store_if_absent() : store_always();
}

/* Of all operations together, since the store was opened. */
struct store_traffic {
    uint64_t requests; /* sent, retries and parts included */
    uint64_t bytes_received;
};
struct store_traffic store_traffic_of(const struct store *store);

/* "put", "get", …: for metrics. */
const char *store_operation_name(enum store_operation operation);

#endif

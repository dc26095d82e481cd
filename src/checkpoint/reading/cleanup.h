/* What of a snapshot's prefix nobody needs any more, and deleting it (snapshot format, section 12).
 */
#ifndef TIDEMARK_CHECKPOINT_READING_CLEANUP_H
#define TIDEMARK_CHECKPOINT_READING_CLEANUP_H

#include "checkpoint/reading/catalog.h"
#include "core/snapshot/names.h"
#include "core/snapshot/retention.h"

/* For an operator. A running service cleans up by itself, decided in its ledger (PROTOCOL R10,
 * R15); what is here deletes without a ledger, and so only where the caller knows that no service
 * writes below this prefix. All functions block on the store. */

struct cleanup_request {
    struct catalog catalog;
    const struct names *names; /* of the same prefix */
    struct retention_policy policy;
    int64_t grace_us; /* what was written, or was the newest snapshot, less than that ago stays:
                         somebody may be writing or reading it */
    /* What a ledger knows; NULL and 0 without one. */
    const char *head_run_id;
    const char *const *open_run_ids;
    size_t open_run_count;
};

enum cleanup_kind {
    CLEANUP_RUN,     /* all of a run: its manifests first, then its shards */
    CLEANUP_ATTEMPT, /* a shard's attempt that no kept manifest names, of a run that stays */
};

struct cleanup_item {
    enum cleanup_kind kind;
    const char *run_id;
    const char *folder; /* name that ends with '/': everything below it */
    uint64_t objects;   /* below `folder`, without manifests */
    uint64_t bytes;
    int64_t newest_us;            /* when the newest of them was written; INT64_MIN: none */
    enum retention_reason reason; /* RETENTION_OLD: nothing keeps it … */
    bool young;                   /* … but the age of a run: it goes when the grace has passed */
    const struct catalog_entry **manifests; /* of the run */
    size_t manifest_count;
};

static inline bool cleanup_goes(const struct cleanup_item *item)
{
    return item->reason == RETENTION_OLD && !item->young;
}

struct cleanup_plan {
    struct catalog_pointer pointer; /* as it was when the plan was made */
    struct cleanup_item *items;     /* runs, newest snapshot first, those that stay among them; then
                                       attempts that go */
    size_t count;
    uint64_t objects_going;
    uint64_t bytes_going;
};

/* Looks and decides; deletes nothing. CORRUPT: the pointer or a manifest that must be kept does not
 * read, so nobody can tell what it needs. All is in the arena. */
MUST_CHECK bool cleanup_make_plan(const struct cleanup_request *request, struct arena *arena,
                                  struct cleanup_plan *ret_plan, struct err *err);

/* Deletes one item that goes. The pointer is looked at again before: CONFLICT when it is not the
 * plan's any more, and nothing is deleted then. Can be repeated after any error. */
MUST_CHECK bool cleanup_delete(const struct cleanup_request *request,
                               const struct cleanup_plan *plan, const struct cleanup_item *item,
                               struct err *err);

#endif

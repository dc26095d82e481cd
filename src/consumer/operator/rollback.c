/* Look, hold, look again, swap.
 *
 * What can go wrong: the run is condemned between the first look and HOLD (it is looked for again
 * below HOLD; a leader that condemns above it takes that back with SPARE); nobody answers HOLD
 * although members live (nothing is swapped); somebody else swaps first (compare-and-swap says so).
 */
#include "consumer/operator/rollback.h"

#include <inttypes.h>
#include <stdio.h>

#include "adapters/os/clock.h"
#include "checkpoint/reading/shard_object.h"
#include "core/snapshot/names.h"

/* A manifest without its shards must not become current. */
static bool check_shards(const struct catalog *catalog, const struct manifest *manifest,
                         struct arena *arena, struct err *err)
{
    for (size_t i = 0; i < manifest->shard_count; i++) {
        const struct attempt *shard = &manifest->shards[i];
        const char *name = NULL;
        if (shard->db_url == NULL) {
            continue;
        }
        if (!catalog_name_of(catalog, shard->db_url, manifest->s3_prefix, arena, &name, err) ||
            !shard_object_check(catalog->borrowed_store, name, manifest->backend,
                                (uint64_t)shard->db_bytes, err)) {
            return err_wrap(err, "shard %" PRId64 " of run %s", shard->db_id, manifest->run_id);
        }
    }
    return true;
}

static bool check_not_condemned(const struct rollback_request *request, struct err *err)
{
    const struct message_condemn *condemned =
        request->session == NULL ? NULL
                                 : fold_condemned(operator_fold(request->session), request->run_id);
    if (condemned != NULL && condemned->whole_run) {
        return err_set(err, ERR_CONFLICT, "run %s is condemned (%s): it is about to be deleted",
                       request->run_id, condemned->reason);
    }
    return true;
}

/* HOLD with the target, and its answer. */
static bool hold(const struct rollback_request *request, struct arena *arena,
                 struct rollback_result *result, struct err *err)
{
    struct message message = {.kind = MESSAGE_HOLD,
                              .hold = {.id = operator_new_id(arena),
                                       .who = operator_who(request->session),
                                       .why = request->why,
                                       .target = request->run_id,
                                       .may_appear = ""}};
    struct operator_watch watch;
    if (!operator_append(request->session, &message, &watch, err)) {
        result->held = err->kind == ERR_AMBIGUOUS;
        return false;
    }
    result->held = true;
    TRY(operator_wait(request->session, &watch, request->timeout_us, request->listener, err));
    const char *may_appear = NULL;
    switch (watch.state) {
    case OPERATOR_DONE:
        may_appear = watch.run_id[0] == '\0' ? NULL : watch.run_id;
        break;
    case OPERATOR_NO_LEADER:
        result->nobody_led = true;
        may_appear = operator_watch_may_appear(operator_fold(request->session));
        break;
    case OPERATOR_REFUSED:
        result->held = false;
        return err_set(err, ERR_CONFLICT, "%s", watch.text);
    case OPERATOR_WAITING:
        return err_set(err, ERR_STOPPED,
                       "the service did not answer HOLD within %" PRId64
                       " s; the pointer was not touched, and the HOLD stays",
                       request->timeout_us / 1000000);
    }
    if (may_appear != NULL) {
        result->may_appear = arena_text(arena, bytes_of_text(may_appear));
    }
    return true;
}

/* Time goes up also when this machine's clock is behind that of the last writer. */
static void new_pointer(const struct catalog_entry *entry, const struct catalog_pointer *old,
                        struct buf *bytes)
{
    struct pointer pointer = {
        .manifest_ref = entry->url, .run_id = entry->run_id, .updated_at_us = clock_now_us()};
    if (old->valid && old->pointer.updated_at_us >= pointer.updated_at_us) {
        pointer.updated_at_us = old->pointer.updated_at_us + 1;
    }
    pointer_encode(&pointer, bytes);
}

static bool swap(const struct rollback_request *request, const struct catalog_entry *entry,
                 struct arena *arena, struct rollback_result *result, struct err *err)
{
    struct catalog_pointer old = {0};
    TRY(catalog_read_pointer(&request->catalog, arena, &old, err));
    result->from_run_id = old.valid ? old.pointer.run_id : NULL;
    if (old.valid && strcmp(old.pointer.manifest_ref, entry->url) == 0) {
        result->state = ROLLBACK_ALREADY;
        return true;
    }
    AUTO(buf) struct buf bytes;
    buf_init(&bytes, POINTER_BYTES_MAX);
    new_pointer(entry, &old, &bytes);
    struct store_content content = {.bytes = buf_bytes(&bytes), .type = NAMES_CONTENT_JSON};
    struct store_condition condition = old.missing ? store_if_absent() : store_if_match(&old.etag);
    if (!store_put_settled(request->catalog.borrowed_store, NAMES_POINTER, &content, condition,
                           NULL, err)) {
        if (err->kind == ERR_CONFLICT) {
            return err_set(err, ERR_CONFLICT,
                           "somebody else wrote " NAMES_POINTER " meanwhile: nothing was changed; "
                           "look at `tidemark status`, then give the command again");
        }
        return err_wrap(err, "rolling back to run %s", entry->run_id);
    }
    result->state = ROLLBACK_DONE;
    return true;
}

bool rollback_run(const struct rollback_request *request, struct arena *arena,
                  struct rollback_result *ret_result, struct err *err)
{
    *ret_result = (struct rollback_result){0};
    struct catalog_entry entry = {0};
    struct manifest manifest = {0};
    TRY(catalog_find(&request->catalog, request->run_id, arena, &entry, err));
    TRY(catalog_load(&request->catalog, entry.name, arena, &manifest, err));
    TRY(check_shards(&request->catalog, &manifest, arena, err));
    TRY(check_not_condemned(request, err));
    ret_result->manifest_ref = entry.url;
    if (request->session != NULL) {
        TRY(hold(request, arena, ret_result, err));
        TRY(check_not_condemned(request, err));
    }
    return swap(request, &entry, arena, ret_result, err);
}

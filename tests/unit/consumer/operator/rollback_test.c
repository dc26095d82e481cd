/* Is the pointer set back only to what is whole, only from what was looked at, and never with old
 * bytes? */
#include "consumer/operator/rollback.h"

#include "adapters/os/clock.h"
#include "tests/support/folder_store.h"

static struct rollback_request request_of(struct folder_store *at, const char *run_id)
{
    return (struct rollback_request){.catalog = at->catalog, .run_id = run_id, .why = "test"};
}

static enum err_kind roll_back(struct folder_store *at, const char *run_id,
                               struct rollback_result *result)
{
    struct err err = {0};
    struct rollback_request request = request_of(at, run_id);
    return rollback_run(&request, at->arena, result, &err) ? ERR_NONE : err.kind;
}

static struct catalog_pointer pointer_of(struct folder_store *at)
{
    struct catalog_pointer pointer = {0};
    struct err err = {0};
    cr_assert(catalog_read_pointer(&at->catalog, at->arena, &pointer, &err), "%s", err.message);
    return pointer;
}

Test(rollback, and_back_again_with_new_bytes)
{
    struct folder_store at;
    folder_store_open(&at);
    folder_store_publish(&at, "one", "one", 1000000);
    const char *two = folder_store_publish(&at, "two", "two", 2000000);
    int64_t future_us = clock_now_us() + INT64_C(3600) * 1000000;
    folder_store_point(&at, two, "two", future_us); /* written by a machine whose clock is ahead */
    struct catalog_pointer before = pointer_of(&at);
    struct rollback_result result;
    cr_assert_eq(roll_back(&at, "one", &result), ERR_NONE);
    cr_assert_eq(result.state, ROLLBACK_DONE);
    cr_assert_str_eq(result.from_run_id, "two");
    cr_assert_not(result.held);
    struct catalog_pointer back = pointer_of(&at);
    cr_assert_str_eq(back.pointer.run_id, "one");
    cr_assert_gt(back.pointer.updated_at_us, before.pointer.updated_at_us);
    cr_assert_eq(roll_back(&at, "two", &result), ERR_NONE);
    struct catalog_pointer again = pointer_of(&at);
    cr_assert_str_eq(again.pointer.run_id, "two");
    cr_assert_not(bytes_equal(again.bytes, before.bytes)); /* PROTOCOL R13 */
    cr_assert_eq(roll_back(&at, "two", &result), ERR_NONE);
    cr_assert_eq(result.state, ROLLBACK_ALREADY);
    cr_assert(bytes_equal(pointer_of(&at).bytes, again.bytes));
    folder_store_close(&at);
}

Test(rollback, only_to_what_is_whole)
{
    struct folder_store at;
    folder_store_open(&at);
    folder_store_publish(&at, "one", "one", 1000000);
    folder_store_publish(&at, "cut", "cut", 1500000);
    const char *two = folder_store_publish(&at, "two", "two", 2000000);
    folder_store_point(&at, two, "two", 3000000);
    struct catalog_pointer before = pointer_of(&at);
    struct rollback_result result;
    cr_assert_eq(roll_back(&at, "none", &result), ERR_MISSING);
    struct err err = {0};
    cr_assert(store_delete(at.store, "shards/run_id=one/db=00000/attempt=01/shard.db", &err));
    cr_assert_eq(roll_back(&at, "one", &result), ERR_MISSING);
    folder_store_put(&at, "shards/run_id=cut/db=00000/attempt=01/shard.db", bytes_of_text("ro"));
    cr_assert_eq(roll_back(&at, "cut", &result), ERR_CORRUPT);
    cr_assert(bytes_equal(pointer_of(&at).bytes, before.bytes));
    folder_store_close(&at);
}

/* Damage in _CURRENT is what a rollback mends. */
Test(rollback, over_what_is_no_pointer)
{
    struct folder_store at;
    folder_store_open(&at);
    folder_store_publish(&at, "one", "one", 1000000);
    struct rollback_result result;
    cr_assert_eq(roll_back(&at, "one", &result), ERR_NONE);
    cr_assert_null(result.from_run_id);
    cr_assert_str_eq(pointer_of(&at).pointer.run_id, "one");
    folder_store_put(&at, NAMES_POINTER, bytes_of_text("{}"));
    cr_assert_eq(roll_back(&at, "one", &result), ERR_NONE);
    cr_assert_str_eq(pointer_of(&at).pointer.run_id, "one");
    folder_store_close(&at);
}

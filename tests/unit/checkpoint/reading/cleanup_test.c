/* Is exactly that deleted which nothing keeps, and nothing once somebody else publishes? */
#include "checkpoint/reading/cleanup.h"

#include "adapters/os/clock.h"
#include "core/snapshot/run_record.h"
#include "tests/support/folder_store.h"

static const int64_t hour_us = INT64_C(3600) * 1000000;

struct scene {
    struct folder_store at;
    struct cleanup_request request;
    int64_t now_us;
};

/* Five snapshots, an hour apart; the newest is current; seen a day later. */
static void open_scene(struct scene *scene)
{
    static const char *const runs[] = {"r1", "r2", "r3", "r4", "r5"};
    folder_store_open(&scene->at);
    int64_t start_us = clock_now_us() - 6 * hour_us;
    const char *ref = NULL;
    for (size_t i = 0; i < LENGTH_OF(runs); i++) {
        ref = folder_store_publish(&scene->at, runs[i], runs[i], start_us + (int64_t)i * hour_us);
    }
    folder_store_point(&scene->at, ref, "r5", start_us + 5 * hour_us);
    scene->now_us = clock_now_us() + 24 * hour_us;
    scene->request = (struct cleanup_request){
        .catalog = scene->at.catalog,
        .names = &scene->at.names,
        .policy = {.keep_last = 2, .now_us = scene->now_us},
        .grace_us = hour_us,
    };
}

static struct cleanup_plan plan_of(struct scene *scene)
{
    struct err err = {0};
    struct cleanup_plan plan = {0};
    cr_assert(cleanup_make_plan(&scene->request, scene->at.arena, &plan, &err), "%s", err.message);
    return plan;
}

static const struct cleanup_item *item_of(const struct cleanup_plan *plan, enum cleanup_kind kind,
                                          const char *run_id)
{
    for (size_t i = 0; i < plan->count; i++) {
        if (plan->items[i].kind == kind && strcmp(plan->items[i].run_id, run_id) == 0) {
            return &plan->items[i];
        }
    }
    return NULL;
}

static void expect(const struct cleanup_plan *plan, const char *run_id,
                   enum retention_reason reason, bool goes)
{
    const struct cleanup_item *item = item_of(plan, CLEANUP_RUN, run_id);
    cr_assert_not_null(item, "%s", run_id);
    cr_assert_eq(item->reason, reason, "%s: %s", run_id, retention_reason_name(item->reason));
    cr_assert_eq(cleanup_goes(item), goes, "%s", run_id);
}

static void delete_all(struct scene *scene, const struct cleanup_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        struct err err = {0};
        cr_assert(!cleanup_goes(&plan->items[i]) ||
                      cleanup_delete(&scene->request, plan, &plan->items[i], &err),
                  "%s", err.message);
    }
}

static bool has_run(struct scene *scene, const char *run_id)
{
    struct folder_store *at = &scene->at;
    return folder_store_has(
        at, names_shard_file(names_attempt(&at->names, run_id, 0, 1, at->arena), at->arena));
}

Test(cleanup, keeps_the_newest)
{
    struct scene scene;
    open_scene(&scene);
    struct cleanup_plan plan = plan_of(&scene);
    expect(&plan, "r5", RETENTION_CURRENT, false);
    expect(&plan, "r4", RETENTION_KEEP_LAST, false);
    expect(&plan, "r3", RETENTION_OLD, true);
    expect(&plan, "r1", RETENTION_OLD, true);
    cr_assert_eq(plan.objects_going, 6);
    delete_all(&scene, &plan);
    cr_assert(has_run(&scene, "r5") && has_run(&scene, "r4"));
    cr_assert_not(has_run(&scene, "r3") || has_run(&scene, "r2") || has_run(&scene, "r1"));
    struct catalog_entry *entries = NULL;
    size_t count = 0;
    struct err err = {0};
    cr_assert(catalog_list(&scene.at.catalog, scene.at.arena, &entries, &count, NULL, &err));
    cr_assert_eq(count, 2);
    folder_store_close(&scene.at);
}

Test(cleanup, without_limits_all_published_stay)
{
    struct scene scene;
    open_scene(&scene);
    scene.request.policy.keep_last = 0;
    struct cleanup_plan plan = plan_of(&scene);
    for (size_t i = 0; i < plan.count; i++) {
        cr_assert_not(cleanup_goes(&plan.items[i]), "%s", plan.items[i].run_id);
    }
    folder_store_close(&scene.at);
}

/* The pointer, the ledger and other manifests protect, whatever the limits say. */
Test(cleanup, what_protects)
{
    struct scene scene;
    open_scene(&scene);
    struct folder_store *at = &scene.at;
    /* r5 is new, but carries over a shard of r2; the pointer was rolled back to r1 */
    folder_store_publish(at, "r5", "r2", scene.now_us - 30 * hour_us + 5 * hour_us);
    struct err err = {0};
    struct catalog_entry entry = {0};
    cr_assert(catalog_find(&at->catalog, "r1", at->arena, &entry, &err));
    folder_store_point(at, entry.url, "r1", scene.now_us);
    const char *open_runs[] = {"building"};
    folder_store_put(at, "shards/run_id=building/db=00000/attempt=01/shard.db",
                     bytes_of_text("rows"));
    folder_store_put(at, "shards/run_id=dead/db=00000/attempt=01/shard.db", bytes_of_text("rows"));
    scene.request.policy.keep_last = 1;
    scene.request.head_run_id = "r3";
    scene.request.open_run_ids = open_runs;
    scene.request.open_run_count = 1;
    struct cleanup_plan plan = plan_of(&scene);
    expect(&plan, "r1", RETENTION_CURRENT, false);
    expect(&plan, "r2", RETENTION_REFERENCED, false);
    expect(&plan, "r3", RETENTION_HEAD, false);
    expect(&plan, "r4", RETENTION_OLD, true);
    expect(&plan, "building", RETENTION_OPEN_BUILD, false);
    expect(&plan, "dead", RETENTION_OLD, true);
    /* what was written just now may be somebody's who has no record yet */
    scene.request.policy.now_us = clock_now_us();
    plan = plan_of(&scene);
    expect(&plan, "dead", RETENTION_OLD, false);
    cr_assert(item_of(&plan, CLEANUP_RUN, "dead")->young);
    folder_store_close(at);
}

static void put_record(struct scene *scene, const char *run_id, enum run_status status)
{
    struct folder_store *at = &scene->at;
    struct run_record record = {.db_path_template = "db={db_id:05d}",
                                .run_id = run_id,
                                .s3_prefix = store_url_of(at->store),
                                .shard_prefix = "shards",
                                .started_at_us = scene->now_us,
                                .writer_type = "test"};
    run_record_touch(&record, status, scene->now_us);
    struct buf text;
    struct err err = {0};
    buf_init(&text, RUN_RECORD_BYTES_MAX);
    cr_assert(run_record_encode(&record, &text, &err), "%s", err.message);
    const char *name = names_run_record(&at->names, scene->now_us, run_id,
                                        "0123456789abcdef0123456789abcdef", at->arena);
    folder_store_put(at, name, buf_bytes(&text));
    buf_done(&text);
}

/* The other writer's clean-up deletes the shards of a build in progress; a live lease stops ours.
 */
Test(cleanup, a_live_lease_protects)
{
    struct scene scene;
    open_scene(&scene);
    folder_store_put(&scene.at, "shards/run_id=live/db=00000/attempt=01/shard.db",
                     bytes_of_text("rows"));
    folder_store_put(&scene.at, "shards/run_id=done/db=00000/attempt=01/shard.db",
                     bytes_of_text("rows"));
    put_record(&scene, "live", RUN_RUNNING);
    put_record(&scene, "done", RUN_FAILED);
    struct cleanup_plan plan = plan_of(&scene);
    expect(&plan, "live", RETENTION_LEASE, false);
    expect(&plan, "done", RETENTION_OLD, true);
    scene.request.policy.now_us += RUN_RECORD_LEASE_US + 1;
    plan = plan_of(&scene);
    expect(&plan, "live", RETENTION_OLD, true);
    folder_store_close(&scene.at);
}

/* Attempts that lost, of runs that stay: attempt=10 is not a part of attempt=100. */
Test(cleanup, attempts_that_lost)
{
    struct scene scene;
    open_scene(&scene);
    struct folder_store *at = &scene.at;
    folder_store_put(at, "shards/run_id=r5/db=00000/attempt=10/shard.db", bytes_of_text("rows"));
    folder_store_put(at, "shards/run_id=r5/db=00000/attempt=100/shard.db", bytes_of_text("rows"));
    folder_store_put(at, "shards/run_id=building/db=00000/attempt=02/shard.db",
                     bytes_of_text("rows"));
    const char *open_runs[] = {"building"};
    scene.request.open_run_ids = open_runs;
    scene.request.open_run_count = 1;
    struct cleanup_plan plan = plan_of(&scene);
    size_t attempts = 0;
    for (size_t i = 0; i < plan.count; i++) {
        attempts += plan.items[i].kind == CLEANUP_ATTEMPT;
    }
    cr_assert_eq(attempts, 2);
    const struct cleanup_item *first = item_of(&plan, CLEANUP_ATTEMPT, "r5");
    cr_assert_str_eq(first->folder, "shards/run_id=r5/db=00000/attempt=10/");
    struct err err = {0};
    cr_assert(cleanup_delete(&scene.request, &plan, first, &err), "%s", err.message);
    cr_assert_not(folder_store_has(at, "shards/run_id=r5/db=00000/attempt=10/shard.db"));
    cr_assert(folder_store_has(at, "shards/run_id=r5/db=00000/attempt=100/shard.db"));
    cr_assert(has_run(&scene, "r5"));
    folder_store_close(at);
}

/* PROTOCOL R15: the pointer is looked at again; who has lost sight of it deletes nothing. */
Test(cleanup, stops_when_the_pointer_moves)
{
    struct scene scene;
    open_scene(&scene);
    struct cleanup_plan plan = plan_of(&scene);
    struct err err = {0};
    struct catalog_entry entry = {0};
    cr_assert(catalog_find(&scene.at.catalog, "r2", scene.at.arena, &entry, &err));
    folder_store_point(&scene.at, entry.url, "r2", scene.now_us);
    cr_assert_not(cleanup_delete(&scene.request, &plan, item_of(&plan, CLEANUP_RUN, "r2"), &err));
    cr_assert_eq(err.kind, ERR_CONFLICT);
    cr_assert(has_run(&scene, "r2"));
    folder_store_close(&scene.at);
}

/* Nobody can tell what a manifest that does not read needs. */
Test(cleanup, damage_stops_it)
{
    struct scene scene;
    open_scene(&scene);
    struct err err = {0};
    struct catalog_entry entry = {0};
    struct cleanup_plan plan = {0};
    cr_assert(catalog_find(&scene.at.catalog, "r4", scene.at.arena, &entry, &err));
    folder_store_put(&scene.at, entry.name, bytes_of_text("no database"));
    cr_assert_not(cleanup_make_plan(&scene.request, scene.at.arena, &plan, &err));
    cr_assert_eq(err.kind, ERR_CORRUPT);
    folder_store_put(&scene.at, NAMES_POINTER, bytes_of_text("{}"));
    cr_assert_not(cleanup_make_plan(&scene.request, scene.at.arena, &plan, &err));
    cr_assert_eq(err.kind, ERR_CORRUPT);
    folder_store_close(&scene.at);
}

/* Do the pieces of a run get the rows of its own seal, whatever was regrouped before? */
#include "consumer/member/member_work.h"

#include "tests/support/folder_store.h"
#include "tests/support/intake_world.h"
#include "tests/support/ledger_says.h"

enum { IN_FIRST = 10, IN_ALL = 30, WAIT_US = 20 * 1000 * 1000 };

/* A member whose partition 0 was sealed, and whose rows are regrouped for the run "a"; then
 * partition 1 came, both were sealed, and "a" was given up for "b". */
static struct {
    struct world *world;
    struct folder_store store;
    struct ledger_says ledger;
    struct queue *done;
    struct member_work_settings settings;
    struct member_work work;
    struct work *first; /* the regrouping for "a", which has ended */
} at;

static struct contribution *seal(int32_t partitions)
{
    struct err err;
    struct cut_step step = {.build = 1,
                            .from_us = EVENT_TIME_LOW,
                            .to_us = EVENT_TIME_HIGH,
                            .cut = IN_ALL,
                            .future_bound_us = INT64_MAX};
    struct member_seal_partition of[2];
    for (int32_t p = 0; p < partitions; p++) {
        of[p] = (struct member_seal_partition){
            .id = {"t", p}, .to = step.cut, .steps = &step, .step_count = 1};
    }
    struct intake_sealed sealed;
    cr_assert(
        intake_seal(at.world->intake, 1, of, (size_t)partitions, at.world->arena, &sealed, &err),
        "%s", err.message);
    return sealed.contribution;
}

static void plan(const char *run_id)
{
    static const char *const members[] = {"other"};
    static const struct plan_shard shards[] = {{.builder = 0, .attempt = 1},
                                               {.builder = 0, .attempt = 1}};
    struct message message = {.kind = MESSAGE_PLAN,
                              .plan = {.term = ledger_term(&at.ledger),
                                       .build = 1,
                                       .run_id = run_id,
                                       .members = members,
                                       .member_count = 1,
                                       .shards = shards,
                                       .shard_count = LENGTH_OF(shards)}};
    ledger_says(&at.ledger, &message);
}

static void store_part(const char *run_id)
{
    struct member_event answer;
    struct member_command command = {.kind = MEMBER_STORE_PART,
                                     .store_part = {.build = 1, .run_id = run_id}};
    cr_assert(member_work_part(&at.work, at.ledger.fold, &command, &answer));
}

static struct work *next_done(void)
{
    void *item = NULL;
    cr_assert_eq(queue_pop(at.done, &item, WAIT_US), QUEUE_DONE, "nothing ends");
    return item;
}

static void fill(void)
{
    for (int32_t p = 0; p < 2; p++) {
        begin(at.world, (struct source_partition){0, p}, 0, &NO_HEAD);
        int count = p == 0 ? IN_FIRST : IN_ALL - IN_FIRST;
        for (int i = 0; i < count; i++) { /* the last one brings it to the cut */
            add(at.world, p, i == count - 1 ? IN_ALL - 1 : i, "key", 5);
        }
    }
}

static void set_up(void)
{
    at.world = open_world(0, 64 << 20, LATE_NEXT, NULL);
    folder_store_open(&at.store);
    at.ledger = (struct ledger_says){.fold = fold_new()};
    at.done = queue_new(100);
    at.settings = (struct member_work_settings){.shard = {.store = at.store.store,
                                                          .names = &at.store.names,
                                                          .key_encoding = KEY_ENCODING_RAW,
                                                          .folder = at.world->folder},
                                                .router = &at.world->router,
                                                .budget = &at.world->budget,
                                                .order = ROW_ORDER_OFFSET,
                                                .threads = 1};
    member_work_init(&at.work, &at.settings, "m", 1, at.done);
    ledger_says_leader(&at.ledger, "other");
    struct close_partition cuts[] = {{.id = {"t", 0}, .cut = IN_ALL},
                                     {.id = {"t", 1}, .cut = IN_ALL}};
    struct message close = {.kind = MESSAGE_CLOSE,
                            .close = {.term = ledger_term(&at.ledger),
                                      .build = 1,
                                      .parent = "",
                                      .from_us = EVENT_TIME_LOW,
                                      .to_us = EVENT_TIME_HIGH,
                                      .closed_to_us = EVENT_TIME_LOW,
                                      .future_bound_us = INT64_MAX,
                                      .fingerprint = "f",
                                      .partitions = cuts,
                                      .partition_count = LENGTH_OF(cuts)}};
    ledger_says(&at.ledger, &close);
    fill();
    take(at.world, 1000);
    member_work_sealed(&at.work, seal(1));
    plan("a");
    store_part("a");
    at.first = next_done();
    cr_assert_eq(at.first->kind, WORK_REGROUP);
    member_work_sealed(&at.work, seal(2));
    struct message aborted = {.kind = MESSAGE_ABORTED,
                              .aborted = {.term = ledger_term(&at.ledger),
                                          .build = 1,
                                          .run_id = "a",
                                          .reason = "its rows are gone"}};
    ledger_says(&at.ledger, &aborted);
    member_work_drop(&at.work, "a");
    plan("b");
}

static void tear_down(void)
{
    queue_close(at.done);
    member_work_done(&at.work);
    queue_free(at.done);
    fold_free(at.ledger.fold);
    folder_store_close(&at.store);
    close_world(at.world);
}

TestSuite(member_work, .init = set_up, .fini = tear_down);

static void first_comes_back(void)
{
    struct member_event event;
    cr_assert_not(member_work_finished(&at.work, at.first, &event), "nobody waits for it");
    at.first = work_free(at.first);
}

/* The part of "b" has all rows, of both partitions. */
static void part_is_whole(void)
{
    struct member_event event = {0};
    bool told = false;
    while (!told) {
        struct work *finished = next_done();
        told = member_work_finished(&at.work, finished, &event);
        if (told) {
            cr_assert_eq(event.kind, MEMBER_EVENT_PART_STORED);
            cr_expect(event.part.ok, "%s", event.part.error);
            cr_expect_eq(event.part.rows, IN_ALL);
        }
        work_free(finished);
    }
}

Test(member_work, rows_of_an_older_seal_are_given_to_nobody)
{
    first_comes_back();
    store_part("b");
    part_is_whole();
}

Test(member_work, who_waits_meanwhile_gets_rows_of_its_own)
{
    store_part("b");
    first_comes_back();
    part_is_whole();
}

Test(member_work, the_end_of_another_run_does_not_end_it)
{
    struct regroup_job *job = (struct regroup_job *)at.first;
    job->result = contribution_drop(job->result);
    job->ok = err_set(&job->err, ERR_STOPPED, "stopped while grouping rows by shard");
    store_part("b");
    first_comes_back();
    part_is_whole();
}

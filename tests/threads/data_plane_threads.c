/* Do the intake and build threads, working at the same time, give what one thread gives?
 *
 * This program plays the poll thread and the member thread: it sends batches of random records,
 * seals builds at random cuts while more records come in, has all shards built on two threads into
 * a file store, forgets what was built, and counts the rows of all shard files against its own
 * sums. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/os/file.h"
#include "adapters/os/log.h"
#include "consumer/intake/intake_thread.h"
#include "consumer/member/member_work.h"
#include "consumer/wiring/wiring.h"

enum { SHARDS = 4, PARTITIONS = 3, BUILDS = 6, ROUNDS = 40, BATCH = 500, BATCHES = 4 };

struct plant {
    char *folder;
    struct topic_settings topic;
    struct settings settings;
    struct router router;
    struct names names;
    struct budget budget;
    struct held_rows *held;
    struct dead_letters *letters;
    struct intake *intake;
    struct checkpoint_saver *saver;
    struct queue *inbox;
    struct queue *batches;
    struct queue *member;
    struct queue *done;
    struct intake_thread *thread;
    struct store *store;
    struct member_work_settings work_settings;
    struct member_work work;
    struct arena *arena;
    int64_t position[PARTITIONS];
    int64_t cut[PARTITIONS];
    uint64_t stored; /* of all builds, as reported */
    uint64_t gone;   /* superseded */
};

static void must(bool done, const struct err *err)
{
    if (!done) {
        fprintf(stderr, "failed: %s\n", err->message);
        exit(1);
    }
}

static void open_plant(struct plant *plant)
{
    struct err err;
    plant->arena = arena_new(1 << 16);
    must(file_temp_folder("/tmp", "data-plane", &plant->folder, &err), &err);
    plant->topic = (struct topic_settings){.name = "t",
                                           .key = {.source = FIELD_KEY},
                                           .key_encoding = KEY_ENCODING_RAW,
                                           .event_time = {.source = FIELD_TIMESTAMP}};
    const char *store = arena_format(plant->arena, "file://%s/store", plant->folder);
    const char *work = arena_format(plant->arena, "%s/work", plant->folder);
    must(file_make_folders(arena_format(plant->arena, "%s/store", plant->folder), &err), &err);
    must(file_make_folders(work, &err), &err);
    plant->settings = (struct settings){
        .topics = &plant->topic,
        .topic_count = 1,
        .window = {.trigger = TRIGGER_MANUAL, .max_future_skew_us = INT64_MAX / 4},
        .snapshot = {.order = ROW_ORDER_OFFSET,
                     .shards = SHARDS,
                     .page_size = 4096,
                     .sidecar = true},
        .dead_letter = {.policy = DEAD_LETTER_DROP},
        .limits = {.max_key_bytes = 100, .max_value_bytes = 1000},
    };
    struct sharding sharding = {.strategy = SHARDING_HASH};
    must(route_init(&plant->router, &sharding, SHARDS, 0, false, &err), &err);
    must(names_init(&plant->names, store, "shards", "runs", "db={db_id:05d}", &err), &err);
    budget_init(&plant->budget, 256 << 10);
    struct held_rows_settings held = {.folder =
                                          arena_format(plant->arena, "%s/spills", plant->folder),
                                      .order = ROW_ORDER_OFFSET,
                                      .borrowed_budget = &plant->budget};
    must(held_rows_new(&held, &plant->held, &err), &err);
    must(dead_letters_new(&plant->settings.dead_letter, NULL, &plant->letters, &err), &err);
    struct intake_settings intake = {&plant->settings, &plant->router, &plant->budget, plant->held,
                                     plant->letters};
    must(intake_new(&intake, &plant->intake, &err), &err);
    must(wiring_open_store(store, NULL, &plant->store, &err), &err);
    plant->inbox = queue_new(MAIL_QUEUE_MAX);
    plant->member = queue_new(MAIL_QUEUE_MAX);
    plant->batches = queue_new(BATCHES);
    plant->done = queue_new(BUILD_WORK_MAX);
    for (int i = 0; i < BATCHES; i++) {
        CHECK(queue_push(plant->batches, source_batch_new(BATCH), 0) == QUEUE_DONE);
    }
    plant->work_settings = (struct member_work_settings){
        .shard = {.kv = wiring_kv(),
                  .store = plant->store,
                  .names = &plant->names,
                  .snapshot = &plant->settings.snapshot,
                  .key_encoding = KEY_ENCODING_RAW,
                  .folder = work,
                  .cache_bytes = 1 << 20},
        .router = &plant->router,
        .budget = &plant->budget,
        .policy = {true, true},
        .threads = 2,
    };
    member_work_init(&plant->work, &plant->work_settings, "m", 1, plant->done);
    struct checkpoint_saver_settings saver = {
        .intake = plant->intake, .held = plant->held, .letters = plant->letters};
    plant->saver = checkpoint_saver_new(&saver);
    struct intake_thread_settings thread = {plant->intake,  plant->saver,  plant->inbox,
                                            plant->batches, plant->member, NULL};
    plant->thread = intake_thread_new(&thread);
}

static void close_plant(struct plant *plant)
{
    struct err err;
    member_work_done(&plant->work);
    intake_thread_free(plant->thread);
    checkpoint_saver_free(plant->saver);
    intake_free(plant->intake);
    held_rows_free(plant->held);
    budget_done(&plant->budget);
    dead_letters_free(plant->letters);
    mail_drain(plant->inbox);
    mail_drain(plant->member);
    void *item = NULL;
    while (queue_pop(plant->batches, &item, 0) == QUEUE_DONE) {
        source_batch_free(item);
    }
    queue_free(plant->inbox);
    queue_free(plant->member);
    queue_free(plant->batches);
    queue_free(plant->done);
    store_free(plant->store);
    must(file_remove_tree(plant->folder, &err), &err);
    free(plant->folder);
    arena_free(plant->arena);
}

/* A batch of records of one partition with gaps in their offsets, as the poll thread hands it on.
 */
static void send_batch(struct plant *plant)
{
    void *item = NULL;
    CHECK(queue_pop(plant->batches, &item, -1) == QUEUE_DONE);
    struct source_batch *batch = item;
    int partition = rand() % PARTITIONS;
    for (int i = 0; i < BATCH; i++) {
        char *text = arena_alloc(batch->arena, 16);
        snprintf(text, 16, "key-%d", rand() % 1000);
        plant->position[partition] += 1 + (rand() % 10 == 0);
        batch->messages[batch->message_count++] = (struct source_message){
            .partition = partition,
            .offset = plant->position[partition] - 1,
            .timestamp_ms = 1,
            .has_key = true,
            .has_value = true,
            .key = bytes_of_text(text),
            .value = bytes_of_text("value"),
        };
    }
    struct mail *mail = mail_new(MAIL_BATCH);
    mail->batch = batch;
    mail_send(plant->inbox, mail);
}

static struct cut_step step_of(uint64_t build, int64_t cut)
{
    return (struct cut_step){.build = build,
                             .from_us = EVENT_TIME_LOW,
                             .to_us = EVENT_TIME_HIGH,
                             .cut = cut,
                             .future_bound_us = INT64_MAX};
}

static struct mail *wait_for(struct plant *plant, enum mail_kind kind)
{
    for (;;) {
        struct mail *mail = mail_next(plant->member, -1);
        CHECK(mail != NULL && mail->kind != MAIL_FAILED);
        if (mail->kind == kind) {
            return mail;
        }
        mail_free(mail);
    }
}

/* Seals at the present positions while more batches follow. */
static void seal(struct plant *plant, uint64_t build, int64_t *cuts)
{
    struct mail *order = mail_new(MAIL_SEAL);
    struct member_seal_partition *of = arena_zero(order->arena, PARTITIONS * sizeof *of);
    for (int p = 0; p < PARTITIONS; p++) {
        struct cut_step *step = arena_zero(order->arena, sizeof *step);
        cuts[p] = plant->position[p];
        *step = step_of(build, cuts[p]);
        of[p] = (struct member_seal_partition){.id = {"t", p},
                                               .from = plant->cut[p],
                                               .seen_end = plant->cut[p],
                                               .to = cuts[p],
                                               .steps = step,
                                               .step_count = 1};
    }
    order->seal.build = build;
    order->seal.partitions = of;
    order->seal.count = PARTITIONS;
    mail_send(plant->inbox, order);
    send_batch(plant);
    struct mail *answer = wait_for(plant, MAIL_SEALED);
    CHECK(answer->sealed.ok);
    member_work_sealed(&plant->work, TAKE(answer->sealed.sealed.contribution));
    mail_free(answer);
}

/* Builds every shard, while batches come in. */
static void build(struct plant *plant, uint64_t number, const int64_t *cuts)
{
    struct plan_range ranges[PARTITIONS];
    for (int p = 0; p < PARTITIONS; p++) {
        ranges[p] = (struct plan_range){.id = {"t", p}, .from = plant->cut[p], .to = cuts[p]};
    }
    struct member_contribution from = {
        .own = true, .url = "", .ranges = ranges, .range_count = PARTITIONS};
    char run[32];
    snprintf(run, sizeof run, "b%d-t0-0", (int)number);
    for (uint32_t shard = 0; shard < SHARDS; shard++) {
        struct member_command command = {.kind = MEMBER_BUILD};
        command.build.build = number;
        command.build.run_id = run;
        command.build.shard = shard;
        command.build.attempt = 1;
        command.build.num_dbs = SHARDS;
        command.build.contributions = &from;
        command.build.contribution_count = 1;
        struct shard_job *job = shard_job_new(&plant->work_settings.shard, &command,
                                              plant->work.sealed, plant->work.sealed);
        build_threads_add(plant->work.threads, &job->work);
        send_batch(plant);
    }
    for (int i = 0; i < SHARDS; i++) {
        void *item = NULL;
        CHECK(queue_pop(plant->done, &item, -1) == QUEUE_DONE);
        struct shard_job *job = item;
        CHECK(job->result.ok);
        plant->stored += job->result.row_count;
        for (size_t k = 0; k < job->result.partition_count; k++) {
            plant->gone += job->result.partitions[k].superseded;
        }
        work_free(&job->work);
    }
}

static void forget(struct plant *plant, uint64_t build, const int64_t *cuts)
{
    struct mail *mail = mail_new(MAIL_FORGET);
    struct member_forget *of = arena_zero(mail->arena, PARTITIONS * sizeof *of);
    for (int p = 0; p < PARTITIONS; p++) {
        struct cut_step *step = arena_zero(mail->arena, sizeof *step);
        *step = step_of(build, cuts[p]);
        plant->cut[p] = cuts[p];
        of[p] = (struct member_forget){
            .id = {"t", p}, .tail_from = cuts[p], .steps = step, .step_count = 1};
    }
    mail->forget.partitions = of;
    mail->forget.count = PARTITIONS;
    mail->forget.run = "";
    mail_send(plant->inbox, mail);
    member_work_forget(&plant->work);
}

int main(void)
{
    srand(1);
    log_set(LOG_ERROR, LOG_TEXT);
    struct plant plant = {0};
    open_plant(&plant);
    for (int p = 0; p < PARTITIONS; p++) {
        struct mail *start = mail_new(MAIL_START);
        start->start.partition.partition = p;
        start->start.head.closed_to_us = EVENT_TIME_LOW;
        mail_send(plant.inbox, start);
    }
    uint64_t sent = 0;
    int64_t cuts[PARTITIONS] = {0};
    for (uint64_t number = 1; number <= BUILDS; number++) {
        for (int i = 0; i < ROUNDS; i++) {
            send_batch(&plant);
        }
        uint64_t batches = number * ROUNDS + (number - 1) * (SHARDS + 1);
        sent = batches * BATCH; /* what lies below the cut of this build */
        seal(&plant, number, cuts);
        build(&plant, number, cuts);
        forget(&plant, number, cuts);
        if (plant.stored + plant.gone != sent) {
            fprintf(stderr, "build %d: %d stored and %d superseded of %d records\n", (int)number,
                    (int)plant.stored, (int)plant.gone, (int)sent);
            return 1;
        }
    }
    bool spilled = held_rows_spill_count(plant.held) > 0;
    close_plant(&plant);
    printf("%d records, %d builds, %d rows stored, spilled: %s\n", (int)sent, BUILDS,
           (int)plant.stored, spilled ? "yes" : "no");
    return spilled ? 0 : 1;
}

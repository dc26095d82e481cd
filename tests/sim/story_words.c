/* The words of stories. tests/sim/traces/README.md lists them. */
#include <stdarg.h>
#include <stdlib.h>

#include "tests/sim/story.h"

static bool PRINTF_LIKE(2, 3) fail(struct story *story, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(story->failure, sizeof story->failure, format, args);
    va_end(args);
    return false;
}

bool story_misread(struct story *story, const char *what, const char *word)
{
    story->misread = true;
    return fail(story, "%s: %s", what, word);
}

static int64_t number(const char *text)
{
    return strtoll(text, NULL, 10);
}

/* ---- until ---- */

static bool word_until(struct story *story, char **words, int count)
{
    for (int i = 0; i < 1200 && !story->world->failed; i++) {
        if (story_is_true(story, words + 1, count - 1)) {
            return true;
        }
        if (story->failure[0] != '\0') {
            return false;
        }
        world_step(story->world);
    }
    return story->world->failed || fail(story, "never became true");
}

static bool word_run(struct story *story, char **words, int count)
{
    (void)count;
    for (int64_t i = 0; i < number(words[1]) && !story->world->failed; i++) {
        world_step(story->world);
    }
    return true;
}

/* expect [not] CONDITION */
static bool word_expect(struct story *story, char **words, int count)
{
    bool negative = strcmp(words[1], "not") == 0;
    int skip = negative ? 2 : 1;
    bool holds = story_is_true(story, words + skip, count - skip);
    return story->failure[0] == '\0' && (holds != negative || fail(story, "it is not so"));
}

/* ---- the world ---- */

/* rows P MS...: event times in milliseconds after the epoch of the world. */
static bool word_rows(struct story *story, char **words, int count)
{
    struct world *world = story->world;
    for (int i = 2; i < count; i++) {
        static uint32_t key;
        source_add(world, (int)number(words[1]), SIM_EPOCH_US + number(words[i]) * 1000, key++ % 7);
    }
    return true;
}

static bool word_transaction(struct story *story, char **words, int count)
{
    (void)count;
    struct sim_partition *partition = &story->world->partitions[number(words[1])];
    if (strcmp(words[2], "opens") == 0) {
        partition->open_until_us = INT64_MAX;
        source_stable(story->world, partition);
    } else {
        partition->open_until_us = 0;
        source_stable(story->world, partition);
    }
    return true;
}

static bool word_retention(struct story *story, char **words, int count)
{
    (void)count;
    story->world->partitions[number(words[1])].low = number(words[2]);
    return true;
}

/* slow P: nobody reads on in it; slow none. */
static bool word_slow(struct story *story, char **words, int count)
{
    (void)count;
    story->world->story.slow = words[1][0] == 'n' ? -1 : (int)number(words[1]);
    return true;
}

/* again TOPIC ROWS: it is deleted and made again, with so many rows in each partition. */
static bool word_again(struct story *story, char **words, int count)
{
    (void)count;
    again_make(story->world, words[1], number(words[2]));
    return true;
}

/* late RUN/SHARD/ATTEMPT: an upload lands that nobody waits for any more. */
static bool word_late(struct story *story, char **words, int count)
{
    store_put(&story->world->store, story_object(story, words[1]), "0:0 ");
    return count > 0;
}

static bool word_broken(struct story *story, char **words, int count)
{
    (void)count;
    story_process(story, words[1])->broken = true;
    return true;
}

static bool word_crash(struct story *story, char **words, int count)
{
    (void)count;
    process_stop(story->world, story_process(story, words[1]));
    return true;
}

/* save m0: a checkpoint, for its next start */
static bool word_save(struct story *story, char **words, int count)
{
    (void)count;
    checkpoint_write(story_process(story, words[1]));
    return true;
}

static bool word_start(struct story *story, char **words, int count)
{
    (void)count;
    story_process(story, words[1])->restart_us = 0;
    return true;
}

/* sleep m0 [before WHAT] */
static bool word_sleep(struct story *story, char **words, int count)
{
    struct sim_process *process = story_process(story, words[1]);
    if (count == 4) {
        snprintf(process->sleep_before, sizeof process->sleep_before, "%s", words[3]);
    } else {
        process->stalled_until_us = INT64_MAX;
    }
    return true;
}

static bool word_wake(struct story *story, char **words, int count)
{
    (void)count;
    story_process(story, words[1])->stalled_until_us = 0;
    return true;
}

static bool word_lead(struct story *story, char **words, int count)
{
    (void)count;
    story->world->leader = words[1][0] == 'm' ? words[1][1] - '0' : -1;
    return true;
}

static bool word_assign(struct story *story, char **words, int count)
{
    (void)count;
    story->world->owner[number(words[1])] = words[2][1] - '0';
    story->world->generation++;
    return true;
}

static bool word_partitions(struct story *story, char **words, int count)
{
    (void)count;
    story->world->partition_count = (int)number(words[1]);
    return true;
}

static bool word_clock(struct story *story, char **words, int count)
{
    (void)count;
    story_process(story, words[1])->clock_ahead_us = number(words[2]) * 1000000;
    return true;
}

static bool word_compact(struct story *story, char **words, int count)
{
    (void)words;
    (void)count;
    for (int i = 0; i < 50; i++) {
        ledger_compact(story->world);
    }
    return true;
}

static bool word_lose(struct story *story, char **words, int count)
{
    int64_t from = count > 1 ? story->world->ledger.end - number(words[1]) : 0;
    ledger_lose(story->world, from);
    audit_ledger_lost(story->world);
    return true;
}

static bool word_set(struct story *story, char **words, int count)
{
    struct coord_settings *settings = &story->world->settings;
    int64_t value = count > 2 ? number(words[2]) : 0;
    const struct {
        const char *name;
        int64_t *to;
    } times[] = {{"window_ms", &settings->window_size_us},
                 {"lateness_ms", &settings->allowed_lateness_us},
                 {"idle_ms", &settings->idle_after_us},
                 {"grace_ms", &settings->cleanup_grace_us},
                 {"sweep_ms", &settings->sweep_every_us},
                 {"future_ms", &settings->max_future_skew_us},
                 {"interval_ms", &settings->interval_us},
                 {"deadline_ms", &settings->attempt_deadline_us},
                 {"owner_ms", &settings->owner_timeout_us},
                 {"speculative_ms", &settings->speculative_after_us},
                 {"backoff_ms", &settings->attempt_backoff_us},
                 {"backoff_max_ms", &settings->attempt_backoff_max_us},
                 {"handover_ms", &settings->handover_wait_us},
                 {"pointer_check_ms", &settings->pointer_check_us}};
    for (size_t i = 0; i < LENGTH_OF(times); i++) {
        if (strcmp(words[1], times[i].name) == 0) {
            *times[i].to = value * 1000;
            settings->speculative |= times[i].to == &settings->speculative_after_us;
            return true;
        }
    }
    if (strcmp(words[1], "late") == 0) {
        settings->late = strcmp(words[2], "drop") == 0 ? LATE_DROP : LATE_NEXT;
    } else if (strcmp(words[1], "trigger") == 0) {
        settings->trigger = strcmp(words[2], "schedule") == 0  ? TRIGGER_SCHEDULE
                            : strcmp(words[2], "manual") == 0  ? TRIGGER_MANUAL
                            : strcmp(words[2], "offsets") == 0 ? TRIGGER_OFFSETS
                                                               : TRIGGER_EVENT_TIME;
    } else if (strcmp(words[1], "room") == 0) {
        story->world->room_rows = (uint64_t)value;
    } else if (strcmp(words[1], "cas") == 0) {
        settings->store_cas = value != 0;
    } else if (strcmp(words[1], "keep_last") == 0) {
        settings->keep_last = (uint32_t)value;
    } else if (strcmp(words[1], "unpublished") == 0) {
        settings->max_unpublished_windows = (uint32_t)value;
    } else if (strcmp(words[1], "shards") == 0) {
        settings->shards = (uint32_t)value;
    } else if (strcmp(words[1], "group") == 0) {
        settings->group = strcmp(words[2], "theirs") == 0 ? "theirs" : "ours";
    } else if (strcmp(words[1], "min_rows") == 0) {
        settings->gates.min_rows = (uint64_t)value;
    } else if (strcmp(words[1], "contents") == 0) {
        settings->contents = strcmp(words[2], "state") == 0 ? CONTENTS_STATE : CONTENTS_WINDOW;
    } else {
        return story_misread(story, "unknown setting", words[1]);
    }
    return true;
}

/* fingerprint m0 TEXT: from its next start. */
static bool word_fingerprint(struct story *story, char **words, int count)
{
    (void)count;
    struct sim_process *process = story_process(story, words[1]);
    process->own_settings = true;
    process->settings = story->world->settings;
    process->settings.fingerprint = strcmp(words[2], "f2") == 0 ? "f2" : "f1";
    return true;
}

/* next append KEY untold|prepared|open; next swap untold|late MS|twice MS; next attempt
 * fails|sleeps */
static bool word_next(struct story *story, char **words, int count)
{
    struct sim_story *plant = &story->world->story;
    if (strcmp(words[1], "append") == 0) {
        snprintf(plant->append_key, sizeof plant->append_key, "%s", words[2]);
        plant->append = strcmp(words[3], "untold") == 0     ? APPEND_DONE_UNTOLD
                        : strcmp(words[3], "prepared") == 0 ? APPEND_PREPARED
                                                            : APPEND_LEFT_OPEN;
    } else if (strcmp(words[1], "swap") == 0) {
        plant->put = strcmp(words[2], "untold") == 0 ? PUT_DONE_UNTOLD
                     : strcmp(words[2], "late") == 0 ? PUT_LATE
                                                     : PUT_TWICE;
        plant->put_after_us = count > 3 ? number(words[3]) * 1000 : 0;
    } else if (strcmp(words[1], "seal") == 0 && strcmp(words[2], "fails") == 0) {
        plant->seal_fails++;
    } else if (strcmp(words[1], "seal") == 0) {
        plant->seal_lies++;
    } else if (strcmp(words[2], "fails") == 0) {
        plant->attempt_fails++;
    } else {
        plant->attempt_sleeps++;
    }
    return true;
}

/* ---- the operator ---- */

static bool word_hold(struct story *story, char **words, int count)
{
    const char *target =
        count > 1 ? audit_run_of_build(story->world, strtoull(words[1] + 1, NULL, 10)) : "";
    if (target == NULL) {
        return fail(story, "no such build");
    }
    operator_hold(story->world, target);
    return true;
}

static bool word_rollback(struct story *story, char **words, int count)
{
    (void)count;
    const char *run = audit_run_of_build(story->world, strtoull(words[1] + 1, NULL, 10));
    return run != NULL ? operator_point_to(story->world, run) : fail(story, "no such build");
}

static bool word_resume(struct story *story, char **words, int count)
{
    (void)count;
    operator_resume(story->world,
                    strcmp(words[1], "from_here") == 0 ? RESUME_FROM_HERE : RESUME_ADOPT);
    return true;
}

static bool word_trigger(struct story *story, char **words, int count)
{
    (void)words;
    (void)count;
    operator_trigger(story->world);
    return true;
}

static void append(struct world *world, const struct message *message)
{
    AUTO(buf) struct buf key;
    AUTO(buf) struct buf value;
    buf_init(&key, 400);
    buf_init(&value, 4000);
    message_key(message, &key);
    message_encode(message, &value);
    ledger_append(world, buf_text(&key), buf_text(&value));
}

/* The open run, whatever the gates say. */
static bool word_accept(struct story *story, char **words, int count)
{
    (void)words;
    (void)count;
    const struct fold_entry *plan = fold_open_plan(audit_fold(story->world));
    if (plan == NULL) {
        return fail(story, "no run is open");
    }
    append(story->world, &(struct message){.kind = MESSAGE_ACCEPT,
                                           .accept = {.id = "accept-1",
                                                      .who = "operator",
                                                      .why = "it was looked at",
                                                      .build = plan->message.plan.build,
                                                      .run_id = plan->message.plan.run_id}});
    return true;
}

static bool word_skip(struct story *story, char **words, int count)
{
    (void)count;
    struct world *world = story->world;
    struct message message = {.kind = MESSAGE_SKIP,
                              .skip = {.id = "skip-1",
                                       .who = "operator",
                                       .why = "retention took it",
                                       .range = {.id = world->partitions[number(words[1])].id,
                                                 .from = number(words[2]),
                                                 .to = number(words[3])}}};
    append(world, &message);
    for (int64_t o = message.skip.range.from; o < message.skip.range.to; o++) {
        world->partitions[number(words[1])].rows[o].exists = false; /* for the oracle, too */
    }
    return true;
}

static const struct {
    const char *word;
    int words_min;
    bool (*run)(struct story *story, char **words, int count);
} vocabulary[] = {
    {"until", 2, word_until},
    {"run", 2, word_run},
    {"expect", 2, word_expect},
    {"rows", 3, word_rows},
    {"transaction", 3, word_transaction},
    {"retention", 3, word_retention},
    {"again", 3, word_again},
    {"late", 2, word_late},
    {"broken", 2, word_broken},
    {"slow", 2, word_slow},
    {"crash", 2, word_crash},
    {"save", 2, word_save},
    {"start", 2, word_start},
    {"sleep", 2, word_sleep},
    {"wake", 2, word_wake},
    {"lead", 2, word_lead},
    {"assign", 3, word_assign},
    {"partitions", 2, word_partitions},
    {"clock", 3, word_clock},
    {"compact", 1, word_compact},
    {"lose", 1, word_lose},
    {"set", 3, word_set},
    {"fingerprint", 3, word_fingerprint},
    {"next", 3, word_next},
    {"hold", 1, word_hold},
    {"rollback", 2, word_rollback},
    {"resume", 2, word_resume},
    {"trigger", 1, word_trigger},
    {"skip", 4, word_skip},
    {"accept", 1, word_accept},
};

bool story_line(struct story *story, char **words, int count)
{
    if (strcmp(words[0], "world") == 0 && count == 3) {
        world_free(story->world);
        story->world =
            world_plain(story_seed, (int)number(words[1]), (int)number(words[2]), story->trace);
        return true;
    }
    for (size_t i = 0; i < LENGTH_OF(vocabulary); i++) {
        if (strcmp(vocabulary[i].word, words[0]) == 0) {
            return count >= vocabulary[i].words_min
                       ? vocabulary[i].run(story, words, count)
                       : story_misread(story, "too few words", words[0]);
        }
    }
    return story_misread(story, "unknown word", words[0]);
}

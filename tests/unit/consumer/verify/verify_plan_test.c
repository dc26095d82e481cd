/* Does a lineage give the ranges and steps of its build, and are other settings told apart? */
#include <criterion/criterion.h>

#include "consumer/verify/verify_plan.h"
#include "core/fingerprint.h"

struct story {
    struct arena *arena;
    struct topic_settings topics[2];
    struct settings settings;
    char fingerprint[FINGERPRINT_TEXT_SIZE];
    struct commit_partition partitions[3];
    struct close_partition cuts[3];
    struct history_cut earlier_cuts[2];
    struct history_step earlier;
    struct plan_range skipped;
    struct message_commit commit;
};

/* Partition a/0 goes on from build 1, a/1 is new and has nothing, b/0 lost its beginning. */
static void story_init(struct story *story)
{
    *story = (struct story){
        .arena = arena_new(4096),
        .topics = {{.name = "b", .key = {.source = FIELD_KEY}, .event_time = {FIELD_TIMESTAMP, 0}},
                   {.name = "a", .key = {.source = FIELD_KEY}, .event_time = {FIELD_TIMESTAMP, 0}}},
        .partitions = {{.id = {"a", 0}, .tail_from = 18, .cut = 20},
                       {.id = {"a", 1}},
                       {.id = {"b", 0}, .tail_from = 30, .cut = 30}},
        .cuts = {{.id = {"a", 0}, .tail_from = 5, .seen_end = 10, .cut = 20},
                 {.id = {"a", 1}, .joined = true},
                 {.id = {"b", 0}, .tail_from = 7, .seen_end = 10, .cut = 30}},
        .earlier_cuts = {{.partition = 0, .cut = 10, .joined = true}, {.partition = 2, .cut = 10}},
        .skipped = {.id = {"b", 0}, .from = 7, .to = 12},
    };
    story->settings = (struct settings){.topics = story->topics, .topic_count = 2};
    story->settings.snapshot.store = "file:///s";
    fingerprint_settings(&story->settings, story->fingerprint);
    story->earlier = (struct history_step){1, 100, 200, 900, story->earlier_cuts, 2};
    story->commit = (struct message_commit){
        .build = 2,
        .run_id = "r2",
        .parent = "r1",
        .fingerprint = story->fingerprint,
        .future_bound_us = 1000,
        .partitions = story->partitions,
        .partition_count = 3,
        .has_made_of = true,
        .made_of = {.base = "",
                    .from_us = 200,
                    .to_us = 300,
                    .partitions = story->cuts,
                    .partition_count = 3,
                    .before = &story->earlier,
                    .before_count = 1,
                    .skipped = &story->skipped,
                    .skipped_count = 1},
        .has_snapshot = true,
        .snapshot = {.run_id = "r2", .build = 2, .num_dbs = 1},
    };
}

static bool make(struct story *story, struct verify_plan *plan, struct err *err)
{
    AUTO(buf) struct buf record;
    AUTO(buf) struct buf lineage;
    AUTO(buf) struct buf text;
    buf_init(&record, 1 << 20);
    buf_init(&lineage, 1 << 20);
    buf_init(&text, 1 << 20);
    message_lineage_encode(&story->commit, "", &record);
    fingerprint_print(&story->settings, &text);
    struct lineage_maker maker = {.group = "g",
                                  .software = "s",
                                  .sqlite_version = "3.40.1",
                                  .contents = "window",
                                  .order = "offset",
                                  .settings = buf_text(&text)};
    cr_assert(lineage_add_maker(buf_bytes(&record), &maker, &lineage, err));
    struct manifest manifest = {.run_id = "r2",
                                .lineage = arena_copy(story->arena, buf_bytes(&lineage))};
    return verify_plan_make(&manifest, &story->settings, story->arena, plan, err);
}

Test(verify_plan, ranges_and_steps)
{
    struct story story;
    story_init(&story);
    struct verify_plan plan;
    struct err err = {0};
    cr_assert(make(&story, &plan, &err), "%s", err.message);
    cr_assert_eq(plan.partition_count, 2);
    const struct verify_partition *a0 = &plan.partitions[0];
    cr_assert(a0->topic == 1 && a0->from == 5 && a0->seen_end == 10 && a0->cut == 20);
    cr_assert_eq(a0->step_count, 2);
    cr_assert(a0->steps[0].build == 1 && a0->steps[0].from_us == EVENT_TIME_LOW);
    cr_assert(a0->steps[1].build == 2 && a0->steps[1].from_us == 200 && a0->steps[1].to_us == 300);
    cr_assert(a0->steps[1].cut == 20 && a0->steps[1].future_bound_us == 1000);
    const struct verify_partition *b0 = &plan.partitions[1];
    cr_assert(b0->from == 12 && b0->seen_end == 12 && b0->cut == 30, "what was given up is left");
    cr_assert(b0->steps[0].from_us == 100 && b0->said == &plan.commit.partitions[2]);
    cr_assert_eq(plan.records, 15 + 18);
    arena_free(story.arena);
}

Test(verify_plan, what_cannot_be_proved_or_is_refused)
{
    struct story story;
    story_init(&story);
    struct verify_plan plan;
    struct err err = {0};
    struct manifest foreign = {.run_id = "r9"};
    cr_assert_not(verify_plan_make(&foreign, &story.settings, story.arena, &plan, &err));
    cr_assert_eq(err.kind, ERR_MISSING);
    story.commit.has_made_of = false;
    cr_assert_not(make(&story, &plan, &err));
    cr_assert_eq(err.kind, ERR_MISSING);
    story.commit.has_made_of = true;
    story.commit.fingerprint = "another";
    cr_assert_not(make(&story, &plan, &err));
    cr_assert_eq(err.kind, ERR_SETTINGS);
    arena_free(story.arena);
}

Test(verify_plan, settings_differ_word_by_word)
{
    static const struct {
        const char *theirs;
        const char *ours;
        const char *said;
    } cases[] = {
        {"a=1\nb=2 c=3\n", "a=1\nb=2 c=3\n", ""},
        {"late=next future=keep\n", "late=drop future=keep\n", "late=next there, late=drop here"},
        {"limits=1 2\nwindow=x 3\n", "limits=1 2\nwindow=x 2\n",
         "window=x 3 there, window=x 2 here"},
        {"topic=\"a\" format=raw\n  field=\"x y\" required=1\ntopic=\"b\" format=raw\n",
         "topic=\"a\" format=raw\n  field=\"x y\" required=0\ntopic=\"b\" format=json\n",
         "topic=\"a\" required=1 there, topic=\"b\" format=raw there, topic=\"a\" required=0 here, "
         "topic=\"b\" format=json here"},
    };
    struct arena *arena = arena_new(1024);
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        cr_assert_str_eq(verify_plan_difference(cases[i].theirs, cases[i].ours, arena),
                         cases[i].said);
    }
    arena_free(arena);
}

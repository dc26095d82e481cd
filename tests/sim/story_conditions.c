/* What a story can wait for and expect. tests/sim/traces/README.md lists it. */
#include <stdlib.h>

#include "tests/sim/story.h"

static int64_t number(const char *text)
{
    return strtoll(text, NULL, 10);
}

struct sim_process *story_process(struct story *story, const char *name)
{
    int index = name[0] == 'm' ? name[1] - '0' : -1;
    return index >= 0 && index < story->world->process_count ? &story->world->processes[index]
                                                             : NULL;
}

bool story_is_true(struct story *story, char **words, int count)
{
    struct world *world = story->world;
    const struct fold *fold = audit_fold(world);
    const struct message_commit *head = fold_head(fold);
    const char *what = words[0];
    uint64_t build = count > 1 && words[1][0] == 'b' ? strtoull(words[1] + 1, NULL, 10) : 0;
    const struct sim_process *process = count > 1 ? story_process(story, words[1]) : NULL;
    if (strcmp(what, "published") == 0) {
        return head != NULL && head->has_snapshot && head->snapshot.build >= build &&
               fold_head_published(fold);
    }
    if (strcmp(what, "committed") == 0) {
        return head != NULL && head->build >= build;
    }
    if (strcmp(what, "closed") == 0) {
        const struct fold_entry *close = fold_open_close(fold);
        return close != NULL && close->message.close.build == build;
    }
    if (strcmp(what, "ready") == 0 || strcmp(what, "attempts") == 0 || strcmp(what, "parts") == 0) {
        size_t at = 0;
        size_t found = 0;
        enum message_kind kind = what[0] == 'r'   ? MESSAGE_READY
                                 : what[0] == 'a' ? MESSAGE_ATTEMPT
                                                  : MESSAGE_PART;
        while (fold_next(fold, kind, &at) != NULL) {
            found++;
        }
        return found >= (size_t)number(words[1]);
    }
    if (strcmp(what, "planned") == 0) {
        return fold_open_plan(fold) != NULL;
    }
    if (strcmp(what, "attempt") == 0 && count > 2) {
        return attempts_planned(fold, strcmp(words[1], "any") == 0 ? -1 : number(words[1])) >=
               (uint32_t)number(words[2]);
    }
    if (strcmp(what, "files") == 0) {
        return attempts_stored(world) >= (size_t)number(words[1]);
    }
    if (strcmp(what, "gated") == 0) {
        size_t at = 0;
        return fold_next(fold, MESSAGE_GATED, &at) != NULL;
    }
    if (strcmp(what, "held") == 0) {
        const struct fold_entry *hold = fold_hold(fold);
        return hold != NULL && hold->message.kind == MESSAGE_HELD;
    }
    if (strcmp(what, "resumed") == 0) {
        return fold_hold(fold) == NULL && fold_resume(fold) == NULL;
    }
    if (strcmp(what, "mirrored") == 0 && count > 2) { /* the source group's offset (R23) */
        return world->mirror[number(words[1])] == number(words[2]);
    }
    if (strcmp(what, "pointer") == 0) {
        return audit_pointer_build(world) == build;
    }
    if (strcmp(what, "not") == 0 && count > 1) {
        return !story_is_true(story, words + 1, count - 1);
    }
    if (strcmp(what, "settled") == 0) {
        return audit_settled(world);
    }
    if (strcmp(what, "asleep") == 0) {
        return process != NULL && process->stalled_until_us == INT64_MAX;
    }
    if (strcmp(what, "leads") == 0) {
        return process != NULL && process->alive && leader_phase(process->leader) == LEADER_ACTIVE;
    }
    if (strcmp(what, "known") == 0) { /* by a PROGRESS */
        char key[32];
        snprintf(key, sizeof key, "progress/%s", words[1]);
        return fold_find(fold, key) != NULL;
    }
    if (strcmp(what, "puts_landed") == 0) {
        return world->store.put_count == 0;
    }
    if (strcmp(what, "member") == 0) { /* the member's own words */
        const struct sim_process *said = story_process(story, words[1]);
        return said != NULL && said->alive && strstr(member_doing(said->member), words[2]) != NULL;
    }
    if (strcmp(what, "stored") == 0) {
        return store_get(&world->store, story_object(story, words[1])) != NULL;
    }
    return story_misread(story, "unknown condition", what);
}

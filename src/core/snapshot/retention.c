/* Which runs must stay and which are old (snapshot format, section 12; PROTOCOL R15). */
#include "core/snapshot/retention.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/check.h"

const char *retention_reason_name(enum retention_reason reason)
{
    static const char *const names[] = {
        [RETENTION_OLD] = "old",           [RETENTION_CURRENT] = "current",
        [RETENTION_HEAD] = "head",         [RETENTION_OPEN_BUILD] = "open_build",
        [RETENTION_LEASE] = "lease",       [RETENTION_KEEP_LAST] = "keep_last",
        [RETENTION_KEEP_FOR] = "keep_for", [RETENTION_REFERENCED] = "referenced",
    };
    CHECK((size_t)reason < LENGTH_OF(names));
    return names[reason];
}

/* Newest published first, those that are not at the end; equal times by run id, so that the answer
 * does not depend on the order of a listing. */
static int compare_newest_first(const void *left, const void *right)
{
    const struct retention_run *a = *(struct retention_run *const *)left;
    const struct retention_run *b = *(struct retention_run *const *)right;
    if (a->published_us != b->published_us) {
        return a->published_us > b->published_us ? -1 : 1;
    }
    return strcmp(b->run_id, a->run_id);
}

static int compare_id(const void *left, const void *right)
{
    const struct retention_run *a = *(struct retention_run *const *)left;
    const struct retention_run *b = *(struct retention_run *const *)right;
    return strcmp(a->run_id, b->run_id);
}

static int compare_to_id(const void *run_id, const void *element)
{
    return strcmp(run_id, (*(struct retention_run *const *)element)->run_id);
}

/* What keeps a run for its own sake. `rank` counts published runs from the newest, 0. */
static enum retention_reason own_reason(const struct retention_policy *policy,
                                        const struct retention_run *run, size_t rank)
{
    if (run->is_current) {
        return RETENTION_CURRENT;
    }
    if (run->is_head) {
        return RETENTION_HEAD;
    }
    if (run->is_open_build) {
        return RETENTION_OPEN_BUILD;
    }
    if (run->has_running_record && run->lease_expires_us > policy->now_us) {
        return RETENTION_LEASE;
    }
    if (run->published_us == RETENTION_NOT_PUBLISHED) {
        return RETENTION_OLD;
    }
    bool no_limit = policy->keep_last == 0 && policy->keep_for_us == 0;
    if (no_limit || rank < policy->keep_last || rank == 0) {
        return RETENTION_KEEP_LAST;
    }
    if (policy->keep_for_us > 0 && run->published_us > policy->now_us - policy->keep_for_us) {
        return RETENTION_KEEP_FOR;
    }
    return RETENTION_OLD;
}

/* Marks what the run at the top of the stack points into, and puts that on the stack. */
static void follow(struct retention_run *const *by_id, size_t count, struct retention_run **stack,
                   size_t *depth)
{
    struct retention_run *run = stack[--*depth];
    for (size_t i = 0; i < run->points_into_count; i++) {
        struct retention_run *const *found =
            bsearch(run->points_into[i], by_id, count, sizeof *by_id, compare_to_id);
        if (found != NULL && (*found)->reason == RETENTION_OLD) {
            (*found)->reason = RETENTION_REFERENCED;
            stack[(*depth)++] = *found;
        }
    }
}

void retention_decide(const struct retention_policy *policy, struct retention_run *runs,
                      size_t count)
{
    struct retention_run **sorted = malloc((count + 1) * sizeof *sorted);
    struct retention_run **stack = malloc((count + 1) * sizeof *stack);
    CHECK(sorted != NULL && stack != NULL);
    for (size_t i = 0; i < count; i++) {
        sorted[i] = &runs[i];
    }
    qsort(sorted, count, sizeof *sorted, compare_newest_first);
    size_t depth = 0;
    for (size_t i = 0; i < count; i++) {
        sorted[i]->reason = own_reason(policy, sorted[i], i);
        if (sorted[i]->reason != RETENTION_OLD) {
            stack[depth++] = sorted[i];
        }
    }
    qsort(sorted, count, sizeof *sorted, compare_id);
    while (depth > 0) {
        follow(sorted, count, stack, &depth);
    }
    free(sorted);
    free(stack);
}

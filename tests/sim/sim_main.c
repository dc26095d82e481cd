/* Runs the machines in simulated worlds, one a seed, and says which seed fails. */
#include <stdlib.h>
#include <time.h>

#include "tests/sim/world.h"

enum { FAULT_STEPS = 700, CALM_STEPS = 300, END_STEPS = 600 };

#ifdef COORD_MUTANTS
int coord_mutant;
#else
enum { coord_mutant = 0 };
#endif

static uint64_t seeds;
static int64_t simulated_us;

static bool run_seed(uint64_t seed, int members, FILE *trace, char *failure, size_t size)
{
    struct world *world = world_new(seed, members, trace);
    for (int i = 0; i < FAULT_STEPS && !world->failed; i++) {
        world_step(world);
    }
    uint64_t commits = audit_commits(world);
    world_no_faults(world);
    world_trace(world, "no more faults");
    for (int i = 0; i < CALM_STEPS && !world->failed; i++) {
        if (world->settings.trigger == TRIGGER_MANUAL && i % 100 == 50) {
            operator_trigger(world);
        }
        world_step(world);
    }
    world->growing = false;
    for (int i = 0; i < END_STEPS && !world->failed; i++) {
        world_step(world);
        if (audit_settled(world) && audit_commits(world) > commits) {
            break;
        }
    }
    if (!world->failed && audit_commits(world) == commits) {
        world_fail(world, "stuck: nothing was committed after the faults stopped");
    } else if (!world->failed && !audit_settled(world)) {
        world_fail(world, "stuck: something is still open long after the faults stopped");
    }
    bool ok = !world->failed;
    simulated_us += world->now_us - SIM_EPOCH_US;
    snprintf(failure, size, "%s", world->failure);
    world_free(world);
    return ok;
}

/* Three windows by one member, gone at one step and back after 300 ms, for every step there is. Of
 * a state, the later windows have rows of one shard, and the other is carried over. */
static bool crash_at(uint64_t step, enum contents contents, bool *out_done, FILE *trace)
{
    struct world *world = world_plain(step, 1, 2, trace);
    world->story.crash_at = step;
    world->settings.shards = 2;
    world->settings.contents = contents;
    world->settings.keep_last = 1;
    world->settings.cleanup_grace_us = 1000000;
    for (int i = 0; i < 900 && !world->failed; i++) {
        if (i % 30 == 0 && i < 150) {
            for (int k = 0; k < 12; k++) {
                source_add(world, k % 2, SIM_EPOCH_US + (int64_t)i * 30000 + k * 90000,
                           contents == CONTENTS_STATE && i > 0 ? 1 : (uint32_t)k);
            }
        }
        world_step(world);
    }
    if (!world->failed && (audit_commits(world) < 3 || !audit_settled(world))) {
        world_fail(world, "stuck");
    }
    if (world->failed) {
        printf("%s, gone %s (step %llu): %s\n", contents == CONTENTS_STATE ? "state" : "window",
               world->story.crashed_at, (unsigned long long)step, world->failure);
    }
    bool ok = !world->failed;
    *out_done = world->story.crashed_at[0] == '\0'; /* there is no such step any more */
    world_free(world);
    return ok;
}

static int crash_everywhere(FILE *trace)
{
    uint64_t steps = 0;
    int failed = 0;
    for (unsigned contents = CONTENTS_WINDOW; contents <= CONTENTS_STATE; contents++) {
        uint64_t step = 1;
        for (bool done = false; !done; step++) {
            failed += !crash_at(step, (enum contents)contents, &done, trace);
        }
        steps += step - 1;
    }
    printf("%llu steps, %d failed\n", (unsigned long long)steps, failed);
    return failed == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    uint64_t from = 1;
    uint64_t to = 100;
    int members = 0;
    bool trace = false;
    bool crashes = false;
    bool coverage = false;
    int64_t minutes = 0;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc) {
            from = to = strtoull(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--seeds") == 0 && i + 1 < argc) {
            char *end = NULL;
            from = strtoull(argv[++i], &end, 10);
            to = strtoull(end + 2, NULL, 10);
        } else if (strcmp(argv[i], "--members") == 0 && i + 1 < argc) {
            members = (int)strtol(argv[++i], NULL, 10);
#ifdef COORD_MUTANTS
        } else if (strcmp(argv[i], "--mutant") == 0 && i + 1 < argc) {
            coord_mutant = (int)strtol(argv[++i], NULL, 10);
#endif
        } else if (strcmp(argv[i], "--minutes") == 0 && i + 1 < argc) {
            minutes = strtoll(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--coverage") == 0) {
            coverage = true;
        } else if (strcmp(argv[i], "--crashes") == 0) {
            crashes = true;
        } else if (strcmp(argv[i], "--trace") == 0) {
            trace = true;
        } else {
            fprintf(stderr,
                    "usage: %s [--seed N [--minutes M] | --seeds A..B | --crashes] [--members N] "
                    "[--coverage] [--trace]\n",
                    argv[0]);
            return 2;
        }
    }
    if (crashes) {
        return crash_everywhere(trace ? stdout : NULL);
    }
    int failed = 0;
    time_t end = time(NULL) + minutes * 60;
    to = minutes > 0 ? UINT64_MAX : to;
    for (uint64_t seed = from; seed <= to && (minutes == 0 || time(NULL) < end); seed++) {
        seeds++;
        char failure[512];
        if (!run_seed(seed, members, trace ? stdout : NULL, failure, sizeof failure)) {
            printf("seed %llu: %s\n", (unsigned long long)seed, failure);
            failed++;
            if (coord_mutant != 0) {
                return 1; /* caught */
            }
        }
    }
    printf("%llu seeds, %d failed\n", (unsigned long long)seeds, failed);
    if (minutes > 0 || coverage) {
        printf("%.1f simulated hours\n", (double)simulated_us / 3.6e9);
        coverage_summary();
    }
    bool all = !coverage || coverage_print() == 0;
    return failed == 0 && all ? 0 : 1;
}

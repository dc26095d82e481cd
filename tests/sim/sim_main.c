/* Runs the machines in simulated worlds, one a seed, and says which seed fails. */
#include <stdlib.h>
#include <time.h>

#include "tests/sim/world.h"

enum { FAULT_STEPS = 700, CALM_STEPS = 300, END_STEPS = 2000, TIDY_STEPS = 400 };

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
    for (int i = 0; i < END_STEPS && !world->failed && liveness_is_due(world); i++) {
        world_step(world);
    }
    /* nobody believes in a world in which nothing was due */
    if (!world->failed && world->liveness.on && audit_commits(world) == commits &&
        world->settings.trigger != TRIGGER_SCHEDULE) {
        world_fail(world, "nothing was due after the faults stopped");
    }
    for (int i = 0; i < TIDY_STEPS && !world->failed && audit_unbounded(world) != NULL; i++) {
        world_step(world);
    }
    again_settle(world);
    bool asked = !world->failed && world->liveness.on; /* else nothing need ever be published */
    const char *unbounded = asked ? audit_unbounded(world) : NULL;
    if (unbounded != NULL) {
        world_fail(world, "the ledger grows: %s", unbounded);
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
    return failed;
}

/* What the program ends with; tests/sim/mutants.sh tells a world that failed from a run that was
 * none. */
enum { ENDS_WELL, ENDS_FAILED, ENDS_UNREAD, ENDS_UNREACHED };

struct options {
    uint64_t from;
    uint64_t to;
    int members; /* 0: as the seed says */
    int64_t minutes;
    bool trace;
    bool crashes;
    bool coverage;
};

static bool read_options(int argc, char **argv, struct options *out)
{
    *out = (struct options){.from = 1, .to = 100};
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(argv[i], "--coverage") == 0) {
            out->coverage = true;
        } else if (strcmp(argv[i], "--crashes") == 0) {
            out->crashes = true;
        } else if (strcmp(argv[i], "--trace") == 0) {
            out->trace = true;
        } else if (value == NULL) {
            return false;
        } else if (strcmp(argv[i], "--seed") == 0) {
            out->from = out->to = strtoull(value, NULL, 10);
            i++;
        } else if (strcmp(argv[i], "--seeds") == 0 && strstr(value, "..") != NULL) {
            out->from = strtoull(value, NULL, 10);
            out->to = strtoull(strstr(value, "..") + 2, NULL, 10);
            i++;
        } else if (strcmp(argv[i], "--members") == 0) {
            out->members = (int)strtol(value, NULL, 10);
            i++;
        } else if (strcmp(argv[i], "--minutes") == 0) {
            out->minutes = strtoll(value, NULL, 10);
            i++;
#ifdef COORD_MUTANTS
        } else if (strcmp(argv[i], "--mutant") == 0) {
            coord_mutant = (int)strtol(value, NULL, 10);
            i++;
#endif
        } else {
            return false;
        }
    }
    return out->members <= SIM_PROCESSES_MAX && out->from <= out->to;
}

/* Returns how many failed; a mutant is caught by the first. */
static int run_seeds(const struct options *options)
{
    int failed = 0;
    time_t end = time(NULL) + options->minutes * 60;
    uint64_t to = options->minutes > 0 ? UINT64_MAX : options->to;
    for (uint64_t seed = options->from; seed <= to && (options->minutes == 0 || time(NULL) < end);
         seed++) {
        char failure[512];
        seeds++;
        if (!run_seed(seed, options->members, options->trace ? stdout : NULL, failure,
                      sizeof failure)) {
            printf("seed %llu: %s\n", (unsigned long long)seed, failure);
            fflush(stdout);
            failed++;
            if (coord_mutant != 0) {
                return failed;
            }
        }
    }
    printf("%llu seeds, %d failed\n", (unsigned long long)seeds, failed);
    return failed;
}

int main(int argc, char **argv)
{
    struct options options;
    if (!read_options(argc, argv, &options)) {
        fprintf(stderr,
                "usage: %s [--seed N [--minutes M] | --seeds A..B | --crashes] [--members N] "
                "[--coverage] [--trace]\n",
                argv[0]);
        return ENDS_UNREAD;
    }
    if (options.crashes) {
        return crash_everywhere(options.trace ? stdout : NULL) == 0 ? ENDS_WELL : ENDS_FAILED;
    }
    int failed = run_seeds(&options);
    uint64_t seed = 0;
    double part = liveness_worst(&seed);
    if (coord_mutant == 0) {
        printf("the longest wait was %.0f %% of its bound (seed %llu)\n", part * 100,
               (unsigned long long)seed);
    }
    if (options.minutes > 0 || options.coverage) {
        printf("%.1f simulated hours\n", (double)simulated_us / 3.6e9);
        coverage_summary();
    }
    bool all = !options.coverage || coverage_print() == 0;
    return failed > 0 ? ENDS_FAILED : all ? ENDS_WELL : ENDS_UNREACHED;
}

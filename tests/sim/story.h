/* A story: a world without chance, and words that happen to it, one a line. */
#ifndef TIDEMARK_TESTS_SIM_STORY_H
#define TIDEMARK_TESTS_SIM_STORY_H

#include "tests/sim/world.h"

enum { STORY_WORDS_MAX = 24 };

struct story {
    struct world *world;
    FILE *trace;
    int line;
    bool misread; /* the story itself is wrong: an unknown word, not another outcome */
    char failure[512];
};

extern uint64_t story_seed; /* of the delays in the story's world */

/* One line, cut into words. False: `failure` says why. */
bool story_line(struct story *story, char **words, int count);

/* ---- story_conditions.c ---- */
bool story_is_true(struct story *story, char **words, int count);
struct sim_process *story_process(struct story *story, const char *name); /* NULL: no such one */
/* The story itself is wrong; false. */
bool story_misread(struct story *story, const char *what, const char *word);

/* The name in the store of RUN/SHARD/ATTEMPT; the RUN `current` is the one behind the pointer. */
const char *story_object(struct story *story, const char *word);

#endif

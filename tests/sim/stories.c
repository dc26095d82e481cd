/* Tells the stories of tests/sim/traces: what happens, and the trace of decisions that must come of
 * it. */
#include <stdlib.h>

#include "tests/sim/story.h"

#ifdef COORD_MUTANTS
int coord_mutant;
#endif

static int cut_words(char *line, char **words)
{
    int count = 0;
    for (char *word = strtok(line, " \t\n"); word != NULL && count < STORY_WORDS_MAX;
         word = strtok(NULL, " \t\n")) {
        words[count++] = word;
    }
    return count;
}

uint64_t story_seed = 13;

/* tests/sim/mutants.sh tells a story that came out otherwise from one that was not told at all. */
enum told { TOLD, TOLD_OTHERWISE, NOT_TOLD };

const char *story_object(struct story *story, const char *word)
{
    static char name[200];
    const char *run = strstr(store_get(&story->world->store, "_CURRENT"), "\"run_id\":\"") + 10;
    int size = strncmp(word, "current/", 8) == 0 ? (int)strcspn(run, "\"") : 0;
    snprintf(name, sizeof name, "shards/%.*s%s", size, run, size > 0 ? word + 7 : word);
    return name;
}

/* The lines that begin with '>' are the expected trace, whole and in order. */
static enum told tell(const char *path, FILE *trace, bool update)
{
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        fprintf(stderr, "%s: cannot be read\n", path);
        return NOT_TOLD;
    }
    struct story story = {.world = world_plain(story_seed, 1, 1, trace), .trace = trace};
    AUTO(buf) struct buf expected;
    buf_init(&expected, 1 << 20);
    char line[1000];
    bool ok = true;
    while (ok && fgets(line, sizeof line, file) != NULL) {
        char *words[STORY_WORDS_MAX];
        story.line++;
        if (line[0] == '>') {
            buf_add_text(&expected, line + 2);
            continue;
        }
        int count = line[0] == '#' ? 0 : cut_words(line, words);
        ok = count == 0 || story_line(&story, words, count);
        if (ok && story.world->failed) {
            snprintf(story.failure, sizeof story.failure, "%s", story.world->failure);
            ok = false;
        }
    }
    if (!ok) {
        printf("%s:%d: %s\n", path, story.line, story.failure);
    } else if (update) {
        const char *at = buf_text(&story.world->story.events);
        while (*at != '\0') {
            printf("> %.*s\n", (int)strcspn(at, "\n"), at);
            at += strcspn(at, "\n") + 1;
        }
    } else if (strcmp(buf_text(&expected), buf_text(&story.world->story.events)) != 0) {
        printf("%s: the trace is not the expected one. It is:\n%s", path,
               buf_text(&story.world->story.events));
        ok = false;
    }
    fclose(file);
    world_free(story.world);
    return ok ? TOLD : story.misread ? NOT_TOLD : TOLD_OTHERWISE;
}

int main(int argc, char **argv)
{
    bool trace = false;
    bool update = false;
    enum told worst = TOLD;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--trace") == 0) {
            trace = true;
        } else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc) {
            story_seed = strtoull(argv[++i], NULL, 10); /* other delays: the decisions stay */
        } else if (strcmp(argv[i], "--update") == 0) {
            update = true; /* prints the trace to be pasted, after it was read with care */
#ifdef COORD_MUTANTS
        } else if (strcmp(argv[i], "--mutant") == 0 && i + 1 < argc) {
            coord_mutant = (int)strtol(argv[++i], NULL, 10);
#endif
        } else {
            enum told told = tell(argv[i], trace ? stdout : NULL, update);
            worst = told > worst ? told : worst;
        }
    }
    return worst;
}

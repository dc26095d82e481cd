/* One line on a terminal that says how far a long command is. */
#ifndef TIDEMARK_CLI_COMMANDS_OUTPUT_PROGRESS_H
#define TIDEMARK_CLI_COMMANDS_OUTPUT_PROGRESS_H

#include "cli/commands/output.h"

/* Nothing is shown when standard error is not a terminal, or with --json. */
struct output_progress {
    struct output *borrowed_output;
    int64_t drawn_us; /* when it was last drawn, monotonic */
    bool drawn;
};

void output_progress_start(struct output_progress *progress, struct output *output);

/* Draws a bar, a percentage and `text`, at most ten times a second (always when done = total).
 * total 0: not known yet, only `text`. */
void output_progress_show(struct output_progress *progress, uint64_t done, uint64_t total,
                          const char *format, ...) PRINTF_LIKE(4, 5);

/* Takes the line away: before any other output. */
void output_progress_clear(struct output_progress *progress);

#endif

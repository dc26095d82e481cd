/* What a command prints: for people, or as JSON for scripts. */
#ifndef TIDEMARK_CLI_COMMANDS_OUTPUT_H
#define TIDEMARK_CLI_COMMANDS_OUTPUT_H

#include <stdio.h>

#include "core/base/json.h"

/* One thread. Results go to standard output; messages, errors and progress to standard error, so
 * that output can be piped. With `json`, results are one JSON document and nothing else. */
struct output {
    FILE *results;
    FILE *messages;
    bool json;
    bool colour;   /* of results: a terminal, no NO_COLOR, TERM is not "dumb" */
    bool progress; /* of messages: a terminal, and not json */
};

void output_init(struct output *output, bool json);

/* Flushes. False when results could not be written (a full disk, a closed pipe). */
MUST_CHECK bool output_finish(struct output *output);

/* Whether the results go to a pipe or socket whose other end was closed. */
bool output_reader_left(const struct output *output);

/* A text for people; nothing with `json`. No newline is added. */
void output_print(struct output *output, const char *format, ...) PRINTF_LIKE(2, 3);

/* The result as JSON in the stable form and a newline; nothing without `json`. */
void output_json(struct output *output, const cJSON *value);

/* "tidemark: message" and a newline on standard error; with `json`, {"message":…} instead. */
void output_message(struct output *output, const char *format, ...) PRINTF_LIKE(2, 3);

/* "tidemark: message", with `json` {"error":{"kind":…,"message":…}}, on standard error. */
void output_error(struct output *output, const struct err *err);

enum output_colour {
    OUTPUT_PLAIN,
    OUTPUT_BOLD,
    OUTPUT_DIM,
    OUTPUT_RED,
    OUTPUT_GREEN,
    OUTPUT_YELLOW
};

/* The terminal's sequence, or "" where there are no colours; end with OUTPUT_PLAIN. */
const char *output_colour(const struct output *output, enum output_colour colour);

/* Foreign text (keys, topic names, members): printed with control characters and bytes that are not
 * UTF-8 as \xNN, so that data cannot steer the terminal. */
void output_print_foreign(struct output *output, struct bytes text);

#endif

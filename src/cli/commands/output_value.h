/* A value of a snapshot, printed: raw, readable, or as JSON. */
#ifndef TIDEMARK_CLI_COMMANDS_OUTPUT_VALUE_H
#define TIDEMARK_CLI_COMMANDS_OUTPUT_VALUE_H

#include "cli/commands/output.h"

/* The bytes as they are, to the results; on a terminal a newline follows. Nothing with --json. */
void output_value_raw(struct output *output, struct bytes value);

/* "value" and "encoding": the text with "utf8", or else RFC 4648 base64 with "base64" (what is not
 * UTF-8, or has a NUL byte in it). */
void output_value_json(cJSON *object, struct bytes value);

/* A key's JSON text for people: what is printable stands as it is, and only controls, quotes and
 * halves of a pair stay escaped. */
void output_value_key(const char *json, struct buf *out);

#endif

/* What the commands share that write an operator's wish into the ledger. */
#ifndef TIDEMARK_CLI_COMMANDS_COMMAND_OPERATOR_H
#define TIDEMARK_CLI_COMMANDS_COMMAND_OPERATOR_H

#include "adapters/source.h"
#include "cli/commands/command.h"
#include "consumer/operator/operator.h"

#define COMMAND_OPTION_WHY                                                                         \
    {                                                                                              \
        "why", 0, "TEXT", "The reason, for whoever looks at the ledger later.", false              \
    }
#define COMMAND_OPTION_TIMEOUT                                                                     \
    {                                                                                              \
        "timeout", 0, "DURATION", "How long to wait for the service; 60s without it.", false       \
    }
#define COMMAND_OPTIONS_OPERATOR                                                                   \
    COMMAND_OPTION_FILE, COMMAND_OPTION_SET, COMMAND_OPTION_JSON, COMMAND_OPTION_WHY,              \
        COMMAND_OPTION_TIMEOUT

/* Zero it, then open; command_operator_auto ends it. */
struct command_operator {
    struct settings *settings;
    struct operator_session *session;
    struct arena *arena;
    const char *why;
    int64_t timeout_us;
    struct operator_listener listener; /* prints what is waited for, unless --json */
};

/* Settings and ledger, for a command that only looks. On failure the error is printed and *ret_code
 * says how to end, here and below. */
MUST_CHECK bool command_operator_look(struct command_call *call, struct command_operator *desk,
                                      enum exit_code *ret_code);
/* The same, and what COMMAND_OPTIONS_OPERATOR say. */
MUST_CHECK bool command_operator_open(struct command_call *call, struct command_operator *desk,
                                      enum exit_code *ret_code);
void command_operator_auto(struct command_operator *desk);

bool command_operator_has_topic(const struct settings *settings, const char *topic);

/* The ends of all partitions now; a partition's topic is its number in the settings. */
MUST_CHECK bool command_operator_ends(const struct settings *settings, struct arena *arena,
                                      struct source_ends **ret_ends, size_t *ret_count,
                                      struct err *err);

/* Prints an error that came from Kafka; transient ones end with EXIT_CODE_KAFKA. */
enum exit_code command_operator_fail(struct command_call *call, const struct err *err);

/* Appends and, if `wait`, waits; prints what came of it. `done_word` names the state DONE in JSON.
 */
enum exit_code command_operator_send(struct command_call *call, struct command_operator *desk,
                                     const struct message *message, bool wait,
                                     const char *done_word);

#endif

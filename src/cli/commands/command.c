/* One command of `tidemark`: its table of options, and the call that somebody made of it. */
#include "cli/commands/command.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/nearest.h"
#include "core/units.h"

const struct command_option command_help_option = {"help", 'h', NULL, "Print this help.", false};

static const struct command_option *find_name(const struct command *command, struct bytes name)
{
    for (const struct command_option *o = command->options; o != NULL && o->name != NULL; o++) {
        if (bytes_equal(bytes_of_text(o->name), name)) {
            return o;
        }
    }
    return bytes_equal(bytes_of_text("help"), name) ? &command_help_option : NULL;
}

static const struct command_option *find_letter(const struct command *command, char letter)
{
    for (const struct command_option *o = command->options; o != NULL && o->name != NULL; o++) {
        if (o->letter == letter && letter != 0) {
            return o;
        }
    }
    return letter == command_help_option.letter ? &command_help_option : NULL;
}

static bool refuse_unknown(const struct command *command, const char *written, const char *name,
                           struct err *err)
{
    const char *best = NULL;
    size_t best_distance = 0;
    for (const struct command_option *o = command->options; o != NULL && o->name != NULL; o++) {
        nearest_offer(name, o->name, &best, &best_distance);
    }
    if (best != NULL) {
        return err_set(err, ERR_INPUT, "there is no option %.100s; did you mean --%s?", written,
                       best);
    }
    return err_set(err, ERR_INPUT, "there is no option %.100s (tidemark %s --help lists them)",
                   written, command->name);
}

static bool add_value(struct command_call *call, const struct command_option *option,
                      const char *text, struct err *err)
{
    if (option == &command_help_option) {
        call->help = true;
        return true;
    }
    for (size_t i = 0; i < call->value_count; i++) {
        if (call->values[i].option == option && !option->many) {
            return err_set(err, ERR_INPUT, "--%s is given twice", option->name);
        }
    }
    if (call->value_count == COMMAND_VALUES_MAX) {
        return err_set(err, ERR_INPUT, "more than %d options", COMMAND_VALUES_MAX);
    }
    call->values[call->value_count++] = (struct command_value){.option = option, .text = text};
    return true;
}

/* argv[*at] begins with "--". */
static bool parse_long(struct command_call *call, int argc, char **argv, int *at, struct err *err)
{
    const char *written = argv[*at];
    const char *equals = strchr(written, '=');
    size_t size = equals == NULL ? strlen(written) - 2 : (size_t)(equals - written - 2);
    const struct command_option *option = find_name(call->command, bytes_of(written + 2, size));
    if (option == NULL) {
        char name[NEAREST_NAME_MAX + 1];
        snprintf(name, sizeof name, "%.*s", (int)(size < sizeof name ? size : 0), written + 2);
        return refuse_unknown(call->command, written, name, err);
    }
    if (option->argument == NULL) {
        return equals == NULL ? add_value(call, option, NULL, err)
                              : err_set(err, ERR_INPUT, "--%s takes no value", option->name);
    }
    if (equals != NULL || option->argument[0] == '[') {
        return add_value(call, option, equals == NULL ? NULL : equals + 1, err);
    }
    if (*at + 1 == argc) {
        return err_set(err, ERR_INPUT, "--%s needs a value: --%s=%s", option->name, option->name,
                       option->argument);
    }
    return add_value(call, option, argv[++*at], err);
}

/* argv[*at] is "-x", "-xVALUE" or several flags "-xyz". */
static bool parse_letters(struct command_call *call, int argc, char **argv, int *at,
                          struct err *err)
{
    for (const char *letter = argv[*at] + 1; *letter != '\0'; letter++) {
        const struct command_option *option = find_letter(call->command, *letter);
        if (option == NULL) {
            const char written[] = {'-', *letter, '\0'};
            return refuse_unknown(call->command, written, argv[*at] + 1, err);
        }
        if (option->argument == NULL) {
            TRY(add_value(call, option, NULL, err));
            continue;
        }
        if (letter[1] != '\0') {
            return add_value(call, option, letter + 1, err);
        }
        if (*at + 1 == argc) {
            return err_set(err, ERR_INPUT, "-%c needs a value: -%c %s", *letter, *letter,
                           option->argument);
        }
        return add_value(call, option, argv[++*at], err);
    }
    return true;
}

bool command_parse(const struct command *command, int argc, char **argv, struct command_call *call,
                   struct err *err)
{
    call->command = command;
    call->help = false;
    call->value_count = 0;
    call->argument_count = 0;
    call->arguments = (const char **)argv; /* arguments move down over what was read */
    bool options = true;
    for (int at = 0; at < argc; at++) {
        const char *word = argv[at];
        if (options && strcmp(word, "--") == 0) {
            options = false;
        } else if (options && strncmp(word, "--", 2) == 0) {
            TRY(parse_long(call, argc, argv, &at, err));
        } else if (options && word[0] == '-' && word[1] != '\0') {
            TRY(parse_letters(call, argc, argv, &at, err));
        } else {
            call->arguments[call->argument_count++] = word;
        }
    }
    if (call->help) {
        return true;
    }
    if (call->argument_count > command->arguments_max) {
        return err_set(err, ERR_INPUT, "unexpected argument \"%.100s\"",
                       call->arguments[command->arguments_max]);
    }
    if (call->argument_count < command->arguments_min) {
        return err_set(err, ERR_INPUT, "missing argument: %s", command->arguments);
    }
    return true;
}

static const struct command_option *must_find(const struct command_call *call, const char *name)
{
    const struct command_option *option = find_name(call->command, bytes_of_text(name));
    CHECK(option != NULL);
    return option;
}

bool command_has(const struct command_call *call, const char *name)
{
    const struct command_option *option = must_find(call, name);
    for (size_t i = 0; i < call->value_count; i++) {
        if (call->values[i].option == option) {
            return true;
        }
    }
    return false;
}

const char *command_value(const struct command_call *call, const char *name)
{
    const struct command_option *option = must_find(call, name);
    const char *text = NULL;
    for (size_t i = 0; i < call->value_count; i++) {
        if (call->values[i].option == option) {
            text = call->values[i].text;
        }
    }
    return text;
}

size_t command_values(const struct command_call *call, const char *name, const char **values,
                      size_t max)
{
    const struct command_option *option = must_find(call, name);
    size_t count = 0;
    for (size_t i = 0; i < call->value_count && count < max; i++) {
        if (call->values[i].option == option) {
            values[count++] = call->values[i].text;
        }
    }
    return count;
}

bool command_number(const struct command_call *call, const char *option, int64_t min, int64_t max,
                    int64_t fallback, int64_t *ret_number, struct err *err)
{
    const char *text = command_value(call, option);
    if (text == NULL) {
        *ret_number = fallback;
        return true;
    }
    char *end = NULL;
    long long number = strtoll(text, &end, 10);
    if (text[0] == '\0' || *end != '\0' || number < min || number > max) {
        return err_set(err, ERR_INPUT,
                       "--%s: \"%.50s\" is not a whole number from %" PRId64 " to %" PRId64, option,
                       text, min, max);
    }
    *ret_number = number;
    return true;
}

bool command_duration(const struct command_call *call, const char *option, int64_t fallback_us,
                      int64_t *ret_us, struct err *err)
{
    const char *text = command_value(call, option);
    if (text == NULL) {
        *ret_us = fallback_us;
        return true;
    }
    return units_duration(bytes_of_text(text), ret_us, err) || err_wrap(err, "--%s", option);
}

enum exit_code command_fail(struct command_call *call, enum exit_code code, const struct err *err)
{
    output_error(&call->output, err);
    return code == EXIT_CODE_OK ? exit_code_of(err) : code;
}

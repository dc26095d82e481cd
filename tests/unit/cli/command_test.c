/* Command lines: what is read, what is refused, and that help, man page and documentation agree. */
#include "cli/commands/command.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "adapters/os/file.h"
#include "cli/commands/command_help.h"
#include "cli/commands/command_man.h"
#include "cli/commands/command_page.h"
#include "cli/commands/command_lookup.h"
#include "cli/commands/commands.h"

static const struct command_option options[] = {
    COMMAND_OPTION_FILE,
    COMMAND_OPTION_SET,
    COMMAND_OPTION_JSON,
    {"limit", 'n', "N", "At most N.", false},
    {"watch", 0, "[=SECONDS]", "Again and again.", false},
    {"quiet", 'q', NULL, "Say less.", false},
    {"wait", 0, "TIME", "Wait so long.", false},
    COMMAND_OPTIONS_END,
};

static const struct command example = {
    .name = "example",
    .summary = "Be an example",
    .arguments = "KEY [MORE]",
    .arguments_min = 1,
    .arguments_max = 2,
    .options = options,
};

enum { WORDS_MAX = 12 };

static size_t copy_words(const char *const *words, char **argv)
{
    size_t count = 0;
    while (words[count] != NULL) {
        argv[count] = (char *)words[count];
        count++;
    }
    return count;
}

static bool parse(struct command_call *call, struct err *err, char **argv, const char *const *words)
{
    return command_parse(&example, (int)copy_words(words, argv), argv, call, err);
}

Test(command, options_and_arguments_in_any_order)
{
    static const char *const words[] = {"--config=a.cfg", "k1", "--set",  "a=1", "-n5", "-q",
                                        "--set=b=2",      "--", "--json", NULL};
    char *argv[WORDS_MAX];
    struct command_call call;
    struct err err = {0};
    cr_assert(parse(&call, &err, argv, words), "%s", err.message);
    cr_expect_str_eq(command_value(&call, "config"), "a.cfg");
    cr_expect(!command_has(&call, "json") && command_has(&call, "quiet"));
    cr_assert(call.argument_count == 2);
    cr_expect_str_eq(call.arguments[0], "k1");
    cr_expect_str_eq(call.arguments[1], "--json");
    const char *values[4];
    cr_assert(command_values(&call, "set", values, 4) == 2);
    cr_expect_str_eq(values[0], "a=1");
    cr_expect_str_eq(values[1], "b=2");
    int64_t number = 0;
    cr_expect(command_number(&call, "limit", 1, 10, 3, &number, &err) && number == 5);
    cr_expect(!command_number(&call, "limit", 6, 10, 3, &number, &err));
    int64_t us = 0;
    cr_expect(command_duration(&call, "wait", 17, &us, &err) && us == 17);
}

Test(command, short_options)
{
    static const char *const words[] = {"-c", "a.cfg", "-qn", "7", "-", NULL};
    char *argv[WORDS_MAX];
    struct command_call call;
    struct err err = {0};
    cr_assert(parse(&call, &err, argv, words), "%s", err.message);
    cr_expect_str_eq(command_value(&call, "config"), "a.cfg");
    cr_expect_str_eq(command_value(&call, "limit"), "7");
    cr_expect(command_has(&call, "quiet"));
    cr_expect_str_eq(call.arguments[0], "-"); /* standard input, by custom */
}

/* "[=SECONDS]": the next word is none of the option's. */
Test(command, a_value_that_may_be_left_out)
{
    static const struct {
        const char *words[WORDS_MAX];
        int64_t seconds;
        size_t arguments;
    } cases[] = {
        {{"a", NULL}, -1, 1},
        {{"a", "--watch", NULL}, 2, 1},
        {{"--watch", "7", NULL}, 2, 1},
        {{"a", "--watch=7", NULL}, 7, 1},
    };
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        char *argv[WORDS_MAX];
        struct command_call call;
        struct err err = {0};
        int64_t seconds = 0;
        cr_assert(parse(&call, &err, argv, cases[i].words), "%zu: %s", i, err.message);
        cr_expect_eq(command_has(&call, "watch"), cases[i].seconds > 0, "%zu", i);
        cr_assert(command_number(&call, "watch", 1, 9, 2, &seconds, &err));
        cr_expect_eq(seconds, cases[i].seconds < 0 ? 2 : cases[i].seconds, "%zu", i);
        cr_expect_eq(call.argument_count, cases[i].arguments, "%zu", i);
    }
}

Test(command, help_needs_no_arguments)
{
    static const char *const words[] = {"--help", NULL};
    char *argv[WORDS_MAX];
    struct command_call call;
    struct err err = {0};
    cr_expect(parse(&call, &err, argv, words) && call.help);
}

Test(command, wrong_lines_are_refused_with_a_reason)
{
    static const struct {
        const char *words[WORDS_MAX];
        const char *reason;
    } cases[] = {
        {{NULL}, "missing argument: KEY"},
        {{"a", "b", "c", NULL}, "unexpected argument \"c\""},
        {{"a", "--confg=x", NULL}, "no option --confg=x; did you mean --config?"},
        {{"a", "--xyzzy", NULL}, "no option --xyzzy (tidemark example --help"},
        {{"a", "-x", NULL}, "no option -x"},
        {{"a", "-qx", NULL}, "no option -x"},
        {{"a", "--quiet=yes", NULL}, "--quiet takes no value"},
        {{"a", "--config", NULL}, "--config needs a value"},
        {{"a", "-c", NULL}, "-c needs a value"},
        {{"a", "-cx", "--config=y", NULL}, "--config is given twice"},
        {{"a", "-q", "-q", NULL}, "--quiet is given twice"},
        {{"a", "--", "-q", "b", NULL}, "unexpected argument \"b\""},
    };
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        char *argv[WORDS_MAX];
        struct command_call call;
        struct err err = {0};
        cr_expect(!parse(&call, &err, argv, cases[i].words), "case %zu", i);
        cr_expect(err.kind == ERR_INPUT && strstr(err.message, cases[i].reason) != NULL,
                  "case %zu: %s", i, err.message);
    }
}

/* roff without its escapes, to be compared with help. */
static void strip_roff(const char *roff, struct buf *out)
{
    while (*roff != '\0') {
        if (strncmp(roff, "\\-", 2) == 0) {
            buf_add_byte(out, '-');
            roff += 2;
        } else if (strncmp(roff, "\\e", 2) == 0) {
            buf_add_byte(out, '\\');
            roff += 2;
        } else if (strncmp(roff, "\\&", 2) == 0) {
            roff += 2;
        } else if (strncmp(roff, "\\f", 2) == 0) {
            roff += 3;
        } else {
            buf_add_byte(out, (uint8_t)*roff++);
        }
    }
}

/* Blanks and line ends are one blank, so that wrapping does not matter. */
static void squeeze(const char *text, struct buf *out)
{
    for (bool blank = true; *text != '\0'; text++) {
        bool is_blank = *text == ' ' || *text == '\n';
        if (!is_blank) {
            buf_add_byte(out, (uint8_t)*text);
        } else if (!blank) {
            buf_add_byte(out, ' ');
        }
        blank = is_blank;
    }
}

static void make(void (*print)(struct buf *, const struct command *), const struct command *command,
                 bool roff, struct buf *out)
{
    AUTO(buf) struct buf text;
    AUTO(buf) struct buf plain;
    buf_init(&text, 1 << 20);
    buf_init(&plain, 1 << 20);
    buf_init(out, 1 << 20);
    print(&text, command);
    if (roff) {
        strip_roff(buf_text(&text), &plain);
    } else {
        buf_add_bytes(&plain, buf_bytes(&text));
    }
    squeeze(buf_text(&plain), out);
}

static void expect_in(const struct buf *page, const char *text, const char *what,
                      const struct command *command)
{
    AUTO(buf) struct buf squeezed;
    buf_init(&squeezed, 1 << 20);
    squeeze(text, &squeezed);
    cr_expect(strstr(buf_text(page), buf_text(&squeezed)) != NULL, "%s of %s lacks: %s", what,
              command->name, text);
}

Test(command, help_and_man_page_of_every_command_agree)
{
    for (size_t i = 0; i < commands_table.count; i++) {
        const struct command *command = commands_table.commands[i];
        AUTO(buf) struct buf help;
        AUTO(buf) struct buf man;
        make(command_help_print, command, false, &help);
        make(command_man_print, command, true, &man);
        expect_in(&help, command->summary, "help", command);
        expect_in(&man, command->summary, "man page", command);
        for (const struct command_option *o = command->options; o != NULL && o->name != NULL; o++) {
            char option[128];
            const char *argument = o->argument == NULL ? "" : o->argument;
            bool equals = argument[0] != '\0' && argument[0] != '[';
            snprintf(option, sizeof option, "--%s%s%s", o->name, equals ? "=" : "", argument);
            expect_in(&help, option, "help", command);
            expect_in(&man, option, "man page", command);
            expect_in(&help, o->doc, "help", command);
            expect_in(&man, o->doc, "man page", command);
        }
    }
}

Test(command, tables_are_well_formed)
{
    for (size_t i = 0; i < commands_table.count; i++) {
        const struct command *command = commands_table.commands[i];
        cr_expect(command_lookup(commands_table, command->name) == command, "%s twice",
                  command->name);
        cr_expect(command->run != NULL && command->summary != NULL);
        cr_expect(command->arguments_min <= command->arguments_max);
        cr_expect((command->arguments == NULL) == (command->arguments_max == 0), "%s",
                  command->name);
        size_t summary = strlen(command->summary);
        cr_expect(summary > 0 && summary <= 80 && command->summary[summary - 1] != '.', "%s",
                  command->name);
        for (const struct command_option *o = command->options; o != NULL && o->name != NULL; o++) {
            cr_expect(o->doc != NULL && o->doc[strlen(o->doc) - 1] == '.', "%s --%s", command->name,
                      o->name);
            cr_expect(strcmp(o->name, "help") != 0 && o->letter != 'h', "%s", command->name);
            for (const struct command_option *p = command->options; p != o; p++) {
                cr_expect(strcmp(p->name, o->name) != 0, "%s --%s twice", command->name, o->name);
                cr_expect(o->letter == 0 || p->letter != o->letter, "%s -%c twice", command->name,
                          o->letter);
            }
        }
    }
}

Test(command, the_page_of_all_commands_is_what_the_tables_say)
{
    AUTO(buf) struct buf page;
    AUTO(buf) struct buf made;
    buf_init(&page, 1 << 20);
    buf_init(&made, 1 << 20);
    struct err err = {0};
    cr_assert(file_read(TESTS_FOLDER "/../docs/commands.md", &page, &err), "%s", err.message);
    command_page_print(&made, commands_table.commands, commands_table.count);
    cr_expect(bytes_equal(buf_bytes(&page), buf_bytes(&made)),
              "run `tidemark help --markdown > docs/commands.md`");
}

Test(command, exit_codes_are_documented)
{
    AUTO(buf) struct buf page;
    buf_init(&page, 1 << 20);
    struct err err = {0};
    cr_assert(file_read(TESTS_FOLDER "/../docs/exit-codes.md", &page, &err), "%s", err.message);
    for (size_t i = 0; i < exit_code_doc_count; i++) {
        char row[512];
        cr_expect(exit_code_docs[i].code == (enum exit_code)i);
        snprintf(row, sizeof row, "\n| %d | %s | %s |", (int)exit_code_docs[i].code,
                 exit_code_docs[i].name, exit_code_docs[i].doc);
        cr_expect(strstr(buf_text(&page), row) != NULL, "docs/exit-codes.md lacks%s", row);
    }
}

Test(command, every_kind_of_error_has_an_exit_code)
{
    for (enum err_kind kind = ERR_NONE; kind <= ERR_STOPPED; kind++) {
        struct err err = {.kind = kind};
        cr_expect((exit_code_of(&err) == EXIT_CODE_OK) == (kind == ERR_NONE));
    }
}

/* Whose failure it is decides only where nothing else does; a wrapped error keeps it. */
Test(command, who_does_not_answer_has_an_exit_code)
{
    static const struct {
        enum err_kind kind;
        enum err_place place;
        enum exit_code code;
    } rows[] = {
        {ERR_TRANSIENT, ERR_OF_STORE, EXIT_CODE_STORE},
        {ERR_AMBIGUOUS, ERR_OF_STORE, EXIT_CODE_STORE},
        {ERR_TRANSIENT, ERR_OF_KAFKA, EXIT_CODE_KAFKA},
        {ERR_AMBIGUOUS, ERR_OF_KAFKA, EXIT_CODE_KAFKA},
        {ERR_TRANSIENT, ERR_ANYWHERE, EXIT_CODE_HELD}, /* what the caller says */
        {ERR_SETTINGS, ERR_OF_STORE, EXIT_CODE_SETTINGS},
        {ERR_SETTINGS, ERR_OF_KAFKA, EXIT_CODE_SETTINGS},
        {ERR_MISSING, ERR_OF_STORE, EXIT_CODE_NOT_FOUND},
        {ERR_LIMIT, ERR_OF_STORE, EXIT_CODE_LIMIT},
        {ERR_FENCED, ERR_OF_KAFKA, EXIT_CODE_FENCED},
        {ERR_STOPPED, ERR_OF_STORE, EXIT_CODE_STOPPED},
    };
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct err err;
        err_set(&err, rows[i].kind, "no");
        err_place(&err, rows[i].place);
        err_wrap(&err, "asked for x");
        cr_expect_eq(exit_code_or(&err, EXIT_CODE_HELD), rows[i].code, "row %zu", i);
    }
    struct err err;
    err_set(&err, ERR_TRANSIENT, "no");
    err_place(&err, ERR_OF_STORE);
    err_set(&err, ERR_TRANSIENT, "another");
    cr_expect_eq(exit_code_of(&err), EXIT_CODE_FAILED, "another error is not the store's");
}

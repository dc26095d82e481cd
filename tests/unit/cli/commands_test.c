/* Whole command lines: what they print where, and how they end. */
#include "cli/commands/commands.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define VECTORS TESTS_FOLDER "/vectors/settings/"

struct streams {
    char *results;
    char *messages;
};

static void read_back(FILE *stream, char **ret_text)
{
    fflush(stream);
    long size = ftell(stream);
    cr_assert(size >= 0);
    *ret_text = calloc(1, (size_t)size + 1);
    rewind(stream);
    cr_assert(*ret_text != NULL && fread(*ret_text, 1, (size_t)size, stream) == (size_t)size);
}

/* Runs a line of words with blanks between, with both streams in files. */
static enum exit_code run_line(const char *line, struct streams *ret_streams)
{
    char *argv[32] = {(char *)"tidemark"};
    int argc = 1;
    char *copy = strdup(line);
    for (char *word = strtok(copy, " "); word != NULL; word = strtok(NULL, " ")) {
        argv[argc++] = word;
    }
    int saved[2] = {dup(STDOUT_FILENO), dup(STDERR_FILENO)};
    FILE *files[2] = {tmpfile(), tmpfile()};
    fflush(NULL);
    dup2(fileno(files[0]), STDOUT_FILENO);
    dup2(fileno(files[1]), STDERR_FILENO);
    enum exit_code code = commands_run(argc, argv);
    fflush(NULL);
    dup2(saved[0], STDOUT_FILENO);
    dup2(saved[1], STDERR_FILENO);
    for (int i = 0; i < 2; i++) {
        close(saved[i]);
        fseek(files[i], 0, SEEK_END);
    }
    read_back(files[0], &ret_streams->results);
    read_back(files[1], &ret_streams->messages);
    fclose(files[0]);
    fclose(files[1]);
    free(copy);
    return code;
}

Test(commands, lines_end_as_documented)
{
    static const struct {
        const char *line;
        enum exit_code code;
        const char *results;  /* is in standard output; NULL: nothing there */
        const char *messages; /* is in standard error; NULL: nothing there */
    } cases[] = {
        {"", EXIT_CODE_USAGE, NULL, "Usage: tidemark"},
        {"--help", EXIT_CODE_OK, "Usage: tidemark", NULL},
        {"help", EXIT_CODE_OK, "  check ", NULL},
        {"help check", EXIT_CODE_OK, "--list-settings", NULL},
        {"help --man check", EXIT_CODE_OK, ".TH TIDEMARK\\-CHECK 1", NULL},
        {"help --man", EXIT_CODE_OK, ".BR tidemark\\-get", NULL},
        {"help exit-codes", EXIT_CODE_OK, "  12  corrupt", NULL},
        {"help chek", EXIT_CODE_USAGE, NULL, "did you mean check?"},
        {"help --list", EXIT_CODE_OK, "check\n", NULL},
        {"--version", EXIT_CODE_OK, "SQLite 3.", NULL},
        {"-V", EXIT_CODE_OK, "SQLite 3.", NULL},
        {"version --json", EXIT_CODE_OK, "\"sqlite\":\"3.", NULL},
        {"chek", EXIT_CODE_USAGE, NULL, "there is no command \"chek\"; did you mean check?"},
        {"xyzzy", EXIT_CODE_USAGE, NULL, "tidemark help lists them"},
        {"check --jsno", EXIT_CODE_USAGE, NULL, "did you mean --json?"},
        {"check --json --xyzzy", EXIT_CODE_USAGE, NULL, "{\"error\":{\"kind\":"},
        {"check", EXIT_CODE_USAGE, NULL, "no settings file: give one with -c FILE"},
        {"check extra", EXIT_CODE_USAGE, NULL, "unexpected argument \"extra\""},
        {"check --help", EXIT_CODE_OK, "Usage: tidemark check", NULL},
        {"check -c " VECTORS "good/minimal.cfg", EXIT_CODE_OK, "minimal.cfg is right", NULL},
        {"check -c " TESTS_FOLDER "/../etc/examples/cel.cfg", EXIT_CODE_OK,
         "routing      shard_hash(region + ':' + string(tier)) % 8u\n  shards       8, holding",
         NULL},
        {"check --json -c " VECTORS "good/minimal.cfg", EXIT_CODE_OK, "\"ok\":true", NULL},
        {"check -c " VECTORS "good/minimal.cfg --set group=x", EXIT_CODE_OK, "x.coordination",
         NULL},
        {"check -c " VECTORS "bad/empty.cfg", EXIT_CODE_SETTINGS, NULL, "tidemark: 6 mistakes"},
        {"check --json -c " VECTORS "bad/empty.cfg", EXIT_CODE_SETTINGS, "\"ok\":false", NULL},
        {"check -c /no/such.cfg", EXIT_CODE_SETTINGS, NULL, "No such file"},
        {"check --list-settings", EXIT_CODE_OK, "| `group` | text |", NULL},
    };
    unsetenv("TIDEMARK_CONFIG");
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        struct streams streams;
        enum exit_code code = run_line(cases[i].line, &streams);
        cr_expect(code == cases[i].code, "%s: %d\n%s", cases[i].line, (int)code, streams.messages);
        cr_expect(cases[i].results == NULL ? streams.results[0] == '\0'
                                           : strstr(streams.results, cases[i].results) != NULL,
                  "%s printed: %s", cases[i].line, streams.results);
        cr_expect(cases[i].messages == NULL ? streams.messages[0] == '\0'
                                            : strstr(streams.messages, cases[i].messages) != NULL,
                  "%s said: %s", cases[i].line, streams.messages);
        free(streams.results);
        free(streams.messages);
    }
}

Test(commands, a_json_result_is_one_document)
{
    static const char *const lines[] = {
        "version --json",
        "check --json -c " VECTORS "good/minimal.cfg",
        "check --json -c " VECTORS "bad/types.cfg",
    };
    for (size_t i = 0; i < LENGTH_OF(lines); i++) {
        struct streams streams;
        enum exit_code code = run_line(lines[i], &streams);
        struct err err = {0};
        AUTO(json) cJSON *root = NULL;
        cr_expect(code == EXIT_CODE_OK || code == EXIT_CODE_SETTINGS);
        cr_expect(json_parse(bytes_of_text(streams.results), &root, &err), "%s: %s", lines[i],
                  err.message);
        free(streams.results);
        free(streams.messages);
    }
}

Test(commands, the_settings_file_may_come_from_the_environment)
{
    struct streams streams;
    setenv("TIDEMARK_CONFIG", VECTORS "good/minimal.cfg", 1);
    cr_expect(run_line("check", &streams) == EXIT_CODE_OK);
    cr_expect(strstr(streams.results, "minimal.cfg is right") != NULL);
    free(streams.results);
    free(streams.messages);
}

Test(commands, output_that_cannot_be_written_is_a_failure)
{
    int saved = dup(STDOUT_FILENO);
    fflush(NULL);
    cr_assert(freopen("/dev/full", "w", stdout) != NULL);
    char *argv[] = {(char *)"tidemark", (char *)"version", NULL};
    enum exit_code code = commands_run(2, argv);
    dup2(saved, STDOUT_FILENO);
    close(saved);
    cr_expect(code == EXIT_CODE_FAILED);
}

/* `tidemark help | head`: the reader had enough, and that is no failure. */
Test(commands, output_that_nobody_reads_any_more_is_none)
{
    int ends[2];
    int saved = dup(STDOUT_FILENO);
    signal(SIGPIPE, SIG_IGN); /* as main does */
    fflush(NULL);
    cr_assert_eq(pipe(ends), 0);
    close(ends[0]);
    dup2(ends[1], STDOUT_FILENO);
    char *argv[] = {(char *)"tidemark", (char *)"version", NULL};
    enum exit_code code = commands_run(2, argv);
    dup2(saved, STDOUT_FILENO);
    close(saved);
    close(ends[1]);
    cr_expect(code == EXIT_CODE_OK);
}

/* `tidemark multiget`: the values of many keys. */
#include <inttypes.h>
#include <stdlib.h>

#include "cli/commands/command_snapshot.h"
#include "cli/commands/commands.h"
#include "cli/commands/output_value.h"

enum { KEYS_AT_ONCE = 1000 };

/* Where keys come from: the command line, then standard input where "-" stands. */
struct key_reader {
    struct command_call *call;
    size_t next;
    bool in_stdin;
    char *line;
    size_t capacity;
};

/* NULL at the end. Valid until the next call. */
static const char *next_key(struct key_reader *keys)
{
    for (;;) {
        if (keys->in_stdin) {
            ssize_t size = getline(&keys->line, &keys->capacity, stdin);
            if (size >= 0) {
                keys->line[strcspn(keys->line, "\r\n")] = '\0';
                return keys->line;
            }
            keys->in_stdin = false;
        }
        if (keys->next == keys->call->argument_count) {
            return NULL;
        }
        const char *argument = keys->call->arguments[keys->next++];
        if (strcmp(argument, "-") != 0) {
            return argument;
        }
        keys->in_stdin = true;
    }
}

struct progress {
    struct command_call *call;
    cJSON *results; /* with --json */
    uint64_t found;
    uint64_t missing;
};

static void print_answer(struct progress *progress, const char *text,
                         const struct snapshot_reader_answer *answer)
{
    struct output *output = &progress->call->output;
    progress->found += answer->found;
    progress->missing += !answer->found;
    if (output->json) {
        cJSON *item = json_add_object(progress->results);
        json_put_text(item, "key", text);
        json_put_bool(item, "found", answer->found);
        if (answer->found) {
            output_value_json(item, answer->value);
        }
    } else if (answer->found) {
        output_print_foreign(output, bytes_of_text(text));
        output_print(output, "\t");
        output_print_foreign(output, answer->value);
        output_print(output, "\n");
    } else {
        output_message(output, "key %.200s is not in the snapshot", text);
    }
}

/* Up to KEYS_AT_ONCE keys; *ret_more false at the end. */
static bool look_up_some(struct command_snapshot *snapshot, struct key_reader *keys,
                         struct progress *progress, bool *ret_more, struct err *err)
{
    AUTO(arena) struct arena *arena = arena_new(256 * 1024);
    const struct manifest *manifest = &snapshot_reader_snapshot(snapshot->reader)->manifest;
    struct logical_key *logical = arena_alloc(arena, KEYS_AT_ONCE * sizeof *logical);
    const char **texts = arena_alloc(arena, KEYS_AT_ONCE * sizeof *texts);
    struct snapshot_reader_answer *answers = arena_zero(arena, KEYS_AT_ONCE * sizeof *answers);
    size_t count = 0;
    *ret_more = true;
    while (count < KEYS_AT_ONCE) {
        const char *text = next_key(keys);
        if (text == NULL) {
            *ret_more = false;
            break;
        }
        texts[count] = arena_text(arena, bytes_of_text(text));
        TRY(command_snapshot_key(manifest, texts[count], arena, &logical[count], err));
        count++;
    }
    TRY(snapshot_reader_multiget(snapshot->reader, logical, count, arena, answers, err));
    for (size_t i = 0; i < count; i++) {
        print_answer(progress, texts[i], &answers[i]);
    }
    return true;
}

static enum exit_code run(struct command_call *call)
{
    AUTO(command_snapshot) struct command_snapshot snapshot = {0};
    enum exit_code code = EXIT_CODE_OK;
    if (!command_snapshot_open_keys(call, &snapshot, &code)) {
        return code;
    }
    AUTO(json) cJSON *root = json_new_object();
    json_put_text(root, "run_id", snapshot_reader_snapshot(snapshot.reader)->manifest.run_id);
    struct progress progress = {.call = call, .results = json_put_array(root, "results")};
    struct key_reader keys = {.call = call};
    struct err err = {0};
    bool ok = true;
    for (bool more = true; ok && more;) {
        ok = look_up_some(&snapshot, &keys, &progress, &more, &err);
    }
    free(keys.line);
    if (!ok) {
        return command_snapshot_fail(call, &err);
    }
    json_put_u64(root, "found", progress.found);
    json_put_u64(root, "missing", progress.missing);
    output_json(&call->output, root);
    return progress.missing == 0 ? EXIT_CODE_OK : EXIT_CODE_NOT_FOUND;
}

static const struct command_option options[] = {
    COMMAND_OPTIONS_READER,
    COMMAND_OPTION_COLUMN,
    COMMAND_OPTIONS_END,
};

const struct command multiget_command = {
    .name = "multiget",
    .summary = "Print the values of many keys",
    .arguments = "KEY…|-",
    .arguments_min = 1,
    .arguments_max = SIZE_MAX,
    .options = options,
    .help = "Prints a line for each key that is there: the key, a tab, the value, in the order of "
            "the keys; control characters, backslashes and bytes that are not UTF-8 are written as "
            "escapes (use get or --json for exact bytes). `-` stands for keys from standard input, "
            "one a line. Keys that are not there are named on standard error, and the exit code is "
            "then 4.\n\n"
            "With --json: run_id, found and missing (counts), results: a list with key, "
            "found, value and encoding as of get.",
    .examples = "tidemark multiget -c etc/tidemark.cfg 17 18 19\tthree keys\n"
                "tidemark multiget -s file:///data/orders --json - < keys\tkeys from a file\n",
    .run = run,
};

/* What commands print: columns, foreign bytes, errors as JSON, and nothing that steers a terminal.
 */
#include "cli/commands/output.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/commands/output_progress.h"
#include "cli/commands/output_table.h"
#include "cli/commands/output_value.h"

struct memory {
    struct output output;
    char *results;
    size_t results_size;
    char *messages;
    size_t messages_size;
};

static void open_memory(struct memory *memory, bool json)
{
    output_init(&memory->output, json);
    memory->output.results = open_memstream(&memory->results, &memory->results_size);
    memory->output.messages = open_memstream(&memory->messages, &memory->messages_size);
    cr_assert(memory->output.results != NULL && memory->output.messages != NULL);
}

static void flush(struct memory *memory)
{
    cr_assert(output_finish(&memory->output));
}

static void close_memory(struct memory *memory)
{
    fclose(memory->output.results);
    fclose(memory->output.messages);
    free(memory->results);
    free(memory->messages);
}

Test(output, a_key_is_shown_as_it_reads)
{
    static const char *const rows[][2] = {
        {"17", "17"},
        {"\"order-7\"", "\"order-7\""},
        {"\"gr\\u00f6\\u00dfe\"", "\"größe\""},
        {"\"\\u20ac\\uD83D\\ude00!\"", "\"€😀!\""},
        {"\"größe\"", "\"größe\""},
        {"\"\\u001b[31m\\u0085\\n\"", "\"\\u001b[31m\\u0085\\n\""}, /* controls stay */
        {"\"\\\\u00f6\\\"\"", "\"\\\\u00f6\\\"\""},                 /* a backslash, and u00f6 */
        {"\"\\ud83d!\\ude00\"", "\"\\ud83d!\\ude00\""},             /* halves */
        {"\"\\u00f", "\"\\u00f"},
    };
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        AUTO(buf) struct buf text;
        buf_init(&text, SIZE_MAX);
        output_value_key(rows[i][0], &text);
        cr_expect_str_eq(buf_text(&text), rows[i][1]);
    }
}

Test(output, columns_line_up_and_control_characters_do_not_get_out)
{
    static const struct output_column columns[] = {
        {"NAME", false}, {"ROWS", true}, {"NOTE", false}};
    struct memory memory;
    AUTO(output_table) struct output_table table;
    open_memory(&memory, false);
    output_table_init(&table, columns, LENGTH_OF(columns));
    output_table_add(&table, "größe");
    output_table_add(&table, "%d", 7);
    output_table_add(&table, "a\033[31m\nb");
    output_table_add(&table, "x");
    output_table_add(&table, "%d", 12345);
    output_table_add(&table, "\xff");
    output_table_add(&table, "à");
    output_table_add(&table, "%d", 1);
    output_table_add(&table, "\xc2\x9b");
    output_table_print(&table, &memory.output);
    flush(&memory);
    cr_expect_str_eq(memory.results, "NAME    ROWS  NOTE\n"
                                     "größe      7  a\\x1b[31m\\x0ab\n"
                                     "x      12345  \\xff\n"
                                     "à          1  \\xc2\\x9b\n");
    close_memory(&memory);
}

Test(output, foreign_bytes_are_escaped)
{
    static const struct {
        struct bytes text;
        const char *printed;
    } cases[] = {
        {{(const uint8_t *)"plain", 5}, "plain"},
        {{(const uint8_t *)"a\0b", 3}, "a\\x00b"},
        {{(const uint8_t *)"\033]0;x\007", 6}, "\\x1b]0;x\\x07"},
        {{(const uint8_t *)"\\x00", 4}, "\\\\x00"},
        {{(const uint8_t *)"gr\xc3\xb6\xc3\x9f", 6}, "größ"},
        {{(const uint8_t *)"\xff\xc3", 2}, "\\xff\\xc3"},
        {{(const uint8_t *)"\xc2\x9b"
                           "1m",
          4},
         "\\xc2\\x9b1m"}, /* U+009B, a control too */
    };
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        struct memory memory;
        open_memory(&memory, false);
        output_print_foreign(&memory.output, cases[i].text);
        flush(&memory);
        cr_expect_str_eq(memory.results, cases[i].printed, "%zu: %s", i, memory.results);
        close_memory(&memory);
    }
}

Test(output, json_has_results_and_errors_of_its_own)
{
    struct memory memory;
    open_memory(&memory, true);
    struct err err;
    err_set(&err, ERR_MISSING, "no \"key\"");
    output_print(&memory.output, "for people\n");
    AUTO(json) cJSON *root = json_new_object();
    json_put_i64(root, "b", 1);
    json_put_text(root, "a", "x");
    output_json(&memory.output, root);
    output_error(&memory.output, &err);
    output_message(&memory.output, "%d left", 3);
    flush(&memory);
    cr_expect_str_eq(memory.results, "{\"a\":\"x\",\"b\":1}\n");
    cr_expect_str_eq(memory.messages,
                     "{\"error\":{\"kind\":\"missing\",\"message\":\"no \\\"key\\\"\"}}\n"
                     "{\"message\":\"3 left\"}\n");
    close_memory(&memory);
}

Test(output, people_get_text_and_no_json)
{
    struct memory memory;
    open_memory(&memory, false);
    struct err err;
    err_set(&err, ERR_MISSING, "no key");
    AUTO(json) cJSON *root = json_new_object();
    output_json(&memory.output, root);
    output_print(&memory.output, "%s%s%s\n", output_colour(&memory.output, OUTPUT_RED), "text",
                 output_colour(&memory.output, OUTPUT_PLAIN));
    output_error(&memory.output, &err);
    flush(&memory);
    cr_expect_str_eq(memory.results, "text\n", "colours without a terminal");
    cr_expect_str_eq(memory.messages, "tidemark: no key\n");
    close_memory(&memory);
}

Test(output, progress_is_one_line_and_only_on_a_terminal)
{
    struct memory memory;
    struct output_progress progress;
    open_memory(&memory, false);
    output_progress_start(&progress, &memory.output);
    output_progress_show(&progress, 1, 2, "half");
    output_progress_clear(&progress);
    flush(&memory);
    cr_expect_str_eq(memory.messages, "", "progress without a terminal");

    memory.output.progress = true;
    output_progress_show(&progress, 1, 2, "half\nway");
    output_progress_show(&progress, 1, 2, "too soon to be drawn");
    output_progress_show(&progress, 2, 2, "done");
    output_progress_clear(&progress);
    flush(&memory);
    cr_expect_str_eq(memory.messages, "\r[############------------]  50%  half?way\033[K"
                                      "\r[########################] 100%  done\033[K"
                                      "\r\033[K");
    close_memory(&memory);
}

Test(output, colours_obey_no_color)
{
    struct output output;
    output_init(&output, false);
    output.colour = true;
    cr_expect_str_eq(output_colour(&output, OUTPUT_RED), "\033[31m");
    output.colour = false;
    cr_expect_str_eq(output_colour(&output, OUTPUT_RED), "");
}

/* Columns that line up. */
#ifndef TIDEMARK_CLI_COMMANDS_OUTPUT_TABLE_H
#define TIDEMARK_CLI_COMMANDS_OUTPUT_TABLE_H

#include "cli/commands/output.h"

enum { OUTPUT_TABLE_COLUMNS_MAX = 16 };

struct output_column {
    const char *title;
    bool right; /* numbers stand at the right */
};

/* Collects cells row by row, then prints them all. Nothing is printed with --json: a command makes
 * its JSON itself. */
struct output_table {
    const struct output_column *columns;
    size_t column_count;
    char **cells;
    size_t cell_count;
    size_t capacity;
};

void output_table_init(struct output_table *table, const struct output_column *columns,
                       size_t column_count);
void output_table_done(struct output_table *table);
void output_table_auto(struct output_table *table); /* for AUTO(output_table) */

/* The next cell, left to right. Control characters are printed as \xNN. */
void output_table_add(struct output_table *table, const char *format, ...) PRINTF_LIKE(2, 3);

/* Titles (bold on a terminal) and rows, two blanks between columns, none at the end of a line. */
void output_table_print(const struct output_table *table, struct output *output);

#endif

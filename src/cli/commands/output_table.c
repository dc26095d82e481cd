/* Columns that line up. */
#include "cli/commands/output_table.h"

#include <stdarg.h>
#include <stdlib.h>

void output_table_init(struct output_table *table, const struct output_column *columns,
                       size_t column_count)
{
    CHECK(column_count > 0 && column_count <= OUTPUT_TABLE_COLUMNS_MAX);
    *table = (struct output_table){.columns = columns, .column_count = column_count};
}

void output_table_done(struct output_table *table)
{
    for (size_t i = 0; i < table->cell_count; i++) {
        free(table->cells[i]);
    }
    free(table->cells);
    *table = (struct output_table){0};
}

void output_table_auto(struct output_table *table)
{
    output_table_done(table);
}

/* \xNN for what could steer a terminal or break the line. */
static char *escape(const char *text)
{
    AUTO(buf) struct buf out;
    buf_init(&out, SIZE_MAX);
    bool utf8 = bytes_are_utf8(bytes_of_text(text));
    for (uint8_t before = 0; *text != '\0'; before = (uint8_t)*text++) {
        uint8_t byte = (uint8_t)*text;
        /* U+0080 to U+009F are controls too: c2 80 to c2 9f */
        bool control = byte < 0x20 || byte == 0x7f || (byte >= 0x80 && !utf8) ||
                       (byte == 0xc2 && (uint8_t)text[1] < 0xa0) || (byte < 0xa0 && before == 0xc2);
        if (control) {
            buf_add_format(&out, "\\x%02x", byte);
        } else {
            buf_add_byte(&out, byte);
        }
    }
    char *copy = strdup(buf_text(&out));
    CHECK(copy != NULL);
    return copy;
}

void output_table_add(struct output_table *table, const char *format, ...)
{
    if (table->cell_count == table->capacity) {
        table->capacity = table->capacity == 0 ? 64 : table->capacity * 2;
        table->cells = reallocarray(table->cells, table->capacity, sizeof *table->cells);
        CHECK(table->cells != NULL);
    }
    char *text = NULL;
    va_list args;
    va_start(args, format);
    CHECK(vasprintf(&text, format, args) >= 0);
    va_end(args);
    table->cells[table->cell_count++] = escape(text);
    free(text);
}

/* In code points: close enough to columns for names and numbers. */
static size_t width_of(const char *text)
{
    size_t width = 0;
    for (; *text != '\0'; text++) {
        width += ((uint8_t)*text & 0xc0) != 0x80;
    }
    return width;
}

static void print_cell(const struct output_table *table, struct output *output, size_t column,
                       const char *text, size_t width)
{
    bool right = table->columns[column].right;
    bool last = column + 1 == table->column_count;
    size_t pad = width - width_of(text);
    output_print(output, "%*s%s%*s%s", right ? (int)pad : 0, "", text, right || last ? 0 : (int)pad,
                 "", last ? "" : "  ");
}

void output_table_print(const struct output_table *table, struct output *output)
{
    CHECK(table->cell_count % table->column_count == 0);
    size_t widths[OUTPUT_TABLE_COLUMNS_MAX];
    for (size_t c = 0; c < table->column_count; c++) {
        widths[c] = width_of(table->columns[c].title);
    }
    for (size_t i = 0; i < table->cell_count; i++) {
        size_t width = width_of(table->cells[i]);
        size_t c = i % table->column_count;
        widths[c] = width > widths[c] ? width : widths[c];
    }
    output_print(output, "%s", output_colour(output, OUTPUT_BOLD));
    for (size_t c = 0; c < table->column_count; c++) {
        print_cell(table, output, c, table->columns[c].title, widths[c]);
    }
    output_print(output, "%s\n", output_colour(output, OUTPUT_PLAIN));
    for (size_t i = 0; i < table->cell_count; i++) {
        size_t c = i % table->column_count;
        print_cell(table, output, c, table->cells[i], widths[c]);
        if (c + 1 == table->column_count) {
            output_print(output, "\n");
        }
    }
}

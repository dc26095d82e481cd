/* Says what our CEL makes of expressions: a JSON object {"expr", "columns", "row"} a line in, a
 * value
 * {"t", "v"} or {"error": "compile" | "eval", "text"} a line out. For the comparison with another
 * implementation, and for looking by hand. */
#include "tests/support/cel_rows.h"

static void answer(struct bytes line, struct arena *arena, struct cel_scratch *scratch,
                   struct buf *out)
{
    struct cel_row row = cel_rows_read(line, "/row", arena);
    struct cel_problem problem = {0};
    AUTO(cel) struct cel *cel = NULL;
    struct cel_value value;
    if (!cel_new(row.expression, row.columns, row.column_count, &cel, &problem)) {
        buf_add_text(out, "{\"error\":\"compile\",\"text\":");
        json_print_text(bytes_of_text(problem.text), out);
        buf_add_format(out, ",\"at\":%zu}", problem.at);
        return;
    }
    cel_scratch_arena(scratch);
    if (!cel_eval(cel, row.bindings, scratch, &value)) {
        buf_add_text(out, "{\"error\":\"eval\",\"text\":");
        json_print_text(bytes_of_text(cel_scratch_fault(scratch)), out);
        buf_add_byte(out, '}');
        return;
    }
    cel_rows_print(&value, out);
}

int main(void)
{
    char *line = NULL;
    size_t capacity = 0;
    ssize_t size = 0;
    struct arena *arena = arena_new(1 << 16);
    struct cel_scratch *scratch = cel_scratch_new();
    while ((size = getline(&line, &capacity, stdin)) > 0) {
        AUTO(buf) struct buf out;
        buf_init(&out, 64 << 20);
        arena_reset(arena);
        answer(bytes_of(line, (size_t)size), arena, scratch, &out);
        printf("%s\n", buf_text(&out));
        fflush(stdout);
    }
    free(line);
    cel_scratch_free(scratch);
    arena_free(arena);
    return 0;
}

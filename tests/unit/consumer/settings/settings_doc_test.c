/* docs/settings.md and the example file agree with the table that settings are read by. */
#include "consumer/settings/settings_doc.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "adapters/os/file.h"
#include "consumer/settings/settings_schema.h"

static void read_file(const char *path, struct buf *out)
{
    struct err err = {0};
    buf_init(out, 1 << 20);
    cr_assert(file_read(path, out, &err), "%s", err.message);
}

Test(settings_doc, the_page_is_what_the_table_says)
{
    AUTO(buf) struct buf page;
    AUTO(buf) struct buf made;
    read_file(TESTS_FOLDER "/../docs/settings.md", &page);
    buf_init(&made, 1 << 20);
    settings_doc_print(&made);
    cr_expect_str_eq(buf_text(&page), buf_text(&made),
                     "run `tidemark check --list-settings > docs/settings.md`");
}

Test(settings_doc, every_setting_is_in_a_group_and_on_the_page_once)
{
    AUTO(buf) struct buf made;
    buf_init(&made, 1 << 20);
    settings_doc_print(&made);
    for (size_t i = 0; i < settings_schema_size; i++) {
        char row[256];
        snprintf(row, sizeof row, "| `%s` |", settings_schema[i].path);
        const char *first = strstr(buf_text(&made), row);
        cr_expect(first != NULL, "%s", row);
        cr_expect(first == NULL || strstr(first + 1, row) == NULL, "%s twice", row);
    }
}

Test(settings_doc, the_example_file_shows_every_group)
{
    AUTO(buf) struct buf example;
    read_file(TESTS_FOLDER "/../etc/tidemark.cfg", &example);
    for (size_t i = 0; i < settings_schema_group_count; i++) {
        char start[64];
        const char *path = settings_schema_groups[i].path;
        snprintf(start, sizeof start, "\n%s%s", path[0] == '\0' ? "group" : path,
                 strcmp(path, "topics") == 0 || path[0] == '\0' ? " = " : ": {");
        cr_expect(strstr(buf_text(&example), start) != NULL, "no group %s", path);
    }
}

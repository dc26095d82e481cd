/* The text form of metrics, and the page that is made of their table. */
#include "consumer/status/status_metrics.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "adapters/os/file.h"

Test(status_metrics, samples_of_one_metric_share_a_head)
{
    AUTO(buf) struct buf out;
    buf_init(&out, 1 << 16);
    struct metric_writer writer = {.borrowed_out = &out, .borrowed_group = "g", .last = -1};
    metric_i64(&writer, METRIC_TERM, -1, NULL);
    metric_u64(&writer, METRIC_REJECTED, UINT64_MAX, "cause", "a\"b\\c\nd", NULL);
    metric_u64(&writer, METRIC_REJECTED, 0, "cause", "x", NULL);
    metric_seconds(&writer, METRIC_WATERMARK, -1500000, "topic", "t", "partition", "3", NULL);
    char expected[1024];
    snprintf(expected, sizeof expected,
             "# HELP tidemark_term %s\n# TYPE tidemark_term gauge\n"
             "tidemark_term{group=\"g\"} -1\n"
             "# HELP tidemark_records_rejected_total %s\n"
             "# TYPE tidemark_records_rejected_total counter\n"
             "tidemark_records_rejected_total{group=\"g\",cause=\"a\\\"b\\\\c\\nd\"} "
             "18446744073709551615\n"
             "tidemark_records_rejected_total{group=\"g\",cause=\"x\"} 0\n"
             "# HELP tidemark_partition_watermark_seconds %s\n"
             "# TYPE tidemark_partition_watermark_seconds gauge\n"
             "tidemark_partition_watermark_seconds{group=\"g\",topic=\"t\",partition=\"3\"} "
             "-1.500000\n",
             metric_row(METRIC_TERM)->help, metric_row(METRIC_REJECTED)->help,
             metric_row(METRIC_WATERMARK)->help);
    cr_assert_str_eq(buf_text(&out), expected);
}

Test(status_metrics, buckets_are_cumulative)
{
    struct metric_histogram histogram = {0};
    metric_observe(&histogram, 100000);              /* exactly the first bound */
    metric_observe(&histogram, 100001);              /* just above it */
    metric_observe(&histogram, INT64_C(7200000000)); /* above all */
    AUTO(buf) struct buf out;
    buf_init(&out, 1 << 16);
    struct metric_writer writer = {.borrowed_out = &out, .borrowed_group = "g", .last = -1};
    metric_print_histogram(&writer, METRIC_CLOSE_TO_PUBLISH, &histogram);
    static const char *const lines[] = {
        "_bucket{group=\"g\",le=\"0.1\"} 1\n",  "_bucket{group=\"g\",le=\"0.25\"} 2\n",
        "_bucket{group=\"g\",le=\"3600\"} 2\n", "_bucket{group=\"g\",le=\"+Inf\"} 3\n",
        "_sum{group=\"g\"} 7200.200001\n",      "_count{group=\"g\"} 3\n",
    };
    for (size_t i = 0; i < LENGTH_OF(lines); i++) {
        cr_expect_not_null(strstr(buf_text(&out), lines[i]), "%s in\n%s", lines[i], buf_text(&out));
    }
}

Test(status_metrics, names_are_as_prometheus_wants_them)
{
    for (int i = 0; i < METRIC_KINDS; i++) {
        const struct metric_table_row *row = metric_row((enum metric)i);
        cr_assert_not_null(row->name, "%d", i);
        size_t size = strlen(row->name);
        bool total = size > 6 && strcmp(row->name + size - 6, "_total") == 0;
        cr_expect_eq(total, strcmp(row->type, "counter") == 0, "%s", row->name);
        cr_expect_eq(strncmp(row->name, "tidemark_", 9), 0, "%s", row->name);
        cr_expect_eq(strspn(row->name, "abcdefghijklmnopqrstuvwxyz_"), size, "%s", row->name);
        cr_expect_eq(row->help[strlen(row->help) - 1], '.', "%s", row->name);
        for (int j = 0; j < i; j++) {
            cr_expect_str_neq(row->name, metric_row((enum metric)j)->name);
        }
    }
}

Test(status_metrics, the_page_is_what_the_table_says)
{
    AUTO(buf) struct buf page;
    AUTO(buf) struct buf made;
    struct err err = {0};
    buf_init(&page, 1 << 20);
    buf_init(&made, 1 << 20);
    cr_assert(file_read(TESTS_FOLDER "/../docs/metrics.md", &page, &err), "%s", err.message);
    metric_print_page(&made);
    cr_expect_str_eq(buf_text(&page), buf_text(&made),
                     "run `tidemark help metrics > docs/metrics.md`");
}

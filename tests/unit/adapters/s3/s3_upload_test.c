/* The size of parts, and ETags as servers write them. */
#include <criterion/criterion.h>

#include "adapters/s3/s3_upload.h"

Test(s3_upload, parts_are_few_enough)
{
    static const uint64_t mebibyte = 1024 * 1024;
    static const struct {
        uint64_t total;
        uint64_t wanted;
        uint64_t size;
    } cases[] = {
        {17 * 1024 * 1024, 8 * 1024 * 1024, 8 * 1024 * 1024},
        {17 * 1024 * 1024, 8 * 1024 * 1024 + 1, 9 * 1024 * 1024},
        {UINT64_C(80000) * 1024 * 1024, 8 * 1024 * 1024, 9 * 1024 * 1024},
        {UINT64_C(5) * 1024 * 1024 * 1024 * 1024, 8 * 1024 * 1024, 525 * 1024 * 1024},
    };
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        uint64_t size = s3_part_size(cases[i].total, cases[i].wanted);
        cr_expect_eq(size, cases[i].size, "case %zu: %llu", i,
                     (unsigned long long)(size / mebibyte));
        cr_expect_leq((cases[i].total + size - 1) / size, S3_PARTS_MAX);
    }
}

Test(s3_upload, etags_have_quotes)
{
    struct store_etag etag;
    s3_etag_set(&etag, "\"abc\"");
    cr_expect_str_eq(etag.text, "\"abc\"");
    s3_etag_set(&etag, "abc-2");
    cr_expect_str_eq(etag.text, "\"abc-2\"");
}

/* The size of parts, and ETags as servers write them. */
#include <criterion/criterion.h>

#include "adapters/s3/s3_copy.h"
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

Test(s3_upload, copies_keep_the_parts_of_their_source)
{
    static const uint64_t mebibyte = 1024 * 1024;
    static const struct {
        const char *etag;
        uint64_t size; /* MiB, as the next */
        uint64_t part;
    } cases[] = {
        {"\"0123\"", 17, 0},     {"\"0123-3\"", 17, 8},
        {"\"0123-3\"", 16, 0}, /* somebody else's parts */
        {"\"0123-3\"", 0, 0},    {"\"0123-x\"", 17, 0},
        {"\"0123\"", 6000, 512}, {"\"0123-750\"", 6000, 8},
    };
    struct s3_settings settings = {.part_bytes = 8 * mebibyte,
                                   .copy_single_max_bytes = 5120 * mebibyte};
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        uint64_t size = cases[i].size * mebibyte;
        cr_expect_eq(s3_copy_part_size(&settings, cases[i].etag, size), cases[i].part * mebibyte,
                     "case %zu", i);
    }
}

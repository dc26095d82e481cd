/* Are vectors read exactly, refused with the place of what is wrong, and packed so that they come
 * back? */
#include "core/record/vector.h"

#include <criterion/criterion.h>
#include <math.h>

static const struct {
    const char *text;
    uint32_t dim;
    const char *problem; /* NULL: it is right */
    size_t index;
} texts[] = {
    {"[1,2,3]", 3, NULL, 0},
    {" [ -1.5e-3 ,\n2E+2,0.1 ] ", 3, NULL, 0},
    {"[0]", 1, NULL, 0},
    {"[1,2]", 3, "fewer numbers than the dimension", 2},
    {"[]", 3, "fewer numbers than the dimension", 0},
    {"[1,2,3,4]", 3, "more numbers than the dimension", 3},
    {"[1,\"2\",3]", 3, "not a number", 1},
    {"[1,null,3]", 3, "not a number", 1},
    {"[1,[2],3]", 3, "not a number", 1},
    {"[1,2,1e39]", 3, "beyond what a float32 holds", 2},
    {"[1,-1e400,3]", 3, "beyond what a float32 holds", 1},
    {"{\"a\":1}", 3, "not an array of numbers", 0},
    {"", 3, "not an array of numbers", 0},
    {"[1,2,3] 4", 3, "something behind the array", 3},
    {"[1,2,3", 3, "more numbers than the dimension", 3},
    {"[1,2,1-2]", 3, "not a number", 2},
};

Test(vector, json)
{
    for (size_t i = 0; i < LENGTH_OF(texts); i++) {
        uint8_t vector[64];
        const char *problem = NULL;
        size_t index = 0;
        bool ok =
            vector_from_json(bytes_of_text(texts[i].text), texts[i].dim, vector, &problem, &index);
        cr_assert_eq(ok, texts[i].problem == NULL, "%s", texts[i].text);
        cr_assert(ok || strcmp(problem, texts[i].problem) == 0, "%s: %s", texts[i].text, problem);
        cr_assert(ok || index == texts[i].index, "%s: %zu", texts[i].text, index);
    }
}

/* The bits of the nearest float32, as numpy gives them. */
Test(vector, exact)
{
    static const struct {
        const char *text;
        uint32_t bits;
    } cases[] = {
        {"[0.1]", 0x3dcccccd},
        {"[-1.863]", 0xbfee76c9},
        {"[3.4028234663852886e38]", 0x7f7fffff},
        {"[1e-45]", 0x00000001},
        {"[1e-50]", 0x00000000},
        {"[-0]", 0x80000000},
        {"[16777217]", 0x4b800000},
        {"[0.300000011920928955078125]", 0x3e99999a},
    };
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        uint8_t vector[4];
        const char *problem = NULL;
        size_t index = 0;
        cr_assert(vector_from_json(bytes_of_text(cases[i].text), 1, vector, &problem, &index));
        cr_assert_eq(get_u32le(vector), cases[i].bits, "%s: %08x", cases[i].text,
                     get_u32le(vector));
    }
}

Test(vector, checks)
{
    float numbers[3] = {1, 2, 3};
    const char *problem = NULL;
    size_t index = 0;
    struct bytes vector = bytes_of(numbers, sizeof numbers);
    cr_assert(vector_check(vector, 3, VECTOR_COSINE, &problem, &index));
    cr_assert_not(vector_check(vector, 4, VECTOR_COSINE, &problem, &index));
    cr_assert_not_null(strstr(problem, "4 for each dimension"));
    cr_assert_not(vector_check(bytes_of(numbers, 11), 3, VECTOR_L2, &problem, &index));
    numbers[1] = (float)NAN;
    cr_assert_not(vector_check(vector, 3, VECTOR_L2, &problem, &index));
    cr_assert(index == 1 && strstr(problem, "finite") != NULL);
    numbers[1] = (float)INFINITY;
    cr_assert_not(vector_check(vector, 3, VECTOR_L2, &problem, &index));
    memset(numbers, 0, sizeof numbers);
    cr_assert(vector_check(vector, 3, VECTOR_L2, &problem, &index));
    cr_assert_not(vector_check(vector, 3, VECTOR_COSINE, &problem, &index));
    cr_assert_not_null(strstr(problem, "no direction"));
}

Test(vector, rows_are_packed_and_come_back)
{
    float numbers[2] = {1, -2};
    struct vector_row rows[] = {
        {.value = bytes_of_text("value")},
        {.value = bytes_of_text(""),
         .vector = bytes_of(numbers, sizeof numbers),
         .id = bytes_of_text("{}")},
        {.value = bytes_of_text("value"),
         .vector = bytes_of(numbers, sizeof numbers),
         .id = bytes_of_text("{\"v\": 1}"),
         .payload = bytes_of_text("[1]")},
    };
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct vector_row row;
        struct err err = {0};
        struct buf packed;
        buf_init(&packed, 1000);
        vector_row_pack(&rows[i], &packed);
        cr_assert(vector_row_unpack(buf_bytes(&packed), 2, &row, &err), "%s", err.message);
        cr_assert(bytes_equal(row.value, rows[i].value) && bytes_equal(row.id, rows[i].id));
        cr_assert(bytes_equal(row.vector, rows[i].vector));
        cr_assert(bytes_equal(row.payload, rows[i].payload));
        cr_assert_eq(vector_row_value_bytes(buf_bytes(&packed)), rows[i].value.size);
        /* every shorter one is refused, and one of another dimension */
        for (size_t size = 0; size < packed.size; size++) {
            cr_assert_not(vector_row_unpack(bytes_of(packed.data, size), 2, &row, &err));
            cr_assert_eq(err.kind, ERR_CORRUPT);
        }
        cr_assert_eq(vector_row_unpack(buf_bytes(&packed), 3, &row, &err), i == 0);
        buf_done(&packed);
    }
}

Test(vector, an_id_is_its_own_text)
{
    static const char *const ids[][2] = {
        {"{\"v\": 18446744073709551615, \"t\": \"int\"}", "18446744073709551615"},
        {"{\"v\": \"a\\u0000\", \"t\": \"str\"}", "\"a\\u0000\""},
        {"{\"t\": \"int\"}", "\"{\\\"t\\\": \\\"int\\\"}\""},
        {"not \"json\"", "\"not \\\"json\\\"\""},
    };
    struct arena *arena = arena_new(1024);
    for (size_t i = 0; i < LENGTH_OF(ids); i++) {
        cr_assert_str_eq(vector_id_json(ids[i][0], arena), ids[i][1]);
    }
    arena_free(arena);
}

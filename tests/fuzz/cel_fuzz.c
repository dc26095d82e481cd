/* CEL expressions: whatever compiles can be evaluated, gives the same again, and a fault has a
 * place. The first byte chooses the columns' values; the rest is the expression. */
#include <stdlib.h>
#include <string.h>

#include "core/base/check.h"
#include "core/route/cel/cel.h"
#include "core/route/sharding.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct sharding_column columns[] = {{"i", COLUMN_INT},    {"u", COLUMN_UINT},
                                                 {"d", COLUMN_DOUBLE}, {"f", COLUMN_BOOL},
                                                 {"s", COLUMN_STRING}, {"y", COLUMN_BYTES}};

static void bind(uint8_t choice, struct cel_binding bindings[LENGTH_OF(columns)])
{
    static const int64_t integers[] = {0, 3, -1, INT64_MIN, INT64_MAX, 1700000000, 7, 2};
    static const double reals[] = {0.0, 1.5, -0.0, 1e300, 123456.0, 5e-324, -1e19, 0.1};
    static const char *const texts[] = {"",  "eu", "2024-02-29T23:59:60Z", "1h30m", "a.c", "-7",
                                        "é", "("};
    size_t at = choice % 8;
    bindings[0] = (struct cel_binding){.value = cel_value_int(integers[at])};
    bindings[1] = (struct cel_binding){.value = cel_value_uint((uint64_t)integers[at])};
    bindings[2] = (struct cel_binding){.value = cel_value_double(reals[at])};
    bindings[3] = (struct cel_binding){.value = cel_value_bool(choice & 1)};
    bindings[4] = (struct cel_binding){.value = cel_value_string(bytes_of_text(texts[at]))};
    bindings[5] = (struct cel_binding){.fault = "this column has no value"};
    if (choice & 128) {
        bindings[5] = (struct cel_binding){.value = cel_value_bytes(bytes_of(&integers[at], 8))};
    }
}

/* A value of more than one kind of memory is looked at whole. */
static void touch(const struct cel_value *value, int depth)
{
    CHECK(value->kind < CEL_KINDS && depth < 100);
    if (value->kind == CEL_STRING) {
        CHECK(bytes_are_utf8(value->text));
    } else if (value->kind == CEL_LIST) {
        for (size_t i = 0; i < value->list->count; i++) {
            touch(&value->list->items[i], depth + 1);
        }
    } else if (value->kind == CEL_MAP) {
        for (size_t i = 0; i < value->map->count; i++) {
            touch(&value->map->values[i], depth + 1);
            CHECK(cel_value_lookup(value->map, &value->map->keys[i]) == &value->map->values[i]);
        }
    }
}

/* A NaN is not equal to itself, so only its kind can be compared. */
static bool same(const struct cel_value *a, const struct cel_value *b)
{
    return a->kind == b->kind && (cel_value_equal(a, b) || !cel_value_equal(a, a));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cel *cel = NULL;
    struct cel_problem problem = {0};
    struct bytes expression = size == 0 ? bytes_of("", 0) : bytes_of(data + 1, size - 1);
    if (!cel_new(expression, columns, LENGTH_OF(columns), &cel, &problem)) {
        AUTO(buf) struct buf picture;
        buf_init(&picture, 1 << 16);
        CHECK(problem.text[0] != '\0' && problem.at <= expression.size);
        cel_problem_show(expression, problem.at, "  ", &picture);
        CHECK(!picture.overflowed && picture.data[picture.size - 1] == '^');
        return 0;
    }
    struct cel_binding bindings[LENGTH_OF(columns)];
    bind(size == 0 ? 0 : data[0], bindings);
    struct cel_scratch *scratch = cel_scratch_new();
    struct cel_scratch *other = cel_scratch_new();
    struct cel_value value;
    struct cel_value again;
    cel_scratch_arena(scratch);
    cel_scratch_arena(other);
    bool ok = cel_eval(cel, bindings, scratch, &value);
    CHECK(cel_eval(cel, bindings, other, &again) == ok);
    if (ok) {
        touch(&value, 0);
        CHECK(same(&value, &again));
        CHECK(cel_result_kind(cel) == CEL_KINDS || cel_result_kind(cel) == value.kind ||
              value.kind == CEL_NULL); /* null may stand for a time */
    } else {
        CHECK(cel_scratch_fault(scratch)[0] != '\0');
    }
    cel_scratch_free(scratch);
    cel_scratch_free(other);
    cel_free(cel);
    return 0;
}

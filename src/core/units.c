/* Durations and sizes as people write them: "1h30m", "64MiB". */
#include "core/units.h"

#include <inttypes.h>
#include <stdio.h>

struct unit {
    const char *name;
    uint64_t factor;
};

/* Largest first: the order in which they may follow each other, and in which they are printed. */
static const struct unit duration_units[] = {
    {"d", UINT64_C(86400) * 1000000},
    {"h", UINT64_C(3600) * 1000000},
    {"m", UINT64_C(60) * 1000000},
    {"s", 1000000},
    {"ms", 1000},
    {"us", 1},
};

static const struct unit size_units[] = {
    {"TiB", UINT64_C(1) << 40},
    {"TB", UINT64_C(1000000000000)},
    {"GiB", UINT64_C(1) << 30},
    {"GB", 1000000000},
    {"MiB", UINT64_C(1) << 20},
    {"MB", 1000000},
    {"KiB", 1024},
    {"kB", 1000},
    {"B", 1},
};

static const char duration_hint[] = "write a number and a unit (d h m s ms us), as in \"1h30m\"";
static const char size_hint[] =
    "write a number and a unit (B kB MB GB TB KiB MiB GiB TiB), as in \"64MiB\"";

static bool is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

/* Reads digits at *at. False: none there, or more than 18 of them. */
static bool read_number(struct bytes text, size_t *at, uint64_t *out)
{
    size_t start = *at;
    uint64_t number = 0;
    while (*at < text.size && is_digit(text.data[*at])) {
        number = number * 10 + (uint64_t)(text.data[*at] - '0');
        if (++*at - start > 18) {
            return false;
        }
    }
    *out = number;
    return *at > start;
}

static struct bytes read_unit(struct bytes text, size_t *at)
{
    size_t start = *at;
    while (*at < text.size && !is_digit(text.data[*at])) {
        ++*at;
    }
    return bytes_of(text.data + start, *at - start);
}

static size_t find_unit(const struct unit *units, size_t count, struct bytes name)
{
    size_t i = 0;
    while (i < count && !bytes_equal(bytes_of_text(units[i].name), name)) {
        i++;
    }
    return i;
}

/* What is wrong with a unit that is not in the table. */
static bool refuse_unit(struct bytes unit, const char *hint, struct err *err)
{
    if (unit.size == 0) {
        return err_set(err, ERR_INPUT, "a unit is missing; %s", hint);
    }
    if (unit.data[0] == '.' || unit.data[0] == ',') {
        return err_set(err, ERR_INPUT, "fractions are not read; %s", hint);
    }
    bool printable = unit.size <= 16;
    for (size_t i = 0; i < unit.size; i++) {
        printable = printable && unit.data[i] > ' ' && unit.data[i] < 0x7f;
    }
    if (!printable) {
        return err_set(err, ERR_INPUT, "there is no such unit; %s", hint);
    }
    return err_set(err, ERR_INPUT, "there is no unit \"%.*s\"; %s", (int)unit.size,
                   (const char *)unit.data, hint);
}

bool units_duration(struct bytes text, int64_t *ret_us, struct err *err)
{
    size_t at = 0;
    size_t next_unit = 0;
    uint64_t total = 0;
    do {
        uint64_t number = 0;
        if (!read_number(text, &at, &number)) {
            return at > 0 && is_digit(text.data[at - 1])
                       ? err_set(err, ERR_INPUT, "the number is too large; %s", duration_hint)
                       : err_set(err, ERR_INPUT, "a number is missing; %s", duration_hint);
        }
        struct bytes name = read_unit(text, &at);
        size_t unit = find_unit(duration_units, LENGTH_OF(duration_units), name);
        if (unit == LENGTH_OF(duration_units)) {
            return refuse_unit(name, duration_hint, err);
        }
        if (unit < next_unit) {
            return err_set(err, ERR_INPUT, "units come largest first, each once; %s",
                           duration_hint);
        }
        next_unit = unit + 1;
        uint64_t part = 0;
        if (__builtin_mul_overflow(number, duration_units[unit].factor, &part) ||
            __builtin_add_overflow(total, part, &total) ||
            total > (uint64_t)UNITS_DURATION_MAX_US) {
            return err_set(err, ERR_INPUT, "longer than 3660 days");
        }
    } while (at < text.size);
    *ret_us = (int64_t)total;
    return true;
}

bool units_size(struct bytes text, uint64_t *ret_bytes, struct err *err)
{
    size_t at = 0;
    uint64_t number = 0;
    if (!read_number(text, &at, &number)) {
        return at > 0 ? err_set(err, ERR_INPUT, "the number is too large; %s", size_hint)
                      : err_set(err, ERR_INPUT, "a number is missing; %s", size_hint);
    }
    struct bytes name = bytes_of(text.data + at, text.size - at);
    uint64_t factor = 1;
    if (name.size > 0) {
        size_t unit = find_unit(size_units, LENGTH_OF(size_units), name);
        if (unit == LENGTH_OF(size_units)) {
            return refuse_unit(name, size_hint, err);
        }
        factor = size_units[unit].factor;
    }
    uint64_t total = 0;
    if (__builtin_mul_overflow(number, factor, &total) || total > UNITS_SIZE_MAX) {
        return err_set(err, ERR_INPUT, "larger than 2^62 bytes");
    }
    *ret_bytes = total;
    return true;
}

void units_print_duration(int64_t us, char text[UNITS_TEXT_SIZE])
{
    CHECK(us >= 0);
    uint64_t left = (uint64_t)us;
    size_t at = 0;
    if (left == 0) {
        snprintf(text, UNITS_TEXT_SIZE, "0s");
        return;
    }
    for (size_t i = 0; i < LENGTH_OF(duration_units); i++) {
        uint64_t count = left / duration_units[i].factor;
        left %= duration_units[i].factor;
        if (count > 0) {
            int added = snprintf(text + at, UNITS_TEXT_SIZE - at, "%" PRIu64 "%s", count,
                                 duration_units[i].name);
            CHECK(added > 0 && (size_t)added < UNITS_TEXT_SIZE - at);
            at += (size_t)added;
        }
    }
}

void units_print_size(uint64_t bytes, char text[UNITS_TEXT_SIZE])
{
    const struct unit *best = &size_units[LENGTH_OF(size_units) - 1];
    for (size_t i = LENGTH_OF(size_units); i-- > 0;) {
        if (bytes != 0 && bytes % size_units[i].factor == 0 &&
            size_units[i].factor > best->factor) {
            best = &size_units[i];
        }
    }
    snprintf(text, UNITS_TEXT_SIZE, "%" PRIu64 "%s", bytes / best->factor, best->name);
}

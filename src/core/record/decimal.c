/* Decimal numbers as text, to whole microseconds, without floating point. */
#include "core/record/decimal.h"

/* The parts of a number; digits are counted over the whole mantissa, the point left out. */
struct parts {
    bool negative;
    const uint8_t *mantissa; /* digits, perhaps with one '.' in between */
    const uint8_t *mantissa_end;
    int64_t digits;
    int64_t fraction_digits;
    int64_t exponent; /* held within +-EXPONENT_MAX, far beyond what can fit */
};

#define EXPONENT_MAX INT64_C(1000000000)

static const uint8_t *skip_digits(const uint8_t *at, const uint8_t *end)
{
    while (at < end && *at >= '0' && *at <= '9') {
        at++;
    }
    return at;
}

static bool split_exponent(const uint8_t *at, const uint8_t *end, struct parts *parts)
{
    if (at == end) {
        return true;
    }
    if (*at != 'e' && *at != 'E') {
        return false;
    }
    at++;
    bool minus = at < end && *at == '-';
    if (at < end && (*at == '-' || *at == '+')) {
        at++;
    }
    if (at == end || skip_digits(at, end) != end) {
        return false;
    }
    for (; at < end; at++) {
        if (parts->exponent < EXPONENT_MAX) {
            parts->exponent = parts->exponent * 10 + (*at - '0');
        }
    }
    if (minus) {
        parts->exponent = -parts->exponent;
    }
    return true;
}

static bool split(struct bytes text, struct parts *parts)
{
    if (text.size == 0) {
        return false;
    }
    const uint8_t *at = text.data;
    const uint8_t *end = text.data + text.size;
    *parts = (struct parts){.negative = *at == '-'};
    at += parts->negative;
    parts->mantissa = at;
    at = skip_digits(at, end);
    parts->digits = at - parts->mantissa;
    if (parts->digits == 0) {
        return false;
    }
    if (at < end && *at == '.') {
        const uint8_t *fraction = at + 1;
        at = skip_digits(fraction, end);
        parts->fraction_digits = at - fraction;
        if (parts->fraction_digits == 0) {
            return false;
        }
        parts->digits += parts->fraction_digits;
    }
    parts->mantissa_end = at;
    return split_exponent(at, end, parts);
}

/* *magnitude = *magnitude * 10 + digit, or false when that is above 2^63. */
static bool push_digit(uint64_t *magnitude, uint64_t digit)
{
    uint64_t limit = UINT64_C(1) << 63;
    if (*magnitude > (limit - digit) / 10) {
        return false;
    }
    *magnitude = *magnitude * 10 + digit;
    return true;
}

bool decimal_scale(struct bytes text, int power, int64_t *ret_value)
{
    struct parts parts;
    if (!split(text, &parts)) {
        return false;
    }
    /* the first `keep` digits are before the point of the scaled number */
    int64_t keep = parts.digits - parts.fraction_digits + parts.exponent + power;
    uint64_t magnitude = 0;
    bool remainder = false;
    int64_t position = 0;
    for (const uint8_t *at = parts.mantissa; at < parts.mantissa_end; at++) {
        if (*at == '.') {
            continue;
        }
        if (position < keep) {
            if (!push_digit(&magnitude, (uint64_t)(*at - '0'))) {
                return false;
            }
        } else {
            remainder = remainder || *at != '0';
        }
        position++;
    }
    for (; magnitude != 0 && position < keep; position++) {
        if (!push_digit(&magnitude, 0)) {
            return false;
        }
    }
    magnitude += parts.negative && remainder; /* floor */
    uint64_t limit = (UINT64_C(1) << 63) - (parts.negative ? 0 : 1);
    if (magnitude > limit) {
        return false;
    }
    *ret_value = (int64_t)(parts.negative ? 0 - magnitude : magnitude);
    return true;
}

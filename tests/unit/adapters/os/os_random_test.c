/* Randomness: the right length, and never the same twice. */
#include <criterion/criterion.h>
#include <string.h>

#include "adapters/os/os_random.h"

Test(os_random, hex_has_the_length_and_the_digits)
{
    for (size_t digits = 0; digits <= 40; digits++) {
        char text[48];
        memset(text, '#', sizeof text);
        os_random_hex(text, digits);
        cr_assert_eq(strlen(text), digits);
        cr_assert_eq(strspn(text, "0123456789abcdef"), digits);
        cr_assert_eq(text[digits + 1], '#');
    }
}

Test(os_random, values_differ_and_every_bit_moves)
{
    uint64_t ones = 0;
    uint64_t zeros = 0;
    uint64_t before = os_random_u64();
    for (int i = 0; i < 200; i++) {
        uint64_t now = os_random_u64();
        cr_assert_neq(now, before);
        ones |= now;
        zeros |= ~now;
        before = now;
    }
    cr_assert_eq(ones, UINT64_MAX);
    cr_assert_eq(zeros, UINT64_MAX);
}

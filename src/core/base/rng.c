/* A seeded generator of numbers: the same seed gives the same run. */
#include "core/base/rng.h"

#include "core/base/check.h"

void rng_init(struct rng *rng, uint64_t seed)
{
    for (int i = 0; i < 4; i++) {
        seed += UINT64_C(0x9e3779b97f4a7c15);
        uint64_t mixed = seed;
        mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
        rng->state[i] = mixed ^ (mixed >> 31);
    }
}

static uint64_t rotate_left(uint64_t value, int bits)
{
    return value << bits | value >> (64 - bits);
}

uint64_t rng_next(struct rng *rng)
{
    uint64_t *state = rng->state;
    uint64_t result = rotate_left(state[1] * 5, 7) * 9;
    uint64_t shifted = state[1] << 17;
    state[2] ^= state[0];
    state[3] ^= state[1];
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= shifted;
    state[3] = rotate_left(state[3], 45);
    return result;
}

uint64_t rng_below(struct rng *rng, uint64_t limit)
{
    CHECK(limit > 0);
    uint64_t skip = (0 - limit) % limit; /* 2^64 mod limit */
    uint64_t value = rng_next(rng);
    while (value < skip) {
        value = rng_next(rng);
    }
    return value % limit;
}

bool rng_chance(struct rng *rng, uint32_t per_million)
{
    return rng_below(rng, 1000000) < per_million;
}

void rng_hex(struct rng *rng, char *text, size_t digits)
{
    static const char alphabet[] = "0123456789abcdef";
    for (size_t i = 0; i < digits; i++) {
        text[i] = alphabet[rng_below(rng, 16)];
    }
    text[digits] = '\0';
}

/* A seeded generator of numbers: the same seed gives the same run. Not for secrets. */
#ifndef TIDEMARK_CORE_BASE_RNG_H
#define TIDEMARK_CORE_BASE_RNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* xoshiro256** (Blackman and Vigna), seeded by splitmix64. A value: copy it to fork the sequence.
 */
struct rng {
    uint64_t state[4];
};

void rng_init(struct rng *rng, uint64_t seed);
uint64_t rng_next(struct rng *rng);
uint64_t rng_below(struct rng *rng, uint64_t limit); /* 0 to limit - 1, unbiased; limit > 0 */
bool rng_chance(struct rng *rng, uint32_t per_million);
void rng_hex(struct rng *rng, char *text, size_t digits); /* lower case; writes digits + 1 bytes */

#endif

/* The right name that somebody probably meant. */
#include "core/nearest.h"

#include <string.h>

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Optimal string alignment: three rows of the usual table are enough for swaps. */
static size_t distance(const char *a, size_t a_size, const char *b, size_t b_size)
{
    size_t rows[3][NEAREST_NAME_MAX + 1];
    for (size_t j = 0; j <= b_size; j++) {
        rows[0][j] = j;
    }
    for (size_t i = 1; i <= a_size; i++) {
        size_t *now = rows[i % 3];
        const size_t *before = rows[(i + 2) % 3];
        const size_t *before_that = rows[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= b_size; j++) {
            char x = lower(a[i - 1]);
            char y = lower(b[j - 1]);
            size_t cost = least(least(before[j], now[j - 1]) + 1, before[j - 1] + (x != y));
            if (i > 1 && j > 1 && x == lower(b[j - 2]) && y == lower(a[i - 2])) {
                cost = least(cost, before_that[j - 2] + 1);
            }
            now[j] = cost;
        }
    }
    return rows[a_size % 3][b_size];
}

void nearest_offer(const char *name, const char *candidate, const char **best,
                   size_t *best_distance)
{
    size_t name_size = strlen(name);
    size_t candidate_size = strlen(candidate);
    if (name_size > NEAREST_NAME_MAX || candidate_size > NEAREST_NAME_MAX) {
        return;
    }
    size_t longer = name_size > candidate_size ? name_size : candidate_size;
    size_t allowed = longer / 3;
    size_t floor = longer >= 5 ? 2 : 1;
    allowed = allowed < floor ? floor : allowed;
    size_t here = distance(name, name_size, candidate, candidate_size);
    if (here <= allowed && here < longer && (*best == NULL || here < *best_distance)) {
        *best = candidate;
        *best_distance = here;
    }
}

const char *nearest_name(const char *name, const char *const *names, size_t count)
{
    const char *best = NULL;
    size_t best_distance = 0;
    for (size_t i = 0; i < count; i++) {
        nearest_offer(name, names[i], &best, &best_distance);
    }
    return best;
}

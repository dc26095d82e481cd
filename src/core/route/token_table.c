/* The distinct values of a routing expression that were met so far, numbered from 0. */
#include "core/route/token_table.h"

#include <stdlib.h>
#include <xxhash.h>

#include "core/base/arena.h"

enum { SLOTS_MIN = 64 };

/* Open addressing; a slot holds a number + 1. */
struct token_table {
    struct arena *arena;
    struct bytes *tokens;
    size_t count;
    uint32_t *slots;
    size_t slot_count; /* a power of two, at least twice `count` */
};

struct token_table *token_table_new(void)
{
    struct token_table *table = calloc(1, sizeof *table);
    CHECK(table != NULL);
    table->arena = arena_new(16 * 1024);
    table->slot_count = SLOTS_MIN;
    table->slots = calloc(table->slot_count, sizeof *table->slots);
    table->tokens = calloc(table->slot_count, sizeof *table->tokens);
    CHECK(table->slots != NULL && table->tokens != NULL);
    return table;
}

struct token_table *token_table_free(struct token_table *table)
{
    if (table != NULL) {
        arena_free(table->arena);
        free(table->slots);
        free(table->tokens);
        free(table);
    }
    return NULL;
}

/* The slot of a token, or the free one where it belongs. */
static uint32_t *find(const struct token_table *table, struct bytes token)
{
    size_t at = XXH3_64bits(token.data, token.size) & (table->slot_count - 1);
    while (table->slots[at] != 0 && !bytes_equal(table->tokens[table->slots[at] - 1], token)) {
        at = (at + 1) & (table->slot_count - 1);
    }
    return &table->slots[at];
}

static void grow(struct token_table *table)
{
    table->slot_count *= 2;
    free(table->slots);
    table->slots = calloc(table->slot_count, sizeof *table->slots);
    table->tokens = realloc(table->tokens, table->slot_count * sizeof *table->tokens);
    CHECK(table->slots != NULL && table->tokens != NULL);
    for (size_t i = 0; i < table->count; i++) {
        *find(table, table->tokens[i]) = (uint32_t)i + 1;
    }
}

bool token_table_number(struct token_table *table, struct bytes token, uint32_t *ret_number)
{
    uint32_t *slot = find(table, token);
    if (*slot == 0) {
        if (table->count == TOKEN_TABLE_MAX) {
            return false;
        }
        if (2 * (table->count + 1) > table->slot_count) {
            grow(table);
            slot = find(table, token);
        }
        table->tokens[table->count] = bytes_of(arena_text(table->arena, token), token.size);
        *slot = (uint32_t)++table->count;
    }
    *ret_number = *slot - 1;
    return true;
}

size_t token_table_count(const struct token_table *table)
{
    return table->count;
}

const char *token_table_text(const struct token_table *table, uint32_t number)
{
    CHECK(number < table->count);
    return (const char *)table->tokens[number].data;
}

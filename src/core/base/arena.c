/* Memory that dies together: a list of chunks, filled from the front. */
#include "core/base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct chunk {
    struct chunk *next;
    size_t size; /* of data */
    size_t used;
    _Alignas(16) uint8_t data[];
};

struct arena {
    struct chunk *first;
    struct chunk *current;
    size_t chunk_bytes;
};

struct arena *arena_new(size_t chunk_bytes)
{
    struct arena *arena = calloc(1, sizeof *arena);
    CHECK(arena != NULL);
    arena->chunk_bytes = chunk_bytes < 1024 ? 1024 : chunk_bytes;
    return arena;
}

struct arena *arena_free(struct arena *arena)
{
    if (arena == NULL) {
        return NULL;
    }
    struct chunk *chunk = arena->first;
    while (chunk != NULL) {
        struct chunk *next = chunk->next;
        free(chunk);
        chunk = next;
    }
    free(arena);
    return NULL;
}

void arena_auto(struct arena **arena)
{
    *arena = arena_free(*arena);
}

void arena_reset(struct arena *arena)
{
    for (struct chunk *chunk = arena->first; chunk != NULL; chunk = chunk->next) {
        chunk->used = 0;
    }
    arena->current = arena->first;
}

/* The next chunk with room for `size`, made when there is none. */
static struct chunk *next_chunk(struct arena *arena, size_t size)
{
    struct chunk *chunk = arena->current == NULL ? arena->first : arena->current->next;
    struct chunk *last = arena->current;
    while (chunk != NULL && chunk->size < size) {
        last = chunk;
        chunk = chunk->next;
    }
    if (chunk == NULL) {
        size_t bytes = size > arena->chunk_bytes ? size : arena->chunk_bytes;
        chunk = malloc(sizeof *chunk + bytes);
        CHECK(chunk != NULL);
        *chunk = (struct chunk){.size = bytes};
        if (last == NULL) {
            chunk->next = arena->first;
            arena->first = chunk;
        } else {
            chunk->next = last->next;
            last->next = chunk;
        }
    }
    arena->current = chunk;
    return chunk;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    size_t rounded = (size + 7) & ~(size_t)7;
    CHECK(rounded >= size);
    struct chunk *chunk = arena->current;
    if (chunk == NULL || rounded > chunk->size - chunk->used) {
        chunk = next_chunk(arena, rounded);
    }
    void *at = chunk->data + chunk->used;
    chunk->used += rounded;
    return at;
}

void *arena_zero(struct arena *arena, size_t size)
{
    void *at = arena_alloc(arena, size);
    memset(at, 0, size);
    return at;
}

struct bytes arena_copy(struct arena *arena, struct bytes bytes)
{
    uint8_t *at = arena_alloc(arena, bytes.size);
    if (bytes.size > 0) {
        memcpy(at, bytes.data, bytes.size);
    }
    return bytes_of(at, bytes.size);
}

char *arena_text(struct arena *arena, struct bytes bytes)
{
    char *at = arena_alloc(arena, bytes.size + 1);
    if (bytes.size > 0) {
        memcpy(at, bytes.data, bytes.size);
    }
    at[bytes.size] = '\0';
    return at;
}

char *arena_format(struct arena *arena, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    CHECK(length >= 0);
    char *at = arena_alloc(arena, (size_t)length + 1);
    vsnprintf(at, (size_t)length + 1, format, again);
    va_end(again);
    return at;
}

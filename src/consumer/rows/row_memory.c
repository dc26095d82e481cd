/* Rows in chunks from the kernel. */
#include "consumer/rows/row_memory.h"

#include "adapters/os/pages.h"
#include "core/base/check.h"

enum { CHUNK_BYTES = 2 * 1024 * 1024 };

/* At the front of its own memory. */
struct row_chunk {
    struct row_chunk *before;
    size_t bytes; /* all of it */
    size_t used;
    size_t pad; /* rows behind it are aligned */
};

_Static_assert(sizeof(struct row_chunk) % STORED_ROW_ALIGN == 0, "rows are aligned");

static void add_chunk(struct row_chunks *chunks, size_t row_bytes)
{
    size_t bytes = sizeof(struct row_chunk) + row_bytes;
    bytes = pages_round(bytes < CHUNK_BYTES ? CHUNK_BYTES : bytes);
    struct row_chunk *chunk = pages_new(bytes);
    CHECK((uint64_t)(uintptr_t)chunk >> 48 == 0);
    *chunk = (struct row_chunk){.before = chunks->last, .bytes = bytes, .used = sizeof *chunk};
    chunks->last = chunk;
    chunks->bytes += bytes;
    budget_charge(chunks->borrowed_budget, bytes);
}

struct stored_row *row_chunks_room(struct row_chunks *chunks, size_t data_bytes)
{
    size_t row_bytes = (sizeof(struct stored_row) + data_bytes + STORED_ROW_ALIGN - 1) /
                       STORED_ROW_ALIGN * STORED_ROW_ALIGN;
    struct row_chunk *chunk = chunks->last;
    if (chunk == NULL || chunk->bytes - chunk->used < row_bytes) {
        add_chunk(chunks, row_bytes);
        chunk = chunks->last;
    }
    struct stored_row *row = (struct stored_row *)((uint8_t *)chunk + chunk->used);
    chunk->used += row_bytes;
    return row;
}

void row_chunks_done(struct row_chunks *chunks)
{
    struct row_chunk *chunk = chunks->last;
    while (chunk != NULL) {
        struct row_chunk *before = chunk->before;
        pages_free(chunk, chunk->bytes);
        chunk = before;
    }
    budget_release(chunks->borrowed_budget, chunks->bytes);
    chunks->last = NULL;
    chunks->bytes = 0;
}

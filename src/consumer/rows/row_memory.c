/* Rows in chunks from the kernel. */
#include "consumer/rows/row_memory.h"

#include "adapters/os/pages.h"
#include "core/base/check.h"

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
    bytes = bytes < BUDGET_PIECE_BYTES ? BUDGET_PIECE_BYTES : pages_round(bytes);
    struct row_chunk *chunk = NULL;
    if (bytes == BUDGET_PIECE_BYTES) {
        chunk = budget_take_piece(chunks->borrowed_budget);
    } else { /* of one row alone */
        budget_charge(chunks->borrowed_budget, bytes);
        chunk = pages_new(bytes);
    }
    CHECK((uint64_t)(uintptr_t)chunk >> 48 == 0);
    *chunk = (struct row_chunk){.before = chunks->last, .bytes = bytes, .used = sizeof *chunk};
    chunks->last = chunk;
    chunks->bytes += bytes;
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
        if (chunk->bytes == BUDGET_PIECE_BYTES) {
            budget_give_piece(chunks->borrowed_budget, chunk);
        } else {
            budget_release(chunks->borrowed_budget, chunk->bytes);
            pages_free(chunk, chunk->bytes);
        }
        chunk = before;
    }
    chunks->last = NULL;
    chunks->bytes = 0;
}

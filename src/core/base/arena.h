/* Memory that dies together. */
#ifndef TIDEMARK_CORE_BASE_ARENA_H
#define TIDEMARK_CORE_BASE_ARENA_H

#include "core/base/bytes.h"
#include "core/base/check.h"

/* One owner, one thread at a time. Chunks are kept on reset, so a batch costs no malloc when warm.
 */
struct arena;

struct arena *arena_new(size_t chunk_bytes); /* CHECKs on out of memory, as does every allocation */
struct arena *arena_free(struct arena *arena); /* takes NULL; returns NULL */
void arena_auto(struct arena **arena);
void arena_reset(struct arena *arena); /* all allocations end; memory stays for the next round */

void *arena_alloc(struct arena *arena, size_t size); /* 8-byte aligned, not cleared */
void *arena_zero(struct arena *arena, size_t size);  /* the same, cleared */
struct bytes arena_copy(struct arena *arena, struct bytes bytes);
char *arena_text(struct arena *arena, struct bytes bytes); /* a copy with a NUL at its end */
char *arena_format(struct arena *arena, const char *format, ...) PRINTF_LIKE(2, 3);

#endif

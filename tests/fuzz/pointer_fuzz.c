/* `_CURRENT`: what is taken has one stable form, which is taken as the same pointer. */
#include <stdint.h>

#include "core/base/check.h"
#include "core/snapshot/pointer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(1 << 12);
    struct pointer pointer;
    struct err err = {0};
    if (pointer_decode(bytes_of(data, size), arena, &pointer, &err)) {
        AUTO(buf) struct buf text;
        buf_init(&text, 1 << 20);
        pointer_encode(&pointer, &text);
        CHECK(!text.overflowed);
        struct pointer again;
        CHECK(pointer_decode(buf_bytes(&text), arena, &again, &err));
        CHECK(strcmp(again.manifest_ref, pointer.manifest_ref) == 0);
        CHECK(strcmp(again.run_id, pointer.run_id) == 0);
        CHECK(again.updated_at_us == pointer.updated_at_us);
    } else {
        CHECK(err.kind == ERR_INPUT && err.message[0] != '\0');
    }
    arena_free(arena);
    return 0;
}

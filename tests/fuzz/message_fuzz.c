/* Records of the ledger: what is decoded is encoded to bytes that decode to the same; a fold of it
 * answers every question. The first line is the key, the rest the value. */
#include <stdlib.h>
#include <string.h>

#include "core/coord/fold.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void round_trip(struct bytes key, struct bytes value)
{
    struct arena *arena = arena_new(4096);
    struct message message;
    struct err err = {0};
    if (message_decode(key, value, arena, &message, &err)) {
        AUTO(buf) struct buf once;
        AUTO(buf) struct buf twice;
        buf_init(&once, 1 << 24);
        buf_init(&twice, 1 << 24);
        message_encode(&message, &once);
        CHECK(message_decode(key, buf_bytes(&once), arena, &message, &err));
        message_encode(&message, &twice);
        CHECK(bytes_equal(buf_bytes(&once), buf_bytes(&twice)));
    } else {
        CHECK(err.kind == ERR_INPUT && err.message[0] != '\0');
    }
    struct message_commit commit;
    const char *ledger = NULL;
    if (message_lineage_decode(value, arena, &commit, &ledger, &err)) {
        AUTO(buf) struct buf lineage;
        buf_init(&lineage, 1 << 24);
        message_lineage_encode(&commit, ledger, &lineage);
        CHECK(message_lineage_decode(buf_bytes(&lineage), arena, &commit, &ledger, &err));
    }
    arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = size == 0 ? NULL : memchr(data, '\n', size);
    size_t key_size = end == NULL ? 0 : (size_t)(end - data);
    struct bytes key = bytes_of(data, key_size);
    struct bytes value =
        bytes_of(data + (end == NULL ? 0 : key_size + 1), end == NULL ? size : size - key_size - 1);
    if (value.size == 0) {
        return 0;
    }
    round_trip(key, value);
    struct fold *fold = fold_new();
    struct err err = {0};
    if (fold_apply(fold, 0, 0, key, value, &err)) {
        struct fold_pair pair;
        struct partition_id id = {"orders", 0};
        struct arena *arena = arena_new(4096);
        struct cut_step *steps = NULL;
        const struct fold_entry *close = fold_open_close(fold);
        (void)fold_pair(fold, "f", id, &pair);
        (void)fold_steps(fold_head(fold), close == NULL ? NULL : &close->message.close, id, arena,
                         &steps);
        (void)fold_open_plan(fold);
        (void)fold_resume(fold);
        (void)fold_head_published(fold);
        arena_free(arena);
    }
    fold_free(fold);
    return 0;
}

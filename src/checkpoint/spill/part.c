/* A part in the shared store: another member's rows, read by range. */
#include "checkpoint/spill/part.h"

#include <stdio.h>
#include <stdlib.h>

#include "checkpoint/spill/spill_reader.h"

enum { PART_END_BYTES = 256 * 1024 };

struct part_bytes {
    struct store *store;
    char *key;
    struct buf end; /* the last bytes of the object, from end_place on */
    uint64_t end_place;
};

static bool read_range(void *context, uint64_t place, uint8_t *to, size_t size, struct err *err)
{
    struct part_bytes *part = context;
    if (place >= part->end_place && place - part->end_place <= part->end.size &&
        size <= part->end.size - (place - part->end_place)) {
        memcpy(to, part->end.data + (place - part->end_place), size);
        return true;
    }
    AUTO(buf) struct buf bytes;
    buf_init(&bytes, size);
    TRY(store_get_range(part->store, part->key, place, size, &bytes, err));
    memcpy(to, bytes.data, size);
    return true;
}

static void free_bytes(void *context)
{
    struct part_bytes *part = context;
    buf_done(&part->end);
    free(part->key);
    free(part);
}

void part_digest_text(uint64_t digest, char ret_text[PART_DIGEST_TEXT])
{
    snprintf(ret_text, PART_DIGEST_TEXT, "%016llx", (unsigned long long)digest);
}

static bool read_end(struct part_bytes *part, uint64_t size, struct err *err)
{
    uint64_t length = size < PART_END_BYTES ? size : PART_END_BYTES;
    part->end_place = size - length;
    return store_get_range(part->store, part->key, part->end_place, length, &part->end, err);
}

bool part_open(struct store *borrowed_store, const struct part_place *place, size_t window_bytes,
               struct row_set **ret_set, struct err *err)
{
    const char *key = NULL;
    TRY(store_key_of_url(borrowed_store, place->url, &key, err));
    struct part_bytes *part = calloc(1, sizeof *part);
    CHECK(part != NULL);
    part->store = borrowed_store;
    part->key = strdup(key);
    CHECK(part->key != NULL);
    buf_init(&part->end, PART_END_BYTES);
    if (!read_end(part, place->bytes, err)) {
        free_bytes(part);
        return false;
    }
    struct spill_bytes bytes = {.read = read_range,
                                .free = free_bytes,
                                .context = part,
                                .size = place->bytes,
                                .window_bytes = window_bytes};
    struct row_set *set = NULL;
    TRY(spill_open(place->url, bytes, &set, err));
    char text[PART_DIGEST_TEXT];
    part_digest_text(spill_digest(set), text);
    if (strcmp(text, place->digest) != 0) {
        row_set_free(set);
        return err_set(err, ERR_CORRUPT, "part %s has digest %s, its PART says %.64s", place->url,
                       text, place->digest);
    }
    *ret_set = set;
    return true;
}

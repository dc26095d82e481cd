/* A part in the shared store: another member's rows, read by range. */
#include "checkpoint/part.h"

#include <stdio.h>
#include <stdlib.h>

#include "checkpoint/spill_reader.h"

struct part_bytes {
    struct store *store;
    char *key;
};

static bool read_range(void *context, uint64_t place, uint8_t *to, size_t size, struct err *err)
{
    struct part_bytes *part = context;
    AUTO(buf) struct buf bytes;
    buf_init(&bytes, size);
    TRY(store_get_range(part->store, part->key, place, size, &bytes, err));
    memcpy(to, bytes.data, size);
    return true;
}

static void free_bytes(void *context)
{
    struct part_bytes *part = context;
    free(part->key);
    free(part);
}

void part_digest_text(uint64_t digest, char ret_text[PART_DIGEST_TEXT])
{
    snprintf(ret_text, PART_DIGEST_TEXT, "%016llx", (unsigned long long)digest);
}

bool part_open(struct store *borrowed_store, const char *url, const char *digest,
               struct row_set **ret_set, struct err *err)
{
    const char *key = NULL;
    struct store_info info;
    TRY(store_key_of_url(borrowed_store, url, &key, err));
    TRY(store_head(borrowed_store, key, &info, err));
    struct part_bytes *part = calloc(1, sizeof *part);
    CHECK(part != NULL);
    part->store = borrowed_store;
    part->key = strdup(key);
    CHECK(part->key != NULL);
    struct spill_bytes bytes = {
        .read = read_range, .free = free_bytes, .context = part, .size = info.size};
    struct row_set *set = NULL;
    TRY(spill_open(url, bytes, &set, err));
    char text[PART_DIGEST_TEXT];
    part_digest_text(spill_digest(set), text);
    if (strcmp(text, digest) != 0) {
        row_set_free(set);
        return err_set(err, ERR_CORRUPT, "part %s has digest %s, its PART says %.64s", url, text,
                       digest);
    }
    *ret_set = set;
    return true;
}

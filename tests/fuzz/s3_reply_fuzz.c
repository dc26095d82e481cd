/* The XML answers of S3 and STS: whatever comes, no reader trusts it, and what is taken keeps its
 * bounds. */
#include <stdint.h>
#include <string.h>

#include "adapters/s3/credentials_remote.h"
#include "adapters/s3/reply.h"
#include "core/base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_list(const struct reply_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        CHECK(list->objects[i].key != NULL);
        CHECK(i == 0 || strcmp(list->objects[i - 1].key, list->objects[i].key) <= 0);
        CHECK(!list->objects[i].folder || list->objects[i].size == 0);
    }
    CHECK(list->next == NULL || list->next[0] != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes xml = bytes_of(data, size);
    struct arena *arena = arena_new(1 << 12);
    struct err err = {0};
    struct reply_list list;
    struct reply_error error;
    struct credentials_keys keys;
    const char *text = NULL;
    if (reply_list_of(xml, arena, &list, &err)) {
        check_list(&list);
    } else {
        CHECK(err.kind == ERR_TRANSIENT && err.message[0] != '\0');
    }
    if (reply_error_of(xml, &error)) {
        CHECK(memchr(error.code, '\0', sizeof error.code) != NULL);
        CHECK(strpbrk(error.message, "\r\n") == NULL);
    }
    if (reply_field_of(xml, arena, "CopyObjectResult", "ETag", &text, &err)) {
        CHECK(text[0] != '\0');
    }
    CHECK(reply_deleted_of(xml, arena, &error, &text, &err) || err.kind == ERR_TRANSIENT);
    if (credentials_remote_parse_xml(xml, &keys, &err)) {
        CHECK(keys.keys.access_key[0] != '\0' && secret_is_set(&keys.keys.secret_key));
        sign_keys_done(&keys.keys);
    }
    arena_free(arena);
    return 0;
}

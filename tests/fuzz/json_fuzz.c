/* The strict JSON reader: whatever it takes, its stable form is read back as the same document. */
#include <stdint.h>

#include "core/base/check.h"
#include "core/base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PRINTED_MAX = 1 << 24 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err err = {0};
    AUTO(json) cJSON *root = NULL;
    if (!json_parse(bytes_of(data, size), &root, &err)) {
        return 0;
    }
    AUTO(buf) struct buf once;
    AUTO(buf) struct buf twice;
    buf_init(&once, PRINTED_MAX);
    buf_init(&twice, PRINTED_MAX);
    json_print(root, &once);
    CHECK(!once.overflowed);
    AUTO(json) cJSON *again = NULL;
    CHECK(json_parse(buf_bytes(&once), &again, &err));
    json_print(again, &twice);
    CHECK(bytes_equal(buf_bytes(&once), buf_bytes(&twice)));
    return 0;
}

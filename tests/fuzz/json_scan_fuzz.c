/* The JSON scanner: what it takes cJSON takes too, and each value it finds is JSON by itself. */
#include <stdint.h>

#include "core/base/check.h"
#include "core/base/json.h"
#include "core/record/json_scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const texts[] = {"",     "/a", "/a/b",  "/a/0",     "/0",
                                    "/0/0", "/",  "/~0~1", "/\xc3\xa9"};

/* cJSON holds a number in 64 characters, and refuses longer ones. */
static bool has_long_number(struct bytes document)
{
    size_t run = 0;
    for (size_t i = 0; i < document.size && run < 60; i++) {
        run = document.data[i] != 0 && strchr("0123456789+-.eE", document.data[i]) != NULL ? run + 1
                                                                                           : 0;
    }
    return run >= 60;
}

static void check_view(const struct json_view *view, struct bytes document, struct arena *arena)
{
    if (view->type == JSON_VIEW_ABSENT) {
        return;
    }
    CHECK(view->raw.data >= document.data && view->raw.size > 0);
    CHECK(view->raw.data + view->raw.size <= document.data + document.size);
    struct json_pointers *whole = NULL;
    struct err err = {0};
    CHECK(json_pointers_compile((const char *const[]){""}, 1, arena, &whole, &err));
    struct json_view again;
    const char *problem = NULL;
    size_t offset = 0;
    CHECK(json_scan(whole, view->raw, &again, &problem, &offset));
    CHECK(again.type == view->type && bytes_equal(again.raw, view->raw));
    if (view->type == JSON_VIEW_STRING) {
        struct bytes text = json_view_text(view, arena);
        CHECK(bytes_are_utf8(text));
        CHECK(json_view_equals(bytes_of(view->raw.data + 1, view->raw.size - 2), text));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes document = bytes_of(data, size);
    struct arena *arena = arena_new(1 << 16);
    struct json_pointers *pointers = NULL;
    struct err err = {0};
    CHECK(json_pointers_compile(texts, LENGTH_OF(texts), arena, &pointers, &err));
    struct json_view views[LENGTH_OF(texts)];
    const char *problem = NULL;
    size_t offset = 0;
    if (json_scan(pointers, document, views, &problem, &offset)) {
        CHECK(views[0].type != JSON_VIEW_ABSENT);
        CHECK(bytes_are_utf8(document));
        cJSON *root = cJSON_ParseWithLength((const char *)data, size);
        CHECK(root != NULL || has_long_number(document));
        cJSON_Delete(root);
        for (size_t i = 0; i < LENGTH_OF(texts); i++) {
            check_view(&views[i], document, arena);
        }
    } else {
        CHECK(problem != NULL && offset <= size);
    }
    arena_free(arena);
    return 0;
}

/* Keys, listings, and deleting by prefix. */
#include <string.h>

#include "tests/conformance/store_suite.h"

/* The page's keys joined by blanks. */
static void expect_keys(struct store *store, const char *prefix, bool folders, const char *wanted)
{
    struct err err = {0};
    struct store_page page = {0};
    struct buf keys;
    buf_init(&keys, 100000);
    do {
        EXPECT_OK(store_list(store, prefix, folders, &page, &err));
        for (size_t i = 0; i < page.count; i++) {
            const struct store_entry *entry = &page.entries[i];
            buf_add_format(&keys, "%s%s", keys.size == 0 ? "" : " | ", entry->key);
            EXPECT(entry->folder == (entry->key[strlen(entry->key) - 1] == '/'));
            EXPECT(entry->folder || entry->modified_us > INT64_C(1700000000000000));
        }
    } while (page.next != NULL);
    if (strcmp(buf_text(&keys), wanted) != 0) {
        store_suite_fail(__FILE__, __LINE__, "list \"%s\": %s\n      not %s", prefix,
                         buf_text(&keys), wanted);
    }
    buf_done(&keys);
    store_page_done(&page);
}

static void listings(const struct store_suite *suite, struct store *store)
{
    (void)suite;
    expect_keys(store, "", false, "");
    static const char *const keys[] = {"a/1", "a/b/2", "a-b", "a.txt", "a0", "b", "manifests/x/m"};
    for (size_t i = 0; i < LENGTH_OF(keys); i++) {
        store_suite_put(store, keys[i], "12345");
    }
    expect_keys(store, "", false, "a-b | a.txt | a/1 | a/b/2 | a0 | b | manifests/x/m");
    expect_keys(store, "", true, "a-b | a.txt | a/ | a0 | b | manifests/");
    expect_keys(store, "a", false, "a-b | a.txt | a/1 | a/b/2 | a0");
    expect_keys(store, "a", true, "a-b | a.txt | a/ | a0");
    expect_keys(store, "a/", true, "a/1 | a/b/");
    expect_keys(store, "a/b/", true, "a/b/2");
    expect_keys(store, "man", true, "manifests/");
    expect_keys(store, "manifests/x", true, "manifests/x/");
    expect_keys(store, "none/", true, "");
    expect_keys(store, "zzz", false, "");
    struct err err = {0};
    struct store_page page = {0};
    EXPECT_OK(store_list(store, "a.txt", false, &page, &err));
    EXPECT(page.count == 1 && page.entries[0].size == 5 && !page.entries[0].folder);
    store_page_done(&page);
    EXPECT_OK(store_delete(store, "manifests/x/m", &err));
    expect_keys(store, "", true, "a-b | a.txt | a/ | a0 | b");
    EXPECT_ERR(store_list(store, "/x", true, &page, &err), ERR_INPUT);
    store_page_done(&page);
}

/* Characters that must be escaped in a URL, in XML, or in neither. */
static void strange_keys(const struct store_suite *suite, struct store *store)
{
    (void)suite;
    static const char *const keys[] = {
        "a b/c d",
        "a+b",
        "a%20b",
        "a=b&c=d;e",
        "run_id=1/db=00000",
        "quote'\"x",
        "<tag>&amp;",
        "(a)[b]{c}!$*,:@~",
        "caf\xc3\xa9/\xe2\x82\xac",
        "2026-03-14T10:30:00.000000Z",
    };
    struct err err = {0};
    for (size_t i = 0; i < LENGTH_OF(keys); i++) {
        store_suite_put(store, keys[i], keys[i]);
        store_suite_expect(store, keys[i], keys[i]);
        struct store_page page = {0};
        EXPECT_OK(store_list(store, keys[i], false, &page, &err));
        EXPECT(page.count == 1 && strcmp(page.entries[0].key, keys[i]) == 0);
        store_page_done(&page);
        struct buf url;
        buf_init(&url, 4096);
        store_object_url(store, keys[i], &url);
        const char *key = NULL;
        EXPECT_OK(store_key_of_url(store, buf_text(&url), &key, &err));
        EXPECT(strcmp(key, keys[i]) == 0);
        EXPECT_OK(store_copy(store, buf_text(&url), "copy", NULL, &err));
        store_suite_expect(store, "copy", keys[i]);
        buf_done(&url);
    }
    EXPECT_OK(store_delete_many(store, keys, LENGTH_OF(keys), &err));
    expect_keys(store, "", false, "copy");
}

static void bad_keys(const struct store_suite *suite, struct store *store)
{
    (void)suite;
    struct err err = {0};
    char huge[STORE_KEY_MAX + 1];
    memset(huge, 'x', sizeof huge);
    huge[STORE_KEY_MAX] = '\0';
    const char *const keys[] = {"",    "/a", "a/",  "a//b", "../a", "a/../b",
                                "./a", "a?", "a#b", "a\nb", "\xff", huge};
    for (size_t i = 0; i < LENGTH_OF(keys); i++) {
        struct store_info info;
        struct store_content content = suite_text("x");
        EXPECT_ERR(store_put(store, keys[i], &content, store_always(), NULL, &err), ERR_INPUT);
        EXPECT_ERR(store_head(store, keys[i], &info, &err), ERR_INPUT);
        EXPECT_ERR(store_delete(store, keys[i], &err), ERR_INPUT);
    }
}

enum { MANY = 1003 };

static void many_objects(const struct store_suite *suite, struct store *store)
{
    (void)suite;
    struct err err = {0};
    for (int i = 0; i < MANY; i++) {
        char key[32];
        snprintf(key, sizeof key, "many/%05d", i);
        store_suite_put(store, key, "x");
    }
    store_suite_put(store, "many.after", "x");
    struct store_page page = {0};
    EXPECT_OK(store_list(store, "many/", false, &page, &err));
    EXPECT(page.count == STORE_PAGE_MAX && page.next != NULL);
    EXPECT_OK(store_list(store, "many/", false, &page, &err));
    EXPECT(page.count == MANY - STORE_PAGE_MAX && page.next == NULL);
    EXPECT(strcmp(page.entries[0].key, "many/01000") == 0);
    EXPECT_OK(store_list_all(store, "many/", false, MANY, &page, &err));
    EXPECT(page.count == MANY);
    for (int i = 0; i < MANY; i++) {
        char key[32];
        snprintf(key, sizeof key, "many/%05d", i);
        EXPECT(strcmp(page.entries[i].key, key) == 0);
    }
    EXPECT_ERR(store_list_all(store, "many/", false, MANY - 1, &page, &err), ERR_LIMIT);
    store_page_done(&page);
    uint64_t count = 0;
    EXPECT_OK(store_delete_prefix(store, "many/", &count, &err));
    EXPECT(count == MANY);
    expect_keys(store, "", false, "many.after");
}

static void delete_by_prefix_keeps_the_neighbour(const struct store_suite *suite,
                                                 struct store *store)
{
    (void)suite;
    struct err err = {0};
    store_suite_put(store, "db=00000/attempt=10/shard.db", "x");
    store_suite_put(store, "db=00000/attempt=100/shard.db", "x");
    EXPECT_ERR(store_delete_prefix(store, "db=00000/attempt=10", NULL, &err), ERR_INPUT);
    EXPECT_ERR(store_delete_prefix(store, "", NULL, &err), ERR_INPUT);
    EXPECT_OK(store_delete_prefix(store, "db=00000/attempt=10/", NULL, &err));
    EXPECT_OK(store_delete_prefix(store, "db=00000/attempt=10/", NULL, &err));
    expect_keys(store, "", false, "db=00000/attempt=100/shard.db");
}

const struct store_case store_suite_names[] = {
    {"listings", listings},
    {"strange_keys", strange_keys},
    {"bad_keys", bad_keys},
    {"many_objects", many_objects},
    {"delete_by_prefix_keeps_the_neighbour", delete_by_prefix_keeps_the_neighbour},
    {NULL, NULL},
};

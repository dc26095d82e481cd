/* Does every key lead to the shard where a reader will look? */
#include "core/route/hash.h"
#include "tests/support/key_vectors.h"

Test(hash, routing_vectors)
{
    static const char *const names[] = {"/type",    "/key",   "/routing_hex", "/xxh3_64",
                                        "/num_dbs", "/db_id", "/error"};
    struct arena *arena = arena_new(1 << 16);
    struct json_pointers *pointers = key_vectors_compile(names, LENGTH_OF(names), arena);
    struct bytes rest = vectors_read("routing_hash.jsonl", arena);
    struct bytes line;
    int rows = 0;
    while (vectors_line(&rest, &line)) {
        struct key_vectors_row row = {.arena = arena};
        const char *problem = NULL;
        size_t offset = 0;
        cr_assert(json_scan(pointers, line, row.views, &problem, &offset), "%s", problem);
        struct logical_key key;
        uint8_t scratch[KEY_INTEGER_BYTES_MAX];
        struct bytes routing;
        bool ok =
            key_vectors_key(key_vectors_get(&row, 0), key_vectors_get(&row, 1), arena, &key) &&
            key_route(&key, scratch, &routing) == REJECT_NONE;
        cr_assert_eq(ok, key_vectors_get(&row, 6).size == 0, "%.*s", (int)line.size,
                     (const char *)line.data);
        rows++;
        if (!ok) {
            continue;
        }
        cr_assert(bytes_equal(routing, vectors_hex(key_vectors_get(&row, 2), arena)));
        struct logical_key number = {0};
        cr_assert_eq(key_parse_integer(key_vectors_get(&row, 3), &number), REJECT_NONE);
        cr_assert_eq(hash_routing(routing), number.magnitude);
        struct logical_key num_dbs = {0};
        struct logical_key db_id = {0};
        cr_assert_eq(key_parse_integer(key_vectors_get(&row, 4), &num_dbs), REJECT_NONE);
        cr_assert_eq(key_parse_integer(key_vectors_get(&row, 5), &db_id), REJECT_NONE);
        cr_assert_eq(hash_db_id(number.magnitude, (uint32_t)num_dbs.magnitude), db_id.magnitude);
    }
    cr_assert_eq(rows, 192);
    arena_free(arena);
}

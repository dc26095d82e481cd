/* Is what made a snapshot kept beside the leader's record, and found again? */
#include <criterion/criterion.h>

#include "core/snapshot/lineage.h"

static const struct lineage_maker maker = {
    .group = "orders",
    .software = "tidemark 0.1.0",
    .sqlite_version = "3.40.1",
    .contents = "window",
    .order = "",
    .settings = "late=next\n",
};

Test(lineage, round_trip)
{
    struct arena *arena = arena_new(1000);
    AUTO(buf) struct buf text;
    buf_init(&text, 10000);
    struct err err = {0};
    cr_assert(lineage_add_maker(bytes_of_text("{\"z\":1,\"made_by\":7}"), &maker, &text, &err));
    cr_assert_str_eq(buf_text(&text),
                     "{\"made_by\":{\"contents\":\"window\",\"group\":\"orders\",\"order\":null,"
                     "\"settings\":\"late=next\\n\","
                     "\"software\":\"tidemark 0.1.0\",\"sqlite_version\":\"3.40.1\"},\"z\":1}");
    struct lineage_maker again;
    cr_assert(lineage_maker(buf_bytes(&text), arena, &again, &err), "%s", err.message);
    cr_assert_str_eq(again.group, "orders");
    cr_assert_str_eq(again.sqlite_version, "3.40.1");
    cr_assert_str_eq(again.order, "");
    cr_assert_str_eq(again.settings, "late=next\n");
    cr_assert(lineage_maker(bytes_of_text("{}"), arena, &again, &err));
    cr_assert_str_eq(again.group, "");
    arena_free(arena);
}

/* Snapshots whose shards are SQLite's say nothing of a kv, as ever. */
Test(lineage, of_another_kv)
{
    struct arena *arena = arena_new(1000);
    AUTO(buf) struct buf text;
    buf_init(&text, 10000);
    struct err err = {0};
    struct lineage_maker other = maker;
    other.kv_backend = "slatedb";
    other.kv_version = "0.17.0";
    cr_assert(lineage_add_maker(bytes_of_text("{}"), &other, &text, &err));
    cr_assert(strstr(buf_text(&text), "\"kv_backend\":\"slatedb\",\"kv_version\":\"0.17.0\"") !=
              NULL);
    struct lineage_maker again;
    cr_assert(lineage_maker(buf_bytes(&text), arena, &again, &err), "%s", err.message);
    cr_assert_str_eq(again.kv_backend, "slatedb");
    cr_assert_str_eq(again.kv_version, "0.17.0");
    cr_assert(lineage_maker(bytes_of_text("{}"), arena, &again, &err));
    cr_assert_str_eq(again.kv_backend, "");
    arena_free(arena);
}

Test(lineage, refused)
{
    static const char *const bad[] = {"", "[]", "7", "{\"made_by\":[]}",
                                      "{\"made_by\":{\"group\":7}}"};
    struct arena *arena = arena_new(1000);
    struct lineage_maker again;
    for (size_t i = 0; i < LENGTH_OF(bad); i++) {
        struct err err = {0};
        cr_assert_not(lineage_maker(bytes_of_text(bad[i]), arena, &again, &err), "%s", bad[i]);
        cr_assert_eq(err.kind, ERR_INPUT);
    }
    AUTO(buf) struct buf text;
    buf_init(&text, 10000);
    struct err err = {0};
    cr_assert_not(lineage_add_maker(bytes_of_text("[]"), &maker, &text, &err));
    arena_free(arena);
}

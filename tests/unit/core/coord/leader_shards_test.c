/* Routing tokens in the order that makes them shards, and which member gets which shard. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "core/coord/leader_shards.h"
#include "tests/support/vectors.h"

Test(leader_shards, tokens_in_shard_order)
{
    static const char *const sorted[] = {"i:-9007199254740991",
                                         "i:-10",
                                         "i:-2",
                                         "i:-1",
                                         "i:0",
                                         "i:1",
                                         "i:2",
                                         "i:10",
                                         "i:99",
                                         "i:9223372036854775808",
                                         "i:18446744073709551615",
                                         "s:",
                                         "s:Z",
                                         "s:a",
                                         "s:ap",
                                         "s:e\xcc\x81",
                                         "s:z",
                                         "s:\xc3\xa9",
                                         "s:\xef\xbf\xbf",
                                         "s:\xf0\x90\x80\x80"};
    for (size_t i = 0; i < LENGTH_OF(sorted); i++) {
        for (size_t j = 0; j < LENGTH_OF(sorted); j++) {
            int order = shards_compare_tokens(sorted[i], sorted[j]);
            cr_assert_eq((order > 0) - (order < 0), (i > j) - (i < j), "%s, %s", sorted[i],
                         sorted[j]);
        }
    }
}

enum { SHARDS = 12, HOLDERS_MAX = 3, MEMBERS = 5 };

static const char *const names[MEMBERS] = {"m0", "m1", "m2", "m3", "m4"};

static void say_alive(struct fold *fold, const char *member, const char *fingerprint)
{
    struct message message = {
        .kind = MESSAGE_PROGRESS,
        .progress = {.member = member, .incarnation = 7, .fingerprint = fingerprint}};
    AUTO(buf) struct buf key;
    AUTO(buf) struct buf value;
    buf_init(&key, 1000);
    buf_init(&value, 10000);
    message_key(&message, &key);
    message_encode(&message, &value);
    struct err err = {0};
    cr_assert(fold_apply(fold, fold_end(fold), 1000, buf_bytes(&key), buf_bytes(&value), &err));
}

/* Builds of SHARDS shards from what each holder has of each; the rest of the members live without
 * rows, the last one with other settings. Who gets which shard, as a text of digits. */
static const char *assigned(const uint64_t bytes[HOLDERS_MAX][SHARDS], size_t holders)
{
    static char text[SHARDS + 1];
    static const struct partition_id ids[HOLDERS_MAX] = {{"a", 0}, {"a", 1}, {"a", 2}};
    struct coord_settings settings;
    coord_settings_init(&settings);
    settings.shards = SHARDS;
    settings.fingerprint = "f";
    struct leader_out out = {.arena = arena_new(4096)};
    struct leader leader = {.settings = &settings, .fold = fold_new(), .out = &out, .now_us = 1000};
    for (size_t i = 0; i < MEMBERS; i++) {
        say_alive(leader.fold, names[MEMBERS - 1 - i], i == 0 ? "other" : "f");
    }
    struct shard_size sizes[HOLDERS_MAX][SHARDS];
    struct message_ready readies[HOLDERS_MAX];
    struct ready_partition partitions[HOLDERS_MAX];
    struct leader_share shares[HOLDERS_MAX];
    struct close_partition cuts[HOLDERS_MAX];
    for (size_t i = 0; i < holders; i++) {
        size_t count = 0;
        for (uint32_t s = 0; s < SHARDS; s++) {
            if (bytes[i][s] > 0) {
                sizes[i][count++] =
                    (struct shard_size){.shard = s, .rows = 1, .bytes = bytes[i][s]};
            }
        }
        readies[i] =
            (struct message_ready){.member = names[i], .shards = sizes[i], .shard_count = count};
        partitions[i] = (struct ready_partition){.id = ids[i], .rows = count};
        shares[i] = (struct leader_share){.ready = &readies[i], .partition = &partitions[i]};
        cuts[i] = (struct close_partition){.id = ids[i]};
    }
    struct message_close close = {.contents = CONTENTS_WINDOW,
                                  .fingerprint = "f",
                                  .partitions = cuts,
                                  .partition_count = holders};
    struct message_plan plan = {.build = 1};
    const char *why = "";
    cr_assert(shards_assign(&leader, &close, shares, &plan, &why), "%s", why);
    cr_assert_eq(plan.shard_count, SHARDS);
    for (size_t s = 0; s < SHARDS; s++) {
        text[s] = '-';
        if (plan.shards[s].builder >= 0) {
            cr_assert_eq(plan.shards[s].attempt, 1);
            text[s] = plan.members[plan.shards[s].builder][1];
        }
    }
    fold_free(leader.fold);
    arena_free(out.arena);
    return text;
}

Test(leader_shards, a_shard_goes_to_who_has_most_of_it)
{
    static const uint64_t bytes[HOLDERS_MAX][SHARDS] = {
        {9, 9, 9, 9, 9, 9, 9, 9, 9, 0, 0, 1},
        {8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 0, 2},
    };
    cr_assert_str_eq(assigned(bytes, 2), "0000000001-1");
}

Test(leader_shards, who_has_as_much_shares_the_work)
{
    static const uint64_t same[HOLDERS_MAX][SHARDS] = {
        {5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5},
        {5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5},
    };
    cr_assert_str_eq(assigned(same, 2), "111111000000");
    /* the first shards are large: by bytes, not by number */
    static const uint64_t large[HOLDERS_MAX][SHARDS] = {
        {900, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9},
        {900, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9},
    };
    cr_assert_str_eq(assigned(large, 2), "100000000000");
    /* what is nobody else's stays out of it */
    static const uint64_t own[HOLDERS_MAX][SHARDS] = {
        {5, 5, 5, 5, 5, 5, 9, 9, 9, 9, 0, 0},
        {5, 5, 5, 5, 5, 5, 0, 0, 0, 0, 0, 0},
    };
    cr_assert_str_eq(assigned(own, 2), "1111100000--");
}

/* m3 lives and has no rows; m4 has other settings. */
Test(leader_shards, standbys_help_where_nobody_has_half)
{
    static const uint64_t thirds[HOLDERS_MAX][SHARDS] = {
        {9, 9, 9, 9, 5, 5, 5, 5, 5, 5, 5, 5},
        {5, 5, 5, 5, 9, 9, 9, 9, 5, 5, 5, 5},
        {5, 5, 5, 5, 5, 5, 5, 5, 9, 9, 9, 9},
    };
    cr_assert_str_eq(assigned(thirds, 3), "330031113222");
    static const uint64_t halves[HOLDERS_MAX][SHARDS] = {
        {9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9},
        {5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5},
    };
    cr_assert_str_eq(assigned(halves, 2), "000000000000");
}

/* What a build by shard numbers makes of the numbers that its rows have. */
static bool number_of_shards(const char *const *tokens, size_t count, uint32_t *ret_num_dbs)
{
    struct coord_settings settings;
    coord_settings_init(&settings);
    settings.shards = 0;
    settings.shard_policy = SHARDS_BY_TOKEN_ID;
    settings.fingerprint = "f";
    struct leader_out out = {.arena = arena_new(4096)};
    struct leader leader = {.settings = &settings, .fold = fold_new(), .out = &out, .now_us = 1000};
    say_alive(leader.fold, names[0], "f");
    struct token_size *sizes = arena_zero(out.arena, (count + 1) * sizeof *sizes);
    for (size_t i = 0; i < count; i++) {
        sizes[i] = (struct token_size){.token = tokens[i], .rows = 1, .bytes = 1};
    }
    struct message_ready ready = {.member = names[0], .tokens = sizes, .token_count = count};
    struct ready_partition partition = {.id = {"a", 0}, .rows = count};
    struct leader_share share = {.ready = &ready, .partition = &partition};
    struct close_partition cut = {.id = {"a", 0}};
    struct message_close close = {
        .contents = CONTENTS_WINDOW, .fingerprint = "f", .partitions = &cut, .partition_count = 1};
    struct message_plan plan = {.build = 1};
    const char *why = NULL;
    bool ok = shards_assign(&leader, &close, &share, &plan, &why);
    cr_assert(ok || why != NULL);
    *ret_num_dbs = ok ? (uint32_t)plan.shard_count : 0;
    for (size_t i = 0; ok && i < count; i++) { /* every one of them is built */
        cr_assert_geq(plan.shards[i].builder, 0);
    }
    fold_free(leader.fold);
    arena_free(out.arena);
    return ok;
}

/* The golden rows of direct routing: the readers' library refuses the same ones. Numbers below 0
 * are rejected record by record before; here a build with one is refused, too. */
Test(leader_shards, direct_vectors)
{
    struct arena *arena = arena_new(1 << 16);
    struct bytes rest = vectors_read("cel_build.jsonl", arena);
    struct bytes line;
    size_t rows = 0;
    while (vectors_line(&rest, &line)) {
        cJSON *root = cJSON_ParseWithLength((const char *)line.data, line.size);
        if (strcmp(vectors_text(root, "kind"), "direct") == 0) {
            const cJSON *ids = vectors_member(root, "db_ids");
            const cJSON *num_dbs = vectors_member(root, "num_dbs");
            size_t count = (size_t)cJSON_GetArraySize(ids);
            const char **tokens = arena_zero(arena, (count + 1) * sizeof *tokens);
            for (size_t i = 0; i < count; i++) {
                tokens[i] = arena_format(arena, "i:%d", cJSON_GetArrayItem(ids, (int)i)->valueint);
            }
            uint32_t have = 0;
            bool ok = number_of_shards(tokens, count, &have);
            cr_assert_eq(ok, cJSON_IsNull(vectors_member(root, "error")), "%.*s", (int)line.size,
                         (const char *)line.data);
            cr_assert(!ok || have == (uint32_t)num_dbs->valuedouble, "%.*s: %u", (int)line.size,
                      (const char *)line.data, have);
            rows++;
        }
        cJSON_Delete(root);
    }
    cr_assert_eq(rows, 14);
    arena_free(arena);
}

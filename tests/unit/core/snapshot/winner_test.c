/* Does the manifest name the attempt that readers' own tools would have named? */
#include "core/snapshot/winner.h"
#include "core/base/rng.h"
#include "tests/support/vectors.h"

enum { ATTEMPTS_MAX = 200, URLS_MAX = 2000 };

struct row {
    struct attempt attempts[ATTEMPTS_MAX];
    size_t attempt_count;
    const char *urls[URLS_MAX]; /* of the attempts and of their retries, in order, some twice */
    size_t url_count;
};

static void add_url(struct row *row, const char *url)
{
    cr_assert_lt(row->url_count, URLS_MAX);
    row->urls[row->url_count++] = url;
}

static void read_attempts(const cJSON *json, struct row *row)
{
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, vectors_member(json, "attempts"))
    {
        cr_assert_lt(row->attempt_count, ATTEMPTS_MAX);
        struct attempt *attempt = &row->attempts[row->attempt_count++];
        attempt_init(attempt, vectors_integer(item, "db_id"), vectors_integer(item, "attempt"));
        if (!cJSON_IsNull(vectors_member(item, "task_attempt_id"))) {
            attempt->task_attempt_id = vectors_integer(item, "task_attempt_id");
        }
        attempt->db_url = vectors_text(item, "db_url");
        attempt->row_count = vectors_integer(item, "row_count");
        const cJSON *urls = vectors_member(item, "all_attempt_urls");
        const cJSON *url = NULL;
        cJSON_ArrayForEach(url, urls)
        {
            add_url(row, url->valuestring);
        }
        if (urls->child == NULL && attempt->db_url != NULL) {
            add_url(row, attempt->db_url);
        }
    }
}

static bool contains(const cJSON *list, const char *url)
{
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, list)
    {
        if (strcmp(item->valuestring, url) == 0) {
            return true;
        }
    }
    return false;
}

static void hold_row(const cJSON *json)
{
    struct row row = {0};
    read_attempts(json, &row);
    struct attempt winners[ATTEMPTS_MAX];
    size_t count = 0;
    struct err err = {0};
    bool ok = winner_choose(row.attempts, row.attempt_count,
                            (uint32_t)vectors_integer(json, "num_dbs"), winners, &count, &err);
    cr_assert_eq(ok, cJSON_IsNull(vectors_member(json, "error")));
    if (!ok) {
        cr_assert_str_eq(vectors_text(json, "error"), "coverage");
        return;
    }
    const cJSON *expected = vectors_member(json, "winners");
    cr_assert_eq((int)count, cJSON_GetArraySize(expected));
    for (size_t i = 0; i < count; i++) {
        const cJSON *item = cJSON_GetArrayItem(expected, (int)i);
        cr_assert_eq(winners[i].db_id, vectors_integer(item, "db_id"));
        cr_assert_eq(winners[i].attempt, vectors_integer(item, "attempt"));
        cr_assert_eq(winners[i].row_count, vectors_integer(item, "row_count"));
        cr_assert_str_eq(winners[i].db_url, vectors_text(item, "db_url"));
    }
    cr_assert_eq((int)row.url_count, cJSON_GetArraySize(vectors_member(json, "all_attempt_urls")));
    const char *losers[URLS_MAX];
    size_t loser_count = winner_losers(winners, count, row.urls, row.url_count, losers);
    const cJSON *deleted = vectors_member(json, "deleted");
    cr_assert_eq((int)loser_count, cJSON_GetArraySize(deleted));
    for (size_t i = 0; i < loser_count; i++) {
        cr_assert(contains(deleted, losers[i]), "%s", losers[i]);
    }
}

Test(winner, vectors)
{
    struct arena *arena = arena_new(1 << 16);
    struct bytes rest = vectors_read("winners.jsonl", arena);
    struct bytes line;
    int rows = 0;
    while (vectors_line(&rest, &line)) {
        AUTO(json) cJSON *row = vectors_json(line);
        hold_row(row);
        rows++;
    }
    cr_assert_eq(rows, 50);
    arena_free(arena);
}

/* Whatever the order in which attempts are heard of, the winners are the same. */
Test(winner, order_does_not_matter)
{
    struct rng rng;
    rng_init(&rng, 4);
    char urls[60][8];
    for (int round = 0; round < 500; round++) {
        struct attempt attempts[60];
        for (size_t i = 0; i < 60; i++) {
            attempt_init(&attempts[i], (int64_t)rng_below(&rng, 5), (int64_t)rng_below(&rng, 3));
            snprintf(urls[i], sizeof urls[i], "u%zu", i);
            attempts[i].db_url = rng_chance(&rng, 100000) ? NULL : urls[i];
            if (rng_chance(&rng, 500000)) {
                attempts[i].task_attempt_id = (int64_t)rng_below(&rng, 3);
            }
        }
        struct attempt first[60];
        struct attempt again[60];
        size_t first_count = 0;
        size_t again_count = 0;
        struct err err = {0};
        cr_assert(winner_choose(attempts, 60, 5, first, &first_count, &err));
        for (size_t i = 59; i > 0; i--) {
            size_t j = (size_t)rng_below(&rng, i + 1);
            struct attempt swap = attempts[i];
            attempts[i] = attempts[j];
            attempts[j] = swap;
        }
        cr_assert(winner_choose(attempts, 60, 5, again, &again_count, &err));
        cr_assert_eq(first_count, again_count);
        for (size_t i = 0; i < first_count; i++) {
            cr_assert_eq(winner_compare(&first[i], &again[i]), 0);
            cr_assert(i == 0 || first[i].db_id > first[i - 1].db_id);
        }
    }
}

/* Two bytes are for the quotes, and what is not ASCII takes six. */
Test(attempt, a_key_that_is_too_long_has_no_text)
{
    static const struct {
        const char *unit;
        size_t count;
        size_t length; /* of the text; 0: none */
    } cases[] = {
        {"z", 0, 2},
        {"z", ATTEMPT_KEY_TEXT_MAX - 2, ATTEMPT_KEY_TEXT_MAX},
        {"z", ATTEMPT_KEY_TEXT_MAX - 1, 0},
        {"\u00fc", 682, 682 * 6 + 2},
        {"\u00fc", 683, 0},
        {"\xff", 1, 0},
    };
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        AUTO(arena) struct arena *arena = arena_new(1 << 14);
        AUTO(buf) struct buf key;
        buf_init(&key, 1 << 14);
        for (size_t j = 0; j < cases[i].count; j++) {
            buf_add_text(&key, cases[i].unit);
        }
        const char *text = attempt_key_text(KEY_ENCODING_RAW, buf_bytes(&key), arena);
        cr_expect_eq(text == NULL ? 0 : strlen(text), cases[i].length, "case %zu", i);
    }
}

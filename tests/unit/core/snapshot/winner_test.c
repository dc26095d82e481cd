/* Does the manifest name the attempt that readers' own tools would have named? */
#include "core/snapshot/winner.h"
#include "core/base/rng.h"
#include "tests/support/vectors.h"

enum { ATTEMPTS_MAX = 200 };

static size_t read_attempts(const cJSON *json, struct attempt *attempts)
{
    size_t count = 0;
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, vectors_member(json, "attempts"))
    {
        cr_assert_lt(count, ATTEMPTS_MAX);
        struct attempt *attempt = &attempts[count++];
        attempt_init(attempt, vectors_integer(item, "db_id"), vectors_integer(item, "attempt"));
        if (!cJSON_IsNull(vectors_member(item, "task_attempt_id"))) {
            attempt->task_attempt_id = vectors_integer(item, "task_attempt_id");
        }
        attempt->db_url = vectors_text(item, "db_url");
        attempt->row_count = vectors_integer(item, "row_count");
    }
    return count;
}

/* NULL: the shard has none. */
static const struct attempt *winner_of(const struct attempt *attempts, size_t count, int64_t shard)
{
    const struct attempt *winner = NULL;
    for (size_t i = 0; i < count; i++) {
        if (attempts[i].db_id == shard &&
            (winner == NULL || winner_compare(&attempts[i], winner) < 0)) {
            winner = &attempts[i];
        }
    }
    return winner;
}

static void hold_row(const cJSON *json)
{
    struct attempt attempts[ATTEMPTS_MAX];
    size_t count = read_attempts(json, attempts);
    const cJSON *expected = vectors_member(json, "winners")->child;
    for (int64_t shard = 0; shard < vectors_integer(json, "num_dbs"); shard++) {
        const struct attempt *winner = winner_of(attempts, count, shard);
        if (winner == NULL || winner->db_url == NULL) {
            continue; /* left out of the manifest */
        }
        cr_assert_not_null(expected);
        cr_assert_eq(winner->db_id, vectors_integer(expected, "db_id"));
        cr_assert_eq(winner->attempt, vectors_integer(expected, "attempt"));
        cr_assert_eq(winner->row_count, vectors_integer(expected, "row_count"));
        cr_assert_str_eq(winner->db_url, vectors_text(expected, "db_url"));
        expected = expected->next;
    }
    cr_assert_null(expected);
}

Test(winner, vectors)
{
    struct arena *arena = arena_new(1 << 16);
    struct bytes rest = vectors_read("winners.jsonl", arena);
    struct bytes line;
    int held = 0;
    int refused = 0; /* a shard that there is not: the leader plans none */
    while (vectors_line(&rest, &line)) {
        AUTO(json) cJSON *row = vectors_json(line);
        if (!cJSON_IsNull(vectors_member(row, "error"))) {
            refused++;
            continue;
        }
        hold_row(row);
        held++;
    }
    cr_assert_eq(held + refused, 50);
    cr_assert_gt(held, 30);
    arena_free(arena);
}

/* Whatever the order in which attempts are heard of, the winner is the same. */
Test(winner, order_does_not_matter)
{
    struct rng rng;
    rng_init(&rng, 4);
    char urls[12][8];
    for (int round = 0; round < 2000; round++) {
        struct attempt attempts[12];
        for (size_t i = 0; i < 12; i++) {
            attempt_init(&attempts[i], 0, (int64_t)rng_below(&rng, 3));
            snprintf(urls[i], sizeof urls[i], "u%zu", i);
            attempts[i].db_url = rng_chance(&rng, 100000) ? NULL : urls[i];
            if (rng_chance(&rng, 500000)) {
                attempts[i].task_attempt_id = (int64_t)rng_below(&rng, 3);
            }
        }
        struct attempt first = *winner_of(attempts, 12, 0);
        for (size_t i = 11; i > 0; i--) {
            size_t j = (size_t)rng_below(&rng, i + 1);
            struct attempt swap = attempts[i];
            attempts[i] = attempts[j];
            attempts[j] = swap;
        }
        cr_assert_eq(winner_compare(&first, winner_of(attempts, 12, 0)), 0);
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

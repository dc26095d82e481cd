/* Which attempt of each shard the manifest names (snapshot format, section 10). */
#include "core/snapshot/winner.h"

#include <stdlib.h>
#include <string.h>

int winner_compare(const struct attempt *a, const struct attempt *b)
{
    if (a->attempt != b->attempt) {
        return a->attempt < b->attempt ? -1 : 1;
    }
    if (a->task_attempt_id != b->task_attempt_id) {
        return a->task_attempt_id < b->task_attempt_id ? -1 : 1;
    }
    return strcmp(a->db_url == NULL ? "" : a->db_url, b->db_url == NULL ? "" : b->db_url);
}

/* By shard, the winner first. */
static int compare_for_sort(const void *left, const void *right)
{
    const struct attempt *a = *(const struct attempt *const *)left;
    const struct attempt *b = *(const struct attempt *const *)right;
    if (a->db_id != b->db_id) {
        return a->db_id < b->db_id ? -1 : 1;
    }
    return winner_compare(a, b);
}

bool winner_choose(const struct attempt *attempts, size_t count, uint32_t num_dbs,
                   struct attempt *ret_winners, size_t *ret_count, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        if (attempts[i].db_id < 0 || attempts[i].db_id >= (int64_t)num_dbs) {
            return err_set(err, ERR_INPUT, "an attempt of shard %lld in a build of %u shards",
                           (long long)attempts[i].db_id, num_dbs);
        }
    }
    const struct attempt **sorted = malloc((count + 1) * sizeof *sorted);
    CHECK(sorted != NULL);
    for (size_t i = 0; i < count; i++) {
        sorted[i] = &attempts[i];
    }
    qsort(sorted, count, sizeof *sorted, compare_for_sort);
    size_t winners = 0;
    for (size_t i = 0; i < count; i++) {
        bool first = i == 0 || sorted[i]->db_id != sorted[i - 1]->db_id;
        if (first && sorted[i]->db_url != NULL) {
            ret_winners[winners++] = *sorted[i];
        }
    }
    free(sorted);
    *ret_count = winners;
    return true;
}

/* A URL and where it stood. */
struct place {
    const char *url;
    size_t index;
};

static int compare_places(const void *left, const void *right)
{
    const struct place *a = left;
    const struct place *b = right;
    int order = strcmp(a->url, b->url);
    return order != 0 ? order : (a->index > b->index) - (a->index < b->index);
}

static int compare_url(const void *url, const void *place)
{
    return strcmp(url, ((const struct place *)place)->url);
}

static struct place *sorted_winners(const struct attempt *winners, size_t count)
{
    struct place *places = malloc((count + 1) * sizeof *places);
    CHECK(places != NULL);
    for (size_t i = 0; i < count; i++) {
        CHECK(winners[i].db_url != NULL);
        places[i] = (struct place){.url = winners[i].db_url, .index = i};
    }
    qsort(places, count, sizeof *places, compare_places);
    return places;
}

size_t winner_losers(const struct attempt *winners, size_t winner_count, const char *const *urls,
                     size_t url_count, const char **ret_losers)
{
    struct place *kept = sorted_winners(winners, winner_count);
    struct place *places = malloc((url_count + 1) * sizeof *places);
    bool *is_loser = calloc(url_count + 1, sizeof *is_loser);
    CHECK(places != NULL && is_loser != NULL);
    for (size_t i = 0; i < url_count; i++) {
        places[i] = (struct place){.url = urls[i], .index = i};
    }
    qsort(places, url_count, sizeof *places, compare_places);
    for (size_t i = 0; i < url_count; i++) {
        bool again = i > 0 && strcmp(places[i].url, places[i - 1].url) == 0;
        is_loser[places[i].index] =
            !again && bsearch(places[i].url, kept, winner_count, sizeof *kept, compare_url) == NULL;
    }
    size_t losers = 0;
    for (size_t i = 0; i < url_count; i++) {
        if (is_loser[i]) {
            ret_losers[losers++] = urls[i];
        }
    }
    free(kept);
    free(places);
    free(is_loser);
    return losers;
}

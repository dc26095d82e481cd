/* Does the C library give the golden rows, in order, and say what is wrong without ending anything?
 */
#include "library/library.h"

#include <criterion/criterion.h>
#include <math.h>

#include "adapters/os/thread.h"
#include "tests/support/vec0.h"
#include "tests/support/vectors.h"

static struct tidemark_snapshot *open_vector(const char *name, const char *reading)
{
    struct tidemark_error error;
    struct tidemark_snapshot *snapshot = NULL;
    struct tidemark_options *options = tidemark_options_new();
    char url[4096];
    snprintf(url, sizeof url, "file://%s/vectors/%s/objects", TESTS_FOLDER, name);
    cr_assert_eq(tidemark_options_set(options, "relocated", "true", &error), TIDEMARK_OK);
    cr_assert_eq(tidemark_options_set(options, "reading", reading, NULL), TIDEMARK_OK);
    cr_assert_eq(tidemark_open(url, options, &snapshot, &error), TIDEMARK_OK, "%s", error.message);
    tidemark_options_free(options);
    return snapshot;
}

static const char *const readings[] = {"auto", "range"};

Test(library, integer_keys)
{
    for (size_t i = 0; i < LENGTH_OF(readings); i++) {
        struct tidemark_snapshot *snapshot = open_vector("manifest_example", readings[i]);
        struct tidemark_error error;
        struct tidemark_scan *scan = NULL;
        struct tidemark_row row;
        cr_assert_eq(tidemark_key_encoding_of(snapshot), TIDEMARK_U64BE);
        cr_assert_geq(tidemark_row_count(snapshot), 160); /* its writer counts replaced ones */
        cr_assert_str_eq(tidemark_lineage(snapshot), "");
        cr_assert_eq(tidemark_scan_range(snapshot, NULL, NULL, &scan, &error), TIDEMARK_OK, "%s",
                     error.message);
        uint64_t before = 0;
        uint64_t rows = 0;
        while (tidemark_scan_next(scan, &row, &error) == TIDEMARK_OK) {
            struct tidemark_value value;
            cr_assert_null(row.key.data);
            cr_assert(rows == 0 || row.key.integer > before);
            before = row.key.integer;
            rows++;
            cr_assert_eq(tidemark_get(snapshot, row.key, &value, &error), TIDEMARK_OK);
            cr_assert_eq(value.size, row.value_size);
            cr_assert(memcmp(value.data, row.value, value.size) == 0);
            tidemark_value_free(&value);
            cr_assert_null(value.data);
        }
        cr_assert_eq(error.code, TIDEMARK_OK, "%s", error.message);
        cr_assert_eq(rows, 160);
        tidemark_scan_close(scan);
        rows = 0;
        for (uint32_t shard = 0; shard < tidemark_shard_count(snapshot); shard++) {
            cr_assert_eq(tidemark_scan_shard(snapshot, shard, &scan, &error), TIDEMARK_OK);
            while (tidemark_scan_next(scan, &row, &error) == TIDEMARK_OK) {
                rows++;
            }
            tidemark_scan_close(scan);
        }
        cr_assert_eq(rows, 160);
        cr_assert_eq(tidemark_scan_shard(snapshot, UINT32_MAX, &scan, &error), TIDEMARK_INVALID);
        int current = 0;
        cr_assert_eq(tidemark_is_current(snapshot, &current, &error), TIDEMARK_OK);
        cr_assert_eq(current, 1);
        cr_assert_gt(tidemark_traffic_of(snapshot).requests, 2);
        tidemark_close(snapshot);
    }
}

Test(library, bounds_and_many_keys)
{
    struct tidemark_snapshot *snapshot = open_vector("manifest_example", "auto");
    struct tidemark_error error;
    struct tidemark_scan *scan = NULL;
    struct tidemark_row row;
    struct tidemark_key from = tidemark_integer_key(30);
    struct tidemark_key to = tidemark_integer_key(300);
    struct tidemark_key keys[12];
    struct tidemark_value values[12];
    size_t count = 0;
    cr_assert_eq(tidemark_scan_range(snapshot, &from, &to, &scan, &error), TIDEMARK_OK);
    while (tidemark_scan_next(scan, &row, &error) == TIDEMARK_OK) {
        cr_assert(row.key.integer >= 30 && row.key.integer < 300);
        keys[count++] = row.key;
    }
    cr_assert_gt(count, 2);
    tidemark_scan_close(scan);
    keys[count] = tidemark_integer_key(186); /* not there */
    cr_assert_eq(tidemark_multiget(snapshot, keys, count + 1, values, &error), TIDEMARK_OK);
    for (size_t i = 0; i < count; i++) {
        cr_assert_not_null(values[i].data);
        tidemark_value_free(&values[i]);
    }
    cr_assert_null(values[count].data);
    keys[1] = tidemark_text_key("a text");
    cr_assert_eq(tidemark_multiget(snapshot, keys, count, values, &error), TIDEMARK_INVALID);
    cr_assert_null(values[0].data);
    cr_assert_not_null(strstr(error.message, "u64be"));
    cr_assert_eq(tidemark_scan_prefix(snapshot, "a", 1, &scan, NULL), TIDEMARK_INVALID);
    cr_assert_eq(tidemark_get(snapshot, keys[count], values, NULL), TIDEMARK_NOT_FOUND);
    tidemark_close(snapshot);
}

/* Text keys: each begin of a key finds it, and only keys that begin so. */
Test(library, prefixes)
{
    for (size_t i = 0; i < LENGTH_OF(readings); i++) {
        struct tidemark_snapshot *snapshot = open_vector("sidecar_deep", readings[i]);
        struct tidemark_error error;
        struct tidemark_scan *all = NULL;
        struct tidemark_row row;
        cr_assert_eq(tidemark_scan_prefix(snapshot, "", 0, &all, &error), TIDEMARK_OK);
        size_t rows = 0;
        for (; tidemark_scan_next(all, &row, &error) == TIDEMARK_OK; rows++) {
            if (rows % 20 != 0) {
                continue;
            }
            size_t size = 1 + rows % row.key.size;
            struct tidemark_scan *some = NULL;
            struct tidemark_row found;
            size_t same = 0;
            cr_assert_eq(tidemark_scan_prefix(snapshot, row.key.data, size, &some, &error),
                         TIDEMARK_OK);
            while (tidemark_scan_next(some, &found, &error) == TIDEMARK_OK) {
                cr_assert_geq(found.key.size, size);
                cr_assert_eq(memcmp(found.key.data, row.key.data, size), 0);
                same += found.key.size == row.key.size &&
                        memcmp(found.key.data, row.key.data, row.key.size) == 0;
            }
            cr_assert_eq(same, 1);
            tidemark_scan_close(some);
        }
        cr_assert_eq(rows, tidemark_row_count(snapshot));
        tidemark_scan_close(all);
        cr_assert_eq(tidemark_scan_prefix(snapshot, "\xff\xff", 2, &all, &error), TIDEMARK_OK);
        cr_assert_eq(tidemark_scan_next(all, &row, &error), TIDEMARK_NOT_FOUND);
        tidemark_scan_close(all);
        tidemark_close(snapshot);
    }
}

Test(library, options_that_are_wrong)
{
    static const struct {
        const char *name;
        const char *value;
        const char *says;
    } cases[] = {
        {"cache_sise", "1GiB", "did you mean 'cache_size'?"},
        {"cache_size", "much", "option cache_size"},
        {"reading", "fast", "none of auto, range, download"},
        {"relocated", "yes", "true or false"},
        {"s3.deadline", "0s", "more than 0"},
        {"s3.max_retries", "101", "from 0 to 100"},
        {"s3.addressing", "host", "auto, path or virtual"},
    };
    struct tidemark_options *options = tidemark_options_new();
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        struct tidemark_error error;
        cr_assert_eq(tidemark_options_set(options, cases[i].name, cases[i].value, &error),
                     TIDEMARK_SETTINGS);
        cr_assert_eq(error.code, TIDEMARK_SETTINGS);
        cr_assert_not_null(strstr(error.message, cases[i].says), "%s", error.message);
    }
    tidemark_options_free(options);
    tidemark_options_free(NULL);
    tidemark_close(NULL);
}

Test(library, places_that_are_none)
{
    struct tidemark_error error;
    struct tidemark_snapshot *snapshot = NULL;
    cr_assert_eq(tidemark_open("file:///nowhere/at/all", NULL, &snapshot, &error), TIDEMARK_MISSING,
                 "%s", error.message);
    cr_assert_neq(tidemark_open("http://host/x", NULL, &snapshot, &error), TIDEMARK_OK);
    struct tidemark_options *options = tidemark_options_new();
    struct tidemark_snapshot *good = open_vector("manifest_example", "auto");
    char url[4096];
    snprintf(url, sizeof url, "file://%s/vectors/manifest_example/objects", TESTS_FOLDER);
    cr_assert_eq(tidemark_options_set(options, "relocated", "true", NULL), TIDEMARK_OK);
    cr_assert_eq(tidemark_options_set(options, "run_id", tidemark_run_id(good), NULL), TIDEMARK_OK);
    cr_assert_eq(tidemark_open(url, options, &snapshot, &error), TIDEMARK_OK, "%s", error.message);
    tidemark_close(snapshot);
    cr_assert_eq(tidemark_options_set(options, "run_id", "none", NULL), TIDEMARK_OK);
    cr_assert_eq(tidemark_open(url, options, &snapshot, &error), TIDEMARK_MISSING);
    tidemark_options_free(options);
    tidemark_stop(good);
    struct tidemark_value value;
    int current = 0;
    cr_assert_eq(tidemark_is_current(good, &current, &error), TIDEMARK_STOPPED);
    cr_assert_eq(tidemark_get(good, tidemark_text_key("x"), &value, &error), TIDEMARK_INVALID);
    tidemark_close(good);
}

/* A snapshot whose shards are found by a column beside the key: each key with its own. */
Test(library, columns_beside_the_key)
{
    struct tidemark_snapshot *snapshot = open_vector("manifest_example_cel", "auto");
    struct tidemark_error error;
    struct tidemark_value value;
    struct tidemark_key key = tidemark_text_key("u0");
    struct tidemark_column region = {"region", "eu"};
    struct tidemark_column both[] = {region, {"planet", "mars"}};
    cr_assert_eq(tidemark_get(snapshot, key, &value, &error), TIDEMARK_INVALID);
    cr_assert_not_null(strstr(error.message, "region"), "%s", error.message);
    cr_assert_eq(tidemark_get_by_columns(snapshot, key, &region, 1, &value, &error), TIDEMARK_OK,
                 "%s", error.message);
    cr_assert_gt(value.size, 0);
    tidemark_value_free(&value);
    cr_assert_eq(tidemark_get_by_columns(snapshot, key, both, 2, &value, &error), TIDEMARK_INVALID);
    cr_assert_not_null(strstr(error.message, "planet"), "%s", error.message);
    cr_assert_null(value.data);
    region.value = "nowhere";
    cr_assert_neq(tidemark_get_by_columns(snapshot, key, &region, 1, &value, &error), TIDEMARK_OK);
    tidemark_close(snapshot);
}

/* ---- vectors ---- */

static struct tidemark_snapshot *open_vectors(const char *extension, enum tidemark_code wanted)
{
    struct tidemark_options *options = tidemark_options_new();
    struct tidemark_snapshot *snapshot = NULL;
    struct tidemark_error error;
    char url[4096];
    snprintf(url, sizeof url, "file://%s/vectors/vector_example/objects", TESTS_FOLDER);
    cr_assert_eq(tidemark_options_set(options, "relocated", "true", NULL), TIDEMARK_OK);
    cr_assert(extension == NULL ||
              tidemark_options_set(options, "extension", extension, NULL) == TIDEMARK_OK);
    cr_assert_eq(tidemark_open(url, options, &snapshot, &error), wanted, "%s", error.message);
    tidemark_options_free(options);
    return snapshot;
}

/* Every key's own vector is the nearest to it, in the order of distances. */
Test(library, vectors)
{
    struct tidemark_snapshot *snapshot = open_vectors(vec0_path(), TIDEMARK_OK);
    struct tidemark_error error;
    struct tidemark_neighbours *found = NULL;
    float vector[] = {1, 0.5F, -0.25F, 2};
    cr_assert_eq(tidemark_vector_dim(snapshot), 4);
    cr_assert_str_eq(tidemark_vector_metric(snapshot), "cosine");
    cr_assert_eq(tidemark_search(snapshot, vector, 4, 5, &found, &error), TIDEMARK_OK, "%s",
                 error.message);
    cr_assert_eq(tidemark_neighbours_count(found), 5);
    double before = -1;
    for (size_t i = 0; i < 5; i++) {
        struct tidemark_neighbour at = tidemark_neighbours_at(found, i);
        cr_assert(at.distance >= before && at.distance <= 2);
        before = at.distance;
        cr_assert(at.id[0] != '{' && strlen(at.id) > 0);
    }
    tidemark_neighbours_free(found);
    tidemark_neighbours_free(NULL);
    /* values are values, with the extension as without it */
    struct tidemark_snapshot *plain = open_vectors(NULL, TIDEMARK_OK);
    struct tidemark_scan *scan = NULL;
    struct tidemark_row row;
    cr_assert_eq(tidemark_scan_range(snapshot, NULL, NULL, &scan, &error), TIDEMARK_OK);
    while (tidemark_scan_next(scan, &row, &error) == TIDEMARK_OK) {
        struct tidemark_value value;
        cr_assert_eq(tidemark_get(plain, row.key, &value, &error), TIDEMARK_OK);
        cr_assert(value.size == row.value_size && memcmp(value.data, row.value, value.size) == 0);
        tidemark_value_free(&value);
    }
    tidemark_scan_close(scan);
    cr_assert_eq(tidemark_search(plain, vector, 4, 5, &found, &error), TIDEMARK_SETTINGS);
    cr_assert_not_null(strstr(error.message, "extension"));
    tidemark_close(plain);
    cr_assert_eq(tidemark_search(snapshot, vector, 3, 5, &found, &error), TIDEMARK_INVALID);
    cr_assert_eq(tidemark_search(snapshot, vector, 4, 0, &found, &error), TIDEMARK_INVALID);
    cr_assert_eq(tidemark_search(snapshot, vector, 4, 4097, &found, &error), TIDEMARK_INVALID);
    vector[2] = (float)NAN;
    cr_assert_eq(tidemark_search(snapshot, vector, 4, 5, &found, &error), TIDEMARK_INVALID);
    cr_assert_not_null(strstr(error.message, "number 2"), "%s", error.message);
    tidemark_close(snapshot);
    cr_assert_null(open_vectors("/nowhere/vec0.so", TIDEMARK_SETTINGS));
    struct tidemark_snapshot *none = open_vector("manifest_example", "auto");
    cr_assert_eq(tidemark_vector_dim(none), 0);
    cr_assert_eq(tidemark_search(none, vector, 4, 5, &found, &error), TIDEMARK_INVALID);
    tidemark_close(none);
}

/* ---- threads ---- */

struct reading {
    struct tidemark_snapshot *snapshot;
    size_t rows;
};

static void read_all(void *argument)
{
    struct reading *reading = argument;
    struct tidemark_scan *scan = NULL;
    struct tidemark_row row;
    struct tidemark_value value;
    if (tidemark_scan_range(reading->snapshot, NULL, NULL, &scan, NULL) != TIDEMARK_OK) {
        return;
    }
    while (tidemark_scan_next(scan, &row, NULL) == TIDEMARK_OK &&
           tidemark_get(reading->snapshot, row.key, &value, NULL) == TIDEMARK_OK) {
        reading->rows += value.size == row.value_size;
        tidemark_value_free(&value);
    }
    tidemark_scan_close(scan);
}

Test(library, threads_share_a_snapshot)
{
    for (size_t i = 0; i < LENGTH_OF(readings); i++) {
        enum { THREADS = 4 };
        struct tidemark_snapshot *snapshot = open_vector("manifest_example", readings[i]);
        struct reading reading[THREADS];
        struct thread *threads[THREADS];
        for (size_t k = 0; k < THREADS; k++) {
            reading[k] = (struct reading){.snapshot = snapshot};
            threads[k] = thread_new("read", read_all, &reading[k]);
        }
        for (size_t k = 0; k < THREADS; k++) {
            thread_join(threads[k]);
            cr_assert_eq(reading[k].rows, 160);
        }
        tidemark_close(snapshot);
    }
}

/* Does reading by range find every row, with how many requests, and does it notice what changed? */
#include <criterion/criterion.h>
#include <stdatomic.h>
#include <stdio.h>

#include "adapters/os/thread.h"
#include "checkpoint/reading/snapshot_reader.h"
#include "tests/support/folder_store.h"
#include "tests/support/ruled_snapshot.h"

/* ---- a published snapshot of one shard ---- */

struct published {
    struct folder_store at;
    struct ruled_snapshot snapshot;
};

static void publish(struct published *published, const struct ruled *rule, bool sidecar)
{
    folder_store_open(&published->at);
    ruled_publish(&published->snapshot, published->at.store, published->at.folder, rule, sidecar);
}

static void unpublish(struct published *published)
{
    ruled_done(&published->snapshot);
    folder_store_close(&published->at);
}

static struct snapshot_reader *open_reader(struct published *published)
{
    struct err err = {0};
    struct snapshot_reader *reader = NULL;
    struct snapshot_reader_request request = {
        .catalog = published->at.catalog,
        .kv = sqlite_kv(),
        .reading = {.reading = SHARD_READING_RANGE, .page_bytes_max = 8 * 1024 * 1024},
    };
    cr_assert(snapshot_reader_new(&request, &reader, &err), "%s", err.message);
    return reader;
}

static uint64_t requests(const struct published *published)
{
    return store_traffic_of(published->at.store).requests;
}

static uint64_t received(const struct published *published)
{
    return store_traffic_of(published->at.store).bytes_received;
}

/* Key 3 * number; the other keys are not there. */
static bool get(struct snapshot_reader *reader, uint64_t key, struct buf *value, struct err *err)
{
    struct logical_key logical = key_of_u64(key);
    bool found = false;
    buf_clear(value);
    if (!snapshot_reader_get(reader, &logical, value, &found, err)) {
        return false;
    }
    return found || err_set(err, ERR_MISSING, "not there");
}

static void expect_value(const struct ruled *rule, uint64_t number, const struct buf *value)
{
    struct buf wanted;
    buf_init(&wanted, RULED_VALUE_MAX);
    ruled_value(rule, number, &wanted);
    cr_assert(bytes_equal(buf_bytes(&wanted), buf_bytes(value)), "row %ju", (uintmax_t)number);
    buf_done(&wanted);
}

/* ---- cases ---- */

/* All with many MiB: values on the leaf alone, some on overflow pages, all on overflow pages, and
 * those of the largest page. */
static const struct ruled rules[] = {
    {.count = 45000, .value_bytes = 200, .some_bytes = 300, .page_size = 4096},
    {.count = 20000, .value_bytes = 300, .some_bytes = 9000, .page_size = 4096},
    {.count = 3000, .value_bytes = 6000, .some_bytes = 200000, .page_size = 4096},
    {.count = 12, .value_bytes = 500000, .some_bytes = 3000000, .page_size = 4096},
    {.count = 4000, .value_bytes = 2500, .some_bytes = 40000, .page_size = 16384},
    {.count = 600, .value_bytes = 30000, .some_bytes = 70000, .page_size = 65536},
};

Test(range_reading, a_look_up_costs_two_requests_at_most)
{
    for (size_t i = 0; i < LENGTH_OF(rules); i++) {
        struct published published;
        publish(&published, &rules[i], true);
        cr_assert_gt(published.snapshot.bytes, 8 * 1024 * 1024);
        uint64_t before = requests(&published);
        struct snapshot_reader *reader = open_reader(&published);
        struct buf value;
        struct err err = {0};
        buf_init(&value, RULED_VALUE_MAX);
        uint64_t key = 0;
        cr_assert(get(reader, key, &value, &err), "%s", err.message);
        /* pointer, manifest, sidecar, and the look-up itself */
        cr_assert_leq(requests(&published) - before, 3 + 2);
        uint64_t worst = 0;
        for (uint64_t k = 0; k < 150; k++) {
            uint64_t number = (k * 7919 + 7) % rules[i].count;
            before = requests(&published);
            uint64_t bytes_before = received(&published);
            cr_assert(get(reader, 3 * number, &value, &err), "%s", err.message);
            expect_value(&rules[i], number, &value);
            uint64_t cost = requests(&published) - before;
            worst = cost > worst ? cost : worst;
            /* no more than what is asked for: a leaf, the value's pages, and what they leave over
             */
            cr_assert_leq(received(&published) - bytes_before,
                          value.size + value.size / 100 + 3 * rules[i].page_size);
            before = requests(&published);
            cr_assert_not(get(reader, 3 * number + 1, &value, &err));
            cr_assert_eq(err.kind, ERR_MISSING);
            cr_assert_leq(requests(&published) - before, 2);
            cr_assert_leq(cost, 2, "rule %zu, row %ju: %ju requests", i, (uintmax_t)number,
                          (uintmax_t)cost);
        }
        cr_assert_eq(worst, rules[i].some_bytes > 1000 ? 2 : 1);
        buf_done(&value);
        snapshot_reader_free(reader);
        unpublish(&published);
    }
}

Test(range_reading, scans_give_all_rows_with_few_requests)
{
    for (size_t i = 0; i < LENGTH_OF(rules); i++) {
        struct published published;
        publish(&published, &rules[i], true);
        struct snapshot_reader *reader = open_reader(&published);
        struct err err = {0};
        struct row_stream *rows = NULL;
        uint64_t before = requests(&published);
        cr_assert(snapshot_reader_scan(reader, 0, &rows, &err), "%s", err.message);
        struct row row;
        bool more = true;
        for (uint64_t number = 0; number < rules[i].count; number++) {
            cr_assert(row_stream_next(rows, &row, &more, &err), "%s", err.message);
            cr_assert(more);
            cr_assert_eq(get_u32be(row.key.data + 4), 3 * number);
            cr_assert_eq(row.value.size, ruled_value_size(&rules[i], number));
        }
        cr_assert(row_stream_next(rows, &row, &more, &err), "%s", err.message);
        cr_assert_not(more);
        row_stream_free(rows);
        cr_assert_lt(requests(&published) - before, 40 + published.snapshot.bytes / (512 * 1024),
                     "%ju", (uintmax_t)(requests(&published) - before));
        uint8_t from[8];
        uint8_t to[8];
        put_u64be(from, 7);
        put_u64be(to, 15);
        struct kv_bounds bounds = {
            .from = bytes_of(from, 8), .to = bytes_of(to, 8), .has_end = true};
        cr_assert(snapshot_reader_scan_all(reader, &bounds, &rows, &err), "%s", err.message);
        for (uint64_t key = 9; key < 15; key += 3) {
            cr_assert(row_stream_next(rows, &row, &more, &err) && more);
            cr_assert_eq(get_u32be(row.key.data + 4), key);
        }
        cr_assert(row_stream_next(rows, &row, &more, &err) && !more);
        row_stream_free(rows);
        snapshot_reader_free(reader);
        unpublish(&published);
    }
}

Test(range_reading, without_a_sidecar_it_costs_more_and_works)
{
    struct published published;
    publish(&published, &rules[1], false);
    struct snapshot_reader *reader = open_reader(&published);
    struct buf value;
    struct err err = {0};
    buf_init(&value, RULED_VALUE_MAX);
    uint64_t before = requests(&published);
    for (uint64_t number = 0; number < rules[1].count; number += 97) {
        cr_assert(get(reader, 3 * number, &value, &err), "%s", err.message);
        expect_value(&rules[1], number, &value);
    }
    cr_assert_leq(requests(&published) - before, (rules[1].count / 97 + 1) * 4);
    buf_done(&value);
    snapshot_reader_free(reader);
    unpublish(&published);
}

/* A small object is put in its place; the tag says so, and an error names the object. */
Test(range_reading, a_replaced_or_deleted_file_is_an_error)
{
    struct published published;
    publish(&published, &rules[0], true);
    struct snapshot_reader *reader = open_reader(&published);
    struct buf value;
    struct err err = {0};
    buf_init(&value, RULED_VALUE_MAX);
    cr_assert(get(reader, 0, &value, &err), "%s", err.message);
    folder_store_put(&published.at, published.snapshot.name, bytes_of_text("something else"));
    cr_assert_not(get(reader, 3 * 30000, &value, &err));
    cr_assert_eq(err.kind, ERR_CORRUPT, "%s", err.message);
    cr_assert_not_null(strstr(err.message, "replaced after it was published"), "%s", err.message);
    cr_assert_not_null(strstr(err.message, published.snapshot.name), "%s", err.message);
    struct row_stream *rows = NULL;
    struct row row;
    bool more = true;
    bool ok = snapshot_reader_scan(reader, 0, &rows, &err);
    for (uint64_t i = 0; ok && i < 1000; i++) {
        ok = row_stream_next(rows, &row, &more, &err);
    }
    cr_assert_not(ok);
    cr_assert_eq(err.kind, ERR_CORRUPT, "%s", err.message);
    cr_assert_not_null(strstr(err.message, "replaced after it was published"), "%s", err.message);
    row_stream_free(rows);
    cr_assert(store_delete(published.at.store, published.snapshot.name, &err));
    cr_assert_not(get(reader, 3 * 40000, &value, &err));
    cr_assert_eq(err.kind, ERR_CORRUPT, "%s", err.message);
    cr_assert_not_null(strstr(err.message, "deleted after it was published"), "%s", err.message);
    buf_done(&value);
    snapshot_reader_free(reader);
    unpublish(&published);
}

/* The sidecar is damaged, or of another file: it is done without, and nothing wrong is found. */
Test(range_reading, a_useless_sidecar_is_passed_over)
{
    struct published published;
    publish(&published, &rules[2], true);
    const char *sidecar = names_sidecar_beside(published.snapshot.name, published.at.arena);
    cr_assert(folder_store_has(&published.at, sidecar));
    folder_store_put(&published.at, sidecar, bytes_of_text("SQPC and nothing behind it"));
    struct snapshot_reader *reader = open_reader(&published);
    struct buf value;
    struct err err = {0};
    buf_init(&value, RULED_VALUE_MAX);
    for (uint64_t number = 0; number < rules[2].count; number += 211) {
        cr_assert(get(reader, 3 * number, &value, &err), "%s", err.message);
        expect_value(&rules[2], number, &value);
    }
    buf_done(&value);
    snapshot_reader_free(reader);
    unpublish(&published);
}

/* ---- threads ---- */

struct asking {
    struct snapshot_reader *reader;
    const struct ruled *rule;
    unsigned seed;
    bool ok;
};

static void ask(void *argument)
{
    struct asking *asking = argument;
    struct err err = {0};
    struct buf value;
    struct buf wanted;
    struct row_stream *rows = NULL;
    buf_init(&value, RULED_VALUE_MAX);
    buf_init(&wanted, RULED_VALUE_MAX);
    asking->ok = snapshot_reader_scan(asking->reader, 0, &rows, &err);
    for (uint64_t i = 0; asking->ok && i < 300; i++) {
        struct row row;
        bool more = false;
        uint64_t number = (i * 104729 + asking->seed) % asking->rule->count;
        buf_clear(&wanted);
        ruled_value(asking->rule, number, &wanted);
        asking->ok = get(asking->reader, 3 * number, &value, &err) &&
                     bytes_equal(buf_bytes(&value), buf_bytes(&wanted)) &&
                     row_stream_next(rows, &row, &more, &err) && more &&
                     get_u32be(row.key.data + 4) == 3 * i;
    }
    row_stream_free(rows);
    buf_done(&value);
    buf_done(&wanted);
}

Test(range_reading, threads_share_a_reader)
{
    enum { THREADS = 4 };
    struct published published;
    publish(&published, &rules[2], true);
    struct snapshot_reader *reader = open_reader(&published);
    struct asking asking[THREADS];
    struct thread *threads[THREADS];
    for (unsigned i = 0; i < THREADS; i++) {
        asking[i] = (struct asking){.reader = reader, .rule = &rules[2], .seed = i % 2};
        threads[i] = thread_new("ask", ask, &asking[i]);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        thread_join(threads[i]);
        cr_assert(asking[i].ok);
    }
    snapshot_reader_free(reader);
    unpublish(&published);
}

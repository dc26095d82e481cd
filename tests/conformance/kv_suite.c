/* One battery for every driver of shard files. */
#include "tests/conformance/kv_suite.h"

#include <string.h>
#include <unistd.h>

#include "adapters/os/file.h"
#include "adapters/os/thread.h"
#include "core/record/vector.h"
#include "tests/support/plain.h"

enum { ROWS_MAX = 5000, DATA_BYTES = 400 * 1024 };

static struct kv *kv;
static const char *suite_folder;
static uint8_t data[DATA_BYTES];

/* ---- a stream of rows made by a rule ---- */

struct made_rows {
    struct row_stream stream;
    struct row rows[ROWS_MAX];
    uint8_t keys[ROWS_MAX][16];
    size_t count;
    size_t at;
    size_t fail_at;
    struct buf packed; /* the value of the row at hand, for drivers with vectors */
};

enum { DIM_MAX = 16 };

/* What the driver is given as the value of row `index`, and gives back: with vectors, the value
 * packed with one, but for every fifth; some have a payload. */
static struct bytes whole_value(const struct row *row, size_t index, struct buf *packed)
{
    uint8_t vector[4 * DIM_MAX];
    char id[64];
    char payload[64];
    if (kv->vector_dim == 0) {
        return row->value;
    }
    IS(kv->vector_dim <= DIM_MAX);
    struct vector_row whole = {.value = row->value};
    for (uint32_t i = 0; i < kv->vector_dim; i++) {
        float number = (float)(index + 1) / (float)(i + 1);
        memcpy(vector + (size_t)4 * i, &number, sizeof number);
    }
    snprintf(id, sizeof id, "{\"v\": %zu, \"t\": \"int\"}", index);
    snprintf(payload, sizeof payload, "{\"row\":%zu}", index);
    if (index % 5 != 3) {
        whole.vector = bytes_of(vector, (size_t)4 * kv->vector_dim);
        whole.id = bytes_of_text(id);
        whole.payload = index % 3 == 0 ? bytes_of_text(payload) : bytes_of(NULL, 0);
    }
    buf_clear(packed);
    vector_row_pack(&whole, packed);
    return buf_bytes(packed);
}

static bool next_row(struct row_stream *stream, struct row *ret_row, bool *ret_more,
                     struct err *err)
{
    struct made_rows *self = (struct made_rows *)stream;
    if (self->at == self->fail_at) {
        return err_set(err, ERR_CORRUPT, "the suite's stream fails");
    }
    *ret_more = self->at < self->count;
    if (*ret_more) {
        *ret_row = self->rows[self->at];
        ret_row->value = whole_value(ret_row, self->at++, &self->packed);
    }
    return true;
}

static void free_nothing(struct row_stream *stream)
{
    (void)stream;
}

static const struct row_stream_ops made_ops = {.next = next_row, .free = free_nothing};
static struct made_rows made;

/* `count` rows with eight-byte keys 0, 3, 6, … and values of `value_bytes` and some. */
static void make_rows(size_t count, size_t value_bytes)
{
    buf_done(&made.packed);
    made = (struct made_rows){.stream = {.ops = &made_ops}, .count = count, .fail_at = SIZE_MAX};
    buf_init(&made.packed, SIZE_MAX);
    for (size_t i = 0; i < count; i++) {
        put_u64be(made.keys[i], 3 * i);
        made.rows[i].key = bytes_of(made.keys[i], 8);
        made.rows[i].value = bytes_of(data + i % 100, value_bytes + i % 7);
    }
}

static const char *path_of(const char *name)
{
    static char path[2][4096];
    static unsigned next;
    char *at = path[next++ % 2];
    snprintf(at, sizeof path[0], "%s/%s", suite_folder, name);
    return at;
}

struct outcome {
    struct kv_written written;
    struct buf key_min;
    struct buf key_max;
};

static bool write_made(const char *name, uint32_t page_size, uint64_t cache_bytes,
                       const atomic_bool *stop, struct outcome *outcome, struct err *err)
{
    struct kv_write_request request = {
        .path = path_of(name), .page_size = page_size, .cache_bytes = cache_bytes, .stop = stop};
    buf_init(&outcome->key_min, SIZE_MAX);
    buf_init(&outcome->key_max, SIZE_MAX);
    made.at = 0;
    file_discard(request.path);
    return kv_write(kv, &request, &made.stream, &outcome->written, &outcome->key_min,
                    &outcome->key_max, err);
}

static void outcome_done(struct outcome *outcome)
{
    buf_done(&outcome->key_min);
    buf_done(&outcome->key_max);
}

/* From the second key on, below the last; and two streams at once. */
static void expect_bounds(struct kv_file *file, struct buf *packed)
{
    struct err err = {0};
    struct row_stream *rows = NULL;
    struct row_stream *all = NULL;
    struct row row;
    bool more;
    if (made.count < 3) {
        return;
    }
    struct kv_bounds bounds = {
        .from = made.rows[1].key, .to = made.rows[made.count - 1].key, .has_end = true};
    WORKS(kv_rows_between(file, &bounds, &rows, &err));
    WORKS(kv_rows(file, &all, &err));
    WORKS(row_stream_next(all, &row, &more, &err));
    for (size_t i = 1; i + 1 < made.count; i++) {
        WORKS(row_stream_next(rows, &row, &more, &err));
        IS(more && bytes_equal(row.key, made.rows[i].key));
        IS(bytes_equal(row.value, whole_value(&made.rows[i], i, packed)));
        WORKS(row_stream_next(all, &row, &more, &err));
        IS(more && bytes_equal(row.key, made.rows[i].key));
    }
    WORKS(row_stream_next(rows, &row, &more, &err));
    IS(!more);
    row_stream_free(rows);
    row_stream_free(all);
}

/* The file has exactly the made rows, by scan and by key. */
static void expect_made(const char *name)
{
    struct err err = {0};
    struct kv_file *file = NULL;
    struct row_stream *rows = NULL;
    struct buf packed;
    buf_init(&packed, SIZE_MAX);
    WORKS(kv_open(kv, path_of(name), &file, &err));
    for (int again = 0; again < 2; again++) {
        WORKS(kv_rows(file, &rows, &err));
        struct row row;
        bool more;
        for (size_t i = 0; i < made.count; i++) {
            WORKS(row_stream_next(rows, &row, &more, &err));
            IS(more && bytes_equal(row.key, made.rows[i].key));
            IS(bytes_equal(row.value, whole_value(&made.rows[i], i, &packed)));
            IS(row.source == ROW_SOURCE_BASE && row.event_time_us == INT64_MIN && row.offset == 0);
            IS(!row.tombstone);
        }
        WORKS(row_stream_next(rows, &row, &more, &err));
        IS(!more);
        row_stream_free(rows);
    }
    struct buf value;
    buf_init(&value, SIZE_MAX);
    for (size_t i = 0; i < made.count; i++) {
        bool found;
        buf_clear(&value);
        WORKS(kv_get(file, made.rows[i].key, &value, &found, &err));
        IS(found && bytes_equal(buf_bytes(&value), whole_value(&made.rows[i], i, &packed)));
    }
    bool found;
    WORKS(kv_get(file, bytes_of_text("not there"), &value, &found, &err));
    IS(!found);
    buf_done(&value);
    expect_bounds(file, &packed);
    buf_done(&packed);
    kv_close(file);
}

static void rows_come_back(void)
{
    static const struct {
        size_t count;
        size_t value_bytes;
        uint32_t page_size;
    } cases[] = {{0, 0, 4096},      {1, 0, 4096},       {5000, 100, 4096},   {300, 2000, 8192},
                 {40, 9000, 16384}, {40, 20000, 32768}, {20, 380000, 65536}, {2000, 1, 65536}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct outcome outcome;
        struct err err = {0};
        make_rows(cases[i].count, cases[i].value_bytes);
        WORKS(write_made("rows", cases[i].page_size, 0, NULL, &outcome, &err));
        uint64_t value_bytes = 0;
        for (size_t k = 0; k < made.count; k++) {
            value_bytes += made.rows[k].value.size;
        }
        IS_NUMBER(outcome.written.rows, made.count);
        IS_NUMBER(outcome.written.key_bytes, 8 * made.count);
        IS_NUMBER(outcome.written.value_bytes, value_bytes);
        IS(outcome.written.file_bytes > value_bytes);
        struct bytes none = {0};
        IS(bytes_equal(buf_bytes(&outcome.key_min), made.count ? made.rows[0].key : none));
        IS(bytes_equal(buf_bytes(&outcome.key_max),
                       made.count ? made.rows[made.count - 1].key : none));
        expect_made("rows");
        outcome_done(&outcome);
    }
}

static void keys_of_all_sizes(void)
{
    struct outcome outcome;
    struct err err = {0};
    const struct kv_features *features = &kv->ops->features;
    size_t longest = features->key_bytes_max > 0 ? features->key_bytes_max : 70000;
    make_rows(4, 5);
    made.rows[0].key = bytes_of("\0", features->key_bytes_min);
    made.rows[0].value = bytes_of(NULL, 0);
    made.rows[1].key = bytes_of("\0\0", 2);
    made.rows[2].key = bytes_of("\0\0\0", 3);
    memset(data, 0xfe, DATA_BYTES);
    made.rows[3].key = bytes_of(data, longest);
    WORKS(write_made("sizes", 4096, 0, NULL, &outcome, &err));
    expect_made("sizes");
    outcome_done(&outcome);
    for (int too_long = 0; too_long < 2 && features->key_bytes_max > 0; too_long++) {
        make_rows(1, 5);
        made.rows[0].key = too_long ? bytes_of(data, longest + 1) : bytes_of(NULL, 0);
        IS(!write_made("refused", 4096, 0, NULL, &outcome, &err));
        IS(err.kind == ERR_CORRUPT);
        outcome_done(&outcome);
    }
}

static bool files_equal(const char *name_a, const char *name_b)
{
    FILE *a = fopen(path_of(name_a), "rb");
    FILE *b = fopen(path_of(name_b), "rb");
    IS(a != NULL && b != NULL);
    int left;
    bool equal = true;
    do {
        left = fgetc(a);
        equal = left == fgetc(b);
    } while (equal && left != EOF);
    fclose(a);
    fclose(b);
    return equal;
}

static void same_bytes(void)
{
    if (!kv->ops->features.same_bytes) {
        return;
    }
    for (uint64_t cache_bytes = 0; cache_bytes <= 4 << 20; cache_bytes += 1 << 20) {
        struct outcome outcome;
        struct err err = {0};
        make_rows(ROWS_MAX, 300);
        WORKS(write_made(cache_bytes == 0 ? "first" : "again", 4096, cache_bytes, NULL, &outcome,
                         &err));
        IS(cache_bytes == 0 || files_equal("first", "again"));
        outcome_done(&outcome);
    }
}

static void failures(void)
{
    struct outcome outcome;
    struct err err = {0};
    make_rows(4000, 10);
    made.fail_at = 3000;
    IS(!write_made("failed", 4096, 0, NULL, &outcome, &err));
    IS(err.kind == ERR_CORRUPT && strstr(err.message, "the suite's stream fails") != NULL);
    outcome_done(&outcome);

    atomic_bool stop = true;
    make_rows(4000, 10);
    IS(!write_made("stopped", 4096, 0, &stop, &outcome, &err));
    IS(err.kind == ERR_STOPPED);
    outcome_done(&outcome);

    make_rows(10, 10);
    made.rows[5].key = made.rows[4].key;
    IS(!write_made("twice", 4096, 0, NULL, &outcome, &err));
    IS(err.kind == ERR_CORRUPT);
    outcome_done(&outcome);

    struct kv_file *file = NULL;
    IS(!kv_open(kv, path_of("missing"), &file, &err));
    IS(err.kind == ERR_MISSING);
    FILE *foreign = fopen(path_of("foreign"), "wb");
    IS(foreign != NULL && fwrite(data, 1, 20000, foreign) == 20000);
    fclose(foreign);
    IS(!kv_open(kv, path_of("foreign"), &file, &err));
    IS(err.kind == ERR_CORRUPT && strstr(err.message, "foreign") != NULL);
}

/* One driver, a file a thread. */
struct writing {
    struct made_rows rows;
    char path[4096];
};

static void write_one(void *argument)
{
    struct writing *writing = argument;
    struct kv_write_request request = {.path = writing->path, .page_size = 4096};
    struct kv_written written;
    struct err err = {0};
    struct buf key_min;
    struct buf key_max;
    buf_init(&key_min, SIZE_MAX);
    buf_init(&key_max, SIZE_MAX);
    WORKS(kv_write(kv, &request, &writing->rows.stream, &written, &key_min, &key_max, &err));
    IS_NUMBER(written.rows, writing->rows.count);
    buf_done(&key_min);
    buf_done(&key_max);
}

static void threads_do_not_meet(void)
{
    enum { THREADS = 4 };
    struct writing *writings[THREADS];
    struct thread *threads[THREADS];
    make_rows(ROWS_MAX, 100);
    for (size_t i = 0; i < THREADS; i++) {
        char name[16];
        snprintf(name, sizeof name, "thread-%zu", i);
        writings[i] = malloc(sizeof *writings[i]);
        IS(writings[i] != NULL);
        writings[i]->rows = made;
        snprintf(writings[i]->path, sizeof writings[i]->path, "%s", path_of(name));
        threads[i] = thread_new("kv", write_one, writings[i]);
    }
    for (size_t i = 0; i < THREADS; i++) {
        thread_join(threads[i]);
        buf_done(&writings[i]->rows.packed);
        free(writings[i]);
    }
    expect_made("thread-0");
    expect_made("thread-3");
    IS(!kv->ops->features.same_bytes || files_equal("thread-0", "thread-3"));
}

void kv_suite_run(struct kv *driver, const char *folder)
{
    kv = driver;
    suite_folder = folder;
    for (size_t i = 0; i < DATA_BYTES; i++) {
        data[i] = (uint8_t)(i * 7 + i / 251);
    }
    STORY(rows_come_back);
    STORY(same_bytes);
    STORY(threads_do_not_meet);
    STORY(failures);
    STORY(keys_of_all_sizes);
    buf_done(&made.packed);
}

/* The battery of shard files on SQLite with vectors; and the nearest of them are found. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/os/file.h"
#include "adapters/sqlite/sqlite_vec_kv.h"
#include "tests/conformance/kv_suite.h"
#include "tests/support/plain.h"
#include "tests/support/vec0.h"

enum { DIM = 3, ROWS = 3000 };

static const char *suite_folder;

/* ---- search, against a search by hand ---- */

static void number_vector(size_t index, float vector[DIM])
{
    for (size_t i = 0; i < DIM; i++) {
        vector[i] = sinf((float)(index * (2 * i + 1)) * 0.7F + (float)i) * 4;
    }
}

struct numbered {
    struct row_stream stream;
    size_t next;
    uint8_t key[8];
    struct buf packed;
};

static bool next_row(struct row_stream *stream, struct row *ret_row, bool *ret_more,
                     struct err *err)
{
    (void)err;
    struct numbered *self = (struct numbered *)stream;
    *ret_more = self->next < ROWS;
    if (!*ret_more) {
        return true;
    }
    float vector[DIM];
    char id[64];
    number_vector(self->next, vector);
    snprintf(id, sizeof id, "{\"v\": %zu, \"t\": \"int\"}", self->next);
    struct vector_row row = {.value = bytes_of_text("value"),
                             .vector = bytes_of(vector, sizeof vector),
                             .id = bytes_of_text(id)};
    put_u64be(self->key, self->next++);
    buf_clear(&self->packed);
    vector_row_pack(&row, &self->packed);
    *ret_row = (struct row){.key = bytes_of(self->key, 8), .value = buf_bytes(&self->packed)};
    return true;
}

static void free_nothing(struct row_stream *stream)
{
    (void)stream;
}

static double distance(enum vector_metric metric, const float *a, const float *b)
{
    double sum = 0;
    double product = 0;
    double length_a = 0;
    double length_b = 0;
    for (size_t i = 0; i < DIM; i++) {
        sum += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
        product += (double)a[i] * b[i];
        length_a += (double)a[i] * a[i];
        length_b += (double)b[i] * b[i];
    }
    return metric == VECTOR_L2 ? sqrt(sum) : 1 - product / sqrt(length_a) / sqrt(length_b);
}

static void search_finds_the_nearest(enum vector_metric metric)
{
    enum { COUNT = 25 };
    static const struct row_stream_ops ops = {.next = next_row, .free = free_nothing};
    struct sqlite_vec_settings settings = {.extension = vec0_path(), .dim = DIM, .metric = metric};
    struct err err = {0};
    struct kv *kv = NULL;
    struct kv_file *file = NULL;
    struct kv_written written;
    struct numbered rows = {.stream = {.ops = &ops}};
    struct buf low;
    struct buf high;
    char path[4096];
    buf_init(&rows.packed, SIZE_MAX);
    buf_init(&low, 100);
    buf_init(&high, 100);
    WORKS(sqlite_vec_kv_new(&settings, &kv, &err));
    snprintf(path, sizeof path, "%s/search-%s", suite_folder, vector_metric_name(metric));
    struct kv_write_request request = {.path = path, .page_size = 4096};
    WORKS(kv_write(kv, &request, &rows.stream, &written, &low, &high, &err));
    WORKS(kv_open(kv, path, &file, &err));
    struct arena *arena = arena_new(4096);
    for (size_t query = 0; query < 20; query++) {
        float wanted[DIM];
        struct kv_neighbour found[COUNT];
        size_t have = 0;
        number_vector(query * 31 + 5, wanted);
        wanted[0] += 0.3F;
        WORKS(kv_search(file, bytes_of(wanted, sizeof wanted), COUNT, arena, found, &have, &err));
        IS_NUMBER(have, COUNT);
        size_t nearer = 0;
        for (size_t i = 0; i < ROWS; i++) {
            float vector[DIM];
            number_vector(i, vector);
            nearer += distance(metric, wanted, vector) < found[COUNT - 1].distance - 1e-4;
        }
        IS(nearer < COUNT);
        for (size_t i = 0; i < COUNT; i++) {
            float vector[DIM];
            number_vector((size_t)strtoul(found[i].id + strlen("{\"v\": "), NULL, 10), vector);
            IS(fabs(distance(metric, wanted, vector) - found[i].distance) < 1e-3);
            IS(i == 0 || found[i].distance >= found[i - 1].distance);
            IS(found[i].payload == NULL);
        }
    }
    arena_free(arena);
    kv_close(file);
    kv_free(kv);
    buf_done(&rows.packed);
    buf_done(&low);
    buf_done(&high);
}

static void search_by_cosine(void)
{
    search_finds_the_nearest(VECTOR_COSINE);
}

static void search_by_length(void)
{
    search_finds_the_nearest(VECTOR_L2);
}

static void what_cannot_be_loaded(void)
{
    struct err err = {0};
    struct kv *kv = NULL;
    struct sqlite_vec_settings settings = {.extension = "/nowhere/vec0.so", .dim = DIM};
    IS(!sqlite_vec_kv_new(&settings, &kv, &err));
    IS(err.kind == ERR_SETTINGS && strstr(err.message, "/nowhere/vec0.so") != NULL);
    char path[4096];
    snprintf(path, sizeof path, "%s/none.so", suite_folder);
    WORKS(file_write(path, bytes_of_text("no library"), 0644, &err));
    settings.extension = path;
    IS(!sqlite_vec_kv_new(&settings, &kv, &err));
    IS(err.kind == ERR_SETTINGS && strstr(err.message, path) != NULL);
}

int main(void)
{
    struct err err = {0};
    char *folder = NULL;
    struct kv *kv = NULL;
    struct sqlite_vec_settings settings = {.extension = vec0_path(), .dim = DIM};
    WORKS(file_temp_folder("/tmp", "tidemark-kv", &folder, &err));
    suite_folder = folder;
    WORKS(sqlite_vec_kv_new(&settings, &kv, &err));
    kv_suite_run(kv, folder);
    kv_free(kv);
    STORY(search_by_cosine);
    STORY(search_by_length);
    STORY(what_cannot_be_loaded);
    WORKS(file_remove_tree(folder, &err));
    free(folder);
    return 0;
}

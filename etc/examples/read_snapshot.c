/* Reads a published snapshot with libtidemark: the value of a key, or the first keys in order.
 *
 *     cc read_snapshot.c $(pkg-config --cflags --libs tidemark) -o read_snapshot
 *     ./read_snapshot s3://bucket/orders 4711
 *     ./read_snapshot file:///data/orders */
#include <stdio.h>
#include <stdlib.h>
#include <tidemark.h>

static int failed(const struct tidemark_error *error)
{
    fprintf(stderr, "read_snapshot: %s\n", error->message);
    return 1;
}

static struct tidemark_key key_of(const struct tidemark_snapshot *snapshot, const char *text)
{
    enum tidemark_key_encoding encoding = tidemark_key_encoding_of(snapshot);
    if (encoding == TIDEMARK_U64BE || encoding == TIDEMARK_U32BE) {
        return tidemark_integer_key(strtoull(text, NULL, 10));
    }
    return tidemark_text_key(text);
}

static int print_value(struct tidemark_snapshot *snapshot, const char *text)
{
    struct tidemark_error error;
    struct tidemark_value value;
    enum tidemark_code code = tidemark_get(snapshot, key_of(snapshot, text), &value, &error);
    if (code == TIDEMARK_NOT_FOUND) {
        fprintf(stderr, "read_snapshot: there is no %s\n", text);
        return 4;
    }
    if (code != TIDEMARK_OK) {
        return failed(&error);
    }
    fwrite(value.data, 1, value.size, stdout);
    putchar('\n');
    tidemark_value_free(&value);
    return 0;
}

static int print_first_keys(struct tidemark_snapshot *snapshot)
{
    struct tidemark_error error;
    struct tidemark_scan *scan = NULL;
    struct tidemark_row row;
    if (tidemark_scan_range(snapshot, NULL, NULL, &scan, &error) != TIDEMARK_OK) {
        return failed(&error);
    }
    enum tidemark_code code = TIDEMARK_OK;
    for (int i = 0; i < 10; i++) {
        code = tidemark_scan_next(scan, &row, &error);
        if (code != TIDEMARK_OK) {
            break;
        }
        if (row.key.data == NULL) {
            printf("%llu", (unsigned long long)row.key.integer);
        } else {
            fwrite(row.key.data, 1, row.key.size, stdout);
        }
        printf("\t%zu bytes\n", row.value_size);
    }
    tidemark_scan_close(scan);
    return code == TIDEMARK_OK || code == TIDEMARK_NOT_FOUND ? 0 : failed(&error);
}

int main(int argc, char **argv)
{
    if (argc != 2 && argc != 3) {
        fprintf(stderr, "usage: read_snapshot URL [KEY]\n");
        return 2;
    }
    struct tidemark_error error;
    struct tidemark_snapshot *snapshot = NULL;
    if (tidemark_open(argv[1], NULL, &snapshot, &error) != TIDEMARK_OK) {
        return failed(&error);
    }
    fprintf(stderr, "run %s: %llu rows in %u shards\n", tidemark_run_id(snapshot),
            (unsigned long long)tidemark_row_count(snapshot), tidemark_shard_count(snapshot));
    int code = argc == 3 ? print_value(snapshot, argv[2]) : print_first_keys(snapshot);
    tidemark_close(snapshot);
    return code;
}

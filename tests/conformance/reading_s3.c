/* A large shard on a real S3 server, read by the C library: with how many requests, from many
 * threads, and what is said, and where, when the store fails. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "adapters/os/thread.h"
#include "library/tidemark.h"
#include "tests/conformance/store_faults.h"
#include "tests/conformance/store_server.h"
#include "tests/support/plain.h"

#define RULED_MUST(condition) WORKS(condition)
#include "tests/support/ruled_snapshot.h"

/* Over the 16 MiB from which files are read by range without being told to; every 16th value is on
 * overflow pages. */
static const struct ruled rule = {
    .count = 20000, .value_bytes = 700, .some_bytes = 6000, .page_size = 4096};

static struct ruled_snapshot published;
static char cache[128];

#define DONE(call, wanted)                                                                         \
    do {                                                                                           \
        enum tidemark_code code_ = (call);                                                         \
        if (code_ != (wanted)) {                                                                   \
            fprintf(stderr, "%s:%d: %s: %d %s\n", __FILE__, __LINE__, #call, (int)code_,           \
                    error.message);                                                                \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

static struct tidemark_snapshot *open_snapshot(const char *deadline)
{
    struct tidemark_error error;
    struct tidemark_snapshot *snapshot = NULL;
    struct tidemark_options *options = tidemark_options_new();
    DONE(tidemark_options_set(options, "cache_folder", cache, &error), TIDEMARK_OK);
    DONE(tidemark_options_set(options, "s3.deadline", deadline, &error), TIDEMARK_OK);
    DONE(tidemark_open(store_url_of(published.store), options, &snapshot, &error), TIDEMARK_OK);
    tidemark_options_free(options);
    return snapshot;
}

static void expect(struct tidemark_snapshot *snapshot, uint64_t number)
{
    struct tidemark_error error;
    struct tidemark_value value;
    struct buf wanted;
    buf_init(&wanted, RULED_VALUE_MAX);
    ruled_value(&rule, number, &wanted);
    DONE(tidemark_get(snapshot, tidemark_integer_key(3 * number), &value, &error), TIDEMARK_OK);
    IS(bytes_equal(buf_bytes(&wanted), bytes_of(value.data, value.size)));
    tidemark_value_free(&value);
    buf_done(&wanted);
}

static void at_most_two_requests(void)
{
    store_faults_set("[]");
    struct tidemark_snapshot *snapshot = open_snapshot("1m");
    IS_NUMBER(store_faults_seen("GET"), 2); /* _CURRENT and the manifest */
    expect(snapshot, 0);
    IS_NUMBER(store_faults_seen("shard.sidecar"), 1);
    IS_NUMBER(store_faults_seen(" "), 4);
    uint64_t worst = 0;
    for (uint64_t i = 1; i < 80; i++) {
        uint64_t before = tidemark_traffic_of(snapshot).requests;
        expect(snapshot, i * 7919 % rule.count);
        uint64_t cost = tidemark_traffic_of(snapshot).requests - before;
        worst = cost > worst ? cost : worst;
    }
    IS_NUMBER(worst, 2);
    struct tidemark_traffic traffic = tidemark_traffic_of(snapshot);
    IS_NUMBER(store_faults_seen(" "), traffic.requests); /* the proxy counts the same */
    IS_NUMBER(store_faults_seen("shard.db"), traffic.requests - 3);
    IS(traffic.bytes < published.bytes / 2);
    tidemark_close(snapshot);
    IS(access(cache, F_OK) != 0); /* nothing was downloaded */
}

static void a_prefix_of_the_keys(void)
{
    struct tidemark_error error;
    struct tidemark_scan *scan = NULL;
    struct tidemark_row row;
    struct tidemark_key from = tidemark_integer_key(3000);
    struct tidemark_snapshot *snapshot = open_snapshot("1m");
    DONE(tidemark_scan_range(snapshot, &from, NULL, &scan, &error), TIDEMARK_OK);
    for (uint64_t i = 1000; i < rule.count; i++) {
        DONE(tidemark_scan_next(scan, &row, &error), TIDEMARK_OK);
        IS(row.key.integer == 3 * i && row.value_size == ruled_value_size(&rule, i));
    }
    DONE(tidemark_scan_next(scan, &row, &error), TIDEMARK_NOT_FOUND);
    tidemark_scan_close(scan);
    IS(tidemark_traffic_of(snapshot).requests < 60);
    tidemark_close(snapshot);
}

/* ---- threads ---- */

struct asking {
    struct tidemark_snapshot *snapshot;
    unsigned seed;
};

static void ask(void *argument)
{
    struct asking *asking = argument;
    for (uint64_t i = 0; i < 60; i++) {
        expect(asking->snapshot, (i * 104729 + asking->seed) % rule.count);
    }
}

static void threads_share_what_was_read(void)
{
    enum { THREADS = 4 };
    struct tidemark_snapshot *snapshot = open_snapshot("1m");
    struct asking asking[THREADS];
    struct thread *threads[THREADS];
    for (unsigned i = 0; i < THREADS; i++) {
        asking[i] = (struct asking){.snapshot = snapshot, .seed = i % 2};
        threads[i] = thread_new("ask", ask, &asking[i]);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        thread_join(threads[i]);
    }
    /* pairs of them ask for the same keys: a page on its way is not asked for twice */
    IS(tidemark_traffic_of(snapshot).requests <= 3 + 2 * 2 * 60);
    tidemark_close(snapshot);
}

/* ---- faults ---- */

/* The library speaks through its errors alone. */
static void nothing_is_printed(void)
{
    struct tidemark_error error;
    struct tidemark_value value;
    struct stat printed = {0};
    char path[160];
    snprintf(path, sizeof path, "%s.printed", cache);
    struct tidemark_snapshot *snapshot = open_snapshot("2s");
    expect(snapshot, 0);
    int real = dup(STDERR_FILENO);
    int file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    IS(real >= 0 && file >= 0 && dup2(file, STDERR_FILENO) >= 0);
    store_faults_set("[{'action': 'status', 'status': 503, 'match': 'shard.db'}]");
    enum tidemark_code down =
        tidemark_get(snapshot, tidemark_integer_key(3 * 9000), &value, &error);
    store_faults_set("[]");
    struct tidemark_value after;
    enum tidemark_code up = tidemark_get(snapshot, tidemark_integer_key(3 * 9000), &after, NULL);
    IS(dup2(real, STDERR_FILENO) >= 0);
    IS(fstat(file, &printed) == 0);
    close(real);
    close(file);
    unlink(path);
    IS_NUMBER(down, TIDEMARK_UNAVAILABLE);
    IS(strstr(error.message, "shard.db") != NULL && value.data == NULL);
    IS_NUMBER(up, TIDEMARK_OK);
    tidemark_value_free(&after);
    IS_NUMBER(printed.st_size, 0);
    tidemark_close(snapshot);
}

static void a_replaced_file(void)
{
    struct tidemark_error error;
    struct tidemark_value value;
    struct tidemark_snapshot *snapshot = open_snapshot("1m");
    expect(snapshot, 0);
    ruled_put(&published, published.name, bytes_of_text("something else"));
    DONE(tidemark_get(snapshot, tidemark_integer_key(3 * 5000), &value, &error), TIDEMARK_CORRUPT);
    IS(strstr(error.message, "replaced after it was published") != NULL);
    tidemark_close(snapshot);
}

int main(void)
{
    struct store_server server;
    store_server_start(&server, "versitygw");
    store_faults_start();
    struct s3_settings settings = {0};
    struct store *store = store_server_open(&settings, "reading");
    snprintf(cache, sizeof cache, "%s/cache", server.folder);
    ruled_publish(&published, store, server.folder, &rule, true);
    IS(published.bytes > 16 << 20);
    STORY(at_most_two_requests);
    STORY(a_prefix_of_the_keys);
    STORY(threads_share_what_was_read);
    STORY(nothing_is_printed);
    STORY(a_replaced_file);
    ruled_done(&published);
    store_free(store);
    store_faults_stop();
    store_server_stop(&server);
    return 0;
}

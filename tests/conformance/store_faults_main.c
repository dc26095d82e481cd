/* What the S3 driver does when the way to the server, or the server, is faulty: each fault with its
 * exact outcome. */
#include "tests/conformance/store_faults_case.h"

struct s3_settings store_faults_quick(void)
{
    return (struct s3_settings){.connect_timeout_us = SECOND,
                                .stall_timeout_us = 2 * SECOND,
                                .request_timeout_us = SECOND,
                                .total_deadline_us = 5 * SECOND,
                                .backoff_base_us = 5000,
                                .backoff_cap_us = 20000,
                                .retries_max = 4,
                                .bytes_per_second_min = 1024 * 1024,
                                .multipart_threshold_bytes = 6 * 1024 * 1024,
                                .part_bytes = 5 * 1024 * 1024};
}

static struct store *open_store(void *context, const char *prefix)
{
    struct s3_settings settings = store_faults_quick();
    (void)context;
    store_faults_set("[]");
    return store_server_open(&settings, prefix);
}

int main(void)
{
    struct store_server server;
    store_server_start(&server, "versitygw");
    store_faults_start();
    struct store_suite suite = {.name = "faults", .folder = server.folder, .open = open_store};
    int failed = store_suite_run_cases(&suite, store_faults_writes) +
                 store_suite_run_cases(&suite, store_faults_reads) +
                 store_suite_run_cases(&suite, store_faults_parts) +
                 store_suite_run_cases(&suite, store_faults_network);
    store_faults_stop();
    store_server_stop(&server);
    return failed != 0;
}

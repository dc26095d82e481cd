/* What a manifest says of itself, against its lineage and the names that it should have. */
#include "consumer/verify/verify_manifest.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static void add(struct verify_report *report, int64_t shard, const char *what, const char *expected,
                const char *found)
{
    struct verify_finding finding = verify_finding(VERIFY_MANIFEST);
    finding.shard = shard;
    finding.what = what;
    finding.expected = expected;
    finding.found = found;
    verify_report_add(report, &finding);
}

static int by_url(const void *a, const void *b)
{
    return strcmp((*(const struct attempt *const *)a)->db_url,
                  (*(const struct attempt *const *)b)->db_url);
}

static int by_checkpoint(const void *a, const void *b)
{
    return strcmp((*(const struct attempt *const *)a)->checkpoint_id,
                  (*(const struct attempt *const *)b)->checkpoint_id);
}

/* Neighbours that are the same in `compare` name one thing twice. */
static void find_twice(const struct attempt **list, size_t count,
                       int (*compare)(const void *, const void *), const char *what,
                       struct verify_report *report)
{
    qsort(list, count, sizeof *list, compare);
    for (size_t i = 1; i < count; i++) {
        if (compare(&list[i - 1], &list[i]) == 0) {
            char other[64];
            snprintf(other, sizeof other, "that of shard %" PRId64 ", too", list[i - 1]->db_id);
            add(report, list[i]->db_id, what, "its own", other);
        }
    }
}

static void check_shard(const struct manifest *manifest, const struct attempt *shard,
                        struct verify_report *report)
{
    if (shard->db_id < 0 || shard->db_id >= (int64_t)manifest->num_dbs) {
        add(report, shard->db_id, "db_id", "below num_dbs", "not");
    }
    if (shard->checkpoint_id == NULL || !attempt_checkpoint_id_is_valid(shard->checkpoint_id)) {
        add(report, shard->db_id, "checkpoint_id", "32 hex digits",
            shard->checkpoint_id == NULL ? "none" : shard->checkpoint_id);
    }
    if (shard->db_url == NULL) {
        add(report, shard->db_id, "db_url", "the folder of its file", "none");
    }
}

static void check_names(const struct manifest *manifest, struct verify_report *report)
{
    const struct attempt **urls = calloc(manifest->shard_count + 1, sizeof *urls);
    const struct attempt **ids = calloc(manifest->shard_count + 1, sizeof *ids);
    CHECK(urls != NULL && ids != NULL);
    size_t url_count = 0;
    size_t id_count = 0;
    for (size_t i = 0; i < manifest->shard_count; i++) {
        const struct attempt *shard = &manifest->shards[i];
        check_shard(manifest, shard, report);
        if (shard->db_url != NULL) {
            urls[url_count++] = shard;
        }
        if (shard->checkpoint_id != NULL) {
            ids[id_count++] = shard;
        }
    }
    find_twice(urls, url_count, by_url, "db_url", report);
    find_twice(ids, id_count, by_checkpoint, "checkpoint_id", report);
    free(urls);
    free(ids);
}

void verify_manifest(const struct manifest *manifest, const struct message_commit *lineage,
                     struct verify_report *report)
{
    check_names(manifest, report);
    if (lineage == NULL) {
        return;
    }
    if (strcmp(manifest->run_id, lineage->run_id) != 0) {
        add(report, -1, "run_id", lineage->run_id, manifest->run_id);
    }
    if (manifest->num_dbs != lineage->snapshot.num_dbs) {
        char expected[32];
        char found[32];
        snprintf(expected, sizeof expected, "%" PRIu32, lineage->snapshot.num_dbs);
        snprintf(found, sizeof found, "%" PRIu32, manifest->num_dbs);
        add(report, -1, "num_dbs", expected, found);
    }
}

void verify_manifest_shards(const struct manifest *manifest, const struct router *router,
                            uint64_t rows, size_t tokens, struct verify_report *report)
{
    uint32_t shards = tokens == 0 ? 1 : (uint32_t)tokens;
    bool by_tokens = router->num_dbs == 0 && router->kind != ROUTE_HASH_AT_CLOSE;
    struct err err;
    if (!by_tokens && !route_num_dbs(router, rows, &shards, &err)) {
        add(report, -1, err.message, NULL, NULL);
    } else if (shards != manifest->num_dbs) {
        char expected[32];
        char found[32];
        snprintf(expected, sizeof expected, "%" PRIu32, shards);
        snprintf(found, sizeof found, "%" PRIu32, manifest->num_dbs);
        add(report, -1, "num_dbs", expected, found);
    }
}

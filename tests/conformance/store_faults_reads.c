/* Broken reads, wrong clocks and keys, and what errors may show. */
#include <string.h>

#include "adapters/os/clock.h"
#include "tests/conformance/store_faults_case.h"

/* ---- reads ---- */

enum { LARGE = 3 * 1024 * 1024 };

static void put_large(struct store *store, const char *key, unsigned seed)
{
    struct err err = {0};
    uint8_t *bytes = store_suite_bytes(LARGE, seed);
    struct store_content large = {.bytes = bytes_of(bytes, LARGE)};
    EXPECT_OK(store_put(store, key, &large, store_always(), NULL, &err));
    free(bytes);
}

CASE(a_broken_read_goes_on_where_it_was)
{
    BEGIN;
    put_large(store, "o", 1);
    store_faults_set("[{'action':'truncate','bytes':1000000,'method':'GET','times':2}]");
    struct buf now;
    buf_init(&now, LARGE);
    struct store_info info;
    EXPECT_OK(store_get(store, "o", &now, &info, &err));
    uint8_t *bytes = store_suite_bytes(LARGE, 1);
    EXPECT(bytes_equal(buf_bytes(&now), bytes_of(bytes, LARGE)));
    EXPECT(info.size == LARGE && requests(store, STORE_GET) == 3);
    EXPECT(store->counters.of[STORE_GET].bytes_received == LARGE);
    buf_clear(&now);
    store_faults_set("[{'action':'truncate','bytes':70000,'method':'GET','times':1}]");
    EXPECT_OK(store_get_range(store, "o", 500, 200000, &now, &err));
    EXPECT(bytes_equal(buf_bytes(&now), bytes_of(bytes + 500, 200000)));
    free(bytes);
    buf_done(&now);
}

CASE(a_read_that_makes_no_progress_ends)
{
    BEGIN;
    put_large(store, "o", 1);
    store_faults_set("[{'action':'truncate','bytes':1000,'method':'GET','times':1},"
                     "{'action':'truncate','bytes':0,'method':'GET'}]");
    struct buf now;
    buf_init(&now, LARGE);
    EXPECT_ERR(store_get(store, "o", &now, NULL, &err), ERR_TRANSIENT);
    buf_done(&now);
}

/* A few bytes now and then are no progress either: a read of 3 MB would take half a day. */
CASE(a_read_that_drips_ends)
{
    BEGIN;
    struct s3_settings settings = store_faults_quick();
    settings.stall_timeout_us = SECOND;
    settings.retries_max = 1;
    struct store *hasty = store_server_open(&settings, "suite/hasty");
    put_large(hasty, "o", 1);
    store_faults_set("[{'action':'drip','bytes':7,'method':'GET'}]");
    struct buf now;
    buf_init(&now, LARGE);
    int64_t before_us = clock_mono_us();
    bool ok = store_get(hasty, "o", &now, NULL, &err);
    int64_t took_us = clock_mono_us() - before_us;
    store_free(hasty);
    buf_done(&now);
    EXPECT(!ok && err.kind == ERR_TRANSIENT);
    EXPECT(took_us < 20 * SECOND && store != NULL);
}

struct replacing {
    struct store *store;
    bool done;
};

static bool replace_once(void *to, struct bytes bytes, struct err *err)
{
    struct replacing *replacing = to;
    (void)err;
    if (bytes.size > 0 && !replacing->done) {
        replacing->done = true;
        put_large(replacing->store, "o", 2);
    }
    return true;
}

CASE(a_broken_error_is_no_content)
{
    BEGIN;
    store_suite_put(store, "o", "x");
    store_faults_set(
        "[{'action':'truncate','bytes':100,'method':'GET','match':'/none','times':1}]");
    struct buf now;
    buf_init(&now, 100);
    EXPECT_ERR(store_get(store, "none", &now, NULL, &err), ERR_MISSING);
    EXPECT(requests(store, STORE_GET) == 2 && now.size == 0);
    buf_done(&now);
}

CASE(two_versions_are_never_mixed)
{
    BEGIN;
    put_large(store, "o", 1);
    store_faults_set("[{'action':'truncate','bytes':100000,'method':'GET','times':1}]");
    struct replacing replacing = {.store = store};
    struct store_sink sink = {replace_once, &replacing};
    EXPECT_ERR(
        store_read(store, "o", (struct store_range){.length = UINT64_MAX}, &sink, NULL, &err),
        ERR_TRANSIENT);
    EXPECT(strstr(err.message, "replaced") != NULL);
}

CASE(a_server_that_ignores_ranges_is_understood)
{
    BEGIN;
    put_large(store, "o", 1);
    store_faults_set("[{'action':'strip','names':['range'],'method':'GET'}]");
    struct buf now;
    buf_init(&now, LARGE);
    EXPECT_OK(store_get_range(store, "o", 100000, 1000, &now, &err));
    uint8_t *bytes = store_suite_bytes(LARGE, 1);
    EXPECT(bytes_equal(buf_bytes(&now), bytes_of(bytes + 100000, 1000)));
    free(bytes);
    buf_done(&now);
}

CASE(a_list_that_was_cut_short_is_asked_for_again)
{
    BEGIN;
    store_suite_put(store, "a", "x");
    store_suite_put(store, "b", "x");
    store_faults_set("[{'action':'truncate','bytes':300,'match':'list-type','times':1}]");
    struct store_page page = {0};
    EXPECT_OK(store_list(store, "", false, &page, &err));
    EXPECT(page.count == 2 && retries(store, STORE_LIST) == 1);
    store_page_done(&page);
}

/* ---- clocks and keys ---- */

CASE(a_wrong_clock_is_mended_once)
{
    BEGIN;
    store_faults_set("[{'action':'skew','seconds':-7200}]");
    EXPECT_OK(store_put(store, "o", &content, store_if_absent(), NULL, &err));
    EXPECT(requests(store, STORE_PUT) == 2 && retries(store, STORE_PUT) == 1);
    struct store_info info;
    EXPECT_OK(store_head(store, "o", &info, &err));
    EXPECT(requests(store, STORE_HEAD) == 1);
}

CASE(head_mends_the_clock_too)
{
    BEGIN;
    store_suite_put(store, "o", "x");
    store_faults_set("[{'action':'skew','seconds':7200}]");
    struct store_info info;
    EXPECT_OK(store_head(store, "o", &info, &err));
    EXPECT(requests(store, STORE_HEAD) == 2);
}

CASE(keys_that_ended_are_fetched_again_once)
{
    BEGIN;
    store_faults_set("[{'action':'status','status':400,'code':'ExpiredToken','times':1}]");
    EXPECT_OK(store_put(store, "o", &content, store_if_absent(), NULL, &err));
    EXPECT(requests(store, STORE_PUT) == 2);
    store_faults_set("[{'action':'status','status':400,'code':'ExpiredToken'}]");
    EXPECT_ERR(store_put(store, "o", &content, store_always(), NULL, &err), ERR_SETTINGS);
    EXPECT(requests(store, STORE_PUT) == 4);
}

CASE(no_error_shows_a_secret)
{
    BEGIN;
    char rules[1024];
    const char *secret = getenv("AWS_SECRET_ACCESS_KEY");
    snprintf(
        rules, sizeof rules,
        "[{'action':'status','status':403,'code':'SignatureDoesNotMatch','message':"
        "'we said %s and you f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41'}]",
        secret);
    store_faults_set(rules);
    EXPECT_ERR(store_put(store, "o", &content, store_always(), NULL, &err), ERR_SETTINGS);
    EXPECT(strstr(err.message, "SignatureDoesNotMatch: we said *") != NULL);
    EXPECT(strstr(err.message, secret) == NULL && strstr(err.message, "f0e8bd") == NULL);
}

CASE(a_wrong_key_is_a_setting)
{
    BEGIN;
    setenv("AWS_SECRET_ACCESS_KEY_KEPT", getenv("AWS_SECRET_ACCESS_KEY"), 1);
    setenv("AWS_SECRET_ACCESS_KEY", "wrong", 1);
    bool ok = store_put(store, "o", &content, store_always(), NULL, &err);
    setenv("AWS_SECRET_ACCESS_KEY", getenv("AWS_SECRET_ACCESS_KEY_KEPT"), 1);
    EXPECT(!ok && err.kind == ERR_SETTINGS && err.code == 403);
    EXPECT(requests(store, STORE_PUT) == 1);
}

const struct store_case store_faults_reads[] = {
    STORE_FAULTS_CASE(a_broken_read_goes_on_where_it_was),
    STORE_FAULTS_CASE(a_read_that_makes_no_progress_ends),
    STORE_FAULTS_CASE(a_read_that_drips_ends),
    STORE_FAULTS_CASE(a_broken_error_is_no_content),
    STORE_FAULTS_CASE(two_versions_are_never_mixed),
    STORE_FAULTS_CASE(a_server_that_ignores_ranges_is_understood),
    STORE_FAULTS_CASE(a_list_that_was_cut_short_is_asked_for_again),
    STORE_FAULTS_CASE(a_wrong_clock_is_mended_once),
    STORE_FAULTS_CASE(head_mends_the_clock_too),
    STORE_FAULTS_CASE(keys_that_ended_are_fetched_again_once),
    STORE_FAULTS_CASE(no_error_shows_a_secret),
    STORE_FAULTS_CASE(a_wrong_key_is_a_setting),
    {NULL, NULL},
};

/* Uploads in parts, copies and batches, and servers that do not keep conditions. */
#include <string.h>

#include "tests/conformance/store_faults_case.h"

/* ---- parts, copies, batches ---- */

enum { IN_PARTS = 6 * 1024 * 1024 + 1 };

static struct store_content parts_content(void)
{
    static uint8_t *bytes;
    if (bytes == NULL) {
        bytes = store_suite_bytes(IN_PARTS, 3);
    }
    return (struct store_content){.bytes = bytes_of(bytes, IN_PARTS)};
}

CASE(a_failed_part_aborts_the_upload)
{
    BEGIN;
    content = parts_content();
    store_faults_set(
        "[{'action':'status','status':403,'code':'AccessDenied','match':'partNumber=2'}]");
    EXPECT_ERR(store_put(store, "o", &content, store_if_absent(), NULL, &err), ERR_SETTINGS);
    EXPECT(strstr(err.message, "part 2") != NULL);
    EXPECT(store_faults_seen("DELETE ") == 1 && store_faults_seen("partNumber=1") == 1);
    struct store_info info;
    EXPECT_ERR(store_head(store, "o", &info, &err), ERR_MISSING);
}

CASE(a_lost_part_is_sent_again)
{
    BEGIN;
    content = parts_content();
    store_faults_set("[{'action':'drop_after','match':'partNumber=1','times':1},"
                     "{'action':'status','status':500,'match':'partNumber=2','times':1}]");
    EXPECT_OK(store_put(store, "o", &content, store_if_absent(), NULL, &err));
    EXPECT(store_faults_seen("partNumber=1") == 2 && store_faults_seen("partNumber=2") == 2);
    EXPECT(store_faults_seen("DELETE ") == 0);
}

CASE(an_error_inside_200_is_an_error)
{
    BEGIN;
    content = parts_content();
    store_faults_set("[{'action':'status','status':200,'code':'InternalError','method':'POST',"
                     "'match':'?uploadId','times':1}]");
    EXPECT_OK(store_put(store, "plain", &content, store_always(), NULL, &err));
    EXPECT(store_faults_seen("POST ") == 3);
    store_faults_set("[{'action':'status','status':200,'code':'InternalError','method':'POST',"
                     "'match':'?uploadId','times':1}]");
    EXPECT_ERR(store_put(store, "conditional", &content, store_if_absent(), NULL, &err),
               ERR_AMBIGUOUS);
    EXPECT(store_faults_seen("POST ") == 2 && store_faults_seen("DELETE ") == 1);
}

CASE(a_lost_completion_is_settled)
{
    BEGIN;
    content = parts_content();
    struct store_etag etag;
    store_faults_set("[{'action':'drop_after','method':'POST','match':'?uploadId','times':1}]");
    EXPECT_OK(store_put_settled(store, "a", &content, store_if_absent(), &etag, &err));
    EXPECT(store_faults_seen("POST ") == 2);
    store_faults_set("[{'action':'drop_after','method':'POST','match':'?uploadId','times':1}]");
    EXPECT_OK(store_put_settled(store, "b", &content, store_always(), &etag, &err));
    struct store_info info;
    EXPECT_OK(store_head(store, "b", &info, &err));
    EXPECT(info.size == IN_PARTS && strcmp(info.etag.text, etag.text) == 0);
}

CASE(an_existing_object_spares_the_upload)
{
    BEGIN;
    content = parts_content();
    store_suite_put(store, "o", "other");
    store_faults_set("[]");
    EXPECT_ERR(store_put(store, "o", &content, store_if_absent(), NULL, &err), ERR_CONFLICT);
    EXPECT(store_faults_seen("POST ") == 0 && store_faults_seen("PUT ") == 0);
}

CASE(other_bytes_than_were_sent_are_corrupt)
{
    BEGIN;
    store_faults_set("[{'action':'etag','etag':'\\'00000000000000000000000000000000\\'',"
                     "'method':'PUT'}]");
    EXPECT_ERR(store_put(store, "o", &content, store_always(), NULL, &err), ERR_CORRUPT);
    store_faults_set("[{'action':'etag','etag':'\\'opaque\\'','method':'PUT'}]");
    EXPECT_OK(store_put(store, "o", &content, store_always(), NULL, &err));
}

CASE(a_copy_with_an_error_inside_200_is_tried_again)
{
    BEGIN;
    store_suite_put(store, "from", "content");
    struct buf url;
    buf_init(&url, 4096);
    store_object_url(store, "from", &url);
    store_faults_set(
        "[{'action':'status','status':200,'code':'SlowDown','method':'PUT','times':1}]");
    EXPECT_OK(store_copy(store, buf_text(&url), "to", NULL, &err));
    EXPECT(retries(store, STORE_COPY) == 1);
    store_suite_expect(store, "to", "content");
    buf_done(&url);
}

CASE(a_batch_with_a_failed_key_is_sent_again)
{
    BEGIN;
    static const char *const keys[] = {"a", "b"};
    store_suite_put(store, "a", "x");
    store_suite_put(store, "b", "x");
    store_faults_set(
        "[{'action':'status','status':200,'times':1,'match':'?delete','body':"
        "'<DeleteResult><Error><Key>a</Key><Code>InternalError</Code></Error></DeleteResult>'}]");
    EXPECT_OK(store_delete_many(store, keys, 2, &err));
    EXPECT(store_faults_seen("?delete") == 2);
    store_faults_set(
        "[{'action':'status','status':200,'match':'?delete','body':"
        "'<DeleteResult><Error><Key>a</Key><Code>AccessDenied</Code></Error></DeleteResult>'}]");
    EXPECT_ERR(store_delete_many(store, keys, 2, &err), ERR_SETTINGS);
    EXPECT(store_faults_seen("?delete") == 1);
}

/* ---- servers that do not keep the conditions ---- */

static unsigned probe(struct store *store, struct store_probe_result *result)
{
    struct err err = {0};
    struct store_probe_settings settings = {.body_bytes = 64 * 1024, .rounds = 2};
    EXPECT_OK(store_probe(store, &settings, result, &err));
    EXPECT(result->features == store_features(store));
    struct store_page page = {0};
    EXPECT_OK(store_list(store, "", false, &page, &err));
    EXPECT(page.count == 0);
    store_page_done(&page);
    return result->features;
}

CASE(the_probe_notices_ignored_conditions)
{
    BEGIN;
    struct store_probe_result result;
    store_faults_set("[{'action':'strip','names':['if-match','if-none-match'],'method':'PUT'}]");
    EXPECT(probe(store, &result) == 0);
    EXPECT(strstr(result.text, "ignored") != NULL);
    store_faults_set("[{'action':'strip','names':['if-match'],'method':'PUT'}]");
    EXPECT(probe(store, &result) == STORE_CREATE_ONLY);
    EXPECT(strstr(result.text, "If-Match is ignored") != NULL);
    store_faults_set("[{'action':'strip','names':['if-none-match'],'method':'PUT'}]");
    EXPECT(probe(store, &result) == STORE_CAS);
}

CASE(the_probe_notices_conditions_that_lose_races)
{
    BEGIN;
    struct store_probe_result result;
    store_faults_set("[{'action':'unlocked','header':'if-match','method':'PUT'}]");
    EXPECT(probe(store, &result) == STORE_CREATE_ONLY);
    EXPECT(strstr(result.text, "race") != NULL);
    store_faults_set("[{'action':'unlocked','header':'if-none-match','method':'PUT'}]");
    EXPECT(probe(store, &result) == STORE_CAS);
    EXPECT(strstr(result.text, "race") != NULL);
}

CASE(the_probe_takes_501_for_an_answer)
{
    BEGIN;
    struct store_probe_result result;
    store_faults_set(
        "[{'action':'status','status':501,'code':'NotImplemented','header':'if-match'},"
        "{'action':'status','status':501,'code':'NotImplemented','header':'if-none-match'}]");
    EXPECT(probe(store, &result) == 0);
    EXPECT(strstr(result.text, "NotImplemented") != NULL);
}

CASE(the_probe_fails_where_nothing_can_be_written)
{
    BEGIN;
    struct store_probe_result result;
    struct store_probe_settings settings = {0};
    store_faults_set("[{'action':'status','status':403,'code':'AccessDenied','method':'PUT'}]");
    EXPECT_ERR(store_probe(store, &settings, &result, &err), ERR_SETTINGS);
    store_faults_set("[{'action':'status','status':404,'code':'NoSuchBucket','method':'PUT'}]");
    EXPECT_ERR(store_probe(store, &settings, &result, &err), ERR_SETTINGS);
    EXPECT(strstr(err.message, "NoSuchBucket") != NULL);
}

const struct store_case store_faults_parts[] = {
    STORE_FAULTS_CASE(a_failed_part_aborts_the_upload),
    STORE_FAULTS_CASE(a_lost_part_is_sent_again),
    STORE_FAULTS_CASE(an_error_inside_200_is_an_error),
    STORE_FAULTS_CASE(a_lost_completion_is_settled),
    STORE_FAULTS_CASE(an_existing_object_spares_the_upload),
    STORE_FAULTS_CASE(other_bytes_than_were_sent_are_corrupt),
    STORE_FAULTS_CASE(a_copy_with_an_error_inside_200_is_tried_again),
    STORE_FAULTS_CASE(a_batch_with_a_failed_key_is_sent_again),
    STORE_FAULTS_CASE(the_probe_notices_ignored_conditions),
    STORE_FAULTS_CASE(the_probe_notices_conditions_that_lose_races),
    STORE_FAULTS_CASE(the_probe_takes_501_for_an_answer),
    STORE_FAULTS_CASE(the_probe_fails_where_nothing_can_be_written),
    {NULL, NULL},
};

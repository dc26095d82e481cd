/* TLS, proxies, and the two ways to address a bucket. */
#include <string.h>

#include "tests/conformance/store_faults_case.h"

CASE(tls_trusts_only_what_it_is_told_to)
{
    BEGIN;
    char url[256];
    char ca[256];
    struct s3_settings settings = store_faults_quick();
    EXPECT(store != NULL);
    store_faults_start_tls(suite->folder, url, sizeof url);
    settings.endpoint = url;
    struct store *tls = store_server_open(&settings, "suite/tls");
    EXPECT_ERR(store_put(tls, "o", &content, store_if_absent(), NULL, &err), ERR_SETTINGS);
    EXPECT(requests(tls, STORE_PUT) == 0 && retries(tls, STORE_PUT) == 0);
    store_free(tls);
    snprintf(ca, sizeof ca, "%s/ca.pem", suite->folder);
    settings.ca_file = ca;
    tls = store_server_open(&settings, "suite/tls");
    EXPECT_OK(store_put(tls, "o", &content, store_if_absent(), NULL, &err));
    store_suite_expect(tls, "o", "content");
    store_free(tls);
    settings.ca_file = "/no/such/ca.pem";
    tls = store_server_open(&settings, "suite/tls");
    EXPECT_ERR(store_put(tls, "o", &content, store_if_absent(), NULL, &err), ERR_SETTINGS);
    store_free(tls);
}

CASE(a_proxy_is_used)
{
    BEGIN;
    struct s3_settings settings = store_faults_quick();
    char proxy[256];
    EXPECT(store != NULL);
    snprintf(proxy, sizeof proxy, "%s", getenv("AWS_ENDPOINT_URL"));
    settings.endpoint = "http://store.invalid";
    settings.proxy = proxy;
    struct store *far = store_server_open(&settings, "suite/proxy");
    EXPECT_OK(store_put(far, "o", &content, store_if_absent(), NULL, &err));
    store_suite_expect(far, "o", "content");
    EXPECT(store_faults_seen("PUT http://store.invalid/tidemark/suite/proxy/o ") == 1);
    store_free(far);
    settings.proxy = NULL;
    setenv("http_proxy", proxy, 1);
    far = store_server_open(&settings, "suite/proxy");
    store_suite_expect(far, "o", "content");
    store_free(far);
    settings.proxy = "";
    settings.no_retries = true;
    far = store_server_open(&settings, "suite/proxy");
    EXPECT_ERR(store_put(far, "o", &content, store_always(), NULL, &err), ERR_TRANSIENT);
    EXPECT(requests(far, STORE_PUT) == 0);
    store_free(far);
    unsetenv("http_proxy");
}

CASE(the_bucket_may_be_part_of_the_host)
{
    BEGIN;
    struct s3_settings settings = store_faults_quick();
    EXPECT(store != NULL);
    settings.endpoint = "http://store.invalid:8333";
    settings.proxy = getenv("AWS_ENDPOINT_URL");
    settings.addressing = S3_ADDRESSING_VIRTUAL;
    store_faults_set("[{'action':'status','status':403,'code':'AccessDenied'}]");
    struct store *far = store_server_open(&settings, "suite/virtual");
    EXPECT_ERR(store_put(far, "a b", &content, store_always(), NULL, &err), ERR_SETTINGS);
    EXPECT(store_faults_seen("PUT http://tidemark.store.invalid:8333/suite/virtual/a%20b ") == 1);
    store_free(far);
}

CASE(a_wrong_region_is_named)
{
    BEGIN;
    store_faults_set("[{'action':'status','status':301,'code':'PermanentRedirect',"
                     "'headers':{'x-amz-bucket-region':'eu-north-1'}}]");
    EXPECT_ERR(store_put(store, "o", &content, store_always(), NULL, &err), ERR_SETTINGS);
    EXPECT(strstr(err.message, "the bucket is in eu-north-1") != NULL);
}

CASE(encryption_is_asked_for)
{
    BEGIN;
    struct s3_settings settings = store_faults_quick();
    EXPECT(store != NULL);
    settings.encryption = S3_ENCRYPTION_SSE_KMS;
    settings.kms_key = "the-key";
    /* An ETag that is not the MD5: with KMS it never is. */
    store_faults_set("[{'action':'status','status':200,'body':'','method':'PUT','times':1,"
                     "'header':'x-amz-server-side-encryption-aws-kms-key-id','headers':"
                     "{'ETag':'\\'00000000000000000000000000000000\\'',"
                     "'x-amz-server-side-encryption':'aws:kms'}},"
                     "{'action':'status','status':403,'code':'NotAsked'}]");
    struct store *sealed = store_server_open(&settings, "suite/sealed");
    EXPECT_OK(store_put(sealed, "o", &content, store_always(), NULL, &err));
    store_free(sealed);
    settings.encryption = S3_ENCRYPTION_SSE_S3;
    store_faults_set("[{'action':'status','status':503,'code':'SlowDown','method':'PUT','times':1,"
                     "'header':'x-amz-server-side-encryption'}]");
    sealed = store_server_open(&settings, "suite/sealed");
    bool ok = store_put(sealed, "o", &content, store_always(), NULL, &err);
    uint64_t again = retries(sealed, STORE_PUT);
    store_free(sealed);
    EXPECT(again == 1);                     /* the header was there */
    EXPECT(ok || err.kind == ERR_SETTINGS); /* versitygw may refuse what it cannot do */
}

const struct store_case store_faults_network[] = {
    STORE_FAULTS_CASE(tls_trusts_only_what_it_is_told_to),
    STORE_FAULTS_CASE(a_proxy_is_used),
    STORE_FAULTS_CASE(the_bucket_may_be_part_of_the_host),
    STORE_FAULTS_CASE(a_wrong_region_is_named),
    STORE_FAULTS_CASE(encryption_is_asked_for),
    {NULL, NULL},
};

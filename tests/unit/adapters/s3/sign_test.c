/* Signatures against the values that Amazon publishes. */
#include <criterion/criterion.h>
#include <string.h>

#include "adapters/s3/sign.h"

#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/* Source: "Authenticating Requests (AWS Signature Version 4)", the examples of "Transferring
 * Payload in a Single Chunk" in the Amazon S3 API reference. */
static const struct {
    const char *title;
    const char *method;
    const char *path;
    struct sign_pair query[3];
    struct sign_pair headers[6];
    const char *payload;
    const char *signed_headers;
    const char *signature;
} s3_examples[] = {
    {"GET object",
     "GET",
     "/test.txt",
     {{0}},
     {{"host", "examplebucket.s3.amazonaws.com"},
      {"range", "bytes=0-9"},
      {"x-amz-content-sha256", EMPTY},
      {"x-amz-date", "20130524T000000Z"}},
     EMPTY,
     "host;range;x-amz-content-sha256;x-amz-date",
     "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
    {"PUT object",
     "PUT",
     "/test$file.text",
     {{0}},
     {{"date", "Fri, 24 May 2013 00:00:00 GMT"},
      {"host", "examplebucket.s3.amazonaws.com"},
      {"x-amz-content-sha256", "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"},
      {"x-amz-date", "20130524T000000Z"},
      {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
     "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
     "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
     "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"},
    {"GET bucket lifecycle",
     "GET",
     "/",
     {{"lifecycle", ""}},
     {{"host", "examplebucket.s3.amazonaws.com"},
      {"x-amz-content-sha256", EMPTY},
      {"x-amz-date", "20130524T000000Z"}},
     EMPTY,
     "host;x-amz-content-sha256;x-amz-date",
     "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
    {"list objects",
     "GET",
     "/",
     {{"max-keys", "2"}, {"prefix", "J"}},
     {{"x-amz-date", "20130524T000000Z"},
      {"x-amz-content-sha256", EMPTY},
      {"host", "examplebucket.s3.amazonaws.com"}},
     EMPTY,
     "host;x-amz-content-sha256;x-amz-date",
     "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
};

static size_t count_of(const struct sign_pair *pairs, size_t most)
{
    size_t count = 0;
    while (count < most && pairs[count].name != NULL) {
        count++;
    }
    return count;
}

static void expect_signature(const struct sign_request *request, struct sign_keys *keys,
                             const char *title, const char *wanted)
{
    AUTO(buf) struct buf text;
    buf_init(&text, 4096);
    sign_authorization(request, keys, &text);
    const char *found = strstr(buf_text(&text), ",Signature=");
    cr_assert_not_null(found);
    cr_expect_str_eq(found + 11, wanted, "%s: %s", title, buf_text(&text));
}

Test(sign, examples_of_the_s3_reference)
{
    struct sign_keys keys = {.access_key = "AKIAIOSFODNN7EXAMPLE"};
    secret_set(&keys.secret_key, bytes_of_text("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"));
    for (size_t i = 0; i < LENGTH_OF(s3_examples); i++) {
        struct sign_request request = {.method = s3_examples[i].method,
                                       .path = s3_examples[i].path,
                                       .query = s3_examples[i].query,
                                       .query_count = count_of(s3_examples[i].query, 3),
                                       .headers = s3_examples[i].headers,
                                       .header_count = count_of(s3_examples[i].headers, 6),
                                       .payload_sha256 = s3_examples[i].payload,
                                       .region = "us-east-1",
                                       .service = "s3",
                                       .date = "20130524T000000Z"};
        expect_signature(&request, &keys, s3_examples[i].title, s3_examples[i].signature);
        AUTO(buf) struct buf text;
        buf_init(&text, 4096);
        sign_authorization(&request, &keys, &text);
        cr_expect_not_null(strstr(buf_text(&text), s3_examples[i].signed_headers));
        cr_expect_eq(strncmp(buf_text(&text),
                             "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/"
                             "s3/aws4_request,SignedHeaders=",
                             98),
                     0, "%s", buf_text(&text));
    }
    sign_keys_done(&keys);
}

/* Source: the aws-sig-v4-test-suite that Amazon publishes for signers of all services. */
Test(sign, examples_of_the_test_suite)
{
    static const struct {
        const char *title;
        const char *method;
        const char *path;
        struct sign_pair query[3];
        const char *signature;
    } cases[] = {
        {"get-vanilla",
         "GET",
         "/",
         {{0}},
         "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
        {"post-vanilla",
         "POST",
         "/",
         {{0}},
         "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
        {"get-vanilla-query-order-key-case",
         "GET",
         "/",
         {{"Param2", "value2"}, {"Param1", "value1"}},
         "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
        {"get-unreserved",
         "GET",
         "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
         {{0}},
         "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"},
        {"get-utf8",
         "GET",
         "/\xe1\x88\xb4",
         {{0}},
         "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"},
    };
    static const struct sign_pair headers[] = {{"host", "example.amazonaws.com"},
                                               {"x-amz-date", "20150830T123600Z"}};
    struct sign_keys keys = {.access_key = "AKIDEXAMPLE"};
    secret_set(&keys.secret_key, bytes_of_text("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"));
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        struct sign_request request = {.method = cases[i].method,
                                       .path = cases[i].path,
                                       .query = cases[i].query,
                                       .query_count = count_of(cases[i].query, 3),
                                       .headers = headers,
                                       .header_count = 2,
                                       .payload_sha256 = EMPTY,
                                       .region = "us-east-1",
                                       .service = "service",
                                       .date = "20150830T123600Z"};
        expect_signature(&request, &keys, cases[i].title, cases[i].signature);
    }
    sign_keys_done(&keys);
}

Test(sign, encoding_and_order)
{
    AUTO(buf) struct buf text;
    buf_init(&text, 4096);
    sign_encode("a b/c+d%e=f&\xc3\xa9~_-.", true, &text);
    cr_expect_str_eq(buf_text(&text), "a%20b/c%2Bd%25e%3Df%26%C3%A9~_-.");
    buf_clear(&text);
    sign_encode("a/b", false, &text);
    cr_expect_str_eq(buf_text(&text), "a%2Fb");
    buf_clear(&text);
    struct sign_pair query[] = {{"uploadId", "x y"}, {"partNumber", "1"}, {"delete", ""}};
    sign_query(query, 3, &text);
    cr_expect_str_eq(buf_text(&text), "delete=&partNumber=1&uploadId=x%20y");
    cr_expect_str_eq(query[0].name, "uploadId", "the caller's order stays");
}

Test(sign, values_lose_blanks)
{
    AUTO(buf) struct buf text;
    buf_init(&text, 4096);
    struct sign_pair headers[] = {{"a", "  one   two  "}, {"b", ""}};
    struct sign_request request = {
        .method = "GET", .path = "/", .headers = headers, .header_count = 2, .payload_sha256 = "x"};
    sign_canonical(&request, &text);
    cr_expect_str_eq(buf_text(&text), "GET\n/\n\na:one two\nb:\n\na;b\nx");
}

Test(sign, date)
{
    char date[SIGN_DATE_MAX];
    sign_date(INT64_C(1369353600999999), date);
    cr_expect_str_eq(date, "20130524T000000Z");
    sign_date(INT64_C(1773484259000000), date);
    cr_expect_str_eq(date, "20260314T103059Z");
}

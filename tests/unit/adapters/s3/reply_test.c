/* The XML answers of S3, right, odd and hostile. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "adapters/s3/reply.h"
#include "core/base/buf.h"

static struct arena *arena;

static void make(void)
{
    arena = arena_new(4096);
}

static void drop(void)
{
    arena_free(arena);
}

TestSuite(reply, .init = make, .fini = drop);

#define HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
#define OBJECT(key, size)                                                                          \
    "<Contents><Key>" key "</Key><LastModified>2026-03-14T10:30:00.000Z</LastModified>"            \
    "<ETag>&quot;0&quot;</ETag><Size>" size                                                        \
    "</Size><StorageClass>STANDARD</StorageClass></Contents>"

Test(reply, list)
{
    static const char xml[] = HEAD
        "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>b</Name>\n"
        "<EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>"
        "<NextContinuationToken>a/b+c=</NextContinuationToken>" OBJECT("p/z%20+%2B%C3%A9", "5")
            OBJECT("p/a%26", "0") "<CommonPrefixes><Prefix>p/m/</Prefix></CommonPrefixes>"
                                  "</ListBucketResult>";
    struct reply_list list;
    struct err err = {0};
    cr_assert(reply_list_of(bytes_of_text(xml), arena, &list, &err), "%s", err.message);
    cr_assert_eq(list.count, 3);
    cr_expect_str_eq(list.objects[0].key, "p/a&");
    cr_expect_str_eq(list.objects[1].key, "p/m/");
    cr_expect(list.objects[1].folder && !list.objects[0].folder);
    cr_expect_str_eq(list.objects[2].key, "p/z  +\xc3\xa9");
    cr_expect_eq(list.objects[2].size, 5);
    cr_expect_eq(list.objects[2].modified_us, INT64_C(1773484200000000));
    cr_expect_str_eq(list.next, "a/b+c=");
}

Test(reply, list_without_encoding_keeps_the_letters)
{
    static const char xml[] = "<ListBucketResult><IsTruncated>false</IsTruncated>" OBJECT(
        "p/a%20+b", "1") "</ListBucketResult>";
    struct reply_list list;
    struct err err = {0};
    cr_assert(reply_list_of(bytes_of_text(xml), arena, &list, &err));
    cr_expect_str_eq(list.objects[0].key, "p/a%20+b");
    cr_expect_null(list.next);
}

Test(reply, bad_lists_are_transient)
{
    static const char *const texts[] = {
        "",
        "not xml",
        "<ListBucketResult>",
        "<ListBucketResult></ListBucketResult",
        "<Other/>",
        "<ListBucketResult>" OBJECT("k", "x") "</ListBucketResult>",
        "<ListBucketResult>" OBJECT("k", "-1") "</ListBucketResult>",
        "<ListBucketResult>" OBJECT("", "1") "</ListBucketResult>",
        "<ListBucketResult><Contents><Key>k</Key><Size>1</Size></Contents></ListBucketResult>",
        "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
        "<!DOCTYPE x [<!ENTITY a \"b\">]><ListBucketResult>&a;</ListBucketResult>",
    };
    for (size_t i = 0; i < LENGTH_OF(texts); i++) {
        struct reply_list list;
        struct err err = {0};
        cr_expect_not(reply_list_of(bytes_of_text(texts[i]), arena, &list, &err), "%s", texts[i]);
        cr_expect_eq(err.kind, ERR_TRANSIENT);
    }
}

Test(reply, depth_and_number_are_bounded)
{
    struct err err = {0};
    const struct reply_node *root = NULL;
    AUTO(buf) struct buf xml;
    buf_init(&xml, 4 * 1024 * 1024);
    for (int i = 0; i < REPLY_DEPTH_MAX + 1; i++) {
        buf_add_text(&xml, "<a>");
    }
    cr_expect_not(reply_parse(buf_bytes(&xml), arena, &root, &err));
    cr_expect_not_null(strstr(err.message, "too deep"), "%s", err.message);
    buf_clear(&xml);
    buf_add_text(&xml, "<a>");
    for (int i = 0; i < REPLY_NODES_MAX; i++) {
        buf_add_text(&xml, "<b/>");
    }
    buf_add_text(&xml, "</a>");
    cr_expect_not(reply_parse(buf_bytes(&xml), arena, &root, &err));
}

Test(reply, errors)
{
    struct reply_error error;
    cr_assert(reply_error_of(
        bytes_of_text("\n \t" HEAD
                      "<Error><Code>NoSuchKey</Code><Message>The specified\nkey</Message>"
                      "<Key>x</Key><Region>eu-west-1</Region></Error>"),
        &error));
    cr_expect_str_eq(error.code, "NoSuchKey");
    cr_expect_str_eq(error.message, "The specified key");
    cr_expect_str_eq(error.region, "eu-west-1");
    cr_assert(reply_error_of(
        bytes_of_text("<ErrorResponse><Error><Code>InvalidIdentityToken</Code></Error>"
                      "</ErrorResponse>"),
        &error));
    cr_expect_str_eq(error.code, "InvalidIdentityToken");
    cr_expect_str_eq(error.message, "");
    cr_expect_not(reply_error_of(bytes_of_text("<html><body>502</body></html>"), &error));
    cr_expect_not(reply_error_of(bytes_of_text("<ErrorResponse/>"), &error));
    cr_expect_not(reply_error_of(bytes_of_text(""), &error));
}

Test(reply, fields_and_deletes)
{
    struct err err = {0};
    const char *text = NULL;
    cr_assert(reply_field_of(bytes_of_text("<s:CopyObjectResult xmlns:s=\"x\"><s:ETag>"
                                           "&quot;abc&quot;</s:ETag></s:CopyObjectResult>"),
                             arena, "CopyObjectResult", "ETag", &text, &err));
    cr_expect_str_eq(text, "\"abc\"");
    cr_expect_not(reply_field_of(bytes_of_text("<Error><ETag>x</ETag></Error>"), arena,
                                 "CopyObjectResult", "ETag", &text, &err));
    struct reply_error error;
    const char *key = "";
    cr_assert(reply_deleted_of(bytes_of_text("<DeleteResult/>"), arena, &error, &key, &err));
    cr_expect_null(key);
    cr_assert(reply_deleted_of(
        bytes_of_text("<DeleteResult><Deleted><Key>a</Key></Deleted><Error><Key>b</Key>"
                      "<Code>AccessDenied</Code><Message>no</Message></Error></DeleteResult>"),
        arena, &error, &key, &err));
    cr_expect_str_eq(key, "b");
    cr_expect_str_eq(error.code, "AccessDenied");
}

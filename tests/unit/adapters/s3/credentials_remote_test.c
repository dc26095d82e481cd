/* What the metadata services and STS answer, and which addresses may be asked. */
#include <criterion/criterion.h>
#include <string.h>

#include "adapters/s3/credentials_remote.h"

Test(credentials_remote, json)
{
    struct credentials_keys keys;
    struct err err = {0};
    cr_assert(credentials_remote_parse_json(
                  bytes_of_text("{\"Code\":\"Success\",\"AccessKeyId\":\"AK\",\"SecretAccessKey\":"
                                "\"sk\",\"Token\":\"tk\",\"Expiration\":\"2026-03-14T10:30:00Z\"}"),
                  &keys, &err),
              "%s", err.message);
    cr_expect_str_eq(keys.keys.access_key, "AK");
    cr_expect_str_eq(secret_reveal(&keys.keys.secret_key), "sk");
    cr_expect_str_eq(secret_reveal(&keys.keys.token), "tk");
    cr_expect_eq(keys.expires_us, INT64_C(1773484200000000));
    sign_keys_done(&keys.keys);
    cr_assert(credentials_remote_parse_json(
        bytes_of_text("{\"AccessKeyId\":\"AK\",\"SecretAccessKey\":\"sk\"}"), &keys, &err));
    cr_expect_eq(keys.expires_us, INT64_MAX);
    sign_keys_done(&keys.keys);
}

Test(credentials_remote, bad_answers_do_not_show_their_secrets)
{
    static const char *const texts[] = {
        "hunter2",
        "{\"AccessKeyId\":\"AK\",\"SecretAccessKey\":\"\",\"x\":\"hunter2\"}",
        "{\"AccessKeyId\":\"\",\"SecretAccessKey\":\"hunter2\"}",
        "{\"SecretAccessKey\":\"hunter2\"}",
        "{\"AccessKeyId\":5,\"SecretAccessKey\":\"hunter2\"}",
        "{\"AccessKeyId\":\"AK\",\"SecretAccessKey\":\"hunter2\",\"Expiration\":\"hunter2\"}",
        "{\"AccessKeyId\":\"AK\",\"SecretAccessKey\":\"hunter2\"} hunter2",
    };
    for (size_t i = 0; i < LENGTH_OF(texts); i++) {
        struct credentials_keys keys;
        struct err err = {0};
        cr_expect_not(credentials_remote_parse_json(bytes_of_text(texts[i]), &keys, &err), "%s",
                      texts[i]);
        cr_expect_eq(err.kind, ERR_TRANSIENT);
        cr_expect_null(strstr(err.message, "hunter2"), "%s", err.message);
    }
}

Test(credentials_remote, xml)
{
    struct credentials_keys keys;
    struct err err = {0};
    cr_assert(credentials_remote_parse_xml(
                  bytes_of_text(
                      "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/"
                      "2011-06-15/\"><AssumeRoleWithWebIdentityResult><Credentials>"
                      "<AccessKeyId>AK</AccessKeyId><SecretAccessKey>sk</SecretAccessKey>"
                      "<SessionToken>tk</SessionToken><Expiration>2026-03-14T10:30:00Z</Expiration>"
                      "</Credentials></AssumeRoleWithWebIdentityResult>"
                      "</AssumeRoleWithWebIdentityResponse>"),
                  &keys, &err),
              "%s", err.message);
    cr_expect_str_eq(keys.keys.access_key, "AK");
    sign_keys_done(&keys.keys);
    cr_expect_not(credentials_remote_parse_xml(bytes_of_text("<a/>"), &keys, &err));
    cr_expect_not(credentials_remote_parse_xml(bytes_of_text("<a"), &keys, &err));
}

Test(credentials_remote, addresses)
{
    static const struct {
        const char *url;
        bool allowed;
    } cases[] = {
        {"https://anywhere.example/x", true},
        {"http://169.254.170.2/v2", true},
        {"http://169.254.170.23/v1/credentials", true},
        {"http://[fd00:ec2::23]/v1", true},
        {"http://127.0.0.1:8080/x", true},
        {"http://127.9.0.1/x", true},
        {"http://localhost:8080", true},
        {"http://[::1]:80/", true},
        {"http://127.evil.example/x", false},
        {"http://169.254.170.2.evil.example/x", false},
        {"http://169.254.170.2@evil.example/x", false},
        {"http://evil.example/127.0.0.1", false},
        {"http://localhost.evil.example/", false},
        {"http://10.0.0.1/", false},
        {"http://[fd00:ec2::24]/", false},
        {"ftp://127.0.0.1/", false},
        {"", false},
    };
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        cr_expect_eq(credentials_remote_allowed(cases[i].url), cases[i].allowed, "%s",
                     cases[i].url);
    }
}

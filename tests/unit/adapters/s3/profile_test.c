/* The shared AWS files: which section counts, which value wins, what is refused. */
#include <criterion/criterion.h>
#include <string.h>

#include "adapters/s3/profile.h"

static const char config[] = "# comment\n"
                             "[default]\n"
                             "region = eu-central-1 ; where\n"
                             "aws_access_key_id=CONFIGKEY\n"
                             "aws_secret_access_key = config#secret\n"
                             "s3 =\n"
                             "    addressing_style = path\n"
                             "    region = not-this-one\n"
                             "\n"
                             "[profile work]\r\n"
                             "region=us-west-2\r\n"
                             "role_arn = arn:aws:iam::1:role/r\r\n"
                             "web_identity_token_file = /tokens/t\r\n"
                             "endpoint_url = http://localhost:9000\r\n"
                             "[profile sso]\n"
                             "sso_session = corp\n";

static struct profile parse(const char *text, enum profile_file file, const char *name)
{
    struct profile profile = {0};
    struct err err = {0};
    cr_assert(profile_parse(bytes_of_text(text), file, name, &profile, &err), "%s", err.message);
    return profile;
}

Test(profile, sections_of_the_configuration)
{
    struct profile profile = parse(config, PROFILE_CONFIG, "default");
    cr_expect(profile.found);
    cr_expect_str_eq(profile.region, "eu-central-1");
    cr_expect_str_eq(profile.access_key, "CONFIGKEY");
    cr_expect_str_eq(secret_reveal(&profile.secret_key), "config#secret");
    profile_done(&profile);
    profile = parse(config, PROFILE_CONFIG, "work");
    cr_expect_str_eq(profile.region, "us-west-2");
    cr_expect_str_eq(profile.role_arn, "arn:aws:iam::1:role/r");
    cr_expect_str_eq(profile.web_identity_token_file, "/tokens/t");
    cr_expect_str_eq(profile.endpoint_url, "http://localhost:9000");
    cr_expect_str_eq(profile.access_key, "");
    profile_done(&profile);
    profile = parse(config, PROFILE_CONFIG, "sso");
    cr_expect_str_eq(profile.unsupported, "sso_session");
    profile_done(&profile);
    profile = parse(config, PROFILE_CONFIG, "none");
    cr_expect_not(profile.found);
    profile = parse("[work]\nregion=x\n", PROFILE_CONFIG, "work");
    cr_expect_not(profile.found, "the configuration file wants the word profile");
}

Test(profile, the_credentials_file_wins)
{
    static const char credentials[] = "[work]\naws_access_key_id = OTHER\n"
                                      "[default]\naws_access_key_id = FILEKEY\n"
                                      "aws_secret_access_key = file/secret+==\n"
                                      "aws_session_token = token";
    struct profile profile = parse(config, PROFILE_CONFIG, "default");
    struct err err = {0};
    cr_assert(
        profile_parse(bytes_of_text(credentials), PROFILE_CREDENTIALS, "default", &profile, &err));
    cr_expect_str_eq(profile.access_key, "FILEKEY");
    cr_expect_str_eq(secret_reveal(&profile.secret_key), "file/secret+==");
    cr_expect_str_eq(secret_reveal(&profile.token), "token");
    cr_expect_str_eq(profile.region, "eu-central-1");
    profile_done(&profile);
}

Test(profile, faults_name_the_line_and_no_secret)
{
    static const char *const texts[] = {
        "[default]\n\nhunter2\n",
        "[default\naws_secret_access_key = hunter2\n",
    };
    for (size_t i = 0; i < LENGTH_OF(texts); i++) {
        struct profile profile = {0};
        struct err err = {0};
        cr_expect_not(
            profile_parse(bytes_of_text(texts[i]), PROFILE_CREDENTIALS, "default", &profile, &err));
        cr_expect_eq(err.kind, ERR_SETTINGS);
        cr_expect_not_null(strstr(err.message, i == 0 ? "line 3" : "line 1"), "%s", err.message);
        cr_expect_null(strstr(err.message, "hunter2"));
        profile_done(&profile);
    }
    char long_region[300];
    memset(long_region, 'x', sizeof long_region);
    memcpy(long_region, "[default]\nregion=", 17);
    long_region[299] = '\0';
    struct profile profile = {0};
    struct err err = {0};
    cr_expect_not(
        profile_parse(bytes_of_text(long_region), PROFILE_CONFIG, "default", &profile, &err));
}

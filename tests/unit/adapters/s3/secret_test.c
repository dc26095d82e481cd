/* Secrets are wiped and do not show. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "adapters/s3/secret.h"

Test(secret, set_copy_done)
{
    struct secret one = {0};
    struct secret two = {0};
    cr_assert_not(secret_is_set(&one));
    cr_assert_str_eq(secret_reveal(&one), "");
    secret_set(&one, bytes_of_text("swordfish"));
    secret_copy(&two, &one);
    secret_set(&one, bytes_of_text(""));
    cr_assert_not(secret_is_set(&one));
    cr_assert_str_eq(secret_reveal(&two), "swordfish");
    secret_done(&one);
    secret_done(&two);
    secret_done(&two);
    cr_assert_null(two.hidden);
}

Test(secret, redaction)
{
    struct secret secret = {0};
    secret_set(&secret, bytes_of_text("swordfish"));
    char text[256] = "key swordfish, twice: swordfishswordfish, and sword";
    secret_redact(&secret, text);
    cr_expect_str_eq(text, "key *********, twice: ******************, and sword");
    struct secret none = {0};
    secret_redact(&none, text);
    char signature[256];
    snprintf(signature, sizeof signature, "provided %s, short abcdef0123",
             "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
    secret_redact_signatures(signature);
    cr_expect_null(strstr(signature, "f0e8"));
    cr_expect_not_null(strstr(signature, "provided ****"));
    cr_expect_not_null(strstr(signature, "short abcdef0123"));
    secret_done(&secret);
}
